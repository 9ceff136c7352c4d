//! The engine's own log of its gRPC calls (`PULUMI_DEBUG_GRPC`): one JSON object a line, one for the request and one for
//! the answer.

use std::path::Path;

use serde_json::Value;

use crate::trace::{self, Answer};

/// The calls of providers in the log, in the order in which they began.
pub(crate) fn calls(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // A killed engine leaves half a line.
    let entries: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut answered = vec![false; entries.len()];
    let mut calls = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some(method) =
            entry["method"].as_str().and_then(|it| it.strip_prefix("/pulumirpc.ResourceProvider/"))
        else {
            continue;
        };
        if entry["progress"] != "request_started" {
            continue;
        }
        let answer = (at + 1..entries.len()).find(|other| {
            let other_entry = &entries[*other];
            !answered[*other]
                && other_entry["progress"] == "response_completed"
                && other_entry["method"] == entry["method"]
                && other_entry["request"] == entry["request"]
        });
        if let Some(answer) = answer {
            answered[answer] = true;
        }
        calls.extend(trace::line(method, &entry["request"], &answer_of(answer.map(|it| &entries[it]))));
    }
    calls
}

fn answer_of(entry: Option<&Value>) -> Answer {
    let Some(entry) = entry else { return Answer::Never };
    let Some(error) = entry["errors"].as_array().and_then(|it| it.first()).and_then(Value::as_str) else {
        return Answer::Is(entry["response"].clone());
    };
    let code = error.split("code = ").nth(1).and_then(|it| it.split(' ').next()).unwrap_or(error);
    // The connection broke, or the engine stopped waiting.
    if matches!(code, "Unavailable" | "Canceled") { Answer::Never } else { Answer::Error(code.to_owned()) }
}
