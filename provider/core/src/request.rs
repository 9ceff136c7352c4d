//! The operations of a resource provider, without a protocol: each RPC of a wire is decode, one of these, encode.
//!
//! `Value` here is always a map keyed by the names of [`crate::declaration`].

mod applying;
mod destroying;
mod output;
mod planning;
mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eventual_schema::Manifest;

use crate::cloud::Cloud;
pub use crate::cloud::Identity;
use crate::diagnostic::Diagnostic;
use crate::path::Path;
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

/// What happens to one child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
}

impl Action {
    /// The action as a verb for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One planned change of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildChange {
    /// The child, `function/command-placeOrder`.
    pub key: String,
    /// What happens to it.
    pub action: Action,
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

/// Answer to [`read`].
#[derive(Debug, Clone, PartialEq)]
pub struct ReadBack {
    /// The state with what is there; `None` when the deployment is gone. Children that are missing or changed make
    /// the next plan repair them.
    pub state: Option<Value>,
    /// What went wrong. With an error, `state` is the state as it was.
    pub diagnostics: Vec<Diagnostic>,
}

/// Something that happened while applying, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressEvent {
    /// The child, `function/command-placeOrder`; `ownership` for the record.
    pub key: String,
    /// What is done to it.
    pub action: Action,
    /// How far it is.
    pub stage: Stage,
    /// Milliseconds since the work on this child began.
    pub elapsed_ms: u64,
}

/// How far the work on a child is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It began.
    Started,
    /// It waits for the cloud and will be tried again; why.
    Waiting(String),
    /// It is done.
    Done,
    /// It failed for good; why.
    Failed(String),
}

/// Receives progress. Called from the future that applies, so it must not block.
pub trait ProgressSink: Send + Sync {
    /// One thing happened.
    fn report(&self, event: &ProgressEvent);
}

/// Drops all progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl ProgressSink for Silent {
    fn report(&self, _event: &ProgressEvent) {}
}

/// What to do with what was made when a creation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCreateFailure {
    /// Delete it (Terraform, which would taint the resource and replace it).
    #[default]
    RollBack,
    /// Keep it in the state, so that the next update finishes it (Pulumi).
    Keep,
}

/// How an operation is steered while it runs.
#[derive(Clone)]
pub struct Control {
    cancelled: Arc<AtomicBool>,
    /// Most milliseconds that the operation may take; `None` for the configuration's `timeouts`, or 10 minutes.
    /// When they are over, nothing new is begun and what is under way is finished, as when cancelled.
    pub timeout_ms: Option<u64>,
    /// What a failed creation leaves.
    pub on_create_failure: OnCreateFailure,
    /// Who is asking, the same after a crash and a restart and different for every other project: Pulumi's URN;
    /// for Terraform the working directory and workspace. It is stored hashed. A creation that died after its last
    /// step is adopted only by the same claimant.
    pub claimant: String,
    /// Who hears of progress.
    pub progress: Arc<dyn ProgressSink>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("timeout_ms", &self.timeout_ms)
            .field("on_create_failure", &self.on_create_failure)
            .finish_non_exhaustive()
    }
}

impl Control {
    /// Rolls back, reports to nobody, and asks in this claimant's name.
    pub fn new(claimant: impl Into<String>) -> Self {
        Self {
            cancelled: Arc::default(),
            timeout_ms: None,
            on_create_failure: OnCreateFailure::default(),
            claimant: claimant.into(),
            progress: Arc::new(Silent),
        }
    }

    /// Begins nothing new from now on. Every clone of this value is the same switch.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether [`Control::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
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

/// Makes what was planned. `planned` is what [`plan`] answered, by now without unknown configuration.
pub async fn apply(
    scope: &Scope<'_>,
    cloud: &dyn Cloud,
    prior: Option<&Value>,
    planned: &Value,
    control: &Control,
) -> Applied {
    applying::apply(scope, cloud, prior, planned, control).await
}

/// Reads what is there.
pub async fn read(scope: &Scope<'_>, cloud: &dyn Cloud, state: &Value) -> ReadBack {
    reading::read(scope, cloud, state).await
}

/// Deletes everything. Refuses, before deleting anything, when data would be lost and `force_destroy` is not set.
pub async fn destroy(scope: &Scope<'_>, cloud: &dyn Cloud, state: &Value, control: &Control) -> Applied {
    destroying::destroy(scope, cloud, state, control).await
}
