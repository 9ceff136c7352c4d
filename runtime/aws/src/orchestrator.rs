//! Workflow queue -> turns; and, from another version of this function, what only this version can do. Executions of a batch go on side by side, the messages of each one after the other.
//!
//! After the first failure of an execution its later messages wait with it, so that order is kept. A message that
//! nobody can ever read goes to the dead-letter queue at once: handled again and again, it would block its execution. One
//! to an execution that there is not is logged and dropped.

use eventual_core::{ExecutionId, Millis};
use eventual_engine::codec::{self, ForwardMessage};
use eventual_engine::ports::Clock;
use eventual_engine::{AdvanceError, Fault};
use eventual_schema::deploy::DEPLOYED;
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::Instrument;

use crate::clock::SystemClock;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::spill::Kept;
use crate::wire::envelope::Envelope;
use crate::wire::queue::{self, BatchAnswer, Record};

/// What is left of an invocation for its last turns: to commit them, to deliver them, to hand over, to answer.
const LAST_MS: u64 = 3_000;

/// A message with its execution.
struct Waking {
    record: Record,
    body: Kept,
}

/// What the function answers, to the queue or to another version of itself.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Batch(BatchAnswer),
    Forwarded(Box<RawValue>),
}

/// Handles an invocation that Lambda ends at `deadline`.
pub(crate) async fn handle(host: &Host, event: &str, deadline: Millis) -> Result<Answer, Refusal> {
    let until = last_call(SystemClock.now(), deadline);
    match queue::records(event) {
        Ok(records) => Ok(Answer::Batch(handle_batch(host, records, until).await)),
        Err(error) => match Envelope::open(event) {
            Ok((id, body)) => Ok(Answer::Forwarded(handle_forwarded(host, &id, body, until).await?)),
            Err(_) => Err(error.into()),
        },
    }
}

/// When an invocation begins nothing more. Of one that is configured to be short, most is still left to work in.
fn last_call(now: Millis, deadline: Millis) -> Millis {
    deadline.saturating_sub(LAST_MS.min(deadline.saturating_sub(now) / 4))
}

async fn handle_forwarded(
    host: &Host,
    id: &ExecutionId,
    body: Kept,
    until: Millis,
) -> Result<Box<RawValue>, Refusal> {
    let text = host.dispatch.open(body).await?;
    let ForwardMessage { code, forward, .. } = codec::decode_forward(text.as_bytes())?;
    let answer = host.engine.forwarded(&code, id, forward, Some(until)).await?;
    Ok(RawValue::from_string(codec::encode_forwarded(&answer))?)
}

async fn handle_batch(host: &Host, records: Vec<Record>, until: Millis) -> BatchAnswer {
    let (groups, unread) = by_execution(records);
    let groups = groups.into_iter().map(|(id, messages)| advance_all(host, id, messages, until));
    let failed = join_all(groups).await;
    let kept = join_all(unread.iter().map(|(record, problem)| bury(host, record, problem))).await;
    let again = unread.iter().zip(kept).filter(|(_, buried)| buried.is_err());
    let again: Vec<String> = again.map(|((record, _), _)| record.message_id.clone()).collect();
    BatchAnswer::failed(failed.into_iter().flatten().chain(again))
}

/// The messages of each execution, in order; and those that are not ours, with what is wrong with them.
type Sorted = (Vec<(ExecutionId, Vec<Waking>)>, Vec<(Record, String)>);

fn by_execution(records: Vec<Record>) -> Sorted {
    let mut groups: Vec<(ExecutionId, Vec<Waking>)> = Vec::new();
    let mut unread = Vec::new();
    for record in records {
        if record.body == DEPLOYED {
            // Its work was done when this process started.
            tracing::info!(delivery = record.message_id, "deployed");
            continue;
        }
        match Envelope::open(&record.body) {
            Err(error) => unread.push((record, error.to_string())),
            Ok((id, body)) => match groups.iter_mut().find(|(known, _)| *known == id) {
                Some((_, group)) => group.push(Waking { record, body }),
                None => groups.push((id, vec![Waking { record, body }])),
            },
        }
    }
    (groups, unread)
}

/// Gives a message up that nobody can read.
async fn bury(host: &Host, record: &Record, problem: &str) -> Result<(), Fault> {
    tracing::error!(
        delivery = record.message_id,
        problem,
        "unreadable message goes to the dead-letter queue"
    );
    host.dispatch.bury(&record.body, problem).await
}

/// Handles the messages of one execution up to the first failure. Returns the messages to deliver again.
async fn advance_all(host: &Host, id: ExecutionId, messages: Vec<Waking>, until: Millis) -> Vec<String> {
    let mut messages = messages.into_iter();
    while let Some(Waking { record, body }) = messages.next() {
        let span = tracing::info_span!("execution", execution = %id);
        if let Err(error) = advance(host, &id, &record, body, until).instrument(span).await {
            tracing::warn!(execution = %id, delivery = record.message_id, %error, "wake-up failed, will be delivered again");
            return std::iter::once(record)
                .chain(messages.map(|it| it.record))
                .map(|it| it.message_id)
                .collect();
        }
    }
    Vec::new()
}

async fn advance(
    host: &Host,
    id: &ExecutionId,
    record: &Record,
    body: Kept,
    until: Millis,
) -> Result<(), AdvanceError> {
    let text = host.dispatch.open(body).await?;
    let message = match codec::decode_message(text.as_bytes()) {
        Ok(message) => message,
        Err(error) => {
            bury(host, record, &error.to_string()).await?;
            return Ok(());
        }
    };
    match host.engine.advance_until(id, message, record.redelivered(), Some(until)).await {
        Err(AdvanceError::Unknown(_)) => {
            tracing::error!(execution = %id, delivery = record.message_id, "message dropped: no such execution");
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_invocation_is_left_for_its_last_turns() {
        assert_eq!(last_call(1_000, 61_000), 58_000);
        assert_eq!(last_call(1_000, 3_000), 2_500, "a short one still works for most of its time");
        assert_eq!(last_call(5_000, 3_000), 3_000);
    }

    #[test]
    fn messages_of_an_execution_stay_in_order() {
        let record = |id: &str, body: &str| {
            format!(
                r#"{{"messageId":"{id}","body":{},"attributes":{{}}}}"#,
                serde_json::to_string(body).unwrap()
            )
        };
        let one = r#"{"execution":"w/1","body":{}}"#;
        let two = r#"{"execution":"w/2","body":{}}"#;
        let event = format!(
            r#"{{"Records":[{},{},{},{}]}}"#,
            record("a", one),
            record("b", two),
            record("c", "not ours"),
            record("d", one)
        );
        let (groups, unread) = by_execution(queue::records(&event).unwrap());
        let unread: Vec<&str> = unread.iter().map(|(record, _)| record.message_id.as_str()).collect();
        assert_eq!(unread, ["c"]);
        let ids: Vec<(&str, Vec<&str>)> = groups
            .iter()
            .map(|(id, group)| (id.as_str(), group.iter().map(|it| it.record.message_id.as_str()).collect()))
            .collect();
        assert_eq!(ids, [("w/1", vec!["a", "d"]), ("w/2", vec!["b"])]);
    }
}
