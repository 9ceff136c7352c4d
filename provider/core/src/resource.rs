//! Resources: what there can be, and how each is specified.
//!
//! A spec is symbolic: what is only known after another resource was made stands in it as a reference ([`Text`]).
//! Deliberately no AWS request types; the cloud translates.

pub mod settings;
mod spec;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use eventual_schema::digest::short_hash;

pub use spec::{
    ApiSpec, ArtifactSpec, Authorizer, BucketSpec, BusSpec, CorsSpec, DeadLetters, FunctionSpec,
    InvokeConfigSpec, KeepsSpec, LogGroupSpec, MappingSpec, PermissionSpec, QueueSpec, RoleSpec, RouteAuth,
    RouteSpec, RuleSpec, Source, Spec, TableSpec, VpcSpec,
};
pub use text::{Missing, Piece, Text};

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The HTTP API with its stage, authorizers and CORS.
    Api,
    /// The uploaded artifact, an object in the bucket.
    Artifact,
    /// The service's bucket.
    Bucket,
    /// The event bus.
    Bus,
    /// A function with its published version and its alias.
    Function,
    /// What happens to failed asynchronous invocations of a function.
    InvokeConfig,
    /// A log group.
    LogGroup,
    /// What feeds a queue or stream into a function.
    Mapping,
    /// The right of a service to invoke a function.
    Permission,
    /// A queue.
    Queue,
    /// A role with its inline policy.
    Role,
    /// An integration of the API and the routes to it.
    Route,
    /// A rule of the event bus and its target.
    Rule,
    /// The group of long timers.
    ScheduleGroup,
    /// The engine table.
    Table,
}

/// All kinds with the names they have in states and keys.
const KINDS: [(Kind, &str); 15] = [
    (Kind::Api, "api"),
    (Kind::Artifact, "artifact"),
    (Kind::Bucket, "bucket"),
    (Kind::Bus, "event_bus"),
    (Kind::Function, "function"),
    (Kind::InvokeConfig, "invoke_config"),
    (Kind::LogGroup, "log_group"),
    (Kind::Mapping, "event_source_mapping"),
    (Kind::Permission, "permission"),
    (Kind::Queue, "queue"),
    (Kind::Role, "role"),
    (Kind::Route, "route"),
    (Kind::Rule, "rule"),
    (Kind::ScheduleGroup, "schedule_group"),
    (Kind::Table, "table"),
];

impl Kind {
    /// The kind as it stands in states.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Kinds that must be gone before one of this kind is deleted, because they use it or lie in it.
    #[must_use]
    pub const fn deleted_after(self) -> &'static [Self] {
        match self {
            Self::Api => &[Self::Route],
            Self::Artifact | Self::Route | Self::Rule | Self::Mapping => &[],
            Self::Permission | Self::InvokeConfig => &[Self::Route, Self::Rule],
            Self::Function => &[Self::Mapping, Self::Rule, Self::Route, Self::Permission, Self::InvokeConfig],
            Self::LogGroup | Self::Role => &[Self::Function],
            Self::Bus => &[Self::Rule, Self::Function],
            Self::Queue => &[Self::Mapping, Self::Rule, Self::Function],
            Self::ScheduleGroup => &[Self::Function],
            Self::Table => &[Self::Mapping, Self::Function],
            Self::Bucket => &[
                Self::Api,
                Self::Artifact,
                Self::Bus,
                Self::Function,
                Self::LogGroup,
                Self::Queue,
                Self::Role,
                Self::ScheduleGroup,
                Self::Table,
            ],
        }
    }

    /// Whether one of this kind vanishes with the resource it lies in, so that deleting that is enough.
    #[must_use]
    pub const fn vanishes_with(self) -> Option<Self> {
        match self {
            Self::Route => Some(Self::Api),
            Self::Permission | Self::InvokeConfig => Some(Self::Function),
            _ => None,
        }
    }

    /// Whether it carries tags of its own.
    #[must_use]
    pub const fn is_tagged(self) -> bool {
        !matches!(self, Self::Artifact | Self::Permission | Self::InvokeConfig | Self::Route)
    }

    /// The AWS service whose calls it costs; calls to one service are limited together.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::Api | Self::Route => "apigateway",
            Self::Artifact | Self::Bucket => "s3",
            Self::Bus | Self::Rule => "events",
            Self::Function | Self::InvokeConfig | Self::Mapping | Self::Permission => "lambda",
            Self::LogGroup => "logs",
            Self::Queue => "sqs",
            Self::Role => "iam",
            Self::ScheduleGroup => "scheduler",
            Self::Table => "dynamodb",
        }
    }

    /// Most resources of this kind's service that are worked on at the same time.
    #[must_use]
    pub const fn concurrency(self) -> usize {
        match self {
            Self::Api | Self::Route => 4,
            Self::LogGroup => 5,
            Self::Function | Self::InvokeConfig | Self::Mapping | Self::Permission => 12,
            _ => 8,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One resource as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its key within the service, `function/command-placeOrder`.
    pub key: String,
    /// Its name in the cloud, computed.
    pub name: String,
    /// Its ARN where it can be computed.
    pub arn: Option<String>,
    /// How it should be.
    pub spec: Spec,
    /// Tags for everything, without the owner's.
    pub tags: BTreeMap<String, String>,
    /// Keys of what must be there before it, beside what its spec refers to.
    pub after: BTreeSet<String>,
    /// Whether part of what was asked is known only after something outside of the deployment is; then the spec holds
    /// a placeholder for it.
    pub unknown: bool,
}

impl Resource {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.spec.kind()
    }

    /// Keys of all that must be there before it.
    #[must_use]
    pub fn depends_on(&self) -> BTreeSet<String> {
        let mut keys = self.after.clone();
        keys.extend(self.spec.references().into_iter().map(|(key, _)| key));
        keys
    }

    /// Hash of everything that is asked of it, symbolic; `None` while part of that is unknown.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        if self.unknown || self.spec.has_unknown() {
            return None;
        }
        let spec =
            serde_json::to_string(&(&self.spec, &self.name, self.kind().is_tagged().then_some(&self.tags)))
                .unwrap_or_default();
        Some(short_hash(&[self.kind().as_str(), &spec], 24))
    }
}
