//! Looking into a test environment: executions, what they remember and wait for, what is on its way, what was given up.

use std::fmt;

use eventual_engine::core::{Call, ExecutionId, Millis, Seq, Status, Turn};
use eventual_engine::ports::Meta;

use super::TestEnvironment;
use crate::render;
use crate::world::{Delivery, Published};

/// A call that an execution waits for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Waiting {
    /// Number of the call within the execution.
    pub seq: Seq,
    /// What was asked for.
    pub call: Call,
    /// The current attempt of a task, from 1.
    pub attempt: u32,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::call(&self.call))
    }
}

/// Something on its way.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Due {
    /// When it arrives, in milliseconds since 1970.
    pub at: Millis,
    /// What it is.
    pub delivery: Delivery,
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::delivery(&self.delivery))
    }
}

/// Something that was given up after its last attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Dead {
    /// When, in milliseconds since 1970.
    pub at: Millis,
    /// What could not be delivered.
    pub delivery: Delivery,
    /// How its last attempt ended.
    pub reason: String,
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", render::delivery(&self.delivery), self.reason)
    }
}

impl TestEnvironment {
    /// All executions in the order in which they were started, and what is known of each besides its history. Also those that
    /// were forgotten since (see [`TestEnvironment::retention`]): a test may look at everything that it ran.
    #[must_use]
    pub fn executions(&self) -> Vec<Meta> {
        self.drive().world().all(|meta, _| meta.clone())
    }

    /// What is known of an execution besides its history: status, input, end, why it is parked. Of several of one name, one after
    /// the other, the last.
    ///
    /// # Panics
    /// When there is none of that id.
    #[track_caller]
    #[must_use]
    pub fn execution(&self, execution: impl AsRef<str>) -> Meta {
        let id = parsed(execution.as_ref());
        self.drive().meta(&id).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Everything that an execution remembers. See [`TestEnvironment::story`] for people.
    #[must_use]
    pub fn history(&self, execution: impl AsRef<str>) -> Vec<Turn> {
        ExecutionId::parse(execution.as_ref()).map(|id| self.drive().history(&id)).unwrap_or_default()
    }

    /// Everything that an execution remembers as text: a line for everything that happened to it, and what it asked for.
    ///
    /// # Panics
    /// When there is none of that id.
    #[track_caller]
    #[must_use]
    pub fn story(&self, execution: impl AsRef<str>) -> String {
        let id = parsed(execution.as_ref());
        let told = self.drive().world().peek(&id, render::history);
        told.unwrap_or_else(|| panic!("there is no execution {id}"))
    }

    /// The calls that an execution waits for; none once it has ended.
    ///
    /// # Panics
    /// When there is none of that id, or its code does not go with its history.
    #[track_caller]
    #[must_use]
    pub fn waits_for(&self, execution: impl AsRef<str>) -> Vec<Waiting> {
        let id = parsed(execution.as_ref());
        let open = self.drive().block_on(self.drive().client().waits_for(&id));
        let open = open.unwrap_or_else(|error| panic!("{error}"));
        open.into_iter().map(|it| Waiting { seq: it.seq, call: it.call, attempt: it.attempt }).collect()
    }

    /// What is on its way, in the order in which it arrives: timers, attempts of tasks, events, messages.
    #[must_use]
    pub fn due(&self) -> Vec<Due> {
        let queue = self.drive().world().queue().into_iter();
        queue.map(|(at, delivery)| Due { at, delivery }).collect()
    }

    /// What was given up: events that a subscription failed on three times.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Dead> {
        let letters = self.drive().dead_letters().into_iter();
        letters.map(|it| Dead { at: it.at, delivery: it.delivery, reason: it.reason }).collect()
    }

    /// The executions whose code cannot go on, with why.
    #[must_use]
    pub fn parked(&self) -> Vec<(String, String)> {
        let parked = self.executions().into_iter().filter(|it| it.status == Status::Parked);
        parked.map(|it| (it.id.to_string(), it.parked.unwrap_or_default())).collect()
    }

    /// All events that were published, of all types, with when and by whom. See [`TestEnvironment::emitted`] for those of a
    /// type.
    #[must_use]
    pub fn published(&self) -> Vec<Published> {
        self.drive().world().published()
    }
}

#[track_caller]
fn parsed(id: &str) -> ExecutionId {
    ExecutionId::parse(id).unwrap_or_else(|error| panic!("{error}"))
}
