//! [`Call`]: what a task, a workflow, a signal or a timer returns to whoever asks for it.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use eventual_core::limits::INLINE_TIMEOUT_MAX_MS;
use eventual_core::{ExecutionId, Outcome, ParentClose};
use futures_util::future::FusedFuture;

use crate::ask::{Ask, Asked};
use crate::codec::Data;
use crate::error::{CallError, Error, Failure, result_of};
use crate::retry::{Retry, millis};
use crate::search::Attribute;

/// Something asked for: await it. Nothing happens before its first poll; dropping it afterwards cancels it, and in a workflow
/// one that is dropped before the workflow waits again was never asked for.
///
/// A call is `Future + FusedFuture + Unpin + Send` and goes into `join!`, `select!`, `join_all` and `FuturesUnordered`
/// of tokio and futures alike. In workflows it is durable: its answer is remembered, and which of several calls was
/// first is decided by history.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T, E = Infallible> {
    asked: Asked,
    decode: Decode<T, E>,
}

/// Types an outcome.
#[doc(hidden)]
pub type Decode<T, E> = fn(Outcome) -> Result<T, CallError<E>>;

impl<T: Data, E: Failure> Call<T, E> {
    pub(crate) fn new(ask: Ask, at: &'static Location<'static>) -> Self {
        Self { asked: Asked::new(ask, at), decode: result_of }
    }

    /// Ends the call with [`CallError::Timeout`] when it takes longer. For a task, longest run of one attempt (default
    /// 60 seconds, or what its attribute says; a remote task never runs longer than its function may); for anything
    /// else, time from here.
    #[track_caller]
    pub fn timeout(mut self, limit: Duration) -> Self {
        let limit = millis(limit);
        match &mut self.asked.ask {
            Ask::Task(task) if task.inline && limit > INLINE_TIMEOUT_MAX_MS => {
                let message = format!(
                    "an inline task runs for at most {INLINE_TIMEOUT_MAX_MS} ms, because a turn waits for it: make it remote"
                );
                self.asked.ask = Ask::Broken(Error::new("InvalidTimeout", message));
            }
            Ask::Task(task) => task.timeout_ms = limit.max(1),
            _ => self.asked.limit(limit, Location::caller()),
        }
        self
    }

    /// When another attempt of the task is made, instead of what its attribute says. For tasks only.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.for_task("retry", |task| task.retry = retry.0);
        self
    }

    /// Ends the task with [`CallError::Timeout`] when all its attempts and the pauses between them take longer. No limit
    /// by default. For tasks only.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.for_task("total_timeout", |task| task.total_ms = Some(millis(limit).max(1)));
        self
    }

    /// Errors of these classes (`PaymentError::Declined`) are final, although the retry policy retries errors. For tasks
    /// only.
    pub fn final_errors<C: Into<String>>(mut self, classes: impl IntoIterator<Item = C>) -> Self {
        let classes: Vec<String> = classes.into_iter().map(Into::into).collect();
        self.for_task("final_errors", |task| task.final_errors = classes);
        self
    }

    /// Longest time between two heartbeats of the task, instead of what its attribute says. For tasks with `heartbeat` in
    /// their attribute only: others do not beat.
    pub fn heartbeat(mut self, period: Duration) -> Self {
        let period = millis(period).max(1);
        if let Ask::Task(task) = &self.asked.ask
            && task.heartbeat_ms.is_none()
        {
            let message = format!(
                "task `{}` does not beat: write `heartbeat = \"30s\"` in its attribute, and call `eventual::heartbeat` in it",
                task.name
            );
            self.asked.ask = Ask::Broken(Error::new("NoHeartbeat", message));
        }
        self.for_task("heartbeat", |task| task.heartbeat_ms = Some(period));
        self
    }

    fn for_task(&mut self, what: &str, set: impl FnOnce(&mut eventual_core::TaskCall)) {
        match &mut self.asked.ask {
            Ask::Task(task) => set(task),
            Ask::Broken(_) => {}
            ask => *ask = Ask::Broken(Error::new("NotATask", format!("`.{what}()` is for calls of tasks"))),
        }
    }

    /// Gives the execution an attribute that it is found by from its first turn on, see [`set_attribute`](crate::set_attribute);
    /// at most 32. One of this name that is there keeps its own. For workflows only: awaited in a workflow, or
    /// [started](Call::start) anywhere.
    ///
    /// ```
    /// #[eventual::workflow]
    /// async fn ship(order: String) -> eventual::Result<()> {
    ///     Ok(eventual::sleep(std::time::Duration::from_secs(60)).await?)
    /// }
    ///
    /// #[eventual::workflow]
    /// async fn ship_all(orders: Vec<String>) -> eventual::Result<()> {
    ///     for order in orders {
    ///         ship(order.clone()).attribute("order", order).attribute("bulk", true).await?;
    ///     }
    ///     Ok(())
    /// }
    /// # fn main() {}
    /// ```
    pub fn attribute(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.asked.ask.give_attribute(name, value.into().0);
        self
    }

    /// What becomes of the child when the workflow that waits for it ends first, or drops the call: by default it is
    /// asked to cancel itself. For workflows that are awaited only.
    pub fn on_parent_close(mut self, policy: ParentClose) -> Self {
        match &mut self.asked.ask {
            Ask::Workflow { close, .. } => *close = policy,
            Ask::Broken(_) => {}
            ask => {
                *ask =
                    Ask::Broken(Error::new("NotAWorkflow", "`.on_parent_close()` is for calls of workflows"));
            }
        }
        self
    }

    /// The idempotency key that every attempt of the task sees ([`Ctx::idempotency_key`](crate::Ctx::idempotency_key)),
    /// or the name of the child execution. By default made from the execution and the number of the call. For tasks
    /// and workflows only.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        match &mut self.asked.ask {
            Ask::Task(task) => task.key = Some(key),
            Ask::Workflow { name, key: name_of_child, .. } => match ExecutionId::new(name, &key) {
                Ok(_) => *name_of_child = Some(key),
                Err(error) => self.asked.ask = Ask::Broken(Error::new("InvalidName", error.to_string())),
            },
            Ask::Broken(_) => {}
            ask => *ask = Ask::Broken(Error::new("NotATask", "`.key()` is for calls of tasks and workflows")),
        }
        self
    }

    /// For hosts that answer calls themselves: what is asked, and how to type the answer.
    #[doc(hidden)]
    pub fn into_parts(self) -> (Ask, Decode<T, E>) {
        (self.asked.ask, self.decode)
    }

    pub(crate) fn into_asked(self) -> Asked {
        self.asked
    }
}

impl<T, E> Future for Call<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let decode = self.decode;
        self.asked.poll(cx).map(|answer| match answer {
            Ok(outcome) => decode(outcome),
            Err(error) => Err(CallError::Invalid(error)),
        })
    }
}

impl<T, E> FusedFuture for Call<T, E> {
    fn is_terminated(&self) -> bool {
        self.asked.is_done()
    }
}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked.fmt(f)
    }
}

const _: () = {
    const fn is<C: Send + Unpin + FusedFuture>() {}
    is::<Call<u8, Error>>();
};
