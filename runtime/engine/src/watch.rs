//! Watching attempts of tasks: heartbeats that are due, attempts that somebody else answers, workers that nobody waits for.
//!
//! A chain of timers, one at a time for each watched attempt, looks at the attempt's record once a period. A heartbeat
//! that came moves the next look; one that did not becomes history. Looking costs one read and loads no history.

use std::collections::BTreeSet;

use eventual_core::{Fact, FactKey, Turn};

use crate::engine::Engine;
use crate::ports::{AttemptId, Fault, Meta, Timer};

impl Engine {
    /// Looks at the attempts that facts are about: drops the looks at attempts that are alive, and puts an answer that
    /// was given by token in the place of a loss.
    pub(crate) async fn watch(&self, meta: &Meta, facts: Vec<Fact>) -> Result<Vec<Fact>, Fault> {
        let mut kept = Vec::with_capacity(facts.len());
        let mut looked_at = BTreeSet::new();
        for fact in facts {
            if matches!(fact, Fact::HeartbeatDue { .. }) && !looked_at.insert(fact.key()) {
                continue;
            }
            let wanted = match fact {
                Fact::HeartbeatDue { seq, attempt, period_ms, due } => {
                    let attempt = meta.attempt(seq, attempt);
                    match self.next_look(&attempt, period_ms, due).await? {
                        None => true,
                        Some(next) => {
                            self.look_at(&attempt, period_ms, next).await?;
                            false
                        }
                    }
                }
                _ => true,
            };
            if wanted {
                kept.push(self.answered_or(meta, fact).await?);
            }
        }
        Ok(kept)
    }

    /// When to look again at an attempt; `None` when its heartbeat has stopped, or it was given up or answered. A look that
    /// comes late judges the moment for which it was meant: an answer that was given since waits behind it.
    async fn next_look(&self, attempt: &AttemptId, period_ms: u64, due: u64) -> Result<Option<u64>, Fault> {
        let record = self.ports.store.attempt_of(attempt).await?;
        Ok(match record {
            // Nobody has taken it yet; a worker that is lost on its way is the host's to tell. Looks that came twice go on to
            // the same moment, so that queues which drop what they have seen make one of them again.
            None => {
                let periods = self.ports.clock.now().saturating_sub(due) / period_ms.max(1) + 1;
                Some(due.saturating_add(periods.saturating_mul(period_ms)))
            }
            Some(it) if it.cancelled || it.outcome.is_some() => None,
            Some(it) => Some(it.beaten.saturating_add(period_ms)).filter(|next| *next > due),
        })
    }

    /// Has an attempt looked at when the time has come.
    pub(crate) async fn look_at(&self, attempt: &AttemptId, period_ms: u64, due: u64) -> Result<(), Fault> {
        let AttemptId { execution, run, seq, attempt } = attempt.clone();
        let fact = Fact::HeartbeatDue { seq, attempt, period_ms, due };
        self.ports.dispatch.timer(&Timer { execution, run, due, fact }).await
    }

    /// The loss of an attempt, or the answer that somebody gave for it before. From then on no answer is taken, so that
    /// whoever gave one and was told that it counts can rely on it.
    async fn answered_or(&self, meta: &Meta, fact: Fact) -> Result<Fact, Fault> {
        let (Fact::HeartbeatDue { seq, attempt, .. } | Fact::TaskLost { seq, attempt, .. }) = fact else {
            return Ok(fact);
        };
        let outcome = self.ports.store.cancel_attempt(&meta.attempt(seq, attempt)).await?;
        Ok(outcome.map_or(fact, |outcome| Fact::TaskDone { seq, attempt, outcome }))
    }

    /// Delivers what a turn says of attempts besides making them: who is not waited for, and when time is up for those
    /// that others answer.
    pub(crate) async fn deliver_watch(&self, meta: &Meta, turn: &Turn) -> Result<(), Fault> {
        for (seq, attempt) in &turn.dropped {
            self.ports.store.cancel_attempt(&meta.attempt(*seq, *attempt)).await?;
        }
        for fact in &turn.facts {
            if let Fact::TaskDeferred { seq, attempt, due } = fact
                // Answered in the same turn: a timer would only bring this turn's delivery about again, and again.
                && !turn.facts.iter().any(|it| it.key() == FactKey::Task(*seq, *attempt))
            {
                let late = meta.attempt(*seq, *attempt).lost(true, "nobody answered for it in time");
                self.ports.dispatch.timer(&meta.timer(*due, late)).await?;
            }
        }
        Ok(())
    }
}
