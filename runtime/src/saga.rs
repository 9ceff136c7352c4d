//! Steps that are undone in reverse order when a later one fails.
//!
//! A compensation is a call like any other, so it is remembered, retried and resumed after a crash as every call is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::call::Call;
use crate::cancel::shield;
use crate::codec::Data;
use crate::error::{CallError, Error, Failure};

type Undoing = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// The compensations of the steps that were made so far. In workflows.
///
/// ```
/// # #[eventual::task] async fn reserve(item: String) -> u64 { 1 }
/// # #[eventual::task] async fn release(reservation: u64) {}
/// # #[eventual::task] async fn charge(amount: u64) -> eventual::Result<u64> { Ok(amount) }
/// # #[eventual::task] async fn refund(payment: u64) {}
/// #[eventual::workflow]
/// async fn order(item: String) -> eventual::Result<u64> {
///     let mut saga = eventual::Saga::new();
///     let placed = async {
///         let reservation = saga.step(reserve(item), |it| release(*it)).await?;
///         let payment = saga.step(charge(20), |it| refund(*it)).await?;
///         eventual::Result::Ok(reservation + payment)
///     }
///     .await;
///     if placed.is_err() {
///         saga.compensate().await?;
///     }
///     placed
/// }
/// ```
#[derive(Default)]
#[must_use = "a saga that is dropped compensates nothing"]
pub struct Saga {
    undo: Vec<Box<dyn FnOnce() -> Undoing>>,
}

impl Saga {
    /// A saga without steps.
    pub const fn new() -> Self {
        Self { undo: Vec::new() }
    }

    /// Makes a step, and keeps how it is undone once it has succeeded. A step that fails has nothing to undo; one whose
    /// outcome is unknown (it timed out, its worker was lost) may have: let its own task find that out.
    ///
    /// # Errors
    /// As the step ended.
    pub async fn step<T, E, U, V>(
        &mut self,
        call: Call<T, E>,
        undo: impl FnOnce(&T) -> Call<U, V> + 'static,
    ) -> Result<T, CallError<E>>
    where
        T: Data + Clone + 'static,
        E: Failure,
        U: Data,
        V: Failure,
    {
        let done = call.await?;
        let made = done.clone();
        self.undo.push(Box::new(move || {
            // The call is built, and numbered, only when it is made.
            let undoing = undo(&made);
            Box::pin(async move { undoing.await.map(drop).map_err(Error::from) })
        }));
        Ok(done)
    }

    /// Undoes the steps, the latest first, even if the workflow is cancelled. A compensation that fails does not keep
    /// the others from being made.
    ///
    /// # Errors
    /// The compensations that failed.
    pub async fn compensate(&mut self) -> Result<(), Uncompensated> {
        let mut failed = Vec::new();
        while let Some(undo) = self.undo.pop() {
            let undone = shield(async move { undo().await }).await;
            failed.extend(undone.err());
        }
        if failed.is_empty() { Ok(()) } else { Err(Uncompensated { failed }) }
    }

    /// Forgets the compensations: what was done stays.
    pub fn keep(self) {}
}

impl fmt::Debug for Saga {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Saga({} compensations)", self.undo.len())
    }
}

/// Compensations that failed. Somebody has to look at what they left behind.
#[derive(Debug, thiserror::Error)]
#[error("{} of the saga's compensations failed: {}", failed.len(), failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Uncompensated {
    /// Why, the latest step first.
    pub failed: Vec<Error>,
}
