//! What one process has another one do that runs other code: an execution that is pinned to a version of the code is taken
//! forward by that version alone.

use eventual_core::{Outcome, Payload};

use super::Message;

/// Something that only the code that an execution is pinned to can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Forward {
    /// Answer a query.
    Query {
        /// Its name.
        name: String,
        /// What is asked.
        input: Payload,
    },
    /// Handle a message.
    Wake {
        /// The message.
        message: Message,
        /// Whether it may have been handled before.
        redelivered: bool,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Forwarded {
    /// What the code answered to a query, or why it cannot.
    Answered(Result<Outcome, String>),
    /// The message was handled.
    Handled,
    /// Nobody runs that code.
    NoSuchCode,
}
