//! What Lambda sends to a failure destination when an asynchronous invocation is given up.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A given-up invocation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// What the function was invoked with.
    pub(crate) request: String,
    /// Whether it ran out of time.
    pub(crate) timed_out: bool,
    /// What is known of it, for people.
    pub(crate) reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    request_context: RequestContext,
    request_payload: Box<RawValue>,
    #[serde(default)]
    response_payload: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: String,
    /// `RetriesExhausted` or `EventAgeExceeded`.
    condition: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error_message: String,
}

/// Reads the envelope of a failure destination; `None` for any other text.
pub(crate) fn lost(text: &str) -> Option<Lost> {
    let envelope: Envelope = serde_json::from_str(text).ok()?;
    let response = envelope.response_payload.and_then(|it| serde_json::from_str::<Response>(it.get()).ok());
    let Response { error_type, error_message } = response.unwrap_or_default();
    let timed_out = error_type == "Sandbox.Timedout" || error_message.contains("Task timed out");
    let what = match envelope.request_context.condition.as_str() {
        "EventAgeExceeded" => "it waited too long to be run".to_owned(),
        _ if error_message.is_empty() => "no answer".to_owned(),
        _ => error_message,
    };
    let reason = format!("invocation {} was given up: {what}", envelope.request_context.request_id);
    Some(Lost { request: envelope.request_payload.get().to_owned(), timed_out, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(condition: &str, response: &str) -> String {
        format!(
            r#"{{"version":"1.0","timestamp":"2019-11-14T18:16:05.568Z",
            "requestContext":{{"requestId":"e4b46cbf","functionArn":"arn:aws:lambda:us-east-2:123456789012:function:orders-task-pay:live",
              "condition":"{condition}","approximateInvokeCount":1}},
            "requestPayload":{{"execution":"w/n","seq":3,"attempt":1,"body":{{}}}}{response}}}"#
        )
    }

    #[test]
    fn a_time_out_is_told_from_a_crash() {
        let old = r#","responseContext":{"statusCode":200,"executedVersion":"7","functionError":"Unhandled"},
            "responsePayload":{"errorMessage":"2026-11-21T10:00:00.000Z e4b46cbf Task timed out after 5.00 seconds"}"#;
        let new = r#","responsePayload":{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: e4b46cbf Error: Task timed out after 5.00 seconds"}"#;
        for response in [old, new] {
            let lost = lost(&envelope("RetriesExhausted", response)).unwrap();
            assert!(lost.timed_out && lost.reason.contains("e4b46cbf"), "{lost:?}");
            assert_eq!(lost.request, r#"{"execution":"w/n","seq":3,"attempt":1,"body":{}}"#);
        }
        let crash = r#","responsePayload":{"errorType":"Runtime.ExitError","errorMessage":"RequestId: e4b46cbf Error: Runtime exited with error: signal: killed"}"#;
        let lost = lost(&envelope("RetriesExhausted", crash)).unwrap();
        assert!(!lost.timed_out && lost.reason.contains("signal: killed"), "{lost:?}");
    }

    #[test]
    fn an_invocation_that_was_never_run_has_no_response() {
        let lost = lost(&envelope("EventAgeExceeded", "")).unwrap();
        assert!(!lost.timed_out && lost.reason.contains("waited too long"), "{lost:?}");
    }

    #[test]
    fn other_messages_are_not_failures() {
        for text in ["", "{}", r#"{"execution":"w/n","body":{}}"#, "[1]"] {
            assert_eq!(lost(text), None, "{text}");
        }
    }
}
