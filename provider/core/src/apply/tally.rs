//! Counts what a run has done, for whoever watches it and for the state.

use std::sync::{Mutex, PoisonError};

use crate::progress::{Action, SoFar, Stage, Summary};
use crate::value::Value;

/// What a run has done so far.
#[derive(Debug)]
pub struct Tally {
    began_ms: u64,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    expected: usize,
    summary: Summary,
}

impl Tally {
    /// Nothing, since that moment of the cloud's clock.
    #[must_use]
    pub fn since(began_ms: u64) -> Self {
        Self { began_ms, counts: Mutex::default() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// So many more children are to be worked on.
    pub(crate) fn expect(&self, children: usize) {
        self.with(|counts| counts.expected += children);
    }

    /// How far a child is; answers how far everything is.
    pub(crate) fn note(&self, key: &str, action: Action, stage: &Stage, elapsed_ms: u64) -> SoFar {
        self.with(|counts| {
            let summary = &mut counts.summary;
            if *stage == Stage::Done {
                match action {
                    Action::Create => summary.created += 1,
                    Action::Update => summary.updated += 1,
                    Action::Delete => summary.deleted += 1,
                }
                if summary.slowest.as_ref().is_none_or(|(_, most)| elapsed_ms > *most) {
                    summary.slowest = Some((key.to_owned(), elapsed_ms));
                }
            }
            SoFar { done: summary.done(), of: counts.expected }
        })
    }

    /// What was done until that moment.
    pub(crate) fn summary(&self, now_ms: u64) -> Summary {
        let elapsed_ms = now_ms.saturating_sub(self.began_ms);
        self.with(|counts| Summary { elapsed_ms, ..counts.summary.clone() })
    }
}

/// The summary as the state has it, in [`crate::declaration::DEPLOYMENT`].
pub(crate) fn to_value(summary: &Summary) -> Value {
    let number = |number: u64| {
        #[allow(clippy::cast_precision_loss, reason = "neither counts nor milliseconds reach 2^53")]
        Value::Number(number as f64)
    };
    let count = |count: usize| number(u64::try_from(count).unwrap_or(u64::MAX));
    let (slowest, slowest_ms) = match &summary.slowest {
        Some((key, elapsed_ms)) => (Value::from(key.as_str()), number(*elapsed_ms)),
        None => (Value::Null, Value::Null),
    };
    Value::map([
        ("created", count(summary.created)),
        ("updated", count(summary.updated)),
        ("deleted", count(summary.deleted)),
        ("elapsed_ms", number(summary.elapsed_ms)),
        ("slowest", slowest),
        ("slowest_ms", slowest_ms),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_counted_and_the_slowest_is_named() {
        let tally = Tally::since(1000);
        tally.expect(3);
        let note = |key: &str, action, stage, elapsed_ms| tally.note(key, action, &stage, elapsed_ms);
        assert_eq!(note("table", Action::Create, Stage::Started, 0), SoFar { done: 0, of: 3 });
        assert_eq!(
            note("table", Action::Create, Stage::Waiting("x".to_owned()), 90_000),
            SoFar { done: 0, of: 3 }
        );
        assert_eq!(note("table", Action::Create, Stage::Done, 1200), SoFar { done: 1, of: 3 });
        assert_eq!(note("role/a", Action::Update, Stage::Done, 300), SoFar { done: 2, of: 3 });
        assert_eq!(
            note("role/b", Action::Delete, Stage::Failed("x".to_owned()), 9000),
            SoFar { done: 2, of: 3 }
        );
        let summary = tally.summary(4500);
        assert_eq!(summary.to_string(), "1 created, 1 updated in 3.5 s; the slowest was table with 1.2 s");
        let value = to_value(&summary);
        assert_eq!(value.get("elapsed_ms"), &Value::Number(3500.0));
        assert_eq!(
            (value.get("slowest").as_str(), value.get("deleted")),
            (Some("table"), &Value::Number(0.0))
        );
        assert_eq!(Tally::since(0).summary(50).to_string(), "nothing done in 0.1 s");
    }
}
