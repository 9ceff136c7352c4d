//! From an HTTP request to the input of a command. Pure: every host assembles and checks requests here, so that all
//! of them accept and refuse the same ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::manifest::{Command, Route};
use crate::shape::{self, Problem, Schemas};

/// Class of the failure that answers a request whose input is refused.
pub const INVALID_INPUT: &str = "InvalidInput";

/// The parts of an HTTP request that may carry input.
#[derive(Debug, Clone, Default)]
pub struct Parts<'a> {
    /// Path parameters by name, percent-decoded.
    pub path: BTreeMap<String, String>,
    /// Query parameters in order, percent-decoded; a name may be there more than once.
    pub query: Vec<(String, String)>,
    /// The body's bytes.
    pub body: &'a [u8],
}

/// The input of `command`, from a request to its RPC route (`route` absent) or to its own route.
///
/// RPC: the body is the input. Own route: the body (`POST`, `PUT`, `PATCH`) or the query (`GET`, `DELETE`; texts become
/// what the schema takes, parameters that the input does not have are ignored), and over it the path parameters. An
/// input that is no object is the only path parameter, or else the body. A command without input gets `null`.
///
/// # Errors
/// Everything in which the request does not fit the input's schema.
pub fn assemble(
    command: &Command,
    schemas: &Schemas,
    route: Option<&Route>,
    parts: &Parts<'_>,
) -> Result<Value, Vec<Problem>> {
    if command.input.is_null() {
        return Ok(Value::Null);
    }
    let input = match route {
        None => from_body(parts.body, &command.input, schemas)?,
        Some(route) if shape::takes_object(&command.input, schemas) => {
            object(command, schemas, route, parts)?
        }
        Some(route) => match (parts.path.values().next(), parts.path.len()) {
            (Some(text), 1) => shape::coerce(text, &command.input, schemas),
            _ if route.method.has_body() => from_body(parts.body, &command.input, schemas)?,
            _ => Value::Null,
        },
    };
    let problems = shape::validate(&input, &command.input, schemas);
    if problems.is_empty() { Ok(input) } else { Err(problems) }
}

/// The body of the answer with status 400 to a request that [`assemble`] refused: `class`, `message`, `data`, like every
/// failure; `data.problems` has a `path` and a `message` each.
#[must_use]
pub fn refusal(problems: &[Problem]) -> Value {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let message = format!("the input is not valid: {}", texts.join("; "));
    json!({"class": INVALID_INPUT, "message": message, "data": {"problems": problems}})
}

fn from_body(body: &[u8], schema: &Value, schemas: &Schemas) -> Result<Value, Vec<Problem>> {
    if !body.trim_ascii().is_empty() {
        return serde_json::from_slice(body)
            .map_err(|error| vec![Problem::new("", format!("the body is not JSON: {error}"))]);
    }
    // Nothing sent is `null` where that is a value, and no members otherwise.
    let null_fits = shape::validate(&Value::Null, schema, schemas).is_empty();
    Ok(if null_fits || !shape::takes_object(schema, schemas) { Value::Null } else { json!({}) })
}

fn object(
    command: &Command,
    schemas: &Schemas,
    route: &Route,
    parts: &Parts<'_>,
) -> Result<Value, Vec<Problem>> {
    let schema_of = |name: &str| shape::property(&command.input, name, schemas);
    let mut members = Map::new();
    if route.method.has_body() {
        match from_body(parts.body, &command.input, schemas)? {
            Value::Object(sent) => members = sent,
            Value::Null => {}
            other => return Err(shape::validate(&other, &json!({"type": "object"}), schemas)),
        }
    } else {
        let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, text) in &parts.query {
            texts.entry(name).or_default().push(text);
        }
        for (name, texts) in texts {
            if let Some(schema) = schema_of(name) {
                members.insert(name.to_owned(), shape::coerce_all(&texts, schema, schemas));
            }
        }
    }
    for (name, text) in &parts.path {
        let schema = schema_of(name).unwrap_or(&Value::Bool(true));
        members.insert(name.clone(), shape::coerce(text, schema, schemas));
    }
    Ok(Value::Object(members))
}

#[cfg(test)]
#[path = "tests/request.rs"]
mod tests;
