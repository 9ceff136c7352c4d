//! The specification of each kind of resource.

use std::collections::BTreeMap;

use eventual_schema::digest::short_hash;
use serde::Serialize;

use super::{Kind, Missing, Piece, Text};
use crate::config::Confidential;

/// How a resource should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Spec {
    /// See [`ApiSpec`].
    Api(ApiSpec),
    /// See [`ArtifactSpec`].
    Artifact(ArtifactSpec),
    /// See [`BucketSpec`].
    Bucket(BucketSpec),
    /// See [`BusSpec`].
    Bus(BusSpec),
    /// See [`FunctionSpec`].
    Function(Box<FunctionSpec>),
    /// See [`InvokeConfigSpec`].
    InvokeConfig(InvokeConfigSpec),
    /// See [`LogGroupSpec`].
    LogGroup(LogGroupSpec),
    /// See [`MappingSpec`].
    Mapping(MappingSpec),
    /// See [`PermissionSpec`].
    Permission(PermissionSpec),
    /// See [`QueueSpec`].
    Queue(QueueSpec),
    /// See [`RoleSpec`].
    Role(RoleSpec),
    /// See [`RouteSpec`].
    Route(RouteSpec),
    /// See [`RuleSpec`].
    Rule(RuleSpec),
    /// A schedule group has nothing but its name and tags.
    ScheduleGroup,
    /// See [`TableSpec`].
    Table(TableSpec),
}

/// An HTTP API with a `$default` stage that deploys by itself. Gives `api_id`, `url`, `execution_arn` and
/// `authorizer/<name>` for each authorizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiSpec {
    /// JWT authorizers by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Cross-origin requests, if any are answered.
    pub cors: Option<CorsSpec>,
}

/// A JWT authorizer that reads the `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Authorizer {
    /// URL of the issuer.
    pub issuer: String,
    /// Accepted audiences.
    pub audience: Vec<String>,
}

/// Cross-origin requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CorsSpec {
    /// Origins that may call.
    pub allow_origins: Vec<String>,
    /// Methods that they may use.
    pub allow_methods: Vec<String>,
    /// Headers that they may send.
    pub allow_headers: Vec<String>,
    /// Headers that they may read.
    pub expose_headers: Vec<String>,
    /// Whether they may send cookies.
    pub allow_credentials: bool,
    /// Seconds that a browser may remember it.
    pub max_age: Option<u32>,
}

/// The artifact in the bucket. Gives `object`, its key in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactSpec {
    /// Bucket.
    pub bucket: String,
    /// Key of the object.
    pub object: String,
    /// SHA-256 of the zip, hexadecimal.
    pub sha256: String,
    /// Where the file is. Not part of what is asked: the content is.
    #[serde(skip)]
    pub path: String,
}

/// The service's bucket: no public access, TLS only, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BucketSpec {
    /// The bucket's policy, JSON.
    pub policy: String,
}

/// An event bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusSpec {}

/// Subnets and security groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VpcSpec {
    /// Subnets.
    pub subnet_ids: Vec<String>,
    /// Security groups.
    pub security_group_ids: Vec<String>,
}

/// A function, its published version, and the alias on it. Gives `version` and `alias_arn`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionSpec {
    /// ARN of its role.
    pub role: String,
    /// Bucket of its code.
    pub code_bucket: String,
    /// Key of its code.
    pub code_object: String,
    /// SHA-256 of the zip, hexadecimal.
    pub code_sha256: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Memory in MB.
    pub memory_mb: u32,
    /// Longest run in seconds.
    pub timeout_s: u32,
    /// Environment variables.
    pub environment: BTreeMap<String, Text>,
    /// Environment variables whose values leave no trace: they win over the others, and are in no fingerprint and no hash.
    #[serde(skip)]
    pub hidden: BTreeMap<String, Confidential>,
    /// Version of those values; `None` without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_version: Option<String>,
    /// Runs set aside for it, if any are.
    pub reserved_concurrency: Option<u32>,
    /// Where in a VPC it runs, if it does.
    pub vpc: Option<VpcSpec>,
    /// What it is for people.
    pub description: String,
    /// How versions of it are kept for executions that are pinned to their code; `None` where nothing is pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keeps: Option<KeepsSpec>,
}

/// Versions that are kept as long as executions are pinned to their code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeepsSpec {
    /// SHA-256 of the bootstrap of this version, hexadecimal: what executions are pinned to.
    pub code: String,
    /// ARN of the alias of the function that knows which executions are open.
    pub asks: String,
}

impl FunctionSpec {
    /// Names and values of the environment as it is compared: those that leave no trace have no value.
    pub(super) fn comparable(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = self.environment.iter().filter(|(name, _)| !self.hidden.contains_key(*name));
        let shown = shown.map(|(name, value)| (name.as_str(), value.as_str()));
        shown.chain(self.hidden.keys().map(|name| (name.as_str(), "")))
    }

    /// Hash of all that `UpdateFunctionConfiguration` sets: everything but code, concurrency and which
    /// versions are kept. The spec must be
    /// resolved.
    #[must_use]
    pub fn configuration(&self) -> String {
        let plain = Self {
            code_bucket: String::new(),
            code_object: String::new(),
            code_sha256: String::new(),
            architecture: String::new(),
            reserved_concurrency: None,
            keeps: None,
            ..self.clone()
        };
        short_hash(&[&serde_json::to_string(&plain).unwrap_or_default()], 24)
    }
}

/// What happens to asynchronous invocations of the alias that fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvokeConfigSpec {
    /// Name of the function in the cloud.
    pub function: String,
    /// Retries by Lambda, 0 to 2.
    pub retries: u32,
    /// ARN of the queue that hears of the last failure.
    pub on_failure: String,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogGroupSpec {
    /// Days that logs are kept.
    pub retention_days: u32,
}

/// What is fed into a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Source {
    /// A queue, with answers for single messages.
    Queue {
        /// Most messages of one invocation.
        batch: u32,
    },
    /// A stream of the table.
    Stream {
        /// Pattern that a record must match, JSON.
        filter: String,
        /// Retries of a batch before it is given up.
        retries: u32,
        /// ARN of the queue that hears of a batch that was given up.
        on_failure: String,
    },
}

/// Feeds a queue or stream into the alias of a function. Gives `uuid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MappingSpec {
    /// ARN of the queue or stream.
    pub source_arn: Text,
    /// Name of the function in the cloud.
    pub function: String,
    /// Kind of the source and its settings.
    pub source: Source,
    /// Hash of what the function has to look at after a deployment, the schedules in the code. When it changes, a message
    /// ([`eventual_schema::deploy::DEPLOYED`]) goes into the queue that is the source. Nothing is sent without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed: Option<String>,
}

/// The right to invoke the alias of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermissionSpec {
    /// Name of the function in the cloud.
    pub function: String,
    /// Service that may, `events.amazonaws.com`.
    pub principal: String,
    /// ARN (or pattern) of what may.
    pub source_arn: Text,
}

/// Where messages go that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetters {
    /// ARN of the queue.
    pub arn: String,
    /// Receives before a message goes there.
    pub max_receives: u32,
}

/// A queue. Gives `url`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueSpec {
    /// Whether it keeps order within message groups.
    pub fifo: bool,
    /// Seconds that a received message is hidden.
    pub visibility_s: u32,
    /// Seconds that a message is kept.
    pub retention_s: u32,
    /// Its dead-letter queue.
    pub dead_letters: Option<DeadLetters>,
    /// Its policy, JSON, if others than our roles send to it.
    pub policy: Option<String>,
}

/// A role with one inline policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleSpec {
    /// Who may assume it, JSON.
    pub trust: String,
    /// What it permits, JSON.
    pub policy: String,
}

/// Who may call a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum RouteAuth {
    /// Everybody.
    None,
    /// Signed callers with `execute-api:Invoke`.
    Iam,
    /// Callers with a token of this authorizer.
    Jwt {
        /// Id of the authorizer.
        authorizer: Text,
    },
}

/// An integration of the alias of a function, and the routes to it. Gives `integration_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteSpec {
    /// Id of the API.
    pub api: Text,
    /// ARN of the alias.
    pub target: String,
    /// Longest wait for an answer in milliseconds, 50 to 30,000.
    pub timeout_ms: u32,
    /// Keys of the routes, `POST /rpc/placeOrder`.
    pub routes: Vec<String>,
    /// Who may call them.
    pub auth: RouteAuth,
}

/// A rule and its one target, the alias of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleSpec {
    /// Name of the bus.
    pub bus: String,
    /// Pattern of events, JSON.
    pub pattern: String,
    /// ARN of the alias.
    pub target: String,
    /// ARN of the queue for events that could not be delivered.
    pub dead_letters: String,
}

/// The engine table: its keys, index, expiry and stream are the contract in [`eventual_schema::deploy::table`]. Gives
/// `stream_arn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSpec {
    /// Whether it can be restored to any second of the last 35 days.
    pub point_in_time_recovery: bool,
}

impl Spec {
    /// What it specifies.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Api(_) => Kind::Api,
            Self::Artifact(_) => Kind::Artifact,
            Self::Bucket(_) => Kind::Bucket,
            Self::Bus(_) => Kind::Bus,
            Self::Function(_) => Kind::Function,
            Self::InvokeConfig(_) => Kind::InvokeConfig,
            Self::LogGroup(_) => Kind::LogGroup,
            Self::Mapping(_) => Kind::Mapping,
            Self::Permission(_) => Kind::Permission,
            Self::Queue(_) => Kind::Queue,
            Self::Role(_) => Kind::Role,
            Self::Route(_) => Kind::Route,
            Self::Rule(_) => Kind::Rule,
            Self::ScheduleGroup => Kind::ScheduleGroup,
            Self::Table(_) => Kind::Table,
        }
    }

    fn texts(&mut self) -> Vec<&mut Text> {
        match self {
            Self::Function(spec) => spec.environment.values_mut().collect(),
            Self::Mapping(spec) => vec![&mut spec.source_arn],
            Self::Permission(spec) => vec![&mut spec.source_arn],
            Self::Route(RouteSpec { api, auth: RouteAuth::Jwt { authorizer }, .. }) => vec![api, authorizer],
            Self::Route(spec) => vec![&mut spec.api],
            _ => Vec::new(),
        }
    }

    /// Keys and attributes of other resources that it refers to.
    #[must_use]
    pub fn references(&self) -> Vec<(String, String)> {
        let mut copy = self.clone();
        let pieces = copy
            .texts()
            .into_iter()
            .filter_map(|text| if let Text::Pieces(pieces) = text { Some(pieces.clone()) } else { None });
        pieces
            .flatten()
            .filter_map(
                |piece| if let Piece::Attribute { key, name } = piece { Some((key, name)) } else { None },
            )
            .collect()
    }

    /// Whether part of it is known only after something outside of the deployment is.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.clone().texts().into_iter().any(|text| *text == Text::Unknown)
    }

    /// The spec with all references replaced.
    ///
    /// # Errors
    /// The first reference that `lookup` does not know.
    pub fn resolve<'a>(&self, lookup: &dyn Fn(&str, &str) -> Option<&'a str>) -> Result<Self, Missing> {
        let mut resolved = self.clone();
        for text in resolved.texts() {
            *text = text.resolve(lookup)?;
        }
        Ok(resolved)
    }
}
