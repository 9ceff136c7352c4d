//! What a store keeps of one attempt of a task besides who took it: signs of life, progress, and an answer that was given
//! by token.

use std::fmt;

use eventual_core::{Caller, ExecutionId, Fact, Millis, Outcome, Payload, Run, Seq};

use super::{Message, TaskRequest};

/// Which attempt of a task of which execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The execution that asked.
    pub execution: ExecutionId,
    /// Its run: what is kept of attempts of a former execution of that name is not this one's.
    pub run: Option<Run>,
    /// Its call.
    pub seq: Seq,
    /// Number of the attempt, from 1.
    pub attempt: u32,
}

impl AttemptId {
    /// Attempt `attempt` of the task of a call.
    #[must_use]
    pub fn new(caller: Caller, attempt: u32) -> Self {
        let Caller { execution, run, seq } = caller;
        Self { execution, run, seq, attempt }
    }

    /// A message to the execution that says something of the attempt.
    #[must_use]
    pub fn message(&self, fact: Fact) -> Message {
        Message { facts: vec![fact], run: self.run, goes_on: false }
    }

    /// What says that the attempt will never answer.
    #[must_use]
    pub fn lost(&self, timed_out: bool, reason: impl Into<String>) -> Fact {
        Fact::TaskLost { seq: self.seq, attempt: self.attempt, timed_out, reason: reason.into() }
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} of call {} of {}", self.attempt, self.seq, self.execution)
    }
}

impl TaskRequest {
    /// Which attempt it asks for.
    #[must_use]
    pub fn id(&self) -> AttemptId {
        let Self { execution, run, seq, attempt, .. } = self;
        AttemptId { execution: execution.clone(), run: *run, seq: *seq, attempt: *attempt }
    }
}

/// What is kept of an attempt. Stores keep it with the claim, and forget it no earlier.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AttemptRecord {
    /// When its worker was last known to be alive: when it took the attempt, or its last heartbeat. 0 when nobody has.
    pub beaten: Millis,
    /// The progress that the last heartbeat with details reported.
    pub details: Option<Payload>,
    /// Whether nobody waits for the attempt any more.
    pub cancelled: bool,
    /// The answer that somebody gave with the attempt's token.
    pub outcome: Option<Outcome>,
}

/// Answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Whether nobody waits for the attempt any more, so that its worker may stop.
    pub cancelled: bool,
}

/// Answer to a completion.
#[derive(Clone, Debug, PartialEq)]
pub enum Completed {
    /// The attempt has this outcome from before; nothing was changed.
    Before(Outcome),
    /// Nobody waits for the attempt any more; nothing was changed.
    Cancelled,
    /// The outcome is durable.
    Kept,
}

/// What the calls of [`Store`](super::Store) about an attempt mean, for stores that keep the record as a whole.
impl AttemptRecord {
    /// A worker took the attempt at `now`.
    #[must_use]
    pub fn taken(now: Millis) -> Self {
        Self { beaten: now, ..Self::default() }
    }

    /// As of [`Store::heartbeat`](super::Store::heartbeat).
    pub fn beat(&mut self, now: Millis, details: Option<&Payload>) -> Beat {
        self.beaten = self.beaten.max(now);
        if let Some(details) = details {
            self.details = Some(details.clone());
        }
        Beat { cancelled: self.cancelled }
    }

    /// As of [`Store::cancel_attempt`](super::Store::cancel_attempt).
    pub fn cancel(&mut self) -> Option<Outcome> {
        self.cancelled = true;
        self.outcome.clone()
    }

    /// As of [`Store::complete_attempt`](super::Store::complete_attempt).
    pub fn complete(&mut self, outcome: &Outcome) -> Completed {
        match &self.outcome {
            Some(before) => Completed::Before(before.clone()),
            None if self.cancelled => Completed::Cancelled,
            None => {
                self.outcome = Some(outcome.clone());
                Completed::Kept
            }
        }
    }
}
