//! The operations of a resource provider, without a protocol: each RPC of a wire is decode, one of these, encode.
//!
//! `Value` here is always a map keyed by the names of [`crate::declaration`].

mod advice;
mod applying;
mod checkup;
mod credentials;
mod destroying;
mod inputs;
mod invoking;
mod lookup;
mod output;
mod planning;
mod reading;
mod redriving;

use std::collections::BTreeMap;

use eventual_schema::Manifest;

pub use self::checkup::Finding;
use crate::cloud::Cloud;
pub use crate::cloud::Identity;
pub use crate::control::{Control, OnCreateFailure};
use crate::diagnostic::Diagnostic;
use crate::operations::Operations;
use crate::path::Path;
pub use crate::progress::{Action, ChildChange, ProgressEvent, ProgressSink, Silent, SoFar, Stage, Summary};
use crate::value::Value;

/// Opens artifacts, which are files.
pub trait Artifacts: Send + Sync {
    /// Opens and checks the artifact at `path`, as the user wrote it.
    ///
    /// # Errors
    /// Why it cannot be used, for the user: what is wrong, and what to do.
    fn open(&self, path: &str) -> Result<Artifact, String>;
}

/// An artifact that was found good.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// What the service declares.
    pub manifest: Manifest,
    /// SHA-256 of the whole zip, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Where the file is, for uploading it.
    pub path: String,
}

/// What an operation is done with.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Opens the artifact.
    pub artifacts: &'a dyn Artifacts,
    /// Where the deployment lives; `None` while the provider is not configured (its own settings are not known yet).
    pub identity: Option<&'a Identity>,
    /// The provider's tags for everything.
    pub default_tags: &'a BTreeMap<String, String>,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("identity", &self.identity)
            .field("default_tags", &self.default_tags)
            .finish_non_exhaustive()
    }
}

/// Answer to [`plan`].
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The state after applying, as far as it is known: the configuration, and computed attributes that are
    /// `Unknown` only where they may change. Equal to the prior state when nothing changes.
    pub planned: Value,
    /// What makes it another resource; empty when it can be updated in place.
    pub replace: Vec<Path>,
    /// What is wrong. With an error, `planned` means nothing.
    pub diagnostics: Vec<Diagnostic>,
    /// What happens to which child; empty when nothing changes, and when the artifact is not known yet.
    pub changes: Vec<ChildChange>,
}

/// Answer to [`apply`] and [`destroy`].
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// What there is now; `None` when nothing is left (or nothing was made).
    pub state: Option<Value>,
    /// What went wrong. With an error and a state, the operation stopped half-way and the state is what was reached.
    pub diagnostics: Vec<Diagnostic>,
}

/// A child that is not as this deployment made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The child, `function/command-placeOrder`.
    pub key: String,
    /// Names of what changed about it; empty when it is missing.
    pub changed: Vec<String>,
}

/// Answer to [`read`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadBack {
    /// The state with what is there; `None` when the deployment is gone. Children that are missing or changed make
    /// the next plan repair them.
    pub state: Option<Value>,
    /// What went wrong, and a warning that names what was changed outside. With an error, `state` is the state as it was.
    pub diagnostics: Vec<Diagnostic>,
    /// What was changed or removed outside of the deployment, by key.
    pub drift: Vec<Drift>,
}

/// Checks a configuration as far as it is known. Unknown values are tolerated at every depth.
#[must_use]
pub fn validate(scope: &Scope<'_>, config: &Value) -> Vec<Diagnostic> {
    plan(scope, None, config).diagnostics
}

/// Plans: what the state will be, and what changes. Touches nothing.
#[must_use]
pub fn plan(scope: &Scope<'_>, prior: Option<&Value>, config: &Value) -> Planned {
    planning::plan(scope, prior, config)
}

/// Plans to delete everything: what to tell the user before. Touches nothing. A replacement is not planned here: what it deletes
/// is among the diagnostics of [`plan`].
#[must_use]
pub fn plan_destroy(prior: &Value) -> Vec<Diagnostic> {
    planning::removal(prior)
}

/// Makes what was planned. `planned` is what [`plan`] answered, by now without unknown configuration.
pub async fn apply(
    scope: &Scope<'_>,
    cloud: &dyn Cloud,
    prior: Option<&Value>,
    planned: &Value,
    control: &Control,
) -> Applied {
    if control.is_cancelled() {
        return before_anything(prior);
    }
    applying::apply(scope, cloud, prior, planned, control).await
}

/// What comes of an operation that was cancelled before it began.
fn before_anything(prior: Option<&Value>) -> Applied {
    let detail = "Nothing was begun, because it was cancelled. Run it again.";
    Applied { state: prior.cloned(), diagnostics: vec![Diagnostic::error("Stopped before it began", detail)] }
}

/// Reads what is there.
pub async fn read(scope: &Scope<'_>, cloud: &dyn Cloud, state: &Value) -> ReadBack {
    reading::read(scope, cloud, state).await
}

/// Deletes everything. Refuses, before deleting anything, when data would be lost and `force_destroy` is not set.
pub async fn destroy(scope: &Scope<'_>, cloud: &dyn Cloud, state: &Value, control: &Control) -> Applied {
    if control.is_cancelled() {
        return before_anything(Some(state));
    }
    destroying::destroy(scope, cloud, state, control).await
}

/// Looks at every AWS service that deployments need, and at the deployment `service` when one is named. Nothing without an
/// identity.
pub async fn check_up(scope: &Scope<'_>, cloud: &dyn Cloud, service: Option<&str>) -> Vec<Finding> {
    checkup::check_up(scope, cloud, service).await
}

/// Answer to [`look_up`], [`credentials`] and to each service of [`list`].
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What was found, by the names of its declaration; `None` with an error.
    pub value: Option<Value>,
    /// What went wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Looks up a service that is deployed, by [`crate::declaration::lookup`].
pub async fn look_up(
    identity: &Identity,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    config: &Value,
) -> Found {
    lookup::look_up(identity, cloud, operations, config).await
}

/// Fills in what [`read`] leaves out of an import: what the user configured, and what follows from the deployed artifact.
pub async fn complete(
    scope: &Scope<'_>,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    imported: &mut Value,
) -> Vec<Diagnostic> {
    lookup::complete(scope, cloud, operations, imported).await
}

/// Names of the services that are deployed, sorted. Only the names of buckets are looked at.
///
/// # Errors
/// When the buckets cannot be listed.
pub async fn list(identity: &Identity, operations: &dyn Operations) -> Result<Vec<String>, Diagnostic> {
    lookup::list(identity, operations).await
}

/// What is wrong with a configuration of [`crate::declaration::credentials`].
#[must_use]
pub fn validate_credentials(config: &Value) -> Vec<Diagnostic> {
    credentials::read(config).err().unwrap_or_default()
}

/// Makes short-lived credentials for a service, by [`crate::declaration::credentials`].
pub async fn credentials(
    identity: &Identity,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    config: &Value,
) -> Found {
    credentials::open(identity, cloud, operations, config).await
}

/// Who hears how an action goes on.
pub type Said<'a> = &'a (dyn Fn(String) + Send + Sync);

/// Calls a command, by [`crate::declaration::invoke_command`].
pub async fn invoke_command(
    identity: &Identity,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    config: &Value,
    said: Said<'_>,
) -> Vec<Diagnostic> {
    invoking::command(&lookup::Looker { identity, cloud, operations }, config, said)
        .await
        .err()
        .into_iter()
        .collect()
}

/// Asks the system function, by [`crate::declaration::invoke_system`].
pub async fn invoke_system(
    identity: &Identity,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    config: &Value,
    said: Said<'_>,
) -> Vec<Diagnostic> {
    invoking::system(&lookup::Looker { identity, cloud, operations }, config, said)
        .await
        .err()
        .into_iter()
        .collect()
}

/// Redrives dead letters, by [`crate::declaration::redrive`]. Ends early when cancelled.
pub async fn redrive(
    identity: &Identity,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    config: &Value,
    control: &Control,
    said: Said<'_>,
) -> Vec<Diagnostic> {
    let looker = lookup::Looker { identity, cloud, operations };
    redriving::redrive(&looker, config, control, said).await.err().into_iter().collect()
}

/// What is wrong with the configuration of an action, as far as it is known.
#[must_use]
pub fn validate_action(action: &crate::declaration::Object, config: &Value) -> Vec<Diagnostic> {
    let mut diagnostics = crate::config::shaped(action, config);
    diagnostics.extend(invoking::validate(config));
    diagnostics.extend(redriving::validate(config));
    diagnostics
}
