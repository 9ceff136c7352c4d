//! What the emulated AWS counted of the data plane: see `emulator/counts.py`. Deliberately adds and subtracts, and knows no price.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::emulator::Emulator;
use crate::failure::{Context, Result};
use crate::http;

/// Counters by their names: `<function, role or queue> <what>`, `conformance-orchestrator-us-east-1 dynamodb:PutItem calls`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Counts(pub(crate) BTreeMap<String, f64>);

/// Something that happened: from when to when in seconds since 1970, who did what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) begin: f64,
    pub(crate) end: f64,
    pub(crate) who: String,
    pub(crate) what: String,
}

impl Counts {
    /// What was counted since the emulator started, of everybody whose name `concerns`.
    pub(crate) fn of(emulator: &Emulator, concerns: impl Fn(&str) -> bool) -> Result<Self> {
        let answer = http::get(&format!("{}/_ministack/counts", emulator.endpoint()))?.json();
        let mut counts = BTreeMap::new();
        for (_, named) in answer.as_object().context("the counts of the emulator")? {
            for (name, numbers) in named.as_object().into_iter().flatten().filter(|(name, _)| concerns(name))
            {
                for (what, number) in numbers.as_object().into_iter().flatten() {
                    counts.insert(format!("{name} {what}"), number.as_f64().unwrap_or_default());
                }
            }
        }
        Ok(Self(counts))
    }

    /// What was counted since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let of = |name: &str| before.0.get(name).copied().unwrap_or_default();
        Self(self.0.iter().map(|(name, count)| (name.clone(), count - of(name))).collect())
    }

    /// Each counter divided.
    pub(crate) fn per(&self, parts: f64) -> Self {
        Self(self.0.iter().map(|(name, count)| (name.clone(), count / parts)).collect())
    }

    /// The sum of the counters whose names `are` meant.
    pub(crate) fn sum(&self, are: impl Fn(&str) -> bool) -> f64 {
        self.0.iter().filter(|(name, _)| are(name)).map(|(_, count)| count).sum()
    }
}

/// The last thousands of things that happened, in order of their ends.
pub(crate) fn events(emulator: &Emulator) -> Result<Vec<Event>> {
    let answer = http::get(&format!("{}/_ministack/times", emulator.endpoint()))?.json();
    let event = |it: &Value| {
        let text = |place: usize| it[place].as_str().map(str::to_owned);
        Some(Event { begin: it[0].as_f64()?, end: it[1].as_f64()?, who: text(2)?, what: text(3)? })
    };
    let events: Option<Vec<Event>> =
        answer.as_array().context("the times of the emulator")?.iter().map(event).collect();
    events.context("a time of the emulator")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_there_before_counts_from_nothing() {
        let counts = |pairs: &[(&str, f64)]| {
            Counts(pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect())
        };
        let before = counts(&[("a PutItem calls", 3.0)]);
        let after = counts(&[("a PutItem calls", 13.0), ("b PutItem calls", 5.0), ("b PutItem units", 7.0)]);
        let step = after.since(&before).per(5.0);
        assert_eq!(step.sum(|it| it.ends_with(" calls")), 3.0);
        assert_eq!(step.sum(|it| it.starts_with("a ")), 2.0);
    }
}
