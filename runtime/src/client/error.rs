//! Why a call from outside has no result. What the command answered, what is a bug, and what the world did never mix.

use std::convert::Infallible;
use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Failure};

/// Why a call has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum RemoteError<E = Infallible> {
    /// The command crashed: a bug of the service. Its log has the request under this id.
    Crashed {
        /// What callers are told.
        message: String,
        /// Id of the request.
        request_id: String,
    },
    /// The command answered this error.
    Failed(E),
    /// The command answered an error or a result of another type than this program knows: the two are of different
    /// versions. Or the call was never one of a command.
    Invalid(Error),
    /// The input does not fit what the command takes. The command did not see it.
    InvalidInput {
        /// Everything in one sentence.
        message: String,
        /// Each way in which it does not fit.
        problems: Vec<InputProblem>,
    },
    /// The request was not let through: no valid credentials (401, 403), no such command (404), too large (413).
    Refused {
        /// The HTTP status.
        status: u16,
        /// What was said.
        message: String,
    },
    /// Nobody answered, or nobody who knows: the network failed, time ran out, the service has no room. It may have been
    /// done.
    Unavailable {
        /// The HTTP status, when there was one.
        status: Option<u16>,
        /// What happened.
        message: String,
    },
}

/// One way in which an input does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InputProblem {
    /// Where: `items[0].sku`; empty for the input itself.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl<E> RemoteError<E> {
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { status: None, message: message.into() }
    }

    /// The same, of a call whose error is `F`; what the command itself answered goes through `failed`.
    pub(super) fn map<F>(self, failed: impl FnOnce(E) -> RemoteError<F>) -> RemoteError<F> {
        match self {
            Self::Crashed { message, request_id } => RemoteError::Crashed { message, request_id },
            Self::Failed(error) => failed(error),
            Self::Invalid(error) => RemoteError::Invalid(error),
            Self::InvalidInput { message, problems } => RemoteError::InvalidInput { message, problems },
            Self::Refused { status, message } => RemoteError::Refused { status, message },
            Self::Unavailable { status, message } => RemoteError::Unavailable { status, message },
        }
    }
}

impl<E: Failure> fmt::Display for RemoteError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crashed { message, request_id } => write!(f, "{message} (request {request_id})"),
            Self::Failed(error) => f.write_str(&error.message()),
            Self::Invalid(error) => error.fmt(f),
            Self::InvalidInput { message, .. } => f.write_str(message),
            Self::Refused { status, message } => write!(f, "the request was refused ({status}): {message}"),
            Self::Unavailable { message, .. } => write!(f, "the service is not available: {message}"),
        }
    }
}

impl<E: Failure + fmt::Debug> std::error::Error for RemoteError<E> {}
