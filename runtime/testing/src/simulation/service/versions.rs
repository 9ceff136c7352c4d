//! The codes that are deployed one after the other: each has a workflow whose executions stay on the code that they were started on,
//! and one whose executions follow the newest.

use eventual_engine::core::{Call, Outcome, Payload};
use eventual_engine::{WorkflowFn, ambient};

use super::{ask, done, size, task, value};

/// A code: its hash, its pinned workflow, and the one that follows the newest.
pub(in super::super) const CODES: [(&str, WorkflowFn, WorkflowFn); 3] = [
    ("v1", |input| Box::pin(pinned(1, input)), |input| Box::pin(changes(1, input))),
    ("v2", |input| Box::pin(pinned(2, input)), |input| Box::pin(changes(2, input))),
    ("v3", |input| Box::pin(pinned(3, input)), |input| Box::pin(changes(3, input))),
];
/// Time between two steps, in milliseconds: long enough for deployments to come between.
const PAUSE_MS: u64 = 20_000;

/// What each code asks for is another's mismatch.
async fn pinned(version: u64, input: Payload) -> Outcome {
    let mut sum = 0;
    for number in 0..size(&input) {
        sum += value(ask(|_| task("echo", number * 10 + version)).await);
        ask(|now| Call::Timer { due: now + PAUSE_MS }).await;
    }
    done(sum)
}

/// The sum of a pinned execution that was started on a code.
pub(super) fn sum_of_pinned(size: u64, code: &str) -> u64 {
    let version = (1..).zip(CODES).find(|(_, it)| it.0 == code).map_or(0, |(version, _)| version);
    (0..size).map(|it| it * 10 + version).sum()
}

/// Every code does more than the one before, where it may.
async fn changes(version: u64, input: Payload) -> Outcome {
    let mut sum = 0;
    for number in 0..size(&input) {
        sum += value(ask(|_| task("echo", number)).await);
        if version >= 2 && ambient::changed("a note") == Some(true) {
            ask(|_| task("note", number)).await;
        }
        // Not another timer: code that knows no such change would take it for its own, whose time has changed.
        if version >= 3 && ambient::changed("another note") == Some(true) {
            ask(|_| task("note", number + 100)).await;
        }
        ask(|now| Call::Timer { due: now + PAUSE_MS }).await;
    }
    done(sum)
}
