//! What the engine asks of a host, and the values that cross that border.
//!
//! A host keeps three promises. *Store*: a turn is written only if its number is free, and what was written is read.
//! *Dispatch*: an accepted message is delivered at least once, messages to one execution one at a time. *Clock*: time.
//! It holds no workflow logic.

mod attempts;
mod forward;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use eventual_core::{
    Attribute, Caller, Emitted, ExecutionId, Fact, Millis, Outcome, Payload, Run, Seq, Status, Turn,
};
pub use futures_util::future::BoxFuture;

pub use attempts::{AttemptId, AttemptRecord, Beat, Completed};
pub use forward::{Forward, Forwarded};

pub use crate::search::{AttributeFilter, AttributeTest, Count, ListQuery, Span};
pub use crate::token::Secret;

/// A failure of the world: throttling, network, a missing permission. The caller returns and is redelivered.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {source}")]
pub struct Fault {
    /// What was being done, for people: `dynamodb PutItem turn#0000000003 of processOrder/17`.
    pub operation: String,
    /// What came back.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Fault {
    /// A fault of `operation`.
    pub fn new(
        operation: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { operation: operation.into(), source: source.into() }
    }
}

/// What is known of an execution without its history. It changes at start, status change and close only.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    /// The execution.
    pub id: ExecutionId,
    /// Which of those that have this name one after the other. None of those that were started before there were runs.
    pub run: Option<Run>,
    /// Where it stands.
    pub status: Status,
    /// Its input.
    pub input: Payload,
    /// When it was started.
    pub started: Millis,
    /// When it ended.
    pub closed: Option<Millis>,
    /// How it ended.
    pub end: Option<Outcome>,
    /// Why it is parked.
    pub parked: Option<String>,
    /// Seed of the random numbers that its code sees.
    pub seed: u64,
    /// Hash of the code that it started on.
    pub code: String,
    /// Whether no other code may take its turns.
    pub pinned: bool,
    /// The names that its code asked for with `changed`, and whose change it runs with.
    pub markers: BTreeSet<String>,
    /// The execution, and its call, that waits for the end of this one.
    pub parent: Option<Caller>,
    /// Number of the turn in which its code last continued as new; the turns before are of no use to it any more. 0
    /// when it never did. It may be behind, when the process died between turn and meta.
    pub base: u64,
    /// What it is found by.
    pub attributes: BTreeMap<String, Attribute>,
    /// Number of the last turn whose attributes are among them. A store keeps what is known of an execution as of the
    /// latest turn, whoever writes last.
    pub as_of: u64,
    /// What the tokens of its tasks are signed with.
    pub secret: Secret,
    /// Where its first turns come from, if it was forked.
    pub origin: Option<Origin>,
}

/// Where the first turns of a forked execution come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The execution that it was forked from.
    pub from: ExecutionId,
    /// The run of that. Absent in what was written before there were runs.
    pub run: Option<Run>,
    /// The last turn that both have.
    pub turn: u64,
    /// The execution that began the history: `from`, or what that was forked from.
    pub root: ExecutionId,
}

impl Meta {
    /// Number of the last turn that no replay of its code needs: all before the one in which it last continued as new.
    #[must_use]
    pub const fn superseded(&self) -> u64 {
        self.base.saturating_sub(1)
    }

    /// A new execution, running since `started`.
    #[must_use]
    pub fn new(
        id: ExecutionId,
        input: Payload,
        started: Millis,
        seed: u64,
        code: &str,
        parent: Option<Caller>,
    ) -> Self {
        let (status, run) = (Status::Running, Some(Run::of(&id, started, seed)));
        Self {
            id,
            run,
            status,
            input,
            started,
            closed: None,
            end: None,
            parked: None,
            seed,
            code: code.to_owned(),
            pinned: false,
            markers: BTreeSet::new(),
            parent,
            base: 0,
            attributes: BTreeMap::new(),
            as_of: 0,
            secret: Secret::default(),
            origin: None,
        }
    }

    /// The same with a secret.
    #[must_use]
    pub fn with_secret(mut self, clock: &dyn Clock) -> Self {
        self.secret = Secret::random(clock);
        self
    }

    /// Its call `seq`, which waits for an answer.
    #[must_use]
    pub fn caller(&self, seq: Seq) -> Caller {
        Caller { execution: self.id.clone(), run: self.run, seq }
    }

    /// What nothing else is named that was ever asked for: the call `seq` of this run. Attempts see it as their idempotency
    /// key, receivers know by it what comes twice.
    #[must_use]
    pub fn key_of(&self, seq: Seq) -> String {
        match self.run {
            Some(run) => format!("{}#{seq}@{run}", self.id),
            None => format!("{}#{seq}", self.id),
        }
    }

    /// A timer of this execution.
    #[must_use]
    pub fn timer(&self, due: Millis, fact: Fact) -> Timer {
        Timer { execution: self.id.clone(), run: self.run, due, fact }
    }

    /// The attempt `attempt` of its call `seq`.
    #[must_use]
    pub fn attempt(&self, seq: Seq, attempt: u32) -> AttemptId {
        AttemptId::new(self.caller(seq), attempt)
    }

    /// A message to this execution, and to no later one of its name.
    #[must_use]
    pub fn message(&self, facts: Vec<Fact>) -> Message {
        Message { facts, run: self.run, goes_on: false }
    }
}

/// Answer to an insertion.
#[derive(Debug, PartialEq)]
pub enum Insert {
    /// The execution is new.
    Inserted,
    /// There is one of this id; nothing was changed.
    Exists(Box<Meta>),
}

/// What is told how a commit ended; without an answer, that it was not begun.
pub type CommitDone = Box<dyn FnOnce(Box<Turn>, Option<Result<Commit, Fault>>) + Send>;

/// Answer to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Somebody else wrote a turn of this number; nothing was changed.
    Taken,
    /// The turn is durable.
    Written,
}

/// Some executions.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Newest first.
    pub executions: Vec<Meta>,
    /// Pass it as `after` for the next page; absent at the end.
    pub next: Option<String>,
}

/// The durable memory of executions.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a new execution, if there is none of its id. Once this returned, the execution will be woken even if
    /// the caller dies now.
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault>;

    /// Reads what is known of an execution.
    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault>;

    /// Reads the turns of an execution whose number is above `after`, in order. Sees every turn written before.
    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault>;

    /// Writes a turn, if its number is free.
    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault>;

    /// As [`commit`](Self::commit), asked on the thread of workflow code: `done` gets the turn back, on whatever thread, when
    /// the answer is known. It saves whoever waits for the turn from being woken in between. A host that cannot write
    /// without an async runtime leaves this as it is: then `done` gets no answer, and the turn is committed by `commit`.
    fn commit_then(&self, id: &ExecutionId, turn: Box<Turn>, done: CommitDone) {
        let _ = id;
        done(turn, None);
    }

    /// Writes the last turn of an execution, if its number is free, and then `meta`, which says that it is closed. A host
    /// that can writes both at once.
    async fn finish(&self, meta: &Meta, turn: &Turn) -> Result<Commit, Fault> {
        let committed = self.commit(&meta.id, turn).await?;
        if committed == Commit::Written && turn.attributes.is_empty() {
            self.set_status(meta).await?;
        } else if committed == Commit::Written {
            let changed: Vec<String> = turn.attributes.iter().map(|(name, _)| name.clone()).collect();
            self.set_attributes(meta, &changed).await?;
        }
        Ok(committed)
    }

    /// Writes status, closing time, end and reason of parking of an execution. A closed execution stays closed.
    async fn set_status(&self, meta: &Meta) -> Result<(), Fault>;

    /// Takes an attempt of a task for one worker. `true` for the first to ask and for nobody else, ever: an attempt whose
    /// worker was lost is followed by one of another number. The worker is done or lost within `lease_ms`; a claim is
    /// forgotten only when no message about its attempt can still be on its way.
    async fn claim(&self, attempt: &AttemptId, lease_ms: u64) -> Result<bool, Fault>;

    /// Keeps the answer to an update, for whoever asked from outside. The first answer is kept, for as long as it is of
    /// use to somebody who asks again: a day.
    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault>;

    /// The answer to an update, once there is one.
    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault>;

    /// Drops the turns of an execution whose number is below `before`: its code continued as new after them. A host that keeps
    /// several in one place may keep the last few of them.
    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault>;

    /// Notes that an attempt is alive at `now` and, with details, how far it is; those of an earlier heartbeat stay without.
    /// For attempts that nobody took, too: a token may be used before.
    async fn heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault>;

    /// What is kept of an attempt; `None` when nobody took it and nothing else happened to it. Sees everything that was
    /// written before. [`Store::claim`] counts as the first heartbeat.
    async fn attempt_of(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault>;

    /// Notes that nobody waits for an attempt any more: it is not claimed after this, its worker learns it at its next
    /// heartbeat, and no outcome is taken for it. Answers the outcome that was taken before, if one was.
    async fn cancel_attempt(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault>;

    /// Keeps the outcome of an attempt, unless it has one, or nobody waits for it any more. One that it has comes first.
    async fn complete_attempt(&self, attempt: &AttemptId, outcome: &Outcome) -> Result<Completed, Fault>;

    /// Writes attributes and markers of an execution that was open until now, and makes it findable by those attributes of
    /// the names `changed`, which may have been removed. Nothing happens when those of a later turn are there.
    async fn set_attributes(&self, meta: &Meta, changed: &[String]) -> Result<(), Fault> {
        let _ = changed;
        self.set_status(meta).await
    }

    /// Lists executions. A page may have fewer than its limit, even none, when many were looked at for it: only the
    /// absence of `next` says that there are no more. An execution that does not change meanwhile is on exactly one page.
    async fn list(&self, query: &ListQuery) -> Result<Page, Fault>;
}

/// A wake-up of an execution, with what it has to learn. Without facts: look at your history again.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Message {
    /// What happened.
    pub facts: Vec<Fact>,
    /// The run that it is for: an execution of that name which is another run does not learn it. Without, it is for whichever
    /// has the name.
    pub run: Option<Run>,
    /// Whether its sender had begun what it now wants to go on, and delivered all until then. Whoever finds nothing to do for it
    /// knows that somebody else did it.
    pub goes_on: bool,
}

impl Message {
    /// A message to the execution that has made a call.
    #[must_use]
    pub fn answering(caller: &Caller, fact: Fact) -> Self {
        Self { facts: vec![fact], run: caller.run, goes_on: false }
    }
}

/// A timer on its way: when it is due, its fact goes to its execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    /// The receiver.
    pub execution: ExecutionId,
    /// Its run. Absent in what was written before there were runs.
    pub run: Option<Run>,
    /// When.
    pub due: Millis,
    /// What it then learns.
    pub fact: Fact,
}

impl Timer {
    /// What is sent when it is due.
    #[must_use]
    pub fn message(&self) -> Message {
        Message { facts: vec![self.fact.clone()], run: self.run, goes_on: false }
    }
}

/// One attempt of a remote task, as its worker gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRequest {
    /// The execution that asked.
    pub execution: ExecutionId,
    /// Its run. Absent in what was written before there were runs.
    pub run: Option<Run>,
    /// Its call.
    pub seq: Seq,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Name of the task.
    pub task: String,
    /// Its input.
    pub input: Payload,
    /// The same for every attempt of the call.
    pub idempotency_key: String,
    /// Longest run, in milliseconds.
    pub timeout_ms: u64,
    /// When the call was made.
    pub scheduled: Millis,
    /// Longest time between two heartbeats, in milliseconds; without, none are expected.
    pub heartbeat_ms: Option<u64>,
}

/// Delivery of what was committed. All of it at least once, so receivers drop duplicates.
#[async_trait]
pub trait Dispatch: Send + Sync {
    /// Wakes an execution. Messages to one execution are handled one at a time, in order.
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault>;

    /// Has a worker perform an attempt. If the worker is lost, the host sends [`Fact::TaskLost`].
    async fn task(&self, request: &TaskRequest) -> Result<(), Fault>;

    /// Sends the timer's fact to its execution when it is due, not before.
    async fn timer(&self, timer: &Timer) -> Result<(), Fault>;

    /// Publishes events. `key` is the same when the same events are delivered again.
    async fn emit(&self, key: &str, events: &[Emitted]) -> Result<(), Fault>;

    /// Has a process that runs `code` do something for an execution that is pinned to it, and waits for the answer. A host
    /// that keeps no code but the one that runs has no such process.
    async fn forward(&self, code: &str, id: &ExecutionId, forward: &Forward) -> Result<Forwarded, Fault> {
        let _ = (code, id, forward);
        Ok(Forwarded::NoSuchCode)
    }

    /// A future that is ready when what is awaited of the execution may have come since this was called: call it, look,
    /// then await it. It may be ready too early; a host that is told of nothing looks again after a moment.
    fn progress(&self, id: &ExecutionId, awaited: Awaited) -> BoxFuture<'static, ()> {
        let _ = (id, awaited);
        Box::pin(tokio::time::sleep(PROGRESS_PAUSE))
    }
}

/// How soon a host that is told of nothing looks again.
const PROGRESS_PAUSE: Duration = Duration::from_millis(50);

/// What of an execution is awaited from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Its end.
    End,
    /// Another turn, or its end.
    Turn,
}

/// Time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Millis;

    /// A number that nobody can guess.
    fn entropy(&self) -> u64;
}

/// The ports of one host, together. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Durable memory.
    pub store: Arc<dyn Store>,
    /// Delivery.
    pub dispatch: Arc<dyn Dispatch>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}
