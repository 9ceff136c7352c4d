//! What the code asks for: calls are scheduled at their first poll, and found again on a replay.
//!
//! A call that the code drops in the very turn in which it asked for it was never asked for: `select!` polls its branches
//! in any order, and whether it comes to the others before it finds one that is ready is chance. History knows nothing of it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;
use core::panic::Location;

use super::{Machine, Mode, Open, ScopeId, mismatch};
use crate::call::Call;
use crate::fact::Outcome;
use crate::id::{ExecutionId, Seq};
use crate::payload::Payload;

/// What a machine remembers of its calls besides those that are open.
#[derive(Debug)]
pub(super) struct Asking {
    /// One more than the greatest number that history has.
    pub(super) high: Seq,
    /// Whether a call of this process has another number than in history, so that numbers of later ones may be taken.
    drifted: bool,
    /// Calls of a replayed turn that its history does not have: mismatches, unless the code drops them in this turn.
    extra: Vec<Extra>,
    /// Recorded calls of a replayed turn that the code made and dropped.
    released: BTreeSet<Seq>,
}

#[derive(Debug)]
struct Extra {
    code: Seq,
    call: Call,
    scope: ScopeId,
    mismatch: mismatch::Mismatch,
}

impl Asking {
    pub(super) const fn new(high: Seq) -> Self {
        Self { high, drifted: false, extra: Vec::new(), released: BTreeSet::new() }
    }

    /// The first call that history does not have.
    pub(super) fn mismatch(&self) -> Option<&mismatch::Mismatch> {
        self.extra.first().map(|it| &it.mismatch)
    }

    /// Whether the call of this number is one that history does not have.
    pub(super) fn is_extra(&self, code: Seq) -> bool {
        self.extra.iter().any(|it| it.code == code)
    }

    /// Whether the code made a recorded call, and dropped it.
    pub(super) fn made(&self, seq: Seq) -> bool {
        self.released.contains(&seq)
    }

    /// Ends a turn.
    pub(super) fn end(&mut self) {
        self.extra.clear();
        self.released.clear();
    }
}

impl Machine {
    /// Schedules a call at its first poll, in a scope of cancellation. `at` is where the code built it. In a scope that
    /// is cancelled nothing is asked for, and the call is cancelled at once.
    pub fn schedule(&mut self, code: Seq, call: Call, scope: ScopeId, at: &'static Location<'static>) {
        if self.scopes.is_cancelled(scope) {
            // History has no such call; its number may be that of one that history has.
            let seq = if self.open.contains_key(&code) { Seq::MAX - code } else { code };
            if seq != code {
                self.bound.insert(code, seq);
            }
            self.open.insert(seq, Open::new(call, code, scope, self.now, self.turn));
            self.complete(seq, Outcome::Cancelled);
            return;
        }
        let Mode::Replay(recorded) = &mut self.mode else {
            let seq = self.number(code);
            let call = renumbered(call, code, seq);
            self.output.calls.push((seq, call.clone()));
            return self.open_call(seq, code, call, scope);
        };
        let seq = mismatch::bind(recorded, code, &call, self.same);
        // The recorded call counts: its policy and its due time stay what they were when it was made.
        if let Some((seq, before)) = seq.and_then(|seq| recorded.remove_entry(&seq)) {
            return self.open_call(seq, code, before, scope);
        }
        let mismatch = mismatch::Mismatch::other(self.turn, code, recorded.get(&code), &call, at);
        self.asking.extra.push(Extra { code, call, scope, mismatch });
    }

    /// The number that history has for a call of this code.
    #[must_use]
    pub fn recorded(&self, code: Seq) -> Seq {
        self.bound.get(&code).copied().unwrap_or(code)
    }

    /// A number for a new call that no other call of this history has.
    fn number(&mut self, code: Seq) -> Seq {
        if !self.asking.drifted || code >= self.asking.high {
            return code;
        }
        let seq = self.next.max(self.asking.high);
        self.next = seq + 1;
        seq
    }

    fn open_call(&mut self, seq: Seq, code: Seq, call: Call, scope: ScopeId) {
        if seq != code {
            self.bound.insert(code, seq);
            self.asking.drifted = true;
        }
        self.asking.high = self.asking.high.max(seq + 1);
        self.events += 1;
        let done = call.done_when_recorded();
        self.open.insert(seq, Open::new(call, code, scope, self.now, self.turn));
        if done {
            self.complete(seq, Outcome::Succeeded(Payload::null()));
        }
    }

    /// Forgets a scheduled call that the code dropped: nobody will learn its outcome. One that was asked for in this turn is
    /// not asked for any more.
    pub fn forget(&mut self, code: Seq) {
        if let Some(index) = self.asking.extra.iter().position(|it| it.code == code) {
            self.asking.extra.remove(index);
            return;
        }
        let seq = self.bound.remove(&code).unwrap_or(code);
        if !self.unask(seq) {
            self.stop(seq);
        }
        if self.open.remove(&seq).is_some_and(|it| it.complete) {
            self.queue
                .retain(|_, it| !matches!(it, super::Completion::Call { seq: other, .. } if *other == seq));
        }
        if self.gate.is_some_and(|(open, _)| open == seq) {
            self.gate = None;
        }
        self.bind_extras();
    }

    /// Takes back a call that was asked for in this turn. `false` when it was not.
    fn unask(&mut self, seq: Seq) -> bool {
        let Some(open) = self.open.get(&seq).filter(|it| it.turn == self.turn) else { return false };
        match &mut self.mode {
            Mode::Replay(recorded) => {
                recorded.insert(seq, open.call.clone());
                self.asking.released.insert(seq);
            }
            Mode::Live => {
                let Some(index) = self.output.calls.iter().rposition(|(it, _)| *it == seq) else {
                    return false;
                };
                let (_, call) = self.output.calls.remove(index);
                self.output.dropped.retain(|(it, _)| *it != seq);
                if let Call::Workflow { execution, .. } = &call {
                    self.output.stops.retain(|it| it.execution != *execution);
                }
            }
        }
        self.events -= 1;
        true
    }

    /// Finds recorded calls for those that had none, now that the code has dropped another that was the same.
    fn bind_extras(&mut self) {
        let mut index = 0;
        while let Some(extra) = self.asking.extra.get(index) {
            let Mode::Replay(recorded) = &mut self.mode else { return };
            let seq = mismatch::bind(recorded, extra.code, &extra.call, self.same);
            let Some((seq, before)) = seq.and_then(|seq| recorded.remove_entry(&seq)) else {
                index += 1;
                continue;
            };
            let extra = self.asking.extra.remove(index);
            self.open_call(seq, extra.code, before, extra.scope);
        }
    }
}

/// A child that was given no name of its own, under the number that its call has.
fn renumbered(call: Call, code: Seq, seq: Seq) -> Call {
    match call {
        Call::Workflow { execution, input, detached, answered, close, attributes } if code != seq => {
            let named = mismatch::unnumbered(&execution, code);
            let named = named.and_then(|it| ExecutionId::parse(&format!("{it}:{seq}")).ok());
            let execution = named.unwrap_or(execution);
            Call::Workflow { execution, input, detached, answered, close, attributes }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
