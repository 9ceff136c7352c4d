//! What a resource should look like when the cloud describes it, setting by setting, to notice what somebody changed.
//!
//! It knows every setting that we write or that would change what the service does if somebody else wrote it. It never
//! holds a secret: environments are hashed. How a setting is read is the cloud's; both sides meet in the names and forms
//! here.

use std::collections::BTreeMap;

use eventual_schema::deploy::{ALIAS, BOOTSTRAP_FILE, table};
use eventual_schema::digest::short_hash;

use super::{
    ApiSpec, Authorizer, CorsSpec, FunctionSpec, Kind, MappingSpec, QueueSpec, Resource, RouteAuth,
    RouteSpec, Source, Spec, VpcSpec,
};

/// Settings by name, in the forms that this module gives them.
pub type Settings = BTreeMap<String, String>;

/// Stream records of one invocation.
pub const STREAM_BATCH: u32 = 100;
/// Runtime of every function.
pub const RUNTIME: &str = "provided.al2023";
/// Scratch space of every function in MB, the least that there is.
pub const SCRATCH_MB: u32 = 512;
/// Name of the one inline policy of every role.
pub const INLINE_POLICY: &str = "eventual";

fn set(settings: &mut Settings, name: &str, value: impl Into<String>) {
    settings.insert(name.to_owned(), value.into());
}

impl Resource {
    /// All settings of the (resolved) resource when `owner` owns it.
    #[must_use]
    pub fn settings(&self, owner: &str) -> Settings {
        let mut settings = self.spec.settings();
        if self.kind().is_tagged() {
            let mut tags = self.tags.clone();
            tags.insert(eventual_schema::deploy::TAG_OWNER.to_owned(), owner.to_owned());
            let tags = tags_digest(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            if self.kind() == Kind::Api {
                set(&mut settings, "name", &self.name);
                set(&mut settings, "stage_tags", &tags);
            }
            set(&mut settings, "tags", tags);
        }
        settings
    }
}

impl Spec {
    /// Settings that follow from the (resolved) spec alone.
    #[must_use]
    pub(super) fn settings(&self) -> Settings {
        let mut all = Settings::new();
        match self {
            Self::Api(spec) => api(&mut all, spec),
            Self::Artifact(_) | Self::Bus(_) | Self::ScheduleGroup => {}
            Self::Bucket(spec) => {
                set(&mut all, "policy", policy_digest(&spec.policy));
                set(&mut all, "public_access", "blocked");
                set(&mut all, "encryption", "AES256");
                // None of these is ours to have; each would lose, copy or keep data behind the service's back.
                for absent in ["versioning", "lifecycle", "notifications"] {
                    set(&mut all, absent, "");
                }
            }
            Self::Function(spec) => function(&mut all, spec),
            Self::LogGroup(spec) => set(&mut all, "retention", spec.retention_days.to_string()),
            Self::Queue(spec) => queue(&mut all, spec),
            Self::InvokeConfig(spec) => {
                set(&mut all, "retries", spec.retries.to_string());
                set(&mut all, "on_failure", &spec.on_failure);
                set(&mut all, "on_success", "");
            }
            Self::Mapping(spec) => mapping(&mut all, spec),
            Self::Permission(spec) => set(
                &mut all,
                "statement",
                permission("lambda:InvokeFunction", &spec.principal, spec.source_arn.as_str()),
            ),
            Self::Route(spec) => route(&mut all, spec),
            Self::Role(spec) => {
                set(&mut all, "policy", policy_digest(&spec.policy));
                set(&mut all, "trust", policy_digest(&spec.trust));
                set(&mut all, "inline_policies", INLINE_POLICY);
                set(&mut all, "attached_policies", "");
            }
            Self::Rule(spec) => {
                set(&mut all, "pattern", policy_digest(&spec.pattern));
                set(&mut all, "state", "ENABLED");
                set(&mut all, "targets", rule_target(&spec.target, &spec.dead_letters));
            }
            Self::Table(spec) => {
                set(&mut all, "billing", "PAY_PER_REQUEST");
                set(&mut all, "stream", "NEW_IMAGE");
                set(&mut all, "index", table::INDEX);
                set(&mut all, "time_to_live", table::EXPIRES);
                set(&mut all, "point_in_time_recovery", spec.point_in_time_recovery.to_string());
                set(&mut all, "deletion_protection", "false");
            }
        }
        all
    }
}

fn api(all: &mut Settings, spec: &ApiSpec) {
    set(all, "cors", spec.cors.as_ref().map(cors).unwrap_or_default());
    set(all, "endpoint", "enabled");
    set(all, "stage", "deploys by itself");
    for (name, it) in &spec.authorizers {
        set(all, &format!("authorizer/{name}"), authorizer(it));
    }
}

fn function(all: &mut Settings, spec: &FunctionSpec) {
    set(all, "alias", ALIAS);
    set(all, "role", &spec.role);
    set(all, "memory", spec.memory_mb.to_string());
    set(all, "timeout", spec.timeout_s.to_string());
    set(all, "environment", environment_digest(spec.comparable()));
    set(all, "reserved_concurrency", spec.reserved_concurrency.map(|it| it.to_string()).unwrap_or_default());
    set(all, "vpc", spec.vpc.as_ref().map(vpc).unwrap_or_default());
    set(all, "layers", "");
    set(all, "description", &spec.description);
    set(all, "architecture", &spec.architecture);
    set(all, "runtime", RUNTIME);
    set(all, "handler", BOOTSTRAP_FILE);
    set(all, "scratch_space", SCRATCH_MB.to_string());
}

fn queue(all: &mut Settings, spec: &QueueSpec) {
    set(all, "visibility", spec.visibility_s.to_string());
    set(all, "retention", spec.retention_s.to_string());
    set(all, "delay", "0");
    set(all, "encryption", "true");
    set(all, "policy", spec.policy.as_deref().map(policy_digest).unwrap_or_default());
    let dead = spec.dead_letters.as_ref();
    set(all, "dead_letters", dead.map(|it| dead_letters(&it.arn, it.max_receives)).unwrap_or_default());
    set(all, "order", if spec.fifo { fifo("messageGroup", "perMessageGroupId") } else { String::new() });
}

fn mapping(all: &mut Settings, spec: &MappingSpec) {
    set(all, "enabled", "true");
    set(all, "function", &spec.function);
    set(all, "answers", "ReportBatchItemFailures");
    set(all, "window", "0");
    set(all, "concurrency", "");
    match &spec.source {
        Source::Queue { batch } => {
            set(all, "batch", batch.to_string());
            set(all, "filter", "");
        }
        Source::Stream { filter, retries, on_failure } => {
            set(all, "batch", STREAM_BATCH.to_string());
            set(all, "filter", policy_digest(filter));
            set(all, "retries", retries.to_string());
            set(all, "on_failure", on_failure);
            set(all, "bisect", "true");
        }
    }
}

fn route(all: &mut Settings, spec: &RouteSpec) {
    let (kind, authorizer) = match &spec.auth {
        RouteAuth::None => ("NONE", ""),
        RouteAuth::Iam => ("AWS_IAM", ""),
        RouteAuth::Jwt { authorizer } => ("JWT", authorizer.as_str()),
    };
    set(all, "routes", routes(spec.routes.iter().map(|key| (key.as_str(), kind, authorizer))));
    set(all, "target", &spec.target);
    set(all, "timeout", spec.timeout_ms.to_string());
    set(all, "payload", "2.0");
}

/// Routes of an integration: key, kind of authorization, id of the authorizer or nothing.
#[must_use]
pub fn routes<'a>(routes: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> String {
    let mut all: Vec<String> = routes
        .map(|(key, kind, authorizer)| format!("{key} {kind} {authorizer}").trim_end().to_owned())
        .collect();
    all.sort();
    all.join(",")
}

/// A permission of a function.
#[must_use]
pub fn permission(action: &str, principal: &str, source_arn: &str) -> String {
    format!("{principal} may {action} for {source_arn}")
}

/// A target of a rule.
#[must_use]
pub fn rule_target(arn: &str, dead_letters: &str) -> String {
    format!("{arn}, then {dead_letters}")
}

/// A redrive policy.
#[must_use]
pub fn dead_letters(arn: &str, max_receives: u32) -> String {
    format!("{arn} after {max_receives}")
}

/// Order and throughput of a FIFO queue.
#[must_use]
pub fn fifo(scope: &str, limit: &str) -> String {
    format!("{scope} {limit}")
}

/// Subnets and security groups, in whatever order.
#[must_use]
pub fn vpc(spec: &VpcSpec) -> String {
    format!("{} {}", sorted(&spec.subnet_ids), sorted(&spec.security_group_ids))
}

/// An authorizer.
#[must_use]
pub fn authorizer(authorizer: &Authorizer) -> String {
    format!("{} {}", authorizer.issuer, sorted(&authorizer.audience))
}

/// Cross-origin requests, in whatever order their lists are.
#[must_use]
pub fn cors(spec: &CorsSpec) -> String {
    let lists = [&spec.allow_origins, &spec.allow_methods, &spec.allow_headers, &spec.expose_headers];
    let lists: Vec<String> = lists.into_iter().map(|it| sorted(it)).collect();
    // What is not said is nothing, and so is zero seconds.
    format!("{} {} {}", lists.join(" "), spec.allow_credentials, spec.max_age.unwrap_or(0))
}

fn sorted(list: &[String]) -> String {
    let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
    list.sort_unstable();
    list.join(",")
}

/// Hash of tags; those that AWS itself sets do not count.
pub fn tags_digest<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    environment_digest(tags.filter(|(key, _)| !key.starts_with("aws:")))
}

/// Hash of environment variables, so that settings never hold a secret.
pub fn environment_digest<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let sorted: BTreeMap<&str, &str> = variables.collect();
    short_hash(&sorted.iter().flat_map(|(name, value)| [*name, *value]).collect::<Vec<_>>(), 16)
}

/// Hash of a policy or pattern that does not depend on white space, on the order of members and of lists, and on whether
/// a list of one is written as a list; nothing for no document.
#[must_use]
pub fn policy_digest(document: &str) -> String {
    if document.is_empty() {
        return String::new();
    }
    let canonical = serde_json::from_str::<serde_json::Value>(document)
        .map_or_else(|_| document.to_owned(), |value| canonical(value).to_string());
    short_hash(&[&canonical], 16)
}

fn canonical(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(canonical).collect();
            items.sort_by_key(ToString::to_string);
            match <[Value; 1]>::try_from(items) {
                Ok([one]) => one,
                Err(items) => Value::Array(items),
            }
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, canonical(value))).collect())
        }
        other => other,
    }
}

/// The settings as a [`crate::state::Recorded`] keeps them: each with a hash of its value.
#[must_use]
pub(crate) fn record(settings: &Settings) -> String {
    let pair = |(name, value): (&String, &String)| format!("{name}={}", digest(name, value));
    settings.iter().map(pair).collect::<Vec<_>>().join(" ")
}

/// Names of the settings that are otherwise than recorded. What was not recorded, or could not be read, is not compared.
#[must_use]
pub(crate) fn changed(recorded: &str, observed: &Settings) -> Vec<String> {
    let differs = |pair: &str| {
        let (name, hash) = pair.rsplit_once('=')?;
        let value = observed.get(name)?;
        (digest(name, value) != hash).then(|| name.to_owned())
    };
    recorded.split(' ').filter_map(differs).collect()
}

fn digest(name: &str, value: &str) -> String {
    short_hash(&[name, value], 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_document_is_written_makes_no_difference() {
        let ours = r#"{"Statement": [{"Action": ["b", "a"], "Resource": ["x"]}]}"#;
        let theirs = r#"{"Statement":{"Resource":"x","Action":["a","b"]}}"#;
        assert_eq!(policy_digest(ours), policy_digest(theirs));
        assert_ne!(policy_digest(ours), policy_digest(&theirs.replace("\"x\"", "\"y\"")));
    }

    #[test]
    fn what_changed_is_named_and_what_is_not_known_is_not() {
        let settings = |pairs: &[(&str, &str)]| -> Settings {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let recorded = record(&settings(&[("authorizer/a=b", "x"), ("memory", "512"), ("timeout", "5")]));
        let observed = settings(&[("authorizer/a=b", "y"), ("memory", "1024"), ("layers", "more")]);
        assert_eq!(changed(&recorded, &observed), ["authorizer/a=b", "memory"]);
        assert_eq!(changed("", &observed), [""; 0], "a state of an earlier release");
    }

    #[test]
    fn tags_of_aws_do_not_count() {
        assert_eq!(
            tags_digest([("a", "1"), ("aws:x", "y")].into_iter()),
            tags_digest([("a", "1")].into_iter())
        );
    }
}
