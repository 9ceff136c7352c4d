//! How long a step of a running workflow takes through real queues, with warm functions: read off the times of the turns in
//! the histories of orders, and taken apart by the times at which the emulated AWS saw each part of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::plan::Deployed;
use super::{Figure, milliseconds};
use crate::counts::{Event, events};
use crate::failure::Result;
use crate::orders::{CARD, Orders};
use crate::site::Site;

const WARM_UP: usize = 5;
const RUNS: usize = 30;
const LIMIT: Duration = Duration::from_secs(30);

/// From when to when, in milliseconds since 1970.
type Window = (f64, f64);

/// A turn that is committed begins an item, or is appended to one.
const COMMIT: &str = "dynamodb:PutItem or dynamodb:UpdateItem";
/// What follows what in a step with a remote task: who does what, whether its end or its begin counts, and what the time until
/// then was spent with. It begins with the turn that calls the task and ends with the one that has the result.
const PARTS: [(&str, &str, bool, &str); 7] = [
    ("orchestrator", COMMIT, true, "the turn, and its commit"),
    ("orchestrator", "lambda:InvokeFunction", true, "the invocation of the task, accepted"),
    ("task-processPayment", "dynamodb:PutItem", false, "until the worker claims it"),
    ("task-processPayment", "dynamodb:PutItem", true, "the claim"),
    ("task-processPayment", "sqs:SendMessage", false, "the task itself, a payment over HTTP"),
    ("task-processPayment", "sqs:SendMessage", true, "the message with its result, accepted"),
    ("orchestrator", "invocation", false, "until the orchestrator is invoked with it"),
];

pub(super) fn figures(site: &Site, deployed: &Deployed) -> Result<Vec<Figure>> {
    let orders = deployed.orders(site);
    let (mut signals, mut tasks, mut windows) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..WARM_UP + RUNS {
        let id = format!("bench{number}");
        let (task, signal) = one(&orders, &id)?;
        if number >= WARM_UP {
            tasks.extend(task.map(|(from, to)| to - from));
            signals.extend(signal);
            windows.extend(task);
        }
    }
    let figure = |what: &str, values, limit| Figure { what: what.into(), unit: "ms", values, limit };
    let mut figures = vec![
        figure("warm step: remote task called to the turn with its result", tasks, Some(60.0)),
        figure("warm signal: sent over HTTP to the turn that has it", signals, None),
    ];
    let events = events(&site.emulator)?;
    let parts: Vec<Vec<f64>> = windows.iter().filter_map(|it| parts(&events, &orders.name, *it)).collect();
    let names = PARTS.iter().map(|it| it.3).chain(["until its turn begins"]);
    for (place, name) in names.enumerate() {
        let values = parts.iter().filter_map(|it| it.get(place).copied()).collect();
        figures.push(figure(&format!("of a warm step: {name}"), values, None));
    }
    Ok(figures)
}

/// The parts of a step between two times in milliseconds; nothing when one of them was not seen.
fn parts(events: &[Event], service: &str, (from, to): Window) -> Option<Vec<f64>> {
    let (mut now, mut parts) = (from, Vec::new());
    for (who, what, ends, _) in PARTS {
        let who = format!("{service}-{who}");
        let at = |event: &Event| if ends { event.end } else { event.begin } * 1000.0;
        let theirs = events
            .iter()
            .filter(|it| it.who.starts_with(&who) && what.split(" or ").any(|what| it.what == what));
        // A turn is timed in whole milliseconds; a message may be on its way before its sender hears that it was accepted.
        let early = if what == "invocation" { 20.0 } else { 1.0 };
        let found =
            theirs.map(at).filter(|it| *it >= now - early && *it <= to + 1.0).min_by(f64::total_cmp)?;
        parts.push((found - now).max(0.0));
        now = now.max(found);
    }
    parts.push(to - now);
    Some(parts)
}

/// Takes one order from its placement to its receipt: when its remote task was called and its result learnt, and milliseconds of
/// its signal.
fn one(orders: &Orders<'_>, id: &str) -> Result<(Option<Window>, Option<f64>)> {
    orders.place(id, CARD)?;
    orders.paid(id, LIMIT)?;
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    orders.ship(id)?;
    orders.receipt(id, LIMIT)?;
    let history = orders.history(id)?;
    let task = called(&history, "processPayment").zip(learned(&history, "taskDone"));
    Ok((task, between(Some(milliseconds(sent)), learned(&history, "signal"))))
}

fn between(from: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(to? - from?)
}

/// When the turn began that called the task.
fn called(history: &[Value], task: &str) -> Option<f64> {
    let calls = |turn: &&Value| list(&turn["calls"]).any(|it| it["call"]["task"]["name"] == task);
    history.iter().find(calls)?["time"].as_f64()
}

/// When the first turn began that learned a fact of that kind.
fn learned(history: &[Value], fact: &str) -> Option<f64> {
    let knows = |turn: &&Value| list(&turn["facts"]).any(|it| it.get(fact).is_some());
    history.iter().find(knows)?["time"].as_f64()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_is_taken_apart_by_what_was_seen_of_it() {
        let event = |begin: f64, end: f64, who: &str, what: &str| {
            let (begin, end, who) = (begin / 1000.0, end / 1000.0, format!("bench-{who}-us-east-1"));
            Event { begin, end, who, what: what.to_owned() }
        };
        let mut events = vec![
            event(1.0, 4.0, "orchestrator", "dynamodb:UpdateItem"),
            event(5.0, 9.0, "orchestrator", "lambda:InvokeFunction"),
            event(11.0, 13.0, "task-processPayment", "dynamodb:PutItem"),
            event(20.0, 22.0, "task-processPayment", "sqs:SendMessage"),
            event(25.0, 60.0, "orchestrator", "invocation"),
        ];
        let seen = parts(&events, "bench", (0.0, 30.0)).unwrap();
        let expected = [4.0, 5.0, 2.0, 2.0, 7.0, 2.0, 3.0, 5.0];
        assert!(seen.iter().zip(expected).all(|(seen, expected)| (seen - expected).abs() < 1e-6), "{seen:?}");
        events.remove(2);
        assert_eq!(parts(&events, "bench", (0.0, 30.0)), None);
    }

    #[test]
    fn times_are_read_off_the_turns_that_called_and_learned() {
        let history = [
            json!({ "number": 1, "time": 100, "calls": [{ "seq": 0, "call": { "task": { "name": "pay" } } }] }),
            json!({ "number": 2, "time": 140, "facts": [{ "taskDone": { "seq": 0 } }] }),
        ];
        assert_eq!(between(called(&history, "pay"), learned(&history, "taskDone")), Some(40.0));
        assert_eq!(between(called(&history, "other"), learned(&history, "taskDone")), None);
    }
}
