//! Attempts of tasks: what their ends mean, when another is made, and when nobody waits for one any more.

use alloc::borrow::ToOwned;

use super::{Machine, mix};
use crate::call::{Attempt, Call};
use crate::fact::{Fact, FactKey, Outcome, RetryAdvice};
use crate::id::{Millis, Seq};

impl Machine {
    /// Learns a fact about a task.
    pub(super) fn learn_of_task(&mut self, fact: &Fact) {
        match fact {
            Fact::HeartbeatDue { seq, attempt, .. } => {
                self.attempt_lost(*seq, *attempt, Outcome::HeartbeatLost);
            }
            Fact::RetryDue { seq, attempt } => self.attempt_again(*seq, *attempt, self.now),
            Fact::TaskDeferred { seq, attempt, .. } => self.defer(*seq, *attempt),
            Fact::TaskDone { seq, attempt, outcome } => self.attempt_done(*seq, *attempt, outcome),
            Fact::TaskExpired { seq } => {
                self.stop(*seq);
                self.complete(*seq, Outcome::TimedOut);
            }
            Fact::TaskLost { seq, attempt, timed_out, reason } => {
                let outcome =
                    if *timed_out { Outcome::TimedOut } else { Outcome::Crashed(reason.to_owned()) };
                self.attempt_lost(*seq, *attempt, outcome);
            }
            _ => {}
        }
    }

    fn attempt_done(&mut self, seq: Seq, attempt: u32, outcome: &Outcome) {
        if !self.retry(seq, attempt, outcome) {
            self.complete_attempt(seq, attempt, outcome.clone());
        }
    }

    fn attempt_lost(&mut self, seq: Seq, attempt: u32, outcome: Outcome) {
        if !self.retry_lost(seq, attempt, None) {
            self.complete_attempt(seq, attempt, outcome);
        }
    }

    /// Whether a fact puts off an attempt that was decided before.
    pub(super) fn is_decided(&self, fact: &Fact) -> bool {
        matches!(fact, Fact::TaskDeferred { seq, attempt, .. } if self.seen.contains(&FactKey::Task(*seq, *attempt)))
    }

    /// The code of an attempt has ended without an answer, which somebody else will give.
    fn defer(&mut self, seq: Seq, attempt: u32) {
        if let Some(open) = self.open.get_mut(&seq).filter(|it| it.attempt == attempt) {
            open.deferred = true;
        }
    }

    /// Nobody waits for the current attempt of a task any more. An inline one runs within a turn, so that nothing can be
    /// decided while it runs.
    pub(super) fn drop_attempt(&mut self, seq: Seq) {
        let Some(open) = self.open.get_mut(&seq).filter(|it| !it.complete && !it.stopped) else { return };
        if matches!(&open.call, Call::Task(task) if !task.inline || open.deferred) {
            open.stopped = true;
            self.output.dropped.push((seq, open.attempt));
        }
    }

    /// Decides another attempt of a task whose code returned an error, if its policy wants one.
    fn retry(&mut self, seq: Seq, attempt: u32, outcome: &Outcome) -> bool {
        let Outcome::Failed(failure) = outcome else { return false };
        let after = match failure.advice {
            RetryAdvice::AsPolicy => None,
            RetryAdvice::After(pause) => Some(pause),
            RetryAdvice::Never => return false,
        };
        let wanted = self.open.get(&seq).is_some_and(|it| {
            matches!(&it.call, Call::Task(task) if task.retry.errors && !task.final_errors.contains(&failure.class))
        });
        wanted && self.retry_lost(seq, attempt, after)
    }

    /// Decides another attempt of a task, if it has one left: `after` so many milliseconds, or when its policy says.
    fn retry_lost(&mut self, seq: Seq, attempt: u32, after: Option<u64>) -> bool {
        let Some(open) = self.open.get_mut(&seq) else { return false };
        let Call::Task(task) = &open.call else { return false };
        if open.complete || open.attempt != attempt || attempt >= task.retry.attempts {
            return false;
        }
        let chance = mix(self.seed ^ (u64::from(seq) << 32) ^ u64::from(attempt));
        let pause = after.unwrap_or_else(|| task.retry.jittered_ms(attempt + 1, chance));
        let at = self.now.saturating_add(pause);
        if task.total_ms.is_some_and(|total| at >= open.since.saturating_add(total)) {
            return false;
        }
        open.attempt += 1;
        open.deferred = false;
        open.at = at;
        self.output.attempts.push(Attempt { seq, attempt: attempt + 1, at });
        true
    }

    fn attempt_again(&mut self, seq: Seq, attempt: u32, at: Millis) {
        if let Some(open) = self.open.get_mut(&seq).filter(|it| !it.complete && it.attempt == attempt) {
            open.at = at;
            self.output.attempts.push(Attempt { seq, attempt, at });
        }
    }

    fn complete_attempt(&mut self, seq: Seq, attempt: u32, outcome: Outcome) {
        if self.open.get(&seq).is_some_and(|it| it.attempt == attempt) {
            self.complete(seq, outcome);
        }
    }
}

#[cfg(test)]
mod tests;
