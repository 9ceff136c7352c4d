//! A user's configuration, typed: from [`Value`] to [`ServiceConfig`] and [`ProviderConfig`], collecting what is wrong.
//!
//! Unknown values are tolerated at every depth. Whether the names in `commands`, `tasks`, ... are the service's own is
//! not known here: that needs the manifest.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use eventual_schema::{Auth, ServiceName};

use crate::declaration;
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::value::Value;

mod limits;
mod read;
mod shape;

use read::Reader;

/// What the user said about one setting.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Setting<T> {
    /// Nothing, or something wrong that a diagnostic tells.
    #[default]
    Absent,
    /// Something that will be known later.
    Unknown,
    /// This.
    Known(T),
}

impl<T> Setting<T> {
    /// The value, when there is one and it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// Whether it will be known later.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// This setting, or `outer` when the user said nothing here.
    #[must_use]
    pub const fn or<'a>(&'a self, outer: &'a Self) -> &'a Self {
        match self {
            Self::Absent => outer,
            Self::Unknown | Self::Known(_) => self,
        }
    }
}

/// Text that must not be shown, such as the value of an environment variable. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidential(String);

impl Confidential {
    /// Keeps `text` from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(confidential)")
    }
}

/// Environment variables: by name, in a map that may be unknown as a whole or value by value.
pub type Environment = Setting<BTreeMap<String, Setting<Confidential>>>;

/// Text by key, in a map that may be unknown as a whole or value by value.
pub type Tags = Setting<BTreeMap<String, Setting<String>>>;

/// The configuration of a service resource.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceConfig {
    /// Name of the deployment.
    pub name: Setting<ServiceName>,
    /// Path of the artifact.
    pub artifact: Setting<String>,
    /// Environment variables of every function.
    pub environment: Environment,
    /// Environment variables of every function whose values leave no trace.
    pub environment_wo: Environment,
    /// Version of those values.
    pub environment_wo_version: Setting<String>,
    /// Settings of every function that does not say otherwise; `policies` is always absent in it.
    pub defaults: Setting<FunctionSettings>,
    /// Settings of commands by name.
    pub commands: Setting<BTreeMap<String, Setting<FunctionSettings>>>,
    /// Settings of remote tasks by name.
    pub tasks: Setting<BTreeMap<String, Setting<FunctionSettings>>>,
    /// Settings of subscriptions by name.
    pub subscriptions: Setting<BTreeMap<String, Setting<FunctionSettings>>>,
    /// Settings of workflows by name.
    pub workflows: Setting<BTreeMap<String, Setting<WorkflowSettings>>>,
    /// Settings of the orchestrator.
    pub orchestrator: Setting<FunctionSettings>,
    /// Tags of every resource.
    pub tags: Tags,
    /// Cross-origin requests.
    pub cors: Setting<Cors>,
    /// Whether data may be deleted.
    pub force_destroy: Setting<bool>,
    /// Whether a failed creation is resumed (`resume`) or rolled back (`rollback`).
    pub resume: Setting<bool>,
    /// How long operations may take.
    pub timeouts: Timeouts,
}

/// Settings of one function, or of all of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FunctionSettings {
    /// Memory in MB.
    pub memory_mb: Setting<u32>,
    /// Longest run in seconds.
    pub timeout_s: Setting<u32>,
    /// Days that logs are kept, one of CloudWatch's.
    pub log_retention_days: Setting<u32>,
    /// Concurrency set aside.
    pub reserved_concurrency: Setting<u32>,
    /// Environment variables.
    pub environment: Environment,
    /// Statements that the role gets as well.
    pub policies: Setting<Vec<Setting<Statement>>>,
    /// Where in a VPC it runs.
    pub vpc: Setting<Vpc>,
    /// Who may call it; commands and defaults only.
    pub auth: Setting<Auth>,
}

/// Settings of one workflow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkflowSettings {
    /// Days that closed executions are kept.
    pub retention_days: Setting<u32>,
    /// Statements that the orchestrator's role gets as well.
    pub policies: Setting<Vec<Setting<Statement>>>,
}

/// A statement of an IAM policy. One with an unknown part is unknown as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it allows; it denies otherwise.
    pub allow: bool,
    /// Actions.
    pub actions: Vec<String>,
    /// ARNs or patterns of them.
    pub resources: Vec<String>,
    /// The `Condition` object.
    pub condition: Option<serde_json::Value>,
}

/// Where in a VPC a function runs. One with an unknown part is unknown as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Subnets.
    pub subnet_ids: Vec<String>,
    /// Security groups.
    pub security_group_ids: Vec<String>,
}

/// Cross-origin requests. One with an unknown part is unknown as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
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
    /// Seconds that a browser may remember these answers.
    pub max_age_s: Option<u32>,
}

/// How long operations may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The first deployment.
    pub create: Duration,
    /// Reading the state of the cloud.
    pub read: Duration,
    /// A later deployment.
    pub update: Duration,
    /// The destruction.
    pub delete: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        Self { create: minutes(30), read: minutes(5), update: minutes(30), delete: minutes(30) }
    }
}

/// The provider's own configuration. Absent settings come from where AWS tools look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderConfig {
    /// Region.
    pub region: Setting<String>,
    /// Profile of the shared configuration files.
    pub profile: Setting<String>,
    /// Role to assume.
    pub assume_role: Setting<AssumeRole>,
    /// URL of all services.
    pub endpoint: Setting<String>,
    /// Accounts that may be deployed into. With an unknown part it is unknown as a whole.
    pub allowed_account_ids: Setting<Vec<String>>,
    /// File with the certificates that are trusted.
    pub ca_bundle: Setting<String>,
    /// Tags of every resource of every service.
    pub default_tags: Tags,
}

impl ProviderConfig {
    /// Whether something is unknown that decides which account and region is meant, so that no session can be opened.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        self.region.is_unknown()
            || self.profile.is_unknown()
            || self.assume_role.is_unknown()
            || self.endpoint.is_unknown()
            || self.allowed_account_ids.is_unknown()
            || self.ca_bundle.is_unknown()
    }

    /// Why an account may not be deployed into, if that is so.
    #[must_use]
    pub fn refuses(&self, account: &str) -> Option<Diagnostic> {
        let allowed = self.allowed_account_ids.known()?;
        (!allowed.iter().any(|it| it == account)).then(|| {
            let detail = format!(
                "The credentials are those of account {account}, and `allowed_account_ids` has only {}. Use credentials of an \
                 allowed account.",
                allowed.join(", ")
            );
            Diagnostic::error("Not an allowed account", detail).at(Path::of("allowed_account_ids"))
        })
    }
}

/// A role to assume. One with an unknown part is unknown as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// ARN of the role.
    pub role_arn: String,
    /// Name of the session.
    pub session_name: Option<String>,
    /// What the trust policy asks for.
    pub external_id: Option<Confidential>,
}

/// Reads the configuration of a service, with everything that is wrong with it.
#[must_use]
pub fn service(config: &Value) -> (ServiceConfig, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    shape::check(declaration::terraform_service(), config, &Path::root(), &mut diagnostics);
    let config = Reader::new(config, Path::root(), &mut diagnostics).service();
    (config, diagnostics)
}

/// What in a value does not have the shape of its declaration.
#[must_use]
pub fn shaped(object: &declaration::Object, value: &Value) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    shape::check(object, value, &Path::root(), &mut diagnostics);
    diagnostics
}

/// The name of a deployment.
///
/// # Errors
/// Why it cannot be one, in a sentence.
pub fn service_name(text: &str) -> Result<ServiceName, String> {
    limits::service_name(text)
}

/// A duration such as `15m`.
///
/// # Errors
/// Why it is none, in a sentence.
pub fn duration(text: &str) -> Result<Duration, String> {
    limits::duration(text)
}

/// Reads the configuration of the provider, with everything that is wrong with it.
#[must_use]
pub fn provider(config: &Value) -> (ProviderConfig, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    shape::check(declaration::provider(), config, &Path::root(), &mut diagnostics);
    let config = Reader::new(config, Path::root(), &mut diagnostics).provider();
    (config, diagnostics)
}

#[cfg(test)]
mod tests;
