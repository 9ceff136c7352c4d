//! What workflow code asks for.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::attribute::Attribute;
use crate::id::{ExecutionId, Millis, Seq};
use crate::payload::Payload;

/// One thing that workflow code asks for. Recorded in the turn that asked, delivered after that turn is committed.
#[derive(Clone, PartialEq, Debug)]
pub enum Call {
    /// Request that another execution be cancelled. An operation.
    Cancel {
        /// The execution.
        execution: ExecutionId,
        /// Why, for people.
        reason: String,
        /// Whether the code learns how it went. In histories of version 0.1 such calls were done when recorded.
        answered: bool,
    },
    /// Publish events. Done when recorded.
    Emit(Vec<Emitted>),
    /// Wait for the next update of this name, or of any.
    NextUpdate {
        /// Name of the update.
        name: Option<String>,
    },
    /// Send a signal to another execution. An operation.
    Send {
        /// The receiver.
        execution: ExecutionId,
        /// Name of the signal.
        signal: String,
        /// Its payload.
        payload: Payload,
        /// As of [`Call::Cancel`].
        answered: bool,
    },
    /// Wait for the next signal of this name.
    Signal {
        /// Name of the signal.
        name: String,
    },
    /// Perform a task.
    Task(TaskCall),
    /// Wait until a moment.
    Timer {
        /// The moment.
        due: Millis,
    },
    /// Request a change of another execution, and wait for its answer.
    Update {
        /// The execution.
        execution: ExecutionId,
        /// Name of the update.
        name: String,
        /// What is asked.
        input: Payload,
        /// The input with which the execution is started if there is none of its id.
        start: Option<Payload>,
    },
    /// Start another execution, and wait for its end unless it is detached, which makes it an operation.
    Workflow {
        /// The new execution.
        execution: ExecutionId,
        /// Its input.
        input: Payload,
        /// Whether nobody waits for its end.
        detached: bool,
        /// Of a detached one, as of [`Call::Cancel`].
        answered: bool,
        /// What becomes of it when the caller ends first, or stops waiting for it. Detached ones are left alone.
        close: ParentClose,
        /// What it is found by from its first turn on. One that is there keeps its own.
        attributes: BTreeMap<String, Attribute>,
    },
}

/// What becomes of a child execution whose caller ends first, or drops the call that waits for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ParentClose {
    /// It goes on.
    Abandon,
    /// It is asked to cancel itself, so that its code can clean up.
    #[default]
    Cancel,
    /// It ends at once, without its code.
    Terminate,
}

/// A child execution that a turn stops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    /// The child.
    pub execution: ExecutionId,
    /// Whether it ends without its code, instead of being asked.
    pub terminate: bool,
}

/// An event to publish.
#[derive(Clone, PartialEq, Debug)]
pub struct Emitted {
    /// Name of the event.
    pub name: String,
    /// The event.
    pub payload: Payload,
}

/// A task to perform.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskCall {
    /// Name of the task.
    pub name: String,
    /// Its input.
    pub input: Payload,
    /// Whether it runs in the orchestrator instead of in a function of its own.
    pub inline: bool,
    /// Idempotency key that every attempt sees; by default the host makes one of execution and sequence number.
    pub key: Option<String>,
    /// Longest run of one attempt, in milliseconds.
    pub timeout_ms: u64,
    /// When another attempt is made.
    pub retry: RetryPolicy,
    /// Longest time from the call to its outcome, all attempts and pauses included, in milliseconds. No limit without.
    pub total_ms: Option<u64>,
    /// Classes of errors that are final although the policy retries errors: `PaymentError::Declined`.
    pub final_errors: Vec<String>,
    /// Longest time between two heartbeats of an attempt, in milliseconds; without, none are expected.
    pub heartbeat_ms: Option<u64>,
}

impl TaskCall {
    /// A remote task with this input, one minute for each attempt, and the default policy.
    #[must_use]
    pub fn new(name: &str, input: Payload) -> Self {
        Self {
            name: name.to_owned(),
            input,
            inline: false,
            key: None,
            timeout_ms: 60_000,
            retry: RetryPolicy::default(),
            total_ms: None,
            final_errors: Vec::new(),
            heartbeat_ms: None,
        }
    }
}

/// When another attempt of a task is made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RetryPolicy {
    /// Most attempts, the first included. Default 3.
    pub attempts: u32,
    /// Whether an error that the task returned is retried too, and not only a lost worker. Default no.
    pub errors: bool,
    /// Pause before the second attempt, in milliseconds. Default 0 for a lost worker; a policy on errors sets it.
    pub initial_ms: u64,
    /// Factor from one pause to the next, in per cent. Default 200.
    pub backoff_percent: u32,
    /// Longest pause, in milliseconds. Default 60,000.
    pub max_ms: u64,
    /// Part of each pause, in per cent up to 100, that chance decides, so that many executions do not retry at the same
    /// moment. The same on every replay. Default 0.
    pub jitter_percent: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            errors: false,
            initial_ms: 0,
            backoff_percent: 200,
            max_ms: 60_000,
            jitter_percent: 0,
        }
    }
}

impl RetryPolicy {
    /// The pause before attempt `attempt` (from 2), in milliseconds.
    #[must_use]
    pub fn pause_ms(&self, attempt: u32) -> u64 {
        let mut pause = self.initial_ms;
        for _ in 2..attempt {
            pause = (pause.saturating_mul(u64::from(self.backoff_percent)) / 100).min(self.max_ms);
        }
        pause.min(self.max_ms)
    }

    /// The same pause, shortened by `chance` (any number) as far as the jitter allows.
    #[must_use]
    pub fn jittered_ms(&self, attempt: u32, chance: u64) -> u64 {
        let pause = self.pause_ms(attempt);
        let part = pause / 100 * u64::from(self.jitter_percent.min(100));
        pause - if part == 0 { 0 } else { chance % (part + 1) }
    }
}

/// Another attempt of a task, decided by a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The task's call.
    pub seq: Seq,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// When it starts.
    pub at: Millis,
}

impl Call {
    /// What is compared on replay besides the content: the kind as it is named in messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
            Self::Emit(_) => "emit",
            Self::NextUpdate { .. } => "wait for update",
            Self::Send { .. } => "send signal",
            Self::Signal { .. } => "wait for signal",
            Self::Task(_) => "task",
            Self::Timer { .. } => "timer",
            Self::Update { .. } => "update",
            Self::Workflow { .. } => "workflow",
        }
    }

    /// The name of what is called, as it is shown in messages and histories.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Emit(events) => events.first().map_or("", |it| &it.name),
            Self::NextUpdate { name } => name.as_deref().unwrap_or_default(),
            Self::Send { signal, .. } => signal,
            Self::Signal { name } => name,
            Self::Task(task) => &task.name,
            Self::Timer { .. } => "",
            Self::Update { name, .. } => name,
            Self::Cancel { execution, .. } | Self::Workflow { execution, .. } => execution.workflow(),
        }
    }

    /// Whether the call is done as soon as it is recorded.
    #[must_use]
    pub const fn done_when_recorded(&self) -> bool {
        matches!(
            self,
            Self::Cancel { answered: false, .. }
                | Self::Emit(_)
                | Self::Send { answered: false, .. }
                | Self::Workflow { detached: true, answered: false, .. }
        )
    }

    /// Whether the call is performed by whoever took its turn, right after the commit, so that its outcome is learnt in
    /// the next turn of the same wake-up.
    #[must_use]
    pub const fn is_operation(&self) -> bool {
        matches!(
            self,
            Self::Cancel { answered: true, .. }
                | Self::Send { answered: true, .. }
                | Self::Workflow { detached: true, answered: true, .. }
        )
    }
}
