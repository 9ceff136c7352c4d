//! What has happened: the messages that an execution records, in the order in which it recorded them.

use alloc::string::String;

use crate::id::{ExecutionId, Millis, Seq};
use crate::payload::Payload;
use crate::run::Caller;

/// How a call, or an execution, ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Cancelled before it was done.
    Cancelled,
    /// The code that performed it panicked, or its workers were lost too often. A bug or a fault, never a decision.
    Crashed(String),
    /// User code said no.
    Failed(Failure),
    /// A worker's heartbeat stopped.
    HeartbeatLost,
    /// User code returned this.
    Succeeded(Payload),
    /// Somebody ended it without its code. Why, for people.
    Terminated(String),
    /// It took longer than allowed.
    TimedOut,
}

/// An error of user code.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// Name of the error's type and variant: `PaymentError::Declined`.
    pub class: String,
    /// The error for people.
    pub message: String,
    /// The error itself, for the caller to decode; `null` when its type is not serializable.
    pub data: Payload,
    /// HTTP status with which a command answers this error.
    pub status: u16,
    /// What it says of another attempt of the task that returned it.
    pub advice: RetryAdvice,
}

/// What an error of user code says of another attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RetryAdvice {
    /// Nothing: the call's policy decides.
    #[default]
    AsPolicy,
    /// If the policy retries errors, it pauses for so many milliseconds before the next attempt, instead of its own time.
    After(u64),
    /// It is final, whatever the policy says.
    Never,
}

impl Failure {
    /// An error that carries nothing but what it says.
    #[must_use]
    pub fn new(class: &str, message: impl Into<String>, status: u16) -> Self {
        let (class, message) = (class.into(), message.into());
        Self { class, message, data: Payload::null(), status, advice: RetryAdvice::AsPolicy }
    }
}

impl Outcome {
    /// An error that the engine itself answers, which carries nothing.
    #[must_use]
    pub fn refused(class: &str, message: String, status: u16) -> Self {
        Self::Failed(Failure::new(class, message, status))
    }
}

/// One thing that happened to an execution.
#[derive(Clone, PartialEq, Debug)]
pub enum Fact {
    /// Somebody asked that the execution cancel itself. The first request counts.
    CancelRequested {
        /// Why, for people.
        reason: String,
    },
    /// A child execution ended.
    ChildDone {
        /// The call that started it.
        seq: Seq,
        /// How it ended.
        outcome: Outcome,
    },
    /// It is time to look whether an attempt of a task is alive. On its way to the execution it is a timer; only the engine
    /// turns it into history, and only when the heartbeat has stopped.
    HeartbeatDue {
        /// The task's call.
        seq: Seq,
        /// The attempt that is watched.
        attempt: u32,
        /// Longest time between two heartbeats, in milliseconds.
        period_ms: u64,
        /// When to look. Tells one look from the next, for queues that drop what they have seen.
        due: Millis,
    },
    /// From here on this history is another execution's than that which made the turns before.
    Forked {
        /// The execution that goes on.
        to: ExecutionId,
        /// The last turn that was copied.
        turn: u64,
    },
    /// An operation was performed by whoever took the turn that asked for it.
    OperationDone {
        /// Its call.
        seq: Seq,
        /// What came of it.
        outcome: Outcome,
    },
    /// The code stands still from here on, until it is resumed; what happens is kept.
    Paused {
        /// Chosen by the sender; the same request sent again has the same id.
        id: String,
        /// Why, for people.
        reason: String,
    },
    /// The code goes on.
    Resumed {
        /// As of [`Fact::Paused`].
        id: String,
    },
    /// The pause before another attempt is over.
    RetryDue {
        /// The task's call.
        seq: Seq,
        /// The attempt to make.
        attempt: u32,
    },
    /// A signal came.
    Signal {
        /// Chosen by the sender; the same signal sent again has the same id.
        id: String,
        /// Name of the signal.
        name: String,
        /// Its payload.
        payload: Payload,
    },
    /// The code of an attempt has ended without an answer: somebody with the attempt's token gives it, until `due`.
    TaskDeferred {
        /// The task's call.
        seq: Seq,
        /// The attempt.
        attempt: u32,
        /// When the attempt has run out of time.
        due: Millis,
    },
    /// An attempt of a task answered.
    TaskDone {
        /// The task's call.
        seq: Seq,
        /// The attempt that answered.
        attempt: u32,
        /// Its answer.
        outcome: Outcome,
    },
    /// The time for a task with all its attempts is over.
    TaskExpired {
        /// The task's call.
        seq: Seq,
    },
    /// An attempt of a task will never answer: its worker was lost, or ran out of time.
    TaskLost {
        /// The task's call.
        seq: Seq,
        /// The attempt that was lost.
        attempt: u32,
        /// Whether it ran out of time.
        timed_out: bool,
        /// What is known of the loss, for people.
        reason: String,
    },
    /// Somebody ends the execution without its code.
    Terminated {
        /// Why, for people.
        reason: String,
    },
    /// A moment for which a timer waits has come.
    TimerFired {
        /// The timer's call.
        seq: Seq,
    },
    /// Somebody requests a change, and waits for an answer.
    Update {
        /// Chosen by the sender; the same update sent again has the same id.
        id: String,
        /// Name of the update.
        name: String,
        /// What is asked.
        input: Payload,
        /// The execution that asks, and its call; absent when somebody outside does.
        from: Option<Caller>,
    },
    /// An update of another execution was answered.
    UpdateDone {
        /// The call that asked.
        seq: Seq,
        /// The answer.
        outcome: Outcome,
    },
}

/// What makes two facts the same fact, delivered twice.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FactKey {
    /// Of [`Fact::CancelRequested`].
    Cancel,
    /// Of [`Fact::ChildDone`].
    Child(Seq),
    /// Of [`Fact::TaskDeferred`].
    Deferred(Seq, u32),
    /// Of [`Fact::TaskExpired`].
    Expired(Seq),
    /// Of [`Fact::Forked`].
    Forked(u64),
    /// Of [`Fact::OperationDone`].
    Operation(Seq),
    /// Of [`Fact::Paused`].
    Pause(String),
    /// Of [`Fact::Resumed`].
    Resume(String),
    /// Of [`Fact::RetryDue`].
    Retry(Seq, u32),
    /// Of [`Fact::Signal`].
    Signal(String),
    /// Of [`Fact::TaskDone`], [`Fact::TaskLost`] and [`Fact::HeartbeatDue`]: the first of them decides the attempt.
    Task(Seq, u32),
    /// Of [`Fact::Terminated`].
    Terminate,
    /// Of [`Fact::TimerFired`].
    Timer(Seq),
    /// Of [`Fact::Update`].
    Update(String),
    /// Of [`Fact::UpdateDone`].
    UpdateDone(Seq),
}

impl FactKey {
    /// The call that such facts answer.
    #[must_use]
    pub const fn seq(&self) -> Option<Seq> {
        match self {
            Self::Child(seq)
            | Self::Deferred(seq, _)
            | Self::Expired(seq)
            | Self::Operation(seq)
            | Self::Retry(seq, _)
            | Self::Task(seq, _)
            | Self::Timer(seq)
            | Self::UpdateDone(seq) => Some(*seq),
            Self::Cancel
            | Self::Forked(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Signal(_)
            | Self::Terminate
            | Self::Update(_) => None,
        }
    }
}

impl Fact {
    /// What makes this fact the same as another.
    #[must_use]
    pub fn key(&self) -> FactKey {
        match self {
            Self::CancelRequested { .. } => FactKey::Cancel,
            Self::ChildDone { seq, .. } => FactKey::Child(*seq),
            Self::Forked { turn, .. } => FactKey::Forked(*turn),
            Self::OperationDone { seq, .. } => FactKey::Operation(*seq),
            Self::Paused { id, .. } => FactKey::Pause(id.clone()),
            Self::Resumed { id } => FactKey::Resume(id.clone()),
            Self::RetryDue { seq, attempt } => FactKey::Retry(*seq, *attempt),
            Self::Signal { id, .. } => FactKey::Signal(id.clone()),
            Self::HeartbeatDue { seq, attempt, .. }
            | Self::TaskDone { seq, attempt, .. }
            | Self::TaskLost { seq, attempt, .. } => FactKey::Task(*seq, *attempt),
            Self::TaskDeferred { seq, attempt, .. } => FactKey::Deferred(*seq, *attempt),
            Self::TaskExpired { seq } => FactKey::Expired(*seq),
            Self::Terminated { .. } => FactKey::Terminate,
            Self::TimerFired { seq } => FactKey::Timer(*seq),
            Self::Update { id, .. } => FactKey::Update(id.clone()),
            Self::UpdateDone { seq, .. } => FactKey::UpdateDone(*seq),
        }
    }
}
