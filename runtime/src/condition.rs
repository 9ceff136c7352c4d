//! Waiting until something holds in the workflow's own state.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use eventual_engine::ambient;

use crate::call::Call;
use crate::timers::sleep;

/// Waits until `holds` answers `true`. It is asked at once, and again whenever the workflow has learnt something (a
/// result, a signal, a timer); it must look at the workflow's own state only. In workflows only.
///
/// ```
/// # use std::{cell::Cell, rc::Rc};
/// # #[eventual::signal] #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)] struct Vote { yes: bool }
/// #[eventual::workflow]
/// async fn elect() -> bool {
///     let votes = Rc::new(Cell::new(0));
///     let counting = votes.clone();
///     let _counter = eventual::on_signal(move |vote: Vote| counting.set(counting.get() + u32::from(vote.yes)));
///     eventual::until(|| votes.get() >= 3).timeout(std::time::Duration::from_secs(86_400)).await
/// }
/// ```
pub const fn until<P: FnMut() -> bool>(holds: P) -> Until<P> {
    Until { holds }
}

/// A condition that is waited for. See [`until`].
#[must_use = "nothing is waited for until it is awaited"]
pub struct Until<P> {
    holds: P,
}

impl<P: FnMut() -> bool> Until<P> {
    /// Waits no longer than `limit` from here, durably, and answers whether the condition held.
    #[track_caller]
    pub fn timeout(self, limit: Duration) -> UntilWithin<P> {
        UntilWithin { until: self, limit: sleep(limit) }
    }
}

impl<P: FnMut() -> bool + Unpin> Future for Until<P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let holds = (self.holds)();
        assert!(
            ambient::condition(cx, holds) || holds,
            "eventual::until waits for the state of a workflow, and is for workflow code only"
        );
        if holds { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<P> fmt::Debug for Until<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Until")
    }
}

/// A condition that is waited for no longer than some time. See [`Until::timeout`].
#[derive(Debug)]
#[must_use = "nothing is waited for until it is awaited"]
pub struct UntilWithin<P> {
    until: Until<P>,
    limit: Call<(), Infallible>,
}

impl<P: FnMut() -> bool + Unpin> Future for UntilWithin<P> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        if Pin::new(&mut self.until).poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        // A timer that is cancelled ends the wait too: the workflow is to end.
        Pin::new(&mut self.limit).poll(cx).map(|_| false)
    }
}
