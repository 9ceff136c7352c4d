//! Requests and answers of an HTTP API, in API Gateway's payload format 2.0.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eventual_engine::{User, http};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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
        http::query(&self.raw_query_string)
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

/// The answer of a command.
pub(crate) fn answered(answer: http::Answer) -> Response {
    response(answer.status, answer.body)
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
