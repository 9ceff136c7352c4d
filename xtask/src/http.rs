//! HTTP calls to what we started ourselves. Deliberately plain, blocking and without redirects: everything is on the
//! loopback.

use std::time::Duration;

use serde_json::Value;

use crate::failure::{Context, Result};

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body as it came.
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .into()
}

/// `GET url`.
pub(crate) fn get(url: &str) -> Result<Answer> {
    read(url, agent().get(url).call())
}

/// `POST url` with a JSON body.
pub(crate) fn post(url: &str, body: &Value) -> Result<Answer> {
    read(url, agent().post(url).send_json(body))
}

fn read(
    url: &str,
    called: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Answer> {
    let mut answer = called.context(url)?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().context(url)?;
    Ok(Answer { status, text })
}
