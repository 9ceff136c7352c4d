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

/// The emulator tells APIs apart by their host, `<id>.execute-api.localhost:<port>`, which not every system resolves: such a call
/// goes to the loopback's address, and says in its header whom it means.
fn addressed(url: &str) -> (String, Option<&str>) {
    let host = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    match host.split_once(".localhost:") {
        Some((_, port)) => (url.replacen(host, &format!("127.0.0.1:{port}"), 1), Some(host)),
        None => (url.to_owned(), None),
    }
}

/// `GET url`.
pub(crate) fn get(url: &str) -> Result<Answer> {
    let (address, host) = addressed(url);
    let request = agent().get(address);
    read(url, host.into_iter().fold(request, |request, host| request.header("host", host)).call())
}

/// `POST url` with a JSON body.
pub(crate) fn post(url: &str, body: &Value) -> Result<Answer> {
    let (address, host) = addressed(url);
    let request = agent().post(address);
    read(url, host.into_iter().fold(request, |request, host| request.header("host", host)).send_json(body))
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

#[cfg(test)]
mod tests {
    use super::addressed;

    #[test]
    fn an_api_is_called_at_the_loopback_under_its_own_host() {
        let (address, host) =
            addressed("http://ab.execute-api.localhost:4566/orders/1?x=http://b.localhost:1/");
        assert_eq!(address, "http://127.0.0.1:4566/orders/1?x=http://b.localhost:1/");
        assert_eq!(host, Some("ab.execute-api.localhost:4566"));
        assert_eq!(addressed("http://127.0.0.1:1/health"), ("http://127.0.0.1:1/health".to_owned(), None));
    }
}
