//! Work of a test that waits for what an execution does: the deliveries that bring it are made meanwhile.
//!
//! Without anybody who waits, this is an ordinary run of one future after another, in a fixed order.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use eventual_engine::UPDATE_WAIT;
use eventual_engine::ports::Clock;
use futures_util::stream::{FuturesUnordered, Stream};

use crate::world::World;

/// How long real input and output may take before another delivery is made for somebody who waits.
const PATIENCE: Duration = Duration::from_millis(50);

thread_local! {
    /// Number of the work or delivery that is being polled.
    static POLLED: Cell<u64> = const { Cell::new(0) };
}

/// Number of the work or delivery that is being polled, so that those which wait can be counted.
fn polled() -> u64 {
    POLLED.get()
}

/// How many wait for something to be written, by the number of the work or delivery that they are part of.
pub(crate) type Waiting = Arc<Mutex<BTreeMap<u64, u32>>>;

/// One that waits, until it is dropped.
pub(crate) struct Waits {
    waiting: Waiting,
    who: u64,
}

impl Waits {
    /// Counts whoever is being polled.
    pub(crate) fn begin(waiting: Waiting) -> Self {
        let who = polled();
        *waiting.lock().unwrap_or_else(PoisonError::into_inner).entry(who).or_default() += 1;
        Self { waiting, who }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.who) {
            *count -= 1;
        }
        waiting.retain(|_, count| *count > 0);
    }
}

/// Polls a future under a number.
async fn numbered<T>(number: u64, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let before = POLLED.replace(number);
        let polled = future.as_mut().poll(cx);
        POLLED.set(before);
        polled
    })
    .await
}

/// What keeps everything that is under way from going on.
enum Quiet {
    /// It is not quiet: something was done.
    No,
    /// Real input and output, or what another one has locked.
    PerhapsLocked,
    /// What only further deliveries bring, or time.
    Waiting,
}

/// Runs `work` to its end, and with it the deliveries that it waits for, each made by `step`; the clock moves as far as that
/// takes.
pub(crate) async fn drive<T, S: Future<Output = bool>>(
    step: impl Fn() -> S,
    world: &World,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(numbered(0, work));
    let mut steps = FuturesUnordered::new();
    let mut result = None;
    let patient = world.now() + u64::try_from(UPDATE_WAIT.as_millis()).unwrap_or(u64::MAX);
    for number in 1.. {
        let quiet = poll_fn(|cx| {
            if result.is_none()
                && let Poll::Ready(done) = work.as_mut().poll(cx)
            {
                result = Some(done);
            }
            match pin!(&mut steps).poll_next(cx) {
                Poll::Ready(Some(_)) => return Poll::Ready(Quiet::No),
                Poll::Ready(None) if result.is_some() => return Poll::Ready(Quiet::No),
                Poll::Ready(None) | Poll::Pending => {}
            }
            let under_way = steps.len() + usize::from(result.is_none());
            if world.waiting() >= under_way { Poll::Ready(Quiet::Waiting) } else { Poll::Pending }
        });
        let quiet = tokio::time::timeout(PATIENCE, quiet).await.unwrap_or(Quiet::PerhapsLocked);
        if steps.is_empty()
            && let Some(result) = result.take()
        {
            return result;
        }
        let due_now = world.next_due().is_some_and(|it| it <= world.now());
        match quiet {
            Quiet::Waiting if !due_now => pass(world, world.next_due().filter(|it| *it <= patient)).await,
            Quiet::Waiting => steps.push(Box::pin(numbered(number, step()))),
            Quiet::PerhapsLocked if due_now && world.waiting() > 0 => {
                steps.push(Box::pin(numbered(number, step())));
            }
            Quiet::PerhapsLocked | Quiet::No => {}
        }
    }
    unreachable!("numbers do not end")
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
