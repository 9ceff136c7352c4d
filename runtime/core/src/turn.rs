//! One wake-up of an execution, as it is committed.

use alloc::string::String;
use alloc::vec::Vec;

use crate::attribute::Attribute;
use crate::call::{Attempt, Call, Stop};
use crate::fact::{Fact, FactKey, Outcome};
use crate::id::{Millis, Seq};
use crate::payload::Payload;
use crate::run::Caller;

/// One wake-up of an execution: what it learnt, and what it asked for then. Written once, under its number.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Turn {
    /// From 1, without gaps.
    pub number: u64,
    /// The time that workflow code saw in this turn.
    pub time: Millis,
    /// What had happened, in the order in which the code learns it.
    pub facts: Vec<Fact>,
    /// What the code asked for, by sequence number.
    pub calls: Vec<(Seq, Call)>,
    /// Further attempts of tasks.
    pub attempts: Vec<Attempt>,
    /// Children that nobody waits for any more.
    pub stops: Vec<Stop>,
    /// Attempts of tasks whose answer nobody waits for any more, and which their workers are to learn of.
    pub dropped: Vec<(Seq, u32)>,
    /// Names of the changes of the code that this turn was the first to see, see [`Machine::changed`](crate::Machine::changed).
    pub markers: Vec<String>,
    /// Answers to updates.
    pub answers: Vec<Answer>,
    /// How the code goes on from its beginning, when it continued as new in this turn.
    pub continued: Option<Continued>,
    /// Attributes that the code set in this turn, or removed.
    pub attributes: Vec<(String, Option<Attribute>)>,
    /// How the execution ended, when this is its last turn.
    pub end: Option<Outcome>,
    /// Why the code could not take this turn; its facts are kept for when it can.
    pub parked: Option<String>,
}

/// The answer to an update.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The update's id.
    pub id: String,
    /// What the code answered.
    pub outcome: Outcome,
    /// The execution that asked, and its call; absent when somebody outside did.
    pub to: Option<Caller>,
}

/// What an execution takes with it when its code begins anew: all that it needs of the turns before.
#[derive(Clone, PartialEq, Debug)]
pub struct Continued {
    /// The new input.
    pub input: Payload,
    /// Number of the next call: late outcomes of the calls before find none.
    pub next: Seq,
    /// Signals and updates that the code did not take.
    pub facts: Vec<Fact>,
    /// Keys of messages that came lately, so that one which comes again is known.
    pub seen: Vec<FactKey>,
    /// Whether somebody asked the execution to cancel itself.
    pub cancelled: bool,
}

/// Where an execution stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Status {
    /// Cancelled.
    Cancelled,
    /// Ended with an error, or crashed.
    Failed,
    /// Its code cannot go on with its history; it waits for a fix.
    Parked,
    /// Somebody paused it.
    Paused,
    /// Not ended.
    Running,
    /// Ended with a result.
    Succeeded,
    /// Somebody ended it without its code.
    Terminated,
    /// Ran out of time.
    TimedOut,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Cancelled,
        Self::Failed,
        Self::Parked,
        Self::Paused,
        Self::Running,
        Self::Succeeded,
        Self::Terminated,
        Self::TimedOut,
    ];

    /// The status by its name in stores, answers and command lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Parked => "parked",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Terminated => "terminated",
            Self::TimedOut => "timedOut",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// The status of an execution that ended so.
    #[must_use]
    pub const fn of(end: &Outcome) -> Self {
        match end {
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Crashed(_) | Outcome::Failed(_) | Outcome::HeartbeatLost => Self::Failed,
            Outcome::Succeeded(_) => Self::Succeeded,
            Outcome::Terminated(_) => Self::Terminated,
            Outcome::TimedOut => Self::TimedOut,
        }
    }

    /// Whether nothing more happens to such an execution.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        !matches!(self, Self::Parked | Self::Paused | Self::Running)
    }
}
