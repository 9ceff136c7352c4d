//! Asynchronous invocation -> one attempt of a task.
//!
//! Whatever goes wrong here fails the invocation: Lambda then tells the timer queue, and the execution learns that the
//! attempt was lost.

use eventual_engine::codec;
use tracing::Instrument;

use crate::host::Host;
use crate::refusal::Refusal;
use crate::wire::envelope::Envelope;

pub(crate) async fn handle(host: &Host, event: &str) -> Result<(), Refusal> {
    let (execution, kept) = Envelope::open(event)?;
    let text = host.dispatch.open(kept).await?;
    let request = codec::decode_task(text.as_bytes())?;
    let (task, seq, attempt) = (&request.task, request.seq, request.attempt);
    let span = tracing::info_span!("execution", %execution, task, seq, attempt);
    Ok(host.engine.perform(request).instrument(span).await?)
}
