//! Continue-as-new: a workflow that lives long begins anew, without the history that it has.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use eventual_core::limits::HISTORY_SUGGESTED;
use eventual_engine::ambient;

use crate::ask::{Ask, Asked};
use crate::call::Call;
use crate::error::{CallError, Error, Failure};

impl<T: crate::Data, E: Failure> Call<T, E> {
    /// Ends this workflow's code here and begins it anew with the input of this call, as the same execution: signals and
    /// updates that were not taken are kept, everything else is given up as at the end of a workflow. In workflows only,
    /// for a call of the workflow itself. Never answers, except with an error when it is another's.
    ///
    /// ```
    /// # #[eventual::task] async fn poll_once(cursor: u64) -> u64 { cursor + 1 }
    /// #[eventual::workflow]
    /// async fn poller(mut cursor: u64) -> eventual::Result<()> {
    ///     loop {
    ///         cursor = poll_once(cursor).await?;
    ///         eventual::sleep(std::time::Duration::from_secs(60)).await;
    ///         if eventual::suggests_continue_as_new() {
    ///             return Ok(poller(cursor).continue_as_new().await?);
    ///         }
    ///     }
    /// }
    /// ```
    pub fn continue_as_new(self) -> ContinueAsNew<T, E> {
        ContinueAsNew { asked: self.into_asked(), answer: PhantomData }
    }
}

/// A workflow about to begin anew: await it.
#[must_use = "nothing begins anew until it is awaited"]
pub struct ContinueAsNew<T, E> {
    asked: Asked,
    answer: PhantomData<fn() -> Result<T, E>>,
}

impl<T, E> Future for ContinueAsNew<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let refused =
            |message: &str| Poll::Ready(Err(CallError::Invalid(Error::new("NotThisWorkflow", message))));
        match (&self.asked.ask, ambient::workflow()) {
            (Ask::Broken(error), _) => Poll::Ready(Err(CallError::Invalid(error.clone()))),
            (Ask::Workflow { attributes, .. }, Some(_)) if !attributes.is_empty() => refused(
                "an execution keeps its attributes when it continues as new: set the others in its code",
            ),
            (Ask::Workflow { name, input, .. }, Some(info)) if info.execution.workflow() == *name => {
                let _noted = ambient::continue_as_new(input.clone());
                Poll::Pending
            }
            (_, Some(_)) => refused("a workflow continues as new with a call of itself"),
            (_, None) => refused("only workflows continue as new"),
        }
    }
}

impl<T, E> fmt::Debug for ContinueAsNew<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContinueAsNew({:?})", self.asked)
    }
}

/// Whether the workflow's history is so long (10,000 facts and calls since it began, or began anew) that it should
/// [continue as new](Call::continue_as_new): a cold replay takes milliseconds for each thousand. `false` elsewhere.
#[must_use]
pub fn suggests_continue_as_new() -> bool {
    ambient::history_events() >= HISTORY_SUGGESTED
}
