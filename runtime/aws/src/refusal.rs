//! Why an invocation fails, as Lambda reports it: a class for programs and a message for people. Lambda retries it or not by
//! how the function is invoked; nothing here decides that.

use std::fmt;

use eventual_engine::codec::CodecError;
use eventual_engine::ports::Fault;
use eventual_engine::{AdvanceError, SystemError};
use lambda_runtime::Diagnostic;

use crate::wire::envelope::EnvelopeError;

/// A failed invocation.
pub(crate) struct Refusal {
    class: &'static str,
    message: String,
}

impl Refusal {
    /// Lambda handed over what this function does not serve: the deployment does not fit the code.
    pub(crate) const fn misrouted(message: String) -> Self {
        Self { class: "Misrouted", message }
    }

    /// Code of the user said no.
    pub(crate) const fn failed(message: String) -> Self {
        Self { class: "Failed", message }
    }

    /// The event, or what came with it, is of another shape.
    pub(crate) fn unreadable(error: &dyn std::error::Error) -> Self {
        Self { class: "Unreadable", message: error.to_string() }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::unreadable(&error)
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        Self::unreadable(&error)
    }
}

impl From<CodecError> for Refusal {
    fn from(error: CodecError) -> Self {
        Self::unreadable(&error)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { class: "Fault", message: fault.to_string() }
    }
}

impl From<AdvanceError> for Refusal {
    fn from(error: AdvanceError) -> Self {
        Self { class: "Fault", message: error.to_string() }
    }
}

impl From<SystemError> for Refusal {
    fn from(error: SystemError) -> Self {
        Self { class: error.class(), message: error.to_string() }
    }
}

impl From<Refusal> for Diagnostic {
    fn from(refusal: Refusal) -> Self {
        Self { error_type: refusal.class.to_owned(), error_message: refusal.message }
    }
}

// Lambda's runtime prints this in the log.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}
