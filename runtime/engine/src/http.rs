//! What HTTP means to a service, the same on every host: which command a route is, how a query is read, and how an
//! outcome is answered. Servers, gateways and connections are the hosts' matter.

mod answer;
mod route;

use eventual_core::{Failure, Outcome};
use eventual_schema::deploy::http as routes;
use eventual_schema::{Command, Route};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub use answer::Asked;
pub use route::{Found, find};

/// An answer; its body is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Answer {
    /// An answer.
    #[must_use]
    pub const fn new(status: u16, body: String) -> Self {
        Self { status, body }
    }
}

/// The command behind a route (`POST /orders/{id}`, `POST /rpc/placeOrder`), and its own route unless it is called as RPC.
#[must_use]
pub fn target<'a>(
    commands: impl IntoIterator<Item = &'a Command>,
    route_key: &str,
) -> Option<(&'a Command, Option<&'a Route>)> {
    commands.into_iter().find_map(|command| {
        if route_key == format!("POST {}{}", routes::RPC, command.name) {
            return Some((command, None));
        }
        let route = command.route.as_ref()?;
        (route_key == format!("{} {}", route.method.as_str(), route.path)).then_some((command, Some(route)))
    })
}

/// The parameters of a query in order, decoded.
#[must_use]
pub fn query(raw: &str) -> Vec<(String, String)> {
    let pairs = raw.split('&').filter(|it| !it.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decoded(k, true), decoded(v, true)))
        .collect()
}

/// The value of a path's parameter, decoded.
#[must_use]
pub fn path_value(raw: &str) -> String {
    decoded(raw, false)
}

/// Decodes `%20`, and in queries `+`; what is not a valid escape stays as it is.
fn decoded(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escape = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escape.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        rest = if byte.is_some() { &tail[2..] } else { tail };
        bytes.push(byte.unwrap_or(if plus && *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The answer to a request whose command ended so. What is not an error of user code says no more than `request`, the
/// id under which the log has it.
#[must_use]
pub fn of_outcome(outcome: &Outcome, request: &str) -> Answer {
    match outcome {
        Outcome::Succeeded(payload) => {
            Answer::new(200, String::from_utf8_lossy(payload.as_bytes()).into_owned())
        }
        Outcome::Failed(failure) => Answer::new(status(failure), failure_body(failure)),
        Outcome::TimedOut => Answer::new(504, error_body("TimedOut", "the command ran out of time", request)),
        Outcome::Cancelled => Answer::new(503, error_body("Cancelled", "the command was cancelled", request)),
        Outcome::Crashed(_) | Outcome::HeartbeatLost | Outcome::Terminated(_) => Answer::new(
            500,
            error_body("Crashed", "the command crashed; its log has the request id", request),
        ),
    }
}

/// The status of an error; one that HTTP does not have, or that would not be an error, is 500.
fn status(failure: &Failure) -> u16 {
    if (400..600).contains(&failure.status) { failure.status } else { 500 }
}

fn failure_body(failure: &Failure) -> String {
    let data: Box<RawValue> = std::str::from_utf8(failure.data.as_bytes())
        .ok()
        .and_then(|text| RawValue::from_string(text.to_owned()).ok())
        .unwrap_or_else(|| RawValue::NULL.to_owned());
    #[derive(Serialize)]
    struct Body<'a> {
        class: &'a str,
        message: &'a str,
        data: Box<RawValue>,
    }
    let body = Body { class: &failure.class, message: &failure.message, data };
    serde_json::to_string(&body).unwrap_or_default()
}

fn error_body(class: &str, message: &str, request: &str) -> String {
    json!({"class": class, "message": message, "data": Value::Null, "requestId": request}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_says_command_and_way() {
        let command = |name: &str, route: &str| -> Command {
            let source = r#""source":{"file":"src/lib.rs","line":1}"#;
            let text = format!(r#"{{"name":"{name}","input":null,"output":null,{source}{route}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let commands =
            [command("ping", ""), command("getOrder", r#","route":{"method":"GET","path":"/orders/{id}"}"#)];
        let found = |key: &str| {
            target(commands.iter(), key).map(|(command, route)| (command.name.as_str(), route.is_some()))
        };
        assert_eq!(found("POST /rpc/ping"), Some(("ping", false)));
        assert_eq!(found("POST /rpc/getOrder"), Some(("getOrder", false)));
        assert_eq!(found("GET /orders/{id}"), Some(("getOrder", true)));
        for unknown in ["GET /rpc/ping", "POST /orders/{id}", "$default", "POST /rpc/pin"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }
}
