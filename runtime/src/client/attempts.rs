//! Requests and their attempts: what goes out, what came back, and whether to try again.

use std::convert::Infallible;
use std::time::Duration;

use eventual_core::{Failure, Outcome, Payload};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{Client, OutgoingRequest, RemoteError, Retries};

/// A request with everything that its attempts have in common.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    /// Path and query.
    pub(super) target: String,
    /// JSON.
    pub(super) body: String,
    pub(super) headers: Vec<(String, String)>,
    /// Whether doing it twice is doing it once.
    pub(super) idempotent: bool,
    pub(super) timeout: Duration,
    pub(super) retries: Retries,
}

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Whether it is Lambda's, of a function that failed.
    #[cfg_attr(
        not(feature = "sigv4"),
        expect(dead_code, reason = "only deployed functions answer through Lambda")
    )]
    pub(super) function_error: bool,
    pub(super) retry_after: Option<Duration>,
}

/// What an answer means. The error of a fault may be attempted again.
type Judged = Result<Outcome, RemoteError<Infallible>>;

impl Client {
    /// Asks until there is an answer that is final. `judge` says what an answer means.
    pub(super) async fn ask(&self, asking: &Asking, judge: fn(&Answer) -> Judged) -> Judged {
        let deadline = Instant::now() + asking.timeout;
        let late = || RemoteError::unavailable(format!("no answer within {:?}", asking.timeout));
        for attempt in 1.. {
            let answer = tokio::time::timeout_at(deadline, self.send(asking)).await;
            let (judged, asked) = match answer {
                Err(_) => return Err(late()),
                Ok(Err(fault)) => (Err(fault), None),
                Ok(Ok(answer)) => (judge(&answer), answer.retry_after),
            };
            let status = match &judged {
                Err(RemoteError::Unavailable { status, .. }) => *status,
                _ => return judged,
            };
            // 429: refused before it was begun.
            let again = (asking.idempotent || status == Some(429)) && attempt < asking.retries.attempts;
            let pause = pause(attempt, asked, asking.retries);
            if !again || Instant::now() + pause >= deadline {
                return judged;
            }
            tokio::time::sleep(pause).await;
        }
        Err(late())
    }

    async fn send(&self, asking: &Asking) -> Result<Answer, RemoteError<Infallible>> {
        let mut headers = vec![
            ("accept".into(), "application/json".into()),
            ("content-type".into(), "application/json".into()),
        ];
        let given = self.headers.iter().chain(&asking.headers);
        headers.extend(given.map(|(name, value)| (name.to_lowercase(), value.clone())));
        let url = format!("{}{}", self.url, asking.target);
        let mut request = OutgoingRequest { method: "POST", url, headers, body: asking.body.clone() };
        if let Some(signer) = &self.signer {
            let signed = signer.sign(request.clone()).await;
            let signed = signed.map_err(|error| RemoteError::Refused {
                status: 401,
                message: format!("the request could not be signed: {error}"),
            })?;
            request.headers.extend(signed);
        }
        let mut sending = self.http.post(&request.url).body(request.body);
        for (name, value) in request.headers {
            sending = sending.header(name, value);
        }
        let fault = |error: reqwest::Error| RemoteError::unavailable(causes(&error.without_url()));
        let response = sending.send().await.map_err(fault)?;
        let seconds =
            response.headers().get("retry-after").and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
        let function_error = response.headers().contains_key("x-amz-function-error");
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(fault)?.to_vec();
        Ok(Answer { status, body, function_error, retry_after: seconds.map(Duration::from_secs) })
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Between half of the grown delay and all of it, or as long as the service asks for, within limits.
fn pause(attempt: u32, asked: Option<Duration>, retries: Retries) -> Duration {
    let grown = retries.delay.saturating_mul(2_u32.saturating_pow(attempt - 1));
    let mut byte = [0_u8; 1];
    // Without chance, pauses of several clients are the same, which is no harm to this one.
    let _ = getrandom::getrandom(&mut byte);
    let shortened = grown.mul_f64(0.5 + f64::from(byte[0]) / 512.0);
    shortened.max(asked.unwrap_or_default()).min(retries.max_delay)
}

/// The body of an answer that is no result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    class: Option<String>,
    message: Option<String>,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Problems {
    problems: Vec<super::InputProblem>,
}

/// What the answer to a call of a command means.
pub(super) fn of_command(answer: &Answer) -> Judged {
    let status = answer.status;
    let strange = || {
        let text = String::from_utf8_lossy(&answer.body).chars().take(200).collect::<String>();
        let message = format!("somebody else answered: status {status}, {text}");
        RemoteError::Unavailable { status: Some(status), message }
    };
    if (200..300).contains(&status) {
        let known: &RawValue = serde_json::from_slice(&answer.body).map_err(|_| strange())?;
        return Ok(Outcome::Succeeded(Payload::from(known.get())));
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).map_err(|_| strange())?;
    let message = refusal.message.unwrap_or_else(|| format!("status {status}"));
    let unavailable = |message| Err(RemoteError::Unavailable { status: Some(status), message });
    let Some(class) = refusal.class else {
        // The gateway's answer and not the command's.
        return if status == 429 || status >= 500 {
            unavailable(message)
        } else {
            Err(RemoteError::Refused { status, message })
        };
    };
    match refusal.request_id {
        Some(request_id) if class == "Crashed" => return Err(RemoteError::Crashed { message, request_id }),
        Some(_) => return unavailable(message),
        None => {}
    }
    let data = refusal.data.as_ref().map_or("null", |it| it.get());
    if status == 400
        && class == eventual_schema::request::INVALID_INPUT
        && let Ok(Problems { problems }) = serde_json::from_str(data)
    {
        return Err(RemoteError::InvalidInput { message, problems });
    }
    Ok(Outcome::Failed(Failure { data: Payload::from(data), ..Failure::new(&class, message, status) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Judged {
        of_command(&Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() })
    }

    #[test]
    fn outcomes_bugs_and_faults_are_told_apart() {
        assert_eq!(judged(200, " [1] ").unwrap(), Outcome::Succeeded(Payload::from("[1]")));
        let failed = judged(404, r#"{"class":"E::Gone","message":"gone","data":{"a":1}}"#).unwrap();
        let failure = Failure {
            class: "E::Gone".into(),
            message: "gone".into(),
            data: Payload::from(r#"{"a":1}"#),
            status: 404,
            advice: eventual_core::RetryAdvice::AsPolicy,
        };
        assert_eq!(failed, Outcome::Failed(failure));
        let invalid = judged(
            400,
            r#"{"class":"InvalidInput","message":"m","data":{"problems":[{"path":"a","message":"b"}]}}"#,
        );
        assert!(
            matches!(invalid, Err(RemoteError::InvalidInput { problems, .. }) if problems[0].path == "a")
        );
        // A command may refuse an input by itself, with whatever it wants to say.
        assert!(matches!(
            judged(400, r#"{"class":"InvalidInput","message":"m","data":null}"#),
            Ok(Outcome::Failed(_))
        ));
        let crashed = judged(500, r#"{"class":"Crashed","message":"m","data":null,"requestId":"r"}"#);
        assert!(matches!(crashed, Err(RemoteError::Crashed { request_id, .. }) if request_id == "r"));
        for (status, body) in [
            (504, r#"{"class":"TimedOut","message":"m","data":null,"requestId":"r"}"#),
            (503, r#"{"message":"Service Unavailable"}"#),
            (429, r#"{"message":"Too Many Requests"}"#),
            (200, "<html>"),
            (502, ""),
        ] {
            assert!(matches!(judged(status, body), Err(RemoteError::Unavailable { .. })), "{status} {body}");
        }
        assert!(matches!(
            judged(403, r#"{"message":"Forbidden"}"#),
            Err(RemoteError::Refused { status: 403, .. })
        ));
    }

    #[test]
    fn pauses_grow_within_their_limits() {
        let retries = Retries::default();
        let first = pause(1, None, retries);
        assert!(first >= retries.delay / 2 && first <= retries.delay, "{first:?}");
        assert!(pause(3, None, retries) >= retries.delay * 2);
        assert_eq!(pause(1, Some(Duration::from_secs(2)), retries), Duration::from_secs(2));
        assert_eq!(pause(60, Some(Duration::from_secs(60)), retries), retries.max_delay);
    }
}
