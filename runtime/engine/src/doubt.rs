//! Whether a turn that somebody else took was delivered.
//!
//! Whoever handles a message delivers what its turns ask for, and is told to do so again when it failed at that. Somebody who is late,
//! and whose message was handled by another one meanwhile, is not: a turn that it takes and does not deliver is nobody's. So whoever
//! meets such a turn instead of its own delivers it once more; where that was needless, the receivers drop what comes twice.

use std::collections::BTreeSet;

use eventual_core::{Fact, FactKey, Turn};

use crate::advance::Next;

/// What a message was to tell the execution; without facts, that it goes on.
#[derive(Debug)]
pub(crate) struct Doubt(Option<Vec<Fact>>);

impl Doubt {
    /// Of whoever begins with a message and its facts. A redelivered one is none: all was delivered again. One that only
    /// wakes is none either: what it may be late for has a message of its own.
    pub(crate) fn of_message(facts: &[Fact], goes_on: bool, redelivered: bool) -> Self {
        if redelivered || (facts.is_empty() && !goes_on) { Self(None) } else { Self::of(facts) }
    }

    /// Somebody else may have recorded these facts, or, without any, have taken the turns that were to be taken.
    pub(crate) fn of(facts: &[Fact]) -> Self {
        Self(Some(facts.to_vec()))
    }

    /// The facts that somebody else has recorded, if it turns out so at the next turn.
    pub(crate) fn confirmed(&mut self, next: &Next, turn: &Turn) -> Option<Vec<Fact>> {
        let facts = self.0.take()?;
        let taken_by_others = if facts.is_empty() { is_idle(next, turn) } else { !has_learnt(turn, &facts) };
        taken_by_others.then_some(facts)
    }
}

/// Whether nothing was left to do.
fn is_idle(next: &Next, turn: &Turn) -> bool {
    let rests = match next {
        Next::Closed => true,
        Next::Waits(pending) => !pending.is_ours(),
        Next::Continued | Next::Ended | Next::Parked => false,
    };
    rests && turn.number == 0
}

/// Whether a turn learnt all of this.
fn has_learnt(turn: &Turn, facts: &[Fact]) -> bool {
    let learnt: BTreeSet<FactKey> = turn.facts.iter().map(Fact::key).collect();
    facts.iter().all(|it| learnt.contains(&it.key()))
}
