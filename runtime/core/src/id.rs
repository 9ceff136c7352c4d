//! What executions, calls and moments are named by.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use crate::limits::EXECUTION_NAME_MAX;

/// Number of a call within its execution, from 0, taken when the call is built.
pub type Seq = u32;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = u64;

/// Names an execution: `<workflow>/<name>`. Unique within a deployment. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExecutionId(Arc<str>);

/// Why a text does not name an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecutionIdError(String);

impl ExecutionId {
    /// The execution `name` of `workflow`.
    ///
    /// # Errors
    /// When the name is empty, longer than 200 bytes, or has characters other than ASCII letters, digits and
    /// `-_.:@+=` (the ones that every key, URL and queue of ours takes as they are).
    pub fn new(workflow: &str, name: &str) -> Result<Self, ExecutionIdError> {
        let fine = |c: char| c.is_ascii_alphanumeric() || "-_.:@+=".contains(c);
        if workflow.is_empty()
            || name.is_empty()
            || name.len() > EXECUTION_NAME_MAX
            || !name.chars().all(fine)
        {
            return Err(ExecutionIdError(format!(
                "{name:?} is not an execution name: 1 to {EXECUTION_NAME_MAX} ASCII letters, digits and -_.:@+="
            )));
        }
        Ok(Self(format!("{workflow}/{name}").into()))
    }

    /// Parses `<workflow>/<name>`.
    ///
    /// # Errors
    /// When there is no single slash, or the name is refused by [`ExecutionId::new`].
    pub fn parse(text: &str) -> Result<Self, ExecutionIdError> {
        let Some((workflow, name)) = text.split_once('/') else {
            return Err(ExecutionIdError(format!(
                "{text:?} is not an execution id: <workflow>/<name> expected"
            )));
        };
        Self::new(workflow, name)
    }

    /// `<workflow>/<name>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The workflow's name.
    #[must_use]
    pub fn workflow(&self) -> &str {
        self.0.split_once('/').map_or("", |(workflow, _)| workflow)
    }

    /// The execution's name within its workflow.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ExecutionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ExecutionIdError {}

impl From<ExecutionIdError> for String {
    fn from(error: ExecutionIdError) -> Self {
        error.0.as_str().to_owned()
    }
}
