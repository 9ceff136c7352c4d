//! Continue-as-new: what a machine leaves to its successor, so that the turns before need not be read again.

use alloc::vec::Vec;

use super::{Completion, Machine, Mismatch, cancel, mix};
use crate::fact::{Fact, FactKey};
use crate::id::Millis;
use crate::payload::Payload;
use crate::turn::Continued;

/// How long a message that comes again is known after the code began anew, in milliseconds of the turns' time.
const KNOWN_MS: Millis = 3_600_000;
/// Of how many messages at least, whatever their age, and at most.
const KNOWN: core::ops::RangeInclusive<usize> = 100..=2_000;

impl Machine {
    /// Ends this machine's code in the current turn, and says what its successor takes over. Children are stopped as at
    /// the end of an execution; updates that were taken and not answered are refused.
    pub fn continue_as_new(&mut self, input: Payload) -> Continued {
        self.interrupt_updates();
        let cancelled = self.cancel_requested();
        let facts = core::mem::take(&mut self.queue).into_values();
        let facts = facts.filter_map(|it| match it {
            Completion::Call { .. } => None,
            Completion::Signal { id, name, payload } => Some(Fact::Signal { id, name, payload }),
            Completion::Update(update) => {
                let from = self.asker(&update.id);
                Some(Fact::Update { id: update.id, name: update.name, input: update.input, from })
            }
        });
        let facts = facts.collect();
        let late = self.lately.len().saturating_sub(*KNOWN.start());
        let lately = self.lately.iter().enumerate();
        let seen: Vec<FactKey> = lately
            .filter(|(index, (time, _))| *index >= late || self.now.saturating_sub(*time) <= KNOWN_MS)
            .map(|(_, (_, key))| key.clone())
            .collect();
        self.updates = super::update::Updates::new();
        self.stop_all();
        let next = self.next.max(self.asking.high);
        Continued { input, next, facts, seen, cancelled }
    }

    /// The machine of code that goes on from there. `turn` is the number of the turn that continued, `time` its time.
    #[must_use]
    pub fn continued(seed: u64, turn: u64, time: Millis, from: &Continued) -> Self {
        let mut machine = Self::new(mix(seed ^ turn));
        machine.turn = turn;
        machine.now = time;
        machine.next = from.next;
        machine.first = from.next;
        machine.asking = super::asking::Asking::new(from.next);
        machine.seen = from.seen.iter().cloned().collect();
        machine.lately = from.seen.iter().map(|key| (time, key.clone())).collect();
        if from.cancelled {
            machine.seen.insert(FactKey::Cancel);
            machine.cancel(cancel::ROOT);
        }
        for fact in &from.facts {
            machine.learn(fact);
        }
        machine
    }

    /// The mismatch of code that continued as new in the turn of the history and does not now, or the other way round.
    #[must_use]
    pub fn continued_otherwise(&self, then: bool) -> Mismatch {
        Mismatch::continued(self.turn, self.next, then)
    }

    /// Remembers the key of a message, which nothing but its id tells from another.
    pub(super) fn note(&mut self, key: FactKey) {
        if key.seq().is_some() || matches!(key, FactKey::Cancel | FactKey::Forked(_) | FactKey::Terminate) {
            return;
        }
        self.lately.push_back((self.now, key));
        if self.lately.len() > *KNOWN.end() {
            self.lately.pop_front();
        }
    }
}
