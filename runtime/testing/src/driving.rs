//! Work of a test that waits for what an execution does: the deliveries that bring it are made meanwhile.
//!
//! Without anybody who waits, this is an ordinary run of one future after another, in a fixed order.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use eventual_engine::UPDATE_WAIT;
use eventual_engine::ports::Clock;
use futures_util::stream::{FuturesUnordered, Stream};

use crate::world::World;

/// How long real input and output may take before another delivery is made, or the clock moved, for somebody who waits.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs `work` to its end, and with it the deliveries that it waits for, each made by `step`; the clock moves as far as that
/// takes.
pub(crate) async fn drive<T, S: Future<Output = bool>>(
    step: impl Fn() -> S,
    world: &World,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    let mut steps = FuturesUnordered::new();
    let mut result = None;
    let patient = world.now() + u64::try_from(UPDATE_WAIT.as_millis()).unwrap_or(u64::MAX);
    loop {
        let quiet = poll_fn(|cx| {
            if result.is_none()
                && let Poll::Ready(done) = work.as_mut().poll(cx)
            {
                result = Some(done);
            }
            match pin!(&mut steps).poll_next(cx) {
                Poll::Ready(Some(_)) => Poll::Ready(false),
                Poll::Ready(None) if result.is_some() => Poll::Ready(true),
                // Everything that is under way waits for the world.
                _ if world.waiting() > steps.len() => Poll::Ready(true),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        });
        // What is under way may also wait for real input and output, or for what another one of them has locked.
        let quiet = tokio::time::timeout(PATIENCE, quiet).await.unwrap_or(world.waiting() > 0);
        if steps.is_empty()
            && let Some(result) = result.take()
        {
            return result;
        }
        if !quiet {
            continue;
        }
        match world.next_due() {
            Some(due) if due <= world.now() => steps.push(step()),
            due => pass(world, due.filter(|it| *it <= patient)).await,
        }
    }
}

/// Lets time pass to the next delivery; without one, those who wait have waited long enough.
async fn pass(world: &World, due: Option<u64>) {
    match due {
        Some(due) => world.set_now(due),
        None => {
            tokio::time::pause();
            tokio::time::advance(UPDATE_WAIT).await;
            tokio::time::resume();
        }
    }
}
