//! Why nothing can be generated: everything in which a manifest makes no sense, each with its place in the manifest.

use std::fmt;

/// One place of a manifest that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a JSON pointer into the manifest: `#/schemas/Order/properties/id`; empty for the manifest as a whole.
    pub at: String,
    /// What is wrong there, as a sentence without its full stop.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => f.write_str(&self.message),
            at => write!(f, "{at}: {}", self.message),
        }
    }
}

/// A manifest from which nothing can be generated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SdkError {
    /// Everything that is wrong, in the order of the manifest; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SdkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the manifest makes no sense; build it again with the `cargo eventual` of this release")?;
        self.problems.iter().try_for_each(|it| write!(f, "\n  {it}"))
    }
}
