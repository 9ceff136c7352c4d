//! Heartbeats of tasks: signs of life that carry progress one way and cancellation the other.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use eventual_core::Payload;
use eventual_engine::{BeatError, Worker};

use crate::codec::Data;
use crate::error::{CallError, Error};
use crate::execution::{ClientError, outside};
use crate::extract::Ctx;

/// Says that the task which runs here is alive, and how far it is: the attempt after this one finds the details with
/// [`Ctx::last_heartbeat`]. `()` says only that it is alive.
///
/// For tasks with `#[task(heartbeat = "30s")]`, the longest time between two heartbeats: when it passes without one, the
/// attempt counts as lost, and the retry policy decides. Call it as often as you like: one in a third of that time is
/// written, the others cost nothing, and the details of those that are not written may be lost with their worker. Inline
/// tasks need none, and it does nothing in them. In code that the task gave to `tokio::spawn`, use [`Ctx::heartbeat`].
///
/// ```
/// use eventual::{Ctx, Result};
///
/// #[eventual::task(heartbeat = "30s", timeout = "15m")]
/// async fn import(files: Vec<String>, ctx: Ctx) -> Result<usize> {
///     // Goes on where the attempt before was.
///     let done = ctx.last_heartbeat::<usize>().await?.unwrap_or(0);
///     for (number, file) in files.iter().enumerate().skip(done) {
///         println!("importing {file}");
///         // Ends the task when nobody waits for it any more.
///         eventual::heartbeat(number + 1).await?;
///     }
///     Ok(files.len())
/// }
/// # fn main() {}
/// ```
///
/// # Errors
/// [`CallError::Cancelled`] when nobody waits for this attempt any more, so that it may stop: its call or execution was
/// cancelled or has ended, it ran out of time, or another attempt was made. It is learnt from a heartbeat that is written.
/// [`CallError::Invalid`] outside of tasks, in tasks that do not declare it, and for details over 32 KB.
pub async fn heartbeat(details: impl Data) -> Result<(), CallError> {
    let worker = current()?;
    beat(&worker, &details).await
}

/// Runs `code` and says meanwhile, a few times in each period, that the task is alive. For long waits without progress:
/// a request, a child process. It needs tokio's time, and `code` must await something now and then.
///
/// # Errors
/// As of [`heartbeat`]; `code` is dropped then.
pub async fn beating<F: Future>(code: F) -> Result<F::Output, CallError> {
    current()?.beating(code).await.map_err(|it| error(&it))
}

impl Ctx {
    /// The same as [`heartbeat`](fn@heartbeat), in any code of the task.
    ///
    /// # Errors
    /// As of [`heartbeat`](fn@heartbeat).
    pub async fn heartbeat(&self, details: impl Data) -> Result<(), CallError> {
        let worker = self.worker().ok_or_else(nowhere)?.clone();
        beat(&worker, &details).await
    }

    /// What an earlier attempt of this call reported last with its [`heartbeat`](fn@heartbeat); `None` when none did.
    ///
    /// # Errors
    /// When the details are of another type, or cannot be read now.
    pub async fn last_heartbeat<T: Data>(&self) -> Result<Option<T>, Error> {
        let Some(worker) = self.worker() else { return Ok(None) };
        let details = worker.last_details().await.map_err(|_| {
            Error::new("Heartbeat", "the details of the last heartbeat cannot be read now; its log says why")
        })?;
        details.map(|it| T::from_payload(&it)).transpose().map_err(|problem| {
            Error::new(
                "Heartbeat",
                format!("the details of the last heartbeat are of another type: {problem}"),
            )
        })
    }
}

fn current() -> Result<Arc<Worker>, CallError> {
    Worker::current().ok_or_else(nowhere)
}

async fn beat(worker: &Worker, details: &impl Data) -> Result<(), CallError> {
    let details = details.to_payload().map_err(|problem| {
        CallError::Invalid(Error::new("Heartbeat", format!("its details cannot be encoded: {problem}")))
    })?;
    worker.beat(Some(details).filter(|it| *it != Payload::null())).await.map_err(|it| error(&it))
}

fn error(error: &BeatError) -> CallError<Infallible> {
    match error {
        BeatError::Cancelled => CallError::Cancelled,
        BeatError::TooLarge(_) | BeatError::Undeclared => {
            CallError::Invalid(Error::new("Heartbeat", error.to_string()))
        }
    }
}

fn nowhere() -> CallError {
    CallError::Invalid(ClientError::Outside(outside("a task beats")).to_error())
}
