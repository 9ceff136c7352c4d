//! How long a step of a running workflow takes through real queues, with warm functions: read off the times of the turns in
//! the histories of orders.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::plan::Deployed;
use super::{Figure, milliseconds};
use crate::failure::Result;
use crate::orders::{CARD, Orders};
use crate::site::Site;

const WARM_UP: usize = 5;
const RUNS: usize = 30;
const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn figures(site: &Site, deployed: &Deployed) -> Result<Vec<Figure>> {
    let orders = deployed.orders(site);
    let (mut signals, mut tasks) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + RUNS {
        let id = format!("bench{number}");
        let (task, signal) = one(&orders, &id)?;
        if number >= WARM_UP {
            tasks.extend(task);
            signals.extend(signal);
        }
    }
    let figure = |what: &str, values, limit| Figure { what: what.into(), unit: "ms", values, limit };
    Ok(vec![
        figure("warm step: remote task called to the turn with its result", tasks, Some(60.0)),
        figure("warm signal: sent over HTTP to the turn that has it", signals, None),
    ])
}

/// Takes one order from its placement to its receipt: milliseconds of its remote task, and of its signal.
fn one(orders: &Orders<'_>, id: &str) -> Result<(Option<f64>, Option<f64>)> {
    orders.place(id, CARD)?;
    orders.paid(id, LIMIT)?;
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    orders.ship(id)?;
    orders.receipt(id, LIMIT)?;
    let history = orders.history(id)?;
    let task = between(called(&history, "processPayment"), learned(&history, "taskDone"));
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
    fn times_are_read_off_the_turns_that_called_and_learned() {
        let history = [
            json!({ "number": 1, "time": 100, "calls": [{ "seq": 0, "call": { "task": { "name": "pay" } } }] }),
            json!({ "number": 2, "time": 140, "facts": [{ "taskDone": { "seq": 0 } }] }),
        ];
        assert_eq!(between(called(&history, "pay"), learned(&history, "taskDone")), Some(40.0));
        assert_eq!(between(called(&history, "other"), learned(&history, "taskDone")), None);
    }
}
