//! Publishes events on the service's bus: ten entries a request, and again for the entries that were refused for a
//! while.

use std::time::Duration;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use eventual_core::Emitted;
use eventual_engine::ports::Fault;

use super::AwsDispatch;
use crate::fault;

/// Most entries of a request (EventBridge's limit).
const ENTRIES_MAX: usize = 10;
/// Largest request, in bytes; so also the largest entry (EventBridge's limit).
const BYTES_MAX: usize = 256 * 1024;
/// Requests for one entry.
const ATTEMPTS: u32 = 4;
/// Pause before the second request; it doubles.
const PAUSE: Duration = Duration::from_millis(50);

/// An event that cannot be published.
#[derive(Debug, thiserror::Error)]
enum EventError {
    #[error(
        "event {name} has {bytes} bytes, EventBridge takes at most {BYTES_MAX}: publish a reference instead"
    )]
    TooLarge { name: String, bytes: usize },
    #[error("event {name} is not UTF-8")]
    NotText { name: String },
    #[error("event {name} was refused: {code}: {message}")]
    Refused { name: String, code: String, message: String },
}

impl AwsDispatch {
    /// Publishes `events` in order of requests; `key` names them in faults.
    pub(super) async fn publish(&self, key: &str, events: &[Emitted]) -> Result<(), Fault> {
        let operation = || format!("events PutEvents {key}");
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            entries.push(self.entry(event).map_err(|error| Fault::new(operation(), error))?);
        }
        for batch in batches(entries) {
            self.put(key, batch).await?;
        }
        Ok(())
    }

    fn entry(&self, event: &Emitted) -> Result<PutEventsRequestEntry, EventError> {
        let detail = std::str::from_utf8(event.payload.as_bytes())
            .map_err(|_| EventError::NotText { name: event.name.clone() })?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.resources.event_bus)
            .source(&self.service)
            .detail_type(&event.name)
            .detail(detail)
            .build();
        match size(&entry) {
            bytes if bytes > BYTES_MAX => Err(EventError::TooLarge { name: event.name.clone(), bytes }),
            _ => Ok(entry),
        }
    }

    /// Sends one request, and further ones for what was throttled.
    async fn put(&self, key: &str, mut entries: Vec<PutEventsRequestEntry>) -> Result<(), Fault> {
        let operation = || format!("events PutEvents {key}");
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
            }
            let answer = self
                .bus
                .put_events()
                .set_entries(Some(entries.clone()))
                .send()
                .await
                .map_err(|error| fault::aws(operation(), &error))?;
            let refused =
                answer.entries().iter().zip(entries).filter(|(result, _)| result.error_code.is_some());
            let (mut left, mut last) = (Vec::new(), None);
            for (result, entry) in refused {
                let code = result.error_code().unwrap_or_default();
                let error = EventError::Refused {
                    name: entry.detail_type().unwrap_or_default().to_owned(),
                    code: code.to_owned(),
                    message: result.error_message().unwrap_or_default().to_owned(),
                };
                if !passes(code) {
                    return Err(Fault::new(operation(), error));
                }
                last = Some(error);
                left.push(entry);
            }
            match last {
                None => return Ok(()),
                Some(error) if attempt + 1 == ATTEMPTS => return Err(Fault::new(operation(), error)),
                Some(_) => entries = left,
            }
        }
        Ok(())
    }
}

/// Whether an entry that was refused so may be accepted later.
fn passes(code: &str) -> bool {
    code.contains("Throttling") || code.contains("Internal") || code.contains("Unavailable")
}

/// The size of an entry as EventBridge counts it.
fn size(entry: &PutEventsRequestEntry) -> usize {
    let length = |text: Option<&str>| text.map_or(0, str::len);
    length(entry.source()) + length(entry.detail_type()) + length(entry.detail())
}

/// Cuts entries into requests that EventBridge takes, in order.
fn batches(entries: Vec<PutEventsRequestEntry>) -> Vec<Vec<PutEventsRequestEntry>> {
    let mut batches: Vec<Vec<PutEventsRequestEntry>> = Vec::new();
    let mut room = 0;
    for entry in entries {
        let bytes = size(&entry);
        match batches.last_mut() {
            Some(batch) if batch.len() < ENTRIES_MAX && bytes <= room => {
                room -= bytes;
                batch.push(entry);
            }
            _ => {
                room = BYTES_MAX.saturating_sub(bytes);
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: usize) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder().source("s").detail_type("E").detail("x".repeat(bytes)).build()
    }

    #[test]
    fn requests_hold_ten_entries_and_a_quarter_of_a_megabyte() {
        let sizes = |entries: Vec<usize>| {
            batches(entries.into_iter().map(entry).collect()).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(vec![1; 25]), [10, 10, 5]);
        assert_eq!(sizes(vec![100_000, 100_000, 100_000, 1]), [2, 2]);
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
    }
}
