//! Everything fits into AWS's limits that would otherwise show half-way through an apply.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::resource::{FunctionSpec, MappingSpec, QueueSpec, Resource, RoleSpec, Source, Spec};

/// Characters of the inline policies of a role, white space not counted.
const POLICY: usize = 10_240;
/// Characters of a trust policy.
const TRUST: usize = 2048;
/// Bytes of a queue's policy.
const QUEUE_POLICY: usize = 8192;
/// Bytes of a bucket's policy.
const BUCKET_POLICY: usize = 20 * 1024;
/// Bytes of a function's environment as JSON.
const ENVIRONMENT: usize = 4096;
/// Characters of a rule's pattern.
const PATTERN: usize = 2048;
/// Rules of a bus.
const RULES: usize = 300;
/// Routes of an API.
const ROUTES: usize = 300;
/// Authorizers of an API.
const AUTHORIZERS: usize = 10;
/// Tags of a resource.
const TAGS: usize = 50;
/// Longest wait of the API for a function, in seconds.
const API_WAIT_S: u32 = 30;
/// Runs that an account has by default, less the hundred that must stay for everybody.
const CONCURRENCY: u32 = 900;

/// What does not fit.
pub(super) fn check(desired: &Desired) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> =
        desired.resources.values().flat_map(|it| one(desired, it)).collect();
    diagnostics.extend(tags(&desired.tags));
    diagnostics.extend(whole(desired));
    diagnostics
}

/// Limits of everything of one kind together.
fn whole(desired: &Desired) -> Vec<Diagnostic> {
    let (mut rules, mut reserved, mut routes) = (0, 0_u32, Vec::new());
    for resource in desired.resources.values() {
        match &resource.spec {
            Spec::Route(spec) => routes.extend(&spec.routes),
            Spec::Rule(_) => rules += 1,
            Spec::Function(spec) => {
                reserved = reserved.saturating_add(spec.reserved_concurrency.unwrap_or(0));
            }
            _ => {}
        }
    }
    let mut diagnostics = Vec::new();
    let mut error = |summary: &str, detail: String| {
        diagnostics.push(Diagnostic::error(summary, detail).at(Path::of("artifact")))
    };
    if routes.len() > ROUTES {
        let count = routes.len();
        let detail =
            format!("The service has {count} routes, an HTTP API holds {ROUTES}. Split the service.");
        error("Too many routes", detail);
    }
    let mut known = BTreeSet::new();
    for twice in routes.into_iter().filter(|route| !known.insert(*route)) {
        error("Route twice", format!("Two commands have the route {twice}. Change the path of one of them."));
    }
    if rules > RULES {
        let detail = format!(
            "The service has {rules} subscriptions, an event bus holds {RULES} rules. Split the service."
        );
        error("Too many subscriptions", detail);
    }
    if reserved > CONCURRENCY {
        let detail = format!(
            "Its functions reserve {reserved} concurrent runs. Unless the account's quota was raised, AWS has {CONCURRENCY} to reserve for everything in the region, and refuses the rest half-way."
        );
        diagnostics.push(Diagnostic::warning("Much reserved concurrency", detail));
    }
    diagnostics
}

fn one(desired: &Desired, resource: &Resource) -> Vec<Diagnostic> {
    let key = &resource.key;
    match &resource.spec {
        Spec::Role(spec) => role(key, spec),
        Spec::Function(spec) => function(key, spec),
        Spec::Queue(spec) => queue(key, spec),
        Spec::Mapping(spec) => mapping(desired, key, spec),
        Spec::Bucket(spec) => longer(key, "policy", spec.policy.len(), BUCKET_POLICY),
        Spec::Rule(spec) => longer(key, "pattern", spec.pattern.len(), PATTERN),
        Spec::Api(spec) => {
            let count = spec.authorizers.len();
            let detail = format!(
                "The commands have {count} different JWT issuers and audiences, an HTTP API holds {AUTHORIZERS} authorizers. Share some, or split the service."
            );
            (count > AUTHORIZERS)
                .then(|| Diagnostic::error("Too many authorizers", detail))
                .into_iter()
                .collect()
        }
        Spec::LogGroup(spec) => range(key, "retention", spec.retention_days, 1, 3653),
        Spec::InvokeConfig(spec) => range(key, "retries", spec.retries, 0, 2),
        Spec::Route(spec) => range(key, "timeout_ms", spec.timeout_ms, 50, 30_000),
        _ => Vec::new(),
    }
}

/// A number that only a bug lets out of its range: what the user gives was checked before.
fn range(key: &str, what: &str, value: u32, low: u32, high: u32) -> Vec<Diagnostic> {
    if (low..=high).contains(&value) {
        return Vec::new();
    }
    let detail = format!(
        "{what} of {key} is {value}, AWS takes {low} to {high}. This is a bug of the provider, please report it."
    );
    vec![Diagnostic::error("Out of range", detail)]
}

fn longer(key: &str, what: &str, length: usize, limit: usize) -> Vec<Diagnostic> {
    if length <= limit {
        return Vec::new();
    }
    let detail =
        format!("The {what} of {key} has {length} characters, AWS takes {limit}. Split the service.");
    vec![Diagnostic::error(format!("Too long a {what}"), detail)]
}

/// Where the user says something about a function: `commands["placeOrder"].policies`.
fn setting(function: &str, attribute: &str) -> Option<Path> {
    let by_name = [("command-", "commands"), ("task-", "tasks"), ("subscription-", "subscriptions")];
    let named =
        by_name.into_iter().find_map(|(prefix, map)| Some(Path::of(map).key(function.strip_prefix(prefix)?)));
    let of = named.or_else(|| (function == "orchestrator").then(|| Path::of("orchestrator")));
    of.map(|it| it.attr(attribute))
}

fn role(key: &str, spec: &RoleSpec) -> Vec<Diagnostic> {
    let size = spec.policy.chars().filter(|it| !it.is_whitespace()).count();
    let mut diagnostics = longer(key, "trust policy", spec.trust.len(), TRUST);
    if size > POLICY {
        let detail = format!(
            "The policy of {key} has {size} characters, a role holds {POLICY}. Shorten `policies`, or use fewer functions."
        );
        let own = key.strip_prefix("role/").and_then(|function| setting(function, "policies"));
        diagnostics.push(
            Diagnostic::error("Policy too long", detail).at(own.unwrap_or_else(|| Path::of("artifact"))),
        );
    }
    diagnostics
}

fn function(key: &str, spec: &FunctionSpec) -> Vec<Diagnostic> {
    let mut diagnostics = range(key, "memory", spec.memory_mb, 128, 10_240);
    diagnostics.extend(range(key, "timeout", spec.timeout_s, 1, 900));
    diagnostics.extend(longer(key, "description", spec.description.len(), 256));
    let hidden: usize = spec.hidden.iter().map(|(name, value)| name.len() + value.reveal().len() + 6).sum();
    let size = serde_json::to_string(&spec.environment).map_or(0, |text| text.len()) + hidden;
    if size > ENVIRONMENT {
        let detail = format!(
            "The environment variables of {key} take {size} bytes, Lambda holds {ENVIRONMENT}. Keep large values in Parameter Store or S3."
        );
        diagnostics.push(Diagnostic::error("Environment too large", detail).at(Path::of("environment")));
    }
    let letters = |name: &str| {
        name.len() > 1
            && name.starts_with(|it: char| it.is_ascii_alphabetic())
            && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
    };
    for name in spec.environment.keys().filter(|name| !letters(name)) {
        let detail = format!(
            "{key} has the environment variable {name:?}. Lambda takes names of at least two letters, digits and underscores that begin with a letter."
        );
        diagnostics.push(Diagnostic::error("Variable not possible", detail).at(Path::of("environment")));
    }
    if let Some(command) = key.strip_prefix("function/command-").filter(|_| spec.timeout_s > API_WAIT_S) {
        let detail = format!(
            "The command {command} may run {} seconds, but API Gateway gives up after {API_WAIT_S}. Start a workflow for longer work.",
            spec.timeout_s
        );
        let at = Path::of("commands").key(command).attr("timeout");
        diagnostics.push(Diagnostic::warning("Timeout longer than the API waits", detail).at(at));
    }
    diagnostics
}

fn queue(key: &str, spec: &QueueSpec) -> Vec<Diagnostic> {
    let mut diagnostics = range(key, "visibility", spec.visibility_s, 0, 43_200);
    diagnostics.extend(range(key, "retention", spec.retention_s, 60, 1_209_600));
    let policy = spec.policy.as_deref().unwrap_or_default();
    diagnostics.extend(longer(key, "policy", policy.len(), QUEUE_POLICY));
    if let Some(dead) = &spec.dead_letters {
        diagnostics.extend(range(key, "max_receives", dead.max_receives, 1, 1000));
    }
    diagnostics
}

fn mapping(desired: &Desired, key: &str, spec: &MappingSpec) -> Vec<Diagnostic> {
    match &spec.source {
        // More than ten need a window, which a FIFO queue cannot have and ours do not want.
        Source::Queue { batch } => {
            let mut diagnostics = range(key, "batch", *batch, 1, 10);
            diagnostics.extend(visibility(desired, key, spec));
            diagnostics
        }
        Source::Stream { filter, retries, .. } => {
            let mut diagnostics = range(key, "retries", *retries, 0, 10_000);
            diagnostics.extend(longer(key, "filter", filter.len(), 4096));
            diagnostics
        }
    }
}

/// Lambda refuses a mapping whose queue shows a message again while the function may still work on it. AWS's advice of six
/// times the timeout is not demanded here: the queues of the engine are short on purpose, see
/// [`crate::desired`]'s `engine::visibility_s`.
fn visibility(desired: &Desired, key: &str, mapping: &MappingSpec) -> Option<Diagnostic> {
    let queue = desired.resources.values().find_map(|it| match &it.spec {
        Spec::Queue(spec) if it.arn.as_deref() == Some(mapping.source_arn.as_str()) => {
            Some(spec.visibility_s)
        }
        _ => None,
    });
    let timeout = desired.resources.values().find_map(|it| match &it.spec {
        Spec::Function(spec) if it.name == mapping.function => Some(spec.timeout_s),
        _ => None,
    });
    match (queue, timeout) {
        (Some(visibility), Some(timeout)) if visibility >= timeout => None,
        _ => Some(Diagnostic::error(
            "Visibility too short",
            format!(
                "{key}: the queue hides a message {queue:?} seconds, the function runs {timeout:?}. This is a bug of the provider, please report it."
            ),
        )),
    }
}

/// Tags of everything, before the owner's is added.
fn tags(tags: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut error = |detail: String| {
        diagnostics.push(Diagnostic::error("Tags not possible", detail).at(Path::of("tags")))
    };
    if tags.len() >= TAGS {
        error(format!("There are {} tags and the owner's; AWS takes {TAGS} in all.", tags.len()));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || key.to_ascii_lowercase().starts_with("aws:") {
            error(format!("The tag {key:?} is empty, longer than 128 characters, or begins with `aws:`."));
        }
        if value.chars().count() > 256 {
            error(format!("The value of the tag {key:?} is longer than 256 characters."));
        }
    }
    diagnostics
}
