//! What the demo shows of an order: its history, who took part, what went through the queues.

use serde_json::Value;

use crate::failure::Result;
use crate::natives;
use crate::site::Site;

/// One line a turn, with the time since the turn before.
pub(super) fn history(turns: &[Value]) {
    let mut last = turns.first().and_then(|turn| turn["time"].as_u64()).unwrap_or(0);
    for turn in turns {
        let time = turn["time"].as_u64().unwrap_or(last);
        let mut parts: Vec<String> = Vec::new();
        parts.extend(elements(turn, "facts").map(|fact| format!("learnt {}", fact_words(fact))));
        parts.extend(
            elements(turn, "calls").map(|it| format!("asked for #{} {}", it["seq"], call_words(&it["call"]))),
        );
        parts.extend(
            elements(turn, "attempts")
                .map(|it| format!("another attempt ({}) of #{}", it["attempt"], it["seq"])),
        );
        if !turn["end"].is_null() {
            parts.push(format!("ended {}", only_key(&turn["end"])));
        }
        println!(
            "  turn {:>2}  {:>6} ms later  {}",
            turn["number"],
            time.saturating_sub(last),
            parts.join("; ")
        );
        last = time;
    }
}

fn elements<'a>(turn: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    turn[member].as_array().into_iter().flatten()
}

/// `taskDone` of `{"taskDone": {...}}`, or the text itself.
fn only_key(value: &Value) -> &str {
    value
        .as_object()
        .and_then(|members| members.keys().next())
        .map(String::as_str)
        .or(value.as_str())
        .unwrap_or_default()
}

fn fact_words(fact: &Value) -> String {
    let kind = only_key(fact);
    let of = &fact[kind];
    match kind {
        "signal" => format!("signal {}", of["name"].as_str().unwrap_or_default()),
        "taskDone" => format!("#{} attempt {}: {}", of["seq"], of["attempt"], only_key(&of["outcome"])),
        _ => format!("{kind} #{}", of["seq"]),
    }
}

fn call_words(call: &Value) -> String {
    let kind = only_key(call);
    let of = &call[kind];
    let name = of["name"].as_str().or_else(|| of["events"][0]["name"].as_str()).or(of["execution"].as_str());
    format!("{kind} {}", name.unwrap_or_default()).trim_end().to_owned()
}

/// The functions that have a process, with version, memory and process ids.
pub(super) fn functions(site: &Site, deployment: &str) -> Result<()> {
    let natives = natives::all(&site.emulator)?;
    for function in site.cloud().functions(deployment)? {
        let name = function["name"].as_str().unwrap_or_default();
        let ids: Vec<_> = natives
            .iter()
            .filter(|native| native.function == name)
            .map(|native| native.id.to_string())
            .collect();
        if !ids.is_empty() {
            println!(
                "  {name:<40} version {:<3} {:>5} MB  process {}",
                function["live"].as_str().unwrap_or("-"),
                function["memory"],
                ids.join(", ")
            );
        }
    }
    Ok(())
}

/// What each queue holds; at the end of an order, nothing but timers that are no longer needed.
pub(super) fn queues(queues: &[Value]) {
    for queue in queues {
        let name = queue["name"].as_str().unwrap_or_default();
        println!(
            "  {name:<40} {} waiting, {} in flight, {} delayed",
            queue["waiting"], queue["in_flight"], queue["delayed"]
        );
    }
}
