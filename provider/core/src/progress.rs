//! What is done to a child and how far that is, in words that planning, applying and the wires share.
//!
//! It decides nothing; whoever shows progress to people takes it from here.

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

    /// A creation found the deployment there, made by an earlier run of the same claimant, and goes on with it.
    fn adopted(&self) {}
}

/// Drops all progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl ProgressSink for Silent {
    fn report(&self, _event: &ProgressEvent) {}
}
