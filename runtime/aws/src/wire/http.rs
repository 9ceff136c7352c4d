//! Requests and answers of an HTTP API, in API Gateway's payload format 2.0.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eventual_core::{Failure, Outcome};
use eventual_engine::User;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// The route that was chosen: `POST /orders`, `$default`.
    pub(crate) route_key: String,
    #[serde(default)]
    raw_query_string: String,
    /// Values of the path's parameters; an HTTP API decodes them before it hands them over.
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    #[serde(default)]
    jwt: Option<Jwt>,
    #[serde(default)]
    iam: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Jwt {
    claims: Box<RawValue>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    sub: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signer {
    #[serde(default)]
    user_arn: Option<String>,
}

pub(crate) fn request(event: &str) -> Result<Request, serde_json::Error> {
    serde_json::from_str(event)
}

impl Request {
    /// The body's bytes; `None` when it says that it is base64 and is not.
    pub(crate) fn body(&self) -> Option<Vec<u8>> {
        let text = self.body.as_deref().unwrap_or_default();
        if self.is_base64_encoded { STANDARD.decode(text).ok() } else { Some(text.as_bytes().to_vec()) }
    }

    pub(crate) fn path(&self) -> BTreeMap<String, String> {
        self.path_parameters.clone().unwrap_or_default()
    }

    /// The query's parameters in order, decoded.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let pairs = self.raw_query_string.split('&').filter(|it| !it.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(k, v)| (decoded(k), decoded(v)))
            .collect()
    }

    /// Who sent it, as the API's authorizer found out.
    pub(crate) fn user(&self) -> Option<User> {
        let authorizer = self.request_context.authorizer.as_ref()?;
        if let Some(jwt) = &authorizer.jwt {
            let claims: Claims = serde_json::from_str(jwt.claims.get()).ok()?;
            return Some(User {
                subject: claims.sub.unwrap_or_default(),
                claims_json: jwt.claims.get().to_owned(),
            });
        }
        let iam = authorizer.iam.as_ref()?;
        let signer: Signer = serde_json::from_str(iam.get()).ok()?;
        Some(User { subject: signer.user_arn?, claims_json: iam.get().to_owned() })
    }
}

/// Decodes `%20` and `+`; what is not a valid escape stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escape = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escape.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        rest = if byte.is_some() { &tail[2..] } else { tail };
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Response {
    status_code: u16,
    headers: BTreeMap<&'static str, &'static str>,
    body: String,
    is_base64_encoded: bool,
}

/// An answer of this status whose body is JSON.
pub(crate) fn response(status: u16, body: String) -> Response {
    Response {
        status_code: status,
        headers: BTreeMap::from([("content-type", "application/json")]),
        body,
        is_base64_encoded: false,
    }
}

/// The answer to a request whose command ended so. What is not an error of user code says no more than `request`, the
/// id under which the log has it.
pub(crate) fn of_outcome(outcome: &Outcome, request: &str) -> Response {
    match outcome {
        Outcome::Succeeded(payload) => {
            response(200, String::from_utf8_lossy(payload.as_bytes()).into_owned())
        }
        Outcome::Failed(failure) => response(status(failure), failure_body(failure)),
        Outcome::TimedOut => response(504, error_body("TimedOut", "the command ran out of time", request)),
        Outcome::Cancelled => response(503, error_body("Cancelled", "the command was cancelled", request)),
        Outcome::Crashed(_) | Outcome::HeartbeatLost => {
            response(500, error_body("Crashed", "the command crashed; its log has the request id", request))
        }
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
#[path = "http_tests.rs"]
mod tests;
