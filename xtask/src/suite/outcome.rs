//! What a stage found, and the sum over stages.

use std::fmt;

/// How many checks passed and failed, and what is to be said about them.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Checks that passed.
    pub(crate) passed: usize,
    /// Checks that failed.
    pub(crate) failed: usize,
    /// The output, shown when something failed.
    pub(crate) text: String,
    /// What a reader of the summary must know although nothing failed.
    pub(crate) notes: Vec<String>,
    /// What failed, by name.
    pub(crate) failures: Vec<String>,
}

impl Outcome {
    /// One check that passed.
    pub(crate) fn success() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// One check that failed, and why.
    pub(crate) fn failure(why: &impl fmt::Display) -> Self {
        Self { failed: 1, text: why.to_string(), ..Self::default() }
    }

    /// Adds what the stage `name` found.
    pub(crate) fn add(&mut self, name: &str, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.notes.extend(other.notes);
        match (other.failed, other.failures.is_empty()) {
            (0, _) => {}
            (_, true) => self.failures.push(name.to_owned()),
            (_, false) => {
                self.failures.extend(other.failures.iter().map(|failure| format!("{name}: {failure}")))
            }
        }
    }
}
