//! Attempts of tasks: whether one that failed or was lost is followed by another, and when.

use alloc::borrow::ToOwned;

use super::{Machine, mix};
use crate::call::{Attempt, Call};
use crate::fact::Outcome;
use crate::id::{Millis, Seq};

impl Machine {
    pub(super) fn attempt_done(&mut self, seq: Seq, attempt: u32, outcome: &Outcome) {
        if !self.retry(seq, attempt, outcome) {
            self.complete_attempt(seq, attempt, outcome.clone());
        }
    }

    pub(super) fn attempt_lost(&mut self, seq: Seq, attempt: u32, timed_out: bool, reason: &str) {
        let outcome = if timed_out { Outcome::TimedOut } else { Outcome::Crashed(reason.to_owned()) };
        if !self.retry_lost(seq, attempt) {
            self.complete_attempt(seq, attempt, outcome);
        }
    }

    /// Decides another attempt of a task whose code returned an error, if its policy wants one.
    fn retry(&mut self, seq: Seq, attempt: u32, outcome: &Outcome) -> bool {
        let Outcome::Failed(failure) = outcome else { return false };
        let wanted = self.open.get(&seq).is_some_and(|it| {
            matches!(&it.call, Call::Task(task) if task.retry.errors && !task.final_errors.contains(&failure.class))
        });
        wanted && self.retry_lost(seq, attempt)
    }

    /// Decides another attempt of a task, if it has one left.
    fn retry_lost(&mut self, seq: Seq, attempt: u32) -> bool {
        let Some(open) = self.open.get_mut(&seq) else { return false };
        let Call::Task(task) = &open.call else { return false };
        if open.complete || open.attempt != attempt || attempt >= task.retry.attempts {
            return false;
        }
        let chance = mix(self.seed ^ (u64::from(seq) << 32) ^ u64::from(attempt));
        let at = self.now.saturating_add(task.retry.jittered_ms(attempt + 1, chance));
        if task.total_ms.is_some_and(|total| at >= open.since.saturating_add(total)) {
            return false;
        }
        open.attempt += 1;
        open.at = at;
        self.output.attempts.push(Attempt { seq, attempt: attempt + 1, at });
        true
    }

    pub(super) fn attempt_again(&mut self, seq: Seq, attempt: u32, at: Millis) {
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
