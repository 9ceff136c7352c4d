//! Workflows that ask others for changes, and that continue as new.

use std::future::{pending, poll_fn};
use std::panic::Location;
use std::task::Poll;

use eventual_engine::ambient;
use eventual_engine::core::{Call, ExecutionId, Outcome, Payload};

use super::{ask, done, size, task, value};

/// Counts for a counter of its own, with its last update ends it, and answers how far that had counted.
pub(super) async fn asks(input: Payload) -> Outcome {
    let Some(own) = ambient::workflow().map(|it| it.execution) else {
        return Outcome::Crashed("outside of an execution".to_owned());
    };
    let Ok(counter) = ExecutionId::new("counter", &format!("of-{}", own.name())) else {
        return Outcome::Crashed("no name for the counter".to_owned());
    };
    let update = |name: &str| Call::Update {
        execution: counter.clone(),
        name: name.to_owned(),
        input: Payload::null(),
        start: Some("0".into()),
    };
    for number in 1..=size(&input) {
        let counted = value(ask(|_| update("count")).await);
        if counted != number {
            return Outcome::Crashed(format!("update {number} was answered {counted}"));
        }
    }
    match ask(|_| update("nonsense")).await {
        Outcome::Failed(refusal) if refusal.class == "Unknown" => {}
        other => return Outcome::Crashed(format!("nonsense was answered {other:?}")),
    }
    ask(|_| update("end")).await
}

/// Counts updates, continues as new after every third, and ends when it is told.
pub(super) async fn counter(input: Payload) -> Outcome {
    let mut count = size(&input);
    ambient::accept_updates(None);
    for _ in 0..3 {
        let mut slot = ambient::new_call(Location::caller());
        let next = poll_fn(|cx| match &mut slot {
            Some(slot) => slot.poll_update(cx, None),
            None => Poll::Ready(Err(Outcome::Crashed("outside of an execution".to_owned()))),
        });
        let update = match next.await {
            Ok(update) => update,
            Err(outcome) => return outcome,
        };
        match update.name.as_str() {
            "count" => {
                count += 1;
                if count.is_multiple_of(2) {
                    ask(|_| task("echo", count)).await;
                }
                ambient::answer(&update.id, done(count));
            }
            "end" => {
                ambient::answer(&update.id, done(count));
                return done(count);
            }
            other => {
                let refusal = Outcome::refused("Unknown", format!("no {other} here"), 404);
                ambient::answer(&update.id, refusal);
            }
        }
    }
    let _noted = ambient::continue_as_new(count.to_string().as_str().into());
    pending().await
}

/// Adds up to a number, one step to a history. Its input is the number, and later `step,number,sum`.
pub(super) async fn renews(input: Payload) -> Outcome {
    let text = String::from_utf8_lossy(input.as_bytes()).into_owned();
    let parts: Vec<u64> = text.trim_matches('"').split(',').filter_map(|it| it.parse().ok()).collect();
    let (step, number, sum) = match parts.as_slice() {
        [number] => (0, *number, 0),
        [step, number, sum] => (*step, *number, *sum),
        _ => return Outcome::Crashed(format!("{text} is no input")),
    };
    if step == number {
        return done(sum);
    }
    let name = if step % 2 == 0 { "echo" } else { "note" };
    let sum = sum + value(ask(|_| task(name, step)).await);
    if step % 3 == 1 {
        ask(|now| Call::Timer { due: now + 60_000 }).await;
    }
    let _noted = ambient::continue_as_new(format!("\"{},{number},{sum}\"", step + 1).as_str().into());
    pending().await
}
