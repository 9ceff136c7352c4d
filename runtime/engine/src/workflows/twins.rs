//! Further instances of an execution's code, that are told what the first one is told and must ask for the same: how
//! development and tests find code that is not deterministic in the turn in which it is not, instead of at a replay
//! after the next deploy.
//!
//! Every hash map of the standard library has keys of its own, so instances see maps in different orders, and so do
//! `select!` macros, which poll by chance. Branches of the others are woken more often than they need be, and in any order:
//! executors may do that, so code that counts polls, or does something at each, is not deterministic. Their code runs
//! a moment later and at other addresses, so that a time of a fine clock or a pointer that becomes a part of a call differs.
//!
//! What instances share (a static, an environment variable, a clock that moves slower than they run) looks the same to
//! all of them: no platform gives one process two clocks without replacing functions of its C library, which this
//! deliberately does not.

use std::slice;

use eventual_core::{Fact, Machine, Mismatch, Outcome, Turn};

use super::running::Running;
use crate::codec;
use crate::ports::Meta;
use crate::registry::WorkflowFn;

/// The other instances of one execution's code.
pub(super) struct Twins {
    workflow: WorkflowFn,
    meta: Meta,
    others: Vec<Running>,
    /// All turns, for instances that begin late.
    turns: Vec<Turn>,
}

impl Twins {
    pub(super) fn new(workflow: WorkflowFn, meta: &Meta, count: u32) -> Self {
        let others = (0..count).map(|it| other(workflow, meta, it)).collect();
        Self { workflow, meta: meta.clone(), others, turns: Vec::new() }
    }

    /// Takes turns that were committed before, and that the first instance has replayed.
    pub(super) fn replay(&mut self, committed: &[Turn]) -> Result<(), String> {
        self.turns.extend_from_slice(committed);
        self.drop_superseded();
        self.others.iter_mut().try_for_each(|it| agree(it, committed))
    }

    /// Takes a turn that the first instance has just taken. `late` says that it asked for some of it in turns before,
    /// which were parked.
    pub(super) fn take(&mut self, turn: &Turn, late: bool) -> Result<(), String> {
        self.turns.push(turn.clone());
        self.drop_superseded();
        if late {
            // Only together with those turns does this one go with their code.
            for (index, it) in (0..).zip(&mut self.others) {
                *it = other(self.workflow, &self.meta, index);
            }
            return self.others.iter_mut().try_for_each(|it| agree(it, &self.turns));
        }
        self.others.iter_mut().try_for_each(|it| agree(it, slice::from_ref(turn)))?;
        if turn.end.is_some() {
            // What lives as long as an instance hides what a process would meet that has seen nothing yet.
            return agree(&mut Running::new(self.workflow, &self.meta), &self.turns);
        }
        Ok(())
    }

    /// Drops the turns before the last one in which the code continued as new.
    fn drop_superseded(&mut self) {
        if let Some(index) = self.turns.iter().rposition(|it| it.continued.is_some()) {
            self.turns.drain(..index);
        }
    }
}

/// One of the other instances.
fn other(workflow: WorkflowFn, meta: &Meta, index: u32) -> Running {
    Running::whimsical(workflow, meta, meta.seed ^ (u64::from(index) + 1))
}

/// The chance of one instance.
pub(super) struct Whims(Machine);

impl Whims {
    /// The same seed decides the same, so that what was found is found again.
    pub(super) fn new(seed: u64) -> Self {
        Self(Machine::new(seed))
    }

    /// Brings things into any order.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for end in (1..things.len()).rev() {
            let at = self.0.random() % (end as u64 + 1);
            things.swap(end, usize::try_from(at).unwrap_or(end));
        }
    }
}

/// Has an instance take turns as the first one did, or says how it differs.
fn agree(other: &mut Running, turns: &[Turn]) -> Result<(), String> {
    let Some(last) = turns.last() else { return Ok(()) };
    let learnt = || match last.facts.as_slice() {
        [] => "the start of the execution".to_owned(),
        facts => facts.iter().map(title).collect::<Vec<_>>().join(", "),
    };
    let difference = match other.replay_alone(turns) {
        Err(mismatch) => Mismatch::between_instances(&mismatch),
        // In a turn that was parked nobody recorded how the code went on.
        Ok(()) if last.parked.is_some() || ends_alike(other.end(), last.end.as_ref()) => return Ok(()),
        Ok(()) => {
            let (first, second) = (ending(last.end.as_ref()), ending(other.end()));
            format!("in turn {}, one {first} and another {second}", last.number)
        }
    };
    Err(format!(
        "the code is not deterministic: two instances of it were told the same, and {difference}, after {}. Look for the \
         order of a HashMap, a clock, a random number, the environment, or a static that it reads; the execution goes on \
         with its next message, or when it is resumed, once the code always asks for the same",
        learnt()
    ))
}

fn ends_alike(one: Option<&Outcome>, other: Option<&Outcome>) -> bool {
    match (one, other) {
        (Some(Outcome::Succeeded(one)), Some(Outcome::Succeeded(other))) => codec::same(one, other),
        (one, other) => one == other,
    }
}

fn ending(end: Option<&Outcome>) -> String {
    match end {
        None => "went on".to_owned(),
        Some(Outcome::Succeeded(value)) => format!("ended with {value:?}"),
        Some(Outcome::Failed(failure)) => format!("failed with {}: {}", failure.class, failure.message),
        Some(other) => format!("ended with {other:?}"),
    }
}

/// A fact in a few words.
fn title(fact: &Fact) -> String {
    match fact {
        Fact::ChildDone { seq, .. } => format!("the end of the child of call {seq}"),
        Fact::Signal { name, .. } => format!("signal `{name}`"),
        Fact::TaskDone { seq, .. } => format!("the answer to call {seq}"),
        Fact::TaskLost { seq, .. } | Fact::TaskExpired { seq } => format!("the loss of call {seq}"),
        Fact::TimerFired { seq } => format!("the timer of call {seq}"),
        other => format!("{other:?}"),
    }
}
