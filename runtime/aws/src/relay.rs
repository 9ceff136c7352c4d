//! Table stream -> wake-ups of the commits that no message covers: executions whose starter may have died before it
//! woke them.

use eventual_engine::ports::{Dispatch, Message};

use crate::host::Host;
use crate::refusal::Refusal;
use crate::wire::queue::BatchAnswer;
use crate::wire::stream;

/// Wakes in order; the first failure is where the stream is read again.
pub(crate) async fn handle(host: &Host, event: &str) -> Result<BatchAnswer, Refusal> {
    for commit in stream::uncovered(event)? {
        let Some(execution) = commit.execution else {
            tracing::error!(record = commit.record, "record dropped: its key names no execution");
            continue;
        };
        if let Err(error) = host.dispatch.wake(&execution, &Message::default()).await {
            tracing::warn!(%execution, %error, "wake-up failed, will be tried again");
            return Ok(BatchAnswer::failed([commit.record]));
        }
    }
    Ok(BatchAnswer::default())
}
