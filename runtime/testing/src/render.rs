//! Histories, calls and deliveries in words, for people who read a failed test. Deliberately no format that anything parses.

use std::fmt::Write;

use eventual_engine::core::{Call, Fact, Millis, Outcome, Payload, Turn};
use eventual_engine::ports::Meta;

use crate::world::Delivery;

/// An outcome in a few words.
#[must_use]
pub fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Cancelled => "cancelled".to_owned(),
        Outcome::Crashed(message) => format!("crashed: {message}"),
        Outcome::Failed(failure) => format!("failed with {}: {}", failure.class, failure.message),
        Outcome::HeartbeatLost => "lost its heartbeat".to_owned(),
        Outcome::Succeeded(value) => format!("succeeded with {}", short(value)),
        Outcome::Terminated(reason) => format!("was terminated: {reason}"),
        Outcome::TimedOut => "timed out".to_owned(),
    }
}

/// A call in a few words.
#[must_use]
pub fn call(call: &Call) -> String {
    match call {
        Call::Task(task) => format!("task `{}`({})", task.name, short(&task.input)),
        Call::Timer { due } => format!("timer until {}", moment(*due)),
        Call::Workflow { execution, input, detached, .. } => {
            let how = if *detached { "start of" } else { "child" };
            format!("{how} {execution}({})", short(input))
        }
        Call::Send { execution, signal, payload, .. } => {
            format!("signal `{signal}` to {execution}: {}", short(payload))
        }
        Call::Emit(events) => {
            let events = events.iter().map(|it| format!("`{}` {}", it.name, short(&it.payload)));
            format!("event {}", events.collect::<Vec<_>>().join(", "))
        }
        Call::Signal { name } => format!("wait for signal `{name}`"),
        other => match other.name() {
            "" => other.kind().to_owned(),
            name => format!("{} `{name}`", other.kind()),
        },
    }
}

/// A fact in a few words.
#[must_use]
pub fn fact(fact: &Fact) -> String {
    match fact {
        Fact::ChildDone { seq, outcome } => format!("child of call {seq} {}", describe(outcome)),
        Fact::Signal { name, payload, .. } => format!("signal `{name}`: {}", short(payload)),
        Fact::TaskDone { seq, attempt, outcome } => {
            format!("task of call {seq}, attempt {attempt}, {}", describe(outcome))
        }
        Fact::TaskLost { seq, attempt, reason, .. } => {
            format!("task of call {seq}, attempt {attempt}, was lost: {reason}")
        }
        Fact::Update { name, input, .. } => format!("update `{name}`({})", short(input)),
        Fact::UpdateDone { seq, outcome } => format!("update of call {seq} {}", describe(outcome)),
        Fact::TimerFired { seq } => format!("timer of call {seq} fired"),
        other => format!("{other:?}"),
    }
}

/// Something on its way in a few words.
#[must_use]
pub fn delivery(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Event { subscription, event } => {
            format!("event `{}` to subscription `{subscription}`: {}", event.name, short(&event.payload))
        }
        Delivery::Task(request) => format!(
            "attempt {} of task `{}`({}) for call {} of {}",
            request.attempt,
            request.task,
            short(&request.input),
            request.seq,
            request.execution
        ),
        Delivery::Wake(id, message) if message.facts.is_empty() => format!("wake-up of {id}"),
        Delivery::Wake(id, message) => {
            format!("to {id}: {}", message.facts.iter().map(fact).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A whole history, a line for everything that happened.
#[must_use]
pub fn history(meta: &Meta, turns: &[Turn]) -> String {
    let mut text = format!("{} {}({})\n", meta.id, meta.status.as_str(), short(&meta.input));
    for turn in turns {
        let _ =
            writeln!(text, "turn {} at +{}", turn.number, duration(turn.time.saturating_sub(meta.started)));
        for it in &turn.facts {
            let _ = writeln!(text, "  learnt: {}", fact(it));
        }
        for (seq, it) in &turn.calls {
            let _ = writeln!(text, "  asked {seq}: {}", call(it));
        }
        for it in &turn.attempts {
            let at = duration(it.at.saturating_sub(meta.started));
            let _ = writeln!(text, "  attempt {} of call {} at +{at}", it.attempt, it.seq);
        }
        for it in &turn.stops {
            let _ = writeln!(text, "  stops {}", it.execution);
        }
        for it in &turn.answers {
            let _ = writeln!(text, "  answers update {}: {}", it.id, describe(&it.outcome));
        }
        if let Some(anew) = &turn.continued {
            let _ = writeln!(text, "  continues as new with {}", short(&anew.input));
        }
        if let Some(reason) = &turn.parked {
            let _ = writeln!(text, "  parked: {reason}");
        }
        if let Some(end) = &turn.end {
            let _ = writeln!(text, "  {}", describe(end));
        }
    }
    if let Some(reason) = &meta.parked {
        let _ = writeln!(text, "{}: {reason}", meta.status.as_str());
    }
    text
}

/// A payload as far as a line goes.
fn short(payload: &Payload) -> String {
    const MOST: usize = 120;
    let text = String::from_utf8_lossy(payload.as_bytes());
    match text.char_indices().nth(MOST) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// A moment as it stands in timers, in milliseconds since the test began where it did since then.
fn moment(at: Millis) -> String {
    match at.checked_sub(crate::world::START) {
        Some(since) => format!("start of the test +{}", duration(since)),
        None => format!("{at} ms since 1970"),
    }
}

fn duration(millis: u64) -> String {
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let days = if days > 0 { format!("{days}d ") } else { String::new() };
    format!("{days}{hours:02}:{minutes:02}:{:02}.{rest:03}", seconds % 60)
}
