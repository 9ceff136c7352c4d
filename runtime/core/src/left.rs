//! What an execution leaves behind that ends without its code: children and workers to stop, updates to answer.
//!
//! Deliberately reads history alone. Code that does not go with its history, that keeps its thread, or that is not part of
//! the service any more, cannot be asked; and an execution that somebody terminates may be any of these.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::call::{Call, ParentClose, Stop};
use crate::fact::{Fact, FactKey, Outcome};
use crate::id::Seq;
use crate::run::Caller;
use crate::turn::{Answer, Turn};

/// What an execution leaves behind.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Left {
    /// Those of the new facts that were not recorded before and are about something that was asked for.
    pub facts: Vec<Fact>,
    /// Children that go on, and that their calls do not abandon.
    pub stops: Vec<Stop>,
    /// Attempts of tasks whose workers may be at work.
    pub dropped: Vec<(Seq, u32)>,
    /// Refusals of the updates that have no answer.
    pub answers: Vec<Answer>,
}

/// What is left behind by an execution that has taken `turns` (all of them, or those since its code last continued as new,
/// that turn included) and has just learnt `facts`.
#[must_use]
pub fn left_behind(turns: &[Turn], facts: Vec<Fact>) -> Left {
    let mut open = Open::default();
    for turn in turns {
        open.take(turn);
    }
    let fresh: Vec<Fact> = facts.into_iter().filter(|it| open.learn(it)).collect();
    Left {
        facts: fresh,
        stops: open.children.into_values().collect(),
        dropped: open.tasks.iter().filter_map(|(seq, it)| it.at_work.then_some((*seq, it.attempt))).collect(),
        answers: open.updates.into_iter().map(|(id, to)| Answer { id, outcome: unanswered(), to }).collect(),
    }
}

/// The answer to updates that the code did not answer before the execution ended.
pub(crate) fn unanswered() -> Outcome {
    let message = "the execution ended before it answered the update".into();
    Outcome::refused("ExecutionClosed", message, 409)
}

/// What is under way, as history tells it.
#[derive(Default)]
struct Open {
    /// Number of the first call since the code began, or began anew.
    first: Seq,
    seen: BTreeSet<FactKey>,
    children: BTreeMap<Seq, Stop>,
    tasks: BTreeMap<Seq, Task>,
    updates: BTreeMap<String, Option<Caller>>,
}

/// A task and its current attempt.
struct Task {
    inline: bool,
    attempt: u32,
    /// Whether somebody may be performing that attempt. An inline one is performed within a turn, so that nothing is decided
    /// meanwhile, unless its code left the answer to somebody else.
    at_work: bool,
}

impl Open {
    fn take(&mut self, turn: &Turn) {
        for fact in &turn.facts {
            self.learn(fact);
        }
        for (seq, call) in &turn.calls {
            self.ask(*seq, call);
        }
        for it in &turn.attempts {
            if let Some(task) = self.tasks.get_mut(&it.seq) {
                (task.attempt, task.at_work) = (it.attempt, !task.inline);
            }
        }
        self.children.retain(|_, it| !turn.stops.contains(it));
        for (seq, attempt) in &turn.dropped {
            self.settle(*seq, *attempt);
        }
        for answer in &turn.answers {
            self.updates.remove(&answer.id);
        }
        if let Some(from) = &turn.continued {
            // Its children and workers were stopped in this turn; what it did not take, its successor has.
            *self = Self { first: from.next, seen: from.seen.iter().cloned().collect(), ..Self::default() };
            for fact in &from.facts {
                self.receive(fact);
            }
        }
    }

    fn ask(&mut self, seq: Seq, call: &Call) {
        match call {
            Call::Task(task) => {
                let (inline, at_work) = (task.inline, !task.inline);
                self.tasks.insert(seq, Task { inline, attempt: 1, at_work });
            }
            Call::Workflow { execution, detached: false, close, .. } if *close != ParentClose::Abandon => {
                let terminate = *close == ParentClose::Terminate;
                self.children.insert(seq, Stop { execution: execution.clone(), terminate });
            }
            _ => {}
        }
    }

    /// Takes notice of a fact. `false` when it says nothing new.
    fn learn(&mut self, fact: &Fact) -> bool {
        let key = fact.key();
        let late = matches!(fact, Fact::TaskDeferred { seq, attempt, .. } if self.seen.contains(&FactKey::Task(*seq, *attempt)));
        if late || key.seq().is_some_and(|it| it < self.first) || !self.seen.insert(key) {
            return false;
        }
        self.receive(fact);
        true
    }

    fn receive(&mut self, fact: &Fact) {
        match fact {
            Fact::ChildDone { seq, .. } => drop(self.children.remove(seq)),
            Fact::Forked { .. } => {
                // Whatever was under way answers to the execution that these turns were copied from.
                self.children.clear();
                self.updates.clear();
                self.tasks.values_mut().for_each(|it| it.at_work = false);
            }
            Fact::HeartbeatDue { seq, attempt, .. }
            | Fact::TaskDone { seq, attempt, .. }
            | Fact::TaskLost { seq, attempt, .. } => self.settle(*seq, *attempt),
            Fact::TaskDeferred { seq, attempt, .. } => {
                if let Some(task) = self.tasks.get_mut(seq).filter(|it| it.attempt == *attempt) {
                    task.at_work = true;
                }
            }
            Fact::Update { id, from, .. } => drop(self.updates.insert(id.clone(), from.clone())),
            _ => {}
        }
    }

    /// Nobody performs an attempt any more.
    fn settle(&mut self, seq: Seq, attempt: u32) {
        if let Some(task) = self.tasks.get_mut(&seq).filter(|it| it.attempt == attempt) {
            task.at_work = false;
        }
    }
}

#[cfg(test)]
mod tests;
