//! Short-lived credentials for callers of a service.

use super::{Attribute, Kind, Object, list};

pub(super) fn declare() -> Object {
    let mut attributes = inputs();
    attributes.extend(outputs());
    Object {
        name: "ServiceCredentials",
        description: "Short-lived AWS credentials that can use one service and do nothing else: call its commands whose auth \
                      is `iam`, ask its system function, publish to its event bus. They are a session of `role_arn`, or of \
                      the provider's own user, under a session policy with the service's grants: what the session may do is \
                      what both permit. They are in no plan and no state, end by themselves, and cannot be withdrawn or \
                      renewed.",
        attributes,
    }
}

fn inputs() -> Vec<Attribute> {
    vec![
        Attribute::required("service", Kind::String, "Name of the deployment."),
        Attribute::optional(
            "role_arn",
            Kind::String,
            "ARN of a role to assume that has at least the permissions in question, and that trusts the provider's \
             credentials. Default: none, the session is a federated one of the provider's own credentials, which AWS \
             allows to IAM users only.",
        ),
        Attribute::optional(
            "permissions",
            list(Kind::String),
            "What the session may do: `invoke` (call commands whose auth is `iam`), `start_execution` (ask the system \
             function), `send_signal` (the same, IAM cannot tell them apart), `emit_events`. Default: all that the \
             service has.",
        ),
        Attribute::optional(
            "duration",
            Kind::String,
            "How long they are good for, `15m` to `12h`, and no longer than the role allows. Default: `15m`.",
        ),
        Attribute::optional(
            "session_name",
            Kind::String,
            "Name of the session, as it appears in CloudTrail: 2 to 32 letters, digits and `_=,.@-`. Default: `eventual`.",
        ),
    ]
}

fn outputs() -> Vec<Attribute> {
    vec![
        Attribute::computed("access_key_id", Kind::String, "Id of the access key."),
        Attribute::computed("secret_access_key", Kind::String, "The access key's secret.").sensitive(),
        Attribute::computed("session_token", Kind::String, "Token that goes with the access key.")
            .sensitive(),
        Attribute::computed("expires_at", Kind::String, "When they end, such as `2026-11-21T16:00:00Z`."),
        Attribute::computed("policy_json", Kind::String, "The session policy, as JSON."),
        Attribute::computed("region", Kind::String, "AWS region that the service lives in."),
        Attribute::computed(
            "url",
            Kind::String,
            "URL of the HTTP API; null when the service has no commands.",
        ),
        Attribute::computed(
            "system_function_arn",
            Kind::String,
            "ARN to invoke for starting, signalling and looking at executions; null without workflows.",
        ),
        Attribute::computed("event_bus_arn", Kind::String, "ARN of the event bus; null without one."),
    ]
}
