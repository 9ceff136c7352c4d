//! Every edge of the graph has the right that AWS demands for it.

use serde_json::Value as Json;

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::resource::{Resource, RouteAuth, Source, Spec};

/// What reading a stream needs.
const STREAM: [&str; 4] =
    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];
/// What receiving from a queue needs.
const QUEUE: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

struct Edges<'a> {
    desired: &'a Desired,
    diagnostics: Vec<Diagnostic>,
}

/// Edges without their rights.
pub(super) fn check(desired: &Desired) -> Vec<Diagnostic> {
    let mut edges = Edges { desired, diagnostics: Vec::new() };
    for resource in desired.resources.values() {
        edges.resource(resource);
    }
    edges.diagnostics
}

fn strings(value: &Json) -> Vec<&str> {
    match value {
        Json::String(one) => vec![one],
        Json::Array(many) => many.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether an IAM pattern covers the text.
fn covers(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| covers(rest, &tail[at..]))
        }),
    }
}

/// Whether an `Allow` of the document covers action and resource.
fn allows(document: &str, action: &str, resource: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Json>(document) else { return false };
    document["Statement"].as_array().into_iter().flatten().any(|statement| {
        statement["Effect"] == "Allow"
            && strings(&statement["Action"]).iter().any(|it| covers(it, action))
            && strings(&statement["Resource"]).iter().any(|it| covers(it, resource))
    })
}

impl Edges<'_> {
    fn missing(&mut self, key: &str, what: &str) {
        let detail =
            format!("{key}: {what}. This is a bug of the provider, please report it; nothing was changed.");
        self.diagnostics.push(Diagnostic::error("A right is missing", detail));
    }

    fn by_name<'b>(&'b self, name: &str) -> Option<(&'b Resource, &'b crate::resource::FunctionSpec)> {
        self.desired.resources.values().find_map(|it| match &it.spec {
            Spec::Function(spec) if it.name == name => Some((it, &**spec)),
            _ => None,
        })
    }

    fn role_allows(&self, role_arn: &str, action: &str, resource: &str) -> bool {
        self.desired.resources.values().any(|it| match &it.spec {
            Spec::Role(spec) => it.arn.as_deref() == Some(role_arn) && allows(&spec.policy, action, resource),
            _ => false,
        })
    }

    fn function_allows(&mut self, key: &str, function: &str, actions: &[&str], resource: &str) {
        let Some(role) = self.by_name(function).map(|(_, spec)| spec.role.clone()) else {
            return self.missing(key, &format!("there is no function {function}"));
        };
        for action in
            actions.iter().filter(|action| !self.role_allows(&role, action, resource)).collect::<Vec<_>>()
        {
            self.missing(key, &format!("the role of {function} lacks {action} on {resource}"));
        }
    }

    /// Whether a permission lets `principal` call the function behind an alias ARN.
    fn permitted(&self, alias_arn: &str, principal: &str, source: &str) -> bool {
        self.desired.resources.values().any(|it| match &it.spec {
            Spec::Permission(spec) => {
                spec.principal == principal
                    && alias_arn.contains(&format!(":function:{}:", spec.function))
                    && covers(&spec.source_arn.to_string(), source)
            }
            _ => false,
        })
    }

    fn queue_admits(&self, arn: &str, action: &str) -> bool {
        self.desired.resources.values().any(|it| match &it.spec {
            Spec::Queue(spec) => {
                it.arn.as_deref() == Some(arn)
                    && spec.policy.as_ref().is_some_and(|policy| allows(policy, action, arn))
            }
            _ => false,
        })
    }

    fn resource(&mut self, resource: &Resource) {
        let key = &resource.key;
        match &resource.spec {
            Spec::Mapping(spec) => match &spec.source {
                Source::Queue { .. } => {
                    self.function_allows(key, &spec.function, &QUEUE, spec.source_arn.as_str())
                }
                Source::Stream { on_failure, .. } => {
                    let stream = self.stream(&spec.source_arn.to_string());
                    self.function_allows(key, &spec.function, &STREAM, &stream);
                    self.function_allows(key, &spec.function, &["sqs:SendMessage"], on_failure);
                }
            },
            Spec::InvokeConfig(spec) => {
                self.function_allows(key, &spec.function, &["sqs:SendMessage"], &spec.on_failure);
            }
            Spec::Route(spec) => {
                let account = spec
                    .target
                    .split(':')
                    .take(5)
                    .collect::<Vec<_>>()
                    .join(":")
                    .replace(":lambda:", ":execute-api:");
                if !self.permitted(
                    &spec.target,
                    "apigateway.amazonaws.com",
                    &format!("{account}:{}/stage/path", spec.api),
                ) {
                    self.missing(key, &format!("the API may not call {}", spec.target));
                }
                if let RouteAuth::Jwt { authorizer } = &spec.auth {
                    self.authorizer(key, &authorizer.to_string());
                }
            }
            Spec::Rule(spec) => {
                let rule = resource.arn.clone().unwrap_or_default();
                if !self.permitted(&spec.target, "events.amazonaws.com", &rule) {
                    self.missing(key, &format!("the rule may not call {}", spec.target));
                }
                if !self.queue_admits(&spec.dead_letters, "sqs:SendMessage") {
                    self.missing(
                        key,
                        &format!(
                            "the policy of {} does not admit dead letters of the rule",
                            spec.dead_letters
                        ),
                    );
                }
            }
            _ => {}
        }
    }

    /// An ARN that the stream could have.
    fn stream(&self, reference: &str) -> String {
        let table = self.desired.resources.values().find(|it| matches!(it.spec, Spec::Table(_)));
        table
            .and_then(|it| it.arn.as_ref())
            .map_or_else(|| reference.to_owned(), |arn| format!("{arn}/stream/2020-01-01T00:00:00.000"))
    }

    fn authorizer(&mut self, key: &str, reference: &str) {
        let known = self.desired.resources.values().any(|it| match &it.spec {
            Spec::Api(spec) => spec.authorizers.keys().any(|name| reference.contains(name.as_str())),
            _ => false,
        });
        if !known {
            self.missing(key, "the API has no such authorizer");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_as_iam_does() {
        assert!(covers("arn:aws:sqs:*:1:orders-*", "arn:aws:sqs:eu-west-1:1:orders-dead"));
        assert!(covers("*", "") && covers("a*", "a") && !covers("a*b", "a") && !covers("a", "ab"));
    }
}
