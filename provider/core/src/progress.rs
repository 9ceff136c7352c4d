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

/// How much of an operation is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoFar {
    /// Children that are done.
    pub done: usize,
    /// Children that are to be worked on, those that are done included.
    pub of: usize,
}

/// What an operation came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Children that were made.
    pub created: usize,
    /// Children that were changed.
    pub updated: usize,
    /// Children that were deleted.
    pub deleted: usize,
    /// Milliseconds that it took.
    pub elapsed_ms: u64,
    /// The child that took longest, and for how many milliseconds.
    pub slowest: Option<(String, u64)>,
}

impl Summary {
    /// Children that were worked on.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.created + self.updated + self.deleted
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [(self.created, "created"), (self.updated, "updated"), (self.deleted, "deleted")];
        let done: Vec<String> =
            counts.iter().filter(|it| it.0 > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let done = if done.is_empty() { "nothing done".to_owned() } else { done.join(", ") };
        write!(f, "{done} in {}", Seconds(self.elapsed_ms))?;
        match &self.slowest {
            Some((key, elapsed_ms)) => write!(f, "; the slowest was {key} with {}", Seconds(*elapsed_ms)),
            None => Ok(()),
        }
    }
}

/// Milliseconds as seconds with one decimal.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = self.0.saturating_add(50) / 100;
        write!(f, "{}.{} s", tenths / 10, tenths % 10)
    }
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
    /// How far the whole operation is.
    pub so_far: SoFar,
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

    /// The operation ended, well or not, after this.
    fn ended(&self, _summary: &Summary) {}
}

/// Drops all progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl ProgressSink for Silent {
    fn report(&self, _event: &ProgressEvent) {}
}
