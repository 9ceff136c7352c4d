//! Every edge of the graph has the right that AWS demands for it.

use std::collections::BTreeMap;

use eventual_schema::deploy::env;
use serde_json::Value as Json;

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::resource::{FunctionSpec, Resource, RoleSpec, RouteAuth, Source, Spec};

/// What reading a stream needs.
const STREAM: [&str; 4] =
    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];
/// What receiving from a queue needs.
const QUEUE: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// What a function in a VPC needs to get there.
const NETWORK: [&str; 3] =
    ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"];

struct Edges<'a> {
    desired: &'a Desired,
    /// Policies of the roles, by ARN.
    policies: BTreeMap<&'a str, Json>,
    diagnostics: Vec<Diagnostic>,
}

/// Edges without their rights.
pub(super) fn check(desired: &Desired) -> Vec<Diagnostic> {
    let policy = |it: &'_ Resource| match &it.spec {
        Spec::Role(spec) => serde_json::from_str(&spec.policy).ok(),
        _ => None,
    };
    let policies =
        desired.resources.values().filter_map(|it| Some((it.arn.as_deref()?, policy(it)?))).collect();
    let mut edges = Edges { desired, policies, diagnostics: Vec::new() };
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

/// The statements of this effect that cover action and resource.
fn covering<'a>(
    document: &'a Json,
    effect: &'a str,
    action: &'a str,
    resource: &'a str,
) -> impl Iterator<Item = &'a Json> {
    document["Statement"].as_array().into_iter().flatten().filter(move |statement| {
        statement["Effect"] == effect
            && strings(&statement["Action"]).iter().any(|it| covers(it, action))
            && strings(&statement["Resource"]).iter().any(|it| covers(it, resource))
    })
}

/// Whether an `Allow` of the document covers action and resource, and no `Deny` without condition does.
fn allows(document: &Json, action: &str, resource: &str) -> bool {
    let denied = covering(document, "Deny", action, resource).any(|it| it["Condition"].is_null());
    !denied && covering(document, "Allow", action, resource).next().is_some()
}

/// Whether a document lets this service do the action, in the one case and not for everybody: a condition has to name who
/// it acts for.
fn admits(document: &str, service: &str, action: &str, resource: Option<&str>) -> bool {
    let Ok(document) = serde_json::from_str::<Json>(document) else { return false };
    document["Statement"].as_array().into_iter().flatten().any(|statement| {
        let named = statement["Condition"].to_string().to_ascii_lowercase();
        statement["Effect"] == "Allow"
            && strings(&statement["Principal"]["Service"]).contains(&service)
            && strings(&statement["Action"]).contains(&action)
            && resource.is_none_or(|it| strings(&statement["Resource"]).iter().any(|text| covers(text, it)))
            && (named.contains("aws:sourceaccount") || named.contains("aws:sourcearn"))
    })
}

impl Edges<'_> {
    fn missing(&mut self, key: &str, what: &str) {
        let detail =
            format!("{key}: {what}. This is a bug of the provider, please report it; nothing was changed.");
        self.diagnostics.push(Diagnostic::error("A right is missing", detail));
    }

    fn by_name<'b>(&'b self, name: &str) -> Option<(&'b Resource, &'b FunctionSpec)> {
        self.desired.resources.values().find_map(|it| match &it.spec {
            Spec::Function(spec) if it.name == name => Some((it, &**spec)),
            _ => None,
        })
    }

    fn role_allows(&self, role_arn: &str, action: &str, resource: &str) -> bool {
        self.policies.get(role_arn).is_some_and(|policy| allows(policy, action, resource))
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
                let policy = spec.policy.as_deref().unwrap_or_default();
                it.arn.as_deref() == Some(arn) && admits(policy, "events.amazonaws.com", action, Some(arn))
            }
            _ => false,
        })
    }

    fn role(&self, arn: &str) -> Option<&RoleSpec> {
        self.desired.resources.values().find_map(|it| match &it.spec {
            Spec::Role(spec) if it.arn.as_deref() == Some(arn) => Some(spec),
            _ => None,
        })
    }

    /// Lambda must be able to take the function's role, and the role to do what every function does.
    fn function(&mut self, resource: &Resource, spec: &FunctionSpec) {
        let key = &resource.key;
        let trusted = self
            .role(&spec.role)
            .is_some_and(|it| admits(&it.trust, "lambda.amazonaws.com", "sts:AssumeRole", None));
        if !trusted {
            self.missing(key, &format!("Lambda may not assume the role {}", spec.role));
        }
        let group = self.desired.resources.values().find_map(|it| match &it.spec {
            Spec::LogGroup(_) if it.name == format!("/aws/lambda/{}", resource.name) => it.arn.clone(),
            _ => None,
        });
        let Some(group) = group else { return self.missing(key, "it has no log group") };
        let logs = ["logs:CreateLogStream", "logs:PutLogEvents"];
        self.function_allows(key, &resource.name, &logs, &format!("{group}:log-stream:x"));
        if spec.vpc.is_some() {
            self.function_allows(key, &resource.name, &NETWORK, "*");
        }
        self.schedules(key, &resource.name, spec);
    }

    /// A function that makes schedules hands them a role: it must be allowed to, Scheduler must be able to take it, and it
    /// must reach the queue of timers and the one of what could not be delivered.
    fn schedules(&mut self, key: &str, function: &str, spec: &FunctionSpec) {
        let Some(policy) = self.role(&spec.role).map(|it| it.policy.clone()) else { return };
        if !policy.contains("scheduler:CreateSchedule") {
            return;
        }
        let text = |name: &str| spec.environment.get(name).map(ToString::to_string).unwrap_or_default();
        let (role, timers) = (text(env::SCHEDULER_ROLE_ARN), text(env::TIMER_QUEUE_ARN));
        let dead = text(env::DEAD_LETTER_QUEUE_ARN);
        self.function_allows(key, function, &["iam:PassRole"], &role);
        let Some(scheduler) = self.role(&role).cloned() else {
            return self.missing(key, &format!("there is no role {role} for schedules"));
        };
        if !admits(&scheduler.trust, "scheduler.amazonaws.com", "sts:AssumeRole", None) {
            self.missing(key, &format!("EventBridge Scheduler may not assume the role {role}"));
        }
        for queue in [timers, dead] {
            if !self.role_allows(&role, "sqs:SendMessage", &queue) {
                self.missing(key, &format!("schedules may not send to {queue}"));
            }
        }
    }

    fn resource(&mut self, resource: &Resource) {
        let key = &resource.key;
        match &resource.spec {
            Spec::Function(spec) => self.function(resource, spec),
            Spec::Permission(spec) if !spec.source_arn.to_string().starts_with("arn:") => {
                self.missing(key, &format!("{} could be anybody's", spec.source_arn));
            }
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
