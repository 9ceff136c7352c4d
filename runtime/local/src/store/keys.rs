//! The tables of the store and how their keys are put together. Changing any of it is a new version of the format.

use eventual_core::{ExecutionId, Millis};
use eventual_engine::ports::AttemptId;

/// A table of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    /// Counters of the store itself.
    About,
    /// Answers to updates that came from outside, with the time when they were given.
    Answers,
    /// Attempts that a worker has taken.
    Claims,
    /// Deliveries that were given up.
    Dead,
    /// Executions: id to meta.
    Executions,
    /// Executions by the time of their start, newest first, with their status.
    Index,
    /// What is on its way, by the time when it is due.
    Queue,
    /// Turns: execution and number to turn.
    Turns,
    /// Executions whose last turn may not have been delivered.
    Undelivered,
}

impl Table {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::About,
        Self::Answers,
        Self::Claims,
        Self::Dead,
        Self::Executions,
        Self::Index,
        Self::Queue,
        Self::Turns,
        Self::Undelivered,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::Answers => "answers",
            Self::Claims => "claims",
            Self::Dead => "dead",
            Self::Executions => "executions",
            Self::Index => "index",
            Self::Queue => "queue",
            Self::Turns => "turns",
            Self::Undelivered => "undelivered",
        }
    }
}

/// Key in [`Table::About`] of the number of the last group that was written.
pub(crate) const LAST_GROUP: &[u8] = b"group";
/// Key in [`Table::About`] of how often the store was opened.
pub(crate) const EPOCH: &[u8] = b"epoch";

/// All keys of one execution in [`Table::Answers`], [`Table::Claims`] and [`Table::Turns`] begin so. No id has a zero byte.
pub(crate) fn of_execution(id: &ExecutionId) -> Vec<u8> {
    [id.as_str().as_bytes(), &[0]].concat()
}

pub(crate) fn turn(id: &ExecutionId, number: u64) -> Vec<u8> {
    [id.as_str().as_bytes(), &[0], &number.to_be_bytes()].concat()
}

/// The series that a key of [`Table::Turns`] belongs to, and its number in it: numbers are written in growing order.
pub(crate) fn numbered(key: &[u8]) -> Option<(&[u8], u64)> {
    let (series, number) = key.split_at_checked(key.len().checked_sub(8)?)?;
    Some((series, u64::from_be_bytes(number.try_into().ok()?)))
}

pub(crate) fn claim(attempt: &AttemptId) -> Vec<u8> {
    let AttemptId { execution, run, seq, attempt } = attempt;
    // Without a run, as it was before there were runs.
    let run = run.map_or(Vec::new(), |it| it.to_bytes().to_vec());
    [execution.as_str().as_bytes(), &[0], &seq.to_be_bytes(), &attempt.to_be_bytes(), &run].concat()
}

pub(crate) fn answer(id: &ExecutionId, update: &str) -> Vec<u8> {
    [id.as_str().as_bytes(), &[0], update.as_bytes()].concat()
}

/// Newest first: the time is inverted.
pub(crate) fn index(started: Millis, id: &ExecutionId) -> Vec<u8> {
    [&(Millis::MAX - started).to_be_bytes()[..], id.as_str().as_bytes()].concat()
}

/// Before the keys in [`Table::Index`] of all executions that were started before `below`.
pub(crate) fn newest_below(below: Millis) -> Vec<u8> {
    (Millis::MAX - below).saturating_add(1).to_be_bytes().to_vec()
}

/// The execution that a key of [`Table::Index`] names, with the time of its start.
pub(crate) fn indexed(key: &[u8]) -> Option<(Millis, ExecutionId)> {
    let (inverted, id) = key.split_at_checked(8)?;
    let started = Millis::MAX - u64::from_be_bytes(inverted.try_into().ok()?);
    Some((started, ExecutionId::parse(std::str::from_utf8(id).ok()?).ok()?))
}

/// Place of a delivery in [`Table::Queue`]: when it is due, then in which order it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) due: Millis,
    pub(crate) order: u64,
}

impl Place {
    pub(crate) fn key(self) -> Vec<u8> {
        [self.due.to_be_bytes(), self.order.to_be_bytes()].concat()
    }

    pub(crate) fn parse(key: &[u8]) -> Option<Self> {
        let (due, order) = key.split_at_checked(8)?;
        Some(Self {
            due: u64::from_be_bytes(due.try_into().ok()?),
            order: u64::from_be_bytes(order.try_into().ok()?),
        })
    }
}
