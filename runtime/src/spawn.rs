//! Concurrent branches of a workflow: futures that go on while nobody awaits them.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use eventual_core::Outcome;
use futures_util::future::FusedFuture;
use futures_util::stream::{FuturesUnordered, Stream};

type Local = Pin<Box<dyn Future<Output = ()>>>;
type Spawned = Rc<RefCell<Vec<Local>>>;

thread_local! {
    /// Branches that the workflow which is being polled has spawned in this poll.
    static SPAWNED: RefCell<Option<Spawned>> = const { RefCell::new(None) };
}

/// Runs a future concurrently with the rest of the workflow. In workflows only. Await the branch for its result; a
/// branch that is dropped goes on. All branches end with the workflow; a panic in one is the workflow's.
///
/// # Panics
/// Outside of workflow code.
pub fn spawn<F>(future: F) -> Branch<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let shared = Rc::new(RefCell::new(Shared { result: None, waker: None }));
    let branch = Branch { shared: shared.clone(), taken: false };
    let running = async move {
        let result = future.await;
        let waker = {
            let mut shared = shared.borrow_mut();
            shared.result = Some(result);
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    };
    let spawned = SPAWNED.with_borrow(Clone::clone);
    let Some(spawned) = spawned else {
        panic!("eventual::spawn is for workflow code; in other handlers use the async runtime's own spawn");
    };
    spawned.borrow_mut().push(Box::pin(running));
    branch
}

struct Shared<T> {
    result: Option<T>,
    waker: Option<Waker>,
}

/// A branch of a workflow: await it for its result.
#[must_use = "the branch goes on, but its result is lost; `drop` it to say so"]
pub struct Branch<T> {
    shared: Rc<RefCell<Shared<T>>>,
    taken: bool,
}

impl<T> Future for Branch<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let result = {
            let mut shared = self.shared.borrow_mut();
            let result = shared.result.take();
            if result.is_none() {
                shared.waker = Some(cx.waker().clone());
            }
            result
        };
        result.map_or(Poll::Pending, |result| {
            self.taken = true;
            Poll::Ready(result)
        })
    }
}

impl<T> FusedFuture for Branch<T> {
    fn is_terminated(&self) -> bool {
        self.taken
    }
}

impl<T> Unpin for Branch<T> {}

impl<T> fmt::Debug for Branch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch").field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// A workflow's body together with the branches that it spawns.
pub(crate) struct Scope<F> {
    body: Pin<Box<F>>,
    spawned: Spawned,
    branches: FuturesUnordered<Local>,
}

impl<F: Future<Output = Outcome>> Scope<F> {
    pub(crate) fn new(body: F) -> Self {
        Self { body: Box::pin(body), spawned: Rc::default(), branches: FuturesUnordered::new() }
    }

    /// Polls body and branches once, and branches that were spawned meanwhile, in a fixed order.
    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        if let Poll::Ready(outcome) = self.body.as_mut().poll(cx) {
            return Poll::Ready(outcome);
        }
        loop {
            self.branches.extend(self.spawned.take());
            while let Poll::Ready(Some(())) = Pin::new(&mut self.branches).poll_next(cx) {}
            if self.spawned.borrow().is_empty() {
                return Poll::Pending;
            }
        }
    }
}

impl<F: Future<Output = Outcome>> Future for Scope<F> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        /// Puts back what was there, also when user code panics.
        struct Leave(Option<Spawned>);
        impl Drop for Leave {
            fn drop(&mut self) {
                SPAWNED.set(self.0.take());
            }
        }
        let _leave = Leave(SPAWNED.replace(Some(self.spawned.clone())));
        self.poll_all(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventual_core::Payload;

    fn run(body: impl Future<Output = ()>) -> Poll<Outcome> {
        let done = async {
            body.await;
            Outcome::Succeeded(Payload::null())
        };
        let mut scope = Box::pin(Scope::new(done));
        let mut polled = Poll::Pending;
        for _ in 0..10 {
            polled = scope.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled.is_ready() {
                break;
            }
        }
        polled
    }

    #[test]
    fn branches_run_while_nobody_awaits_them_and_may_spawn() {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let inside = seen.clone();
        let polled = run(async move {
            let outer = inside.clone();
            let branch = spawn(async move {
                let deep = spawn(async { 2 });
                outer.borrow_mut().push(1);
                deep.await
            });
            let dropped = inside.clone();
            drop(spawn(async move { dropped.borrow_mut().push(3) }));
            assert_eq!(branch.await, 2);
        });
        assert!(polled.is_ready());
        assert_eq!(*seen.borrow(), [1, 3]);
    }

    #[test]
    #[should_panic(expected = "is for workflow code")]
    fn spawning_elsewhere_says_so() {
        let _branch = spawn(async {});
    }
}
