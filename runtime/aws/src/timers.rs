//! Timer queue -> facts: timers that are due, and attempts of tasks whose invocation Lambda has given up.
//!
//! A timer that comes too early is waited for when little is left, and sent on with the rest as delay otherwise: so
//! SQS's whole seconds and Scheduler's whole minutes become milliseconds.

use std::time::Duration;

use eventual_engine::codec;
use eventual_engine::ports::{AttemptId, Clock, Dispatch, Fault};
use futures_util::future::join_all;

use crate::clock::SystemClock;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::wire::envelope::Envelope;
use crate::wire::failure::{self, Lost};
use crate::wire::queue::{self, BatchAnswer, Record};

/// Longest rest that is waited for instead of sent on, in milliseconds.
const WAIT_MAX_MS: u64 = 2_000;

pub(crate) async fn handle(host: &Host, event: &str) -> Result<BatchAnswer, Refusal> {
    let records = queue::records(event)?;
    let failed = join_all(records.into_iter().map(|record| deliver_or_log(host, record))).await;
    Ok(BatchAnswer::failed(failed.into_iter().flatten()))
}

/// Handles one message. Returns it when it is to be delivered again.
async fn deliver_or_log(host: &Host, record: Record) -> Option<String> {
    let delivered = match failure::lost(&record.body) {
        Some(lost) => tell_loss(host, &record.message_id, lost).await,
        None => fire(host, &record).await,
    };
    let error = delivered.err()?;
    tracing::warn!(delivery = record.message_id, %error, "timer failed, will be delivered again");
    Some(record.message_id)
}

async fn fire(host: &Host, record: &Record) -> Result<(), Fault> {
    let (execution, kept) = match Envelope::open(&record.body) {
        Ok(opened) => opened,
        Err(error) => return bury(host, record, &error).await,
    };
    let text = host.dispatch.open(kept).await?;
    let timer = match codec::decode_timer(text.as_bytes()) {
        Ok(timer) => timer,
        Err(error) => return bury(host, record, &error).await,
    };
    let rest = timer.due.saturating_sub(SystemClock.now());
    if rest > WAIT_MAX_MS {
        return host.dispatch.delay(&execution, &record.body, rest).await;
    }
    tokio::time::sleep(Duration::from_millis(rest)).await;
    host.dispatch.wake(&execution, &timer.message()).await
}

/// Gives a message up that nobody can read.
async fn bury(host: &Host, record: &Record, error: &dyn std::error::Error) -> Result<(), Fault> {
    tracing::error!(delivery = record.message_id, %error, "unreadable message goes to the dead-letter queue");
    host.dispatch.bury(&record.body, &error.to_string()).await
}

async fn tell_loss(host: &Host, delivery: &str, lost: Lost) -> Result<(), Fault> {
    let Lost { request, timed_out, reason } = lost;
    match Envelope::attempt(&request) {
        Ok(id) => {
            let AttemptId { execution, seq, attempt, .. } = &id;
            tracing::warn!(%execution, seq, attempt, timed_out, %reason, "attempt lost");
            host.dispatch.wake(execution, &id.message(id.lost(timed_out, reason))).await
        }
        Err(error) => {
            tracing::error!(delivery, %reason, %error, "an invocation that is not a task's was given up; message dropped");
            Ok(())
        }
    }
}
