//! Why a request of an operator was refused, by the class and status that every host answers.

use crate::client::ClientError;

/// Why a request was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The request itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// It could not be done.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl SystemError {
    /// What kind of error it is, for programs: `NotFound`, `Closed`, ... The same on every host.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        self.kind().1
    }

    /// The HTTP status with which it is answered where there is HTTP.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.kind().0
    }

    const fn kind(&self) -> (u16, &'static str) {
        let Self::Client(error) = self else { return (400, "Invalid") };
        match error {
            ClientError::AlreadyExists(_) => (409, "AlreadyExists"),
            ClientError::Closed(..) => (409, "Closed"),
            ClientError::Completed(_) => (409, "Completed"),
            ClientError::Fault(_) => (503, "Fault"),
            ClientError::ForgedToken => (403, "ForgedToken"),
            ClientError::Name(_) | ClientError::Undeclared { .. } => (400, "Invalid"),
            ClientError::NoSchedule(_) | ClientError::NotFound(_) => (404, "NotFound"),
            ClientError::StaleToken(_) => (409, "StaleToken"),
            ClientError::Unanswered(_) => (409, "Unanswered"),
            ClientError::UnknownWorkflow(_) => (404, "UnknownWorkflow"),
        }
    }
}
