//! Calls of an engine, reduced to what two engines must agree on: the method, what the provider is told, and the kind of
//! its answer. Names of deployments, hashes, ids and secrets are left out, since no two runs share them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";
const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With this message, as JSON.
    Is(Value),
    /// With a gRPC error of this code.
    Error(String),
    /// Never: one side died.
    Never,
}

/// One call in one line; `None` for those that come with every process or as often as an engine likes.
pub(crate) fn line(method: &str, request: &Value, answer: &Answer) -> Option<String> {
    let told = match method {
        "CheckConfig" => format!("olds={} news={}", inputs(request, "olds"), inputs(request, "news")),
        "DiffConfig" => format!("olds={} news={}", inputs(request, "oldInputs"), inputs(request, "news")),
        "Configure" => format!("id={} args={}", id(request), inputs(request, "args")),
        "Check" => format!("olds={} news={}", inputs(request, "olds"), inputs(request, "news")),
        "Diff" => format!(
            "olds={} oldInputs={} news={}",
            outputs(request, "olds"),
            inputs(request, "oldInputs"),
            inputs(request, "news")
        ),
        "Create" => format!("{}inputs={}", preview(request), inputs(request, "properties")),
        "Update" => format!(
            "{}olds={} oldInputs={} news={}",
            preview(request),
            outputs(request, "olds"),
            inputs(request, "oldInputs"),
            inputs(request, "news")
        ),
        "Read" => {
            format!(
                "state={} inputs={} status={}",
                outputs(request, "properties"),
                inputs(request, "inputs"),
                status(request)
            )
        }
        "Delete" => {
            format!("state={} inputs={}", outputs(request, "properties"), inputs(request, "oldInputs"))
        }
        _ => return None,
    };
    Some(format!("{method} {told}\n    {}", answered(method, answer)))
}

fn answered(method: &str, answer: &Answer) -> String {
    let value = match answer {
        Answer::Is(value) => value,
        Answer::Error(code) => return format!("-> error {code}"),
        Answer::Never => return "-> no answer".to_owned(),
    };
    let list = |name: &str| {
        let items = value[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join(",")
    };
    match method {
        "CheckConfig" | "Check" => {
            format!("-> {} failures", value["failures"].as_array().map_or(0, Vec::len))
        }
        "DiffConfig" => {
            format!("-> {} diffs={} replaces={}", changes(value), list("diffs"), list("replaces"))
        }
        "Diff" => {
            let detailed = value["detailedDiff"].as_object().into_iter().flatten();
            // Which children are missing depends on when something was interrupted.
            let part = |path: &'_ str| {
                if path.starts_with("resources") { "resources".to_owned() } else { path.to_owned() }
            };
            let detailed: BTreeSet<String> = detailed.map(|(path, _)| part(path)).collect();
            let detailed: Vec<String> = detailed.into_iter().collect();
            format!(
                "-> {} replaces={} deleteBeforeReplace={} detailed={}",
                changes(value),
                list("replaces"),
                value["deleteBeforeReplace"].as_bool().unwrap_or_default(),
                detailed.join(",")
            )
        }
        "Create" => format!("-> outputs={}", outputs(value, "properties")),
        "Read" if value["id"].as_str().unwrap_or_default().is_empty() => "-> gone".to_owned(),
        "Read" => format!("-> state={} inputs={}", outputs(value, "properties"), inputs(value, "inputs")),
        "Update" => format!("-> outputs={}", outputs(value, "properties")),
        _ => "-> done".to_owned(),
    }
}

fn changes(value: &Value) -> &str {
    value["changes"].as_str().unwrap_or("DIFF_UNKNOWN")
}

fn preview(request: &Value) -> &'static str {
    if request["preview"].as_bool().unwrap_or_default() { "preview " } else { "" }
}

fn status(request: &Value) -> bool {
    request["resourceStatusToken"].as_str().is_some_and(|it| !it.is_empty())
}

fn id(request: &Value) -> &'static str {
    match request["id"].as_str().unwrap_or_default() {
        "" => "none",
        UNKNOWN => "unknown",
        _ => "known",
    }
}

/// The member, whole; one that is empty or absent tells nothing either way.
fn inputs(message: &Value, name: &str) -> String {
    match &message[name] {
        Value::Object(members) if !members.is_empty() => reduced(&message[name]).to_string(),
        _ => "-".to_owned(),
    }
}

/// Whether it is a state: its members are the provider's own, and what it answers is tested elsewhere.
fn outputs(message: &Value, name: &str) -> String {
    match &message[name] {
        Value::Object(members) if members.contains_key("resources") => "(state)".to_owned(),
        Value::Object(members) if !members.is_empty() => "(no state)".to_owned(),
        _ => "-".to_owned(),
    }
}

fn reduced(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(reduced).collect(),
        Value::Object(members) => match members.get(SIGNATURE).and_then(Value::as_str) {
            Some(SECRET) => Value::from("(secret)"),
            Some(ARCHIVE) => {
                let mut known: Vec<&str> =
                    members.keys().map(String::as_str).filter(|it| *it != SIGNATURE).collect();
                known.sort_unstable();
                Value::from(format!("(archive by {})", known.join(" and ")))
            }
            _ => sorted(members),
        },
        Value::Number(number) => Value::from(number.as_f64()),
        Value::String(text) if text == UNKNOWN => Value::from("(unknown)"),
        plain => plain.clone(),
    }
}

fn sorted(members: &Map<String, Value>) -> Value {
    let mut names: Vec<&String> = members.keys().collect();
    names.sort_unstable();
    Value::Object(names.into_iter().map(|name| (name.clone(), reduced(&members[name]))).collect())
}
