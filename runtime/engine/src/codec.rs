//! Core values to JSON text and back: the one place where the engine's formats are written down.
//!
//! Payloads of user code stand in the text as the JSON that they are. What was written once must be readable for
//! ever: members are only added, with defaults. `tests/histories` keeps texts of former releases.

mod text;

use std::fmt;

pub use text::AttributeText;

use eventual_core::{ExecutionId, Fact, Failure, Outcome, Payload, Turn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::{AttemptRecord, Forward, Forwarded, ListQuery, Message, Meta, TaskRequest, Timer};

/// Why a text cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be read: {reason}")]
pub struct CodecError {
    what: &'static str,
    reason: String,
}

impl CodecError {
    fn new(what: &'static str, reason: impl fmt::Display) -> Self {
        Self { what, reason: reason.to_string() }
    }
}

fn encode(text: &impl Serialize) -> String {
    // Nothing that is written here can fail: no map has keys other than strings, and raw payloads are checked JSON.
    serde_json::to_string(text).unwrap_or_default()
}

fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, CodecError> {
    serde_json::from_slice(bytes).map_err(|error| CodecError { what, reason: error.to_string() })
}

macro_rules! codec {
    ($encode:ident, $decode:ident, $value:ty, $text:ty, $what:literal) => {
        #[doc = concat!("A ", $what, " as JSON text.")]
        #[must_use]
        pub fn $encode(value: &$value) -> String {
            encode(&<$text>::from(value))
        }

        #[doc = concat!("Reads a ", $what, " from its JSON text.")]
        ///
        /// # Errors
        /// When the text is of another shape.
        pub fn $decode(bytes: &[u8]) -> Result<$value, CodecError> {
            decode::<$text>($what, bytes)?.try_into().map_err(|reason| CodecError::new($what, reason))
        }
    };
}

codec!(encode_turn, decode_turn, Turn, text::TurnText, "turn");
codec!(encode_meta, decode_meta, Meta, text::MetaText, "execution's meta");
codec!(encode_message, decode_message, Message, text::MessageText, "message to an execution");
codec!(encode_task, decode_task, TaskRequest, text::TaskRequestText, "task request");
codec!(encode_fact, decode_fact, Fact, text::FactText, "fact");
codec!(encode_attempt, decode_attempt, AttemptRecord, text::AttemptRecordText, "record of an attempt");

/// An outcome as JSON text.
#[must_use]
pub fn encode_outcome(outcome: &Outcome) -> String {
    encode(&text::OutcomeText::from(outcome))
}

/// Reads an outcome from its JSON text.
///
/// # Errors
/// When the text is of another shape.
pub fn decode_outcome(bytes: &[u8]) -> Result<Outcome, CodecError> {
    decode::<text::OutcomeText>("outcome", bytes).map(Outcome::from)
}

codec!(encode_timer, decode_timer, Timer, text::TimerText, "timer");
codec!(encode_list, decode_list, ListQuery, text::ListText, "query of a list");

/// Something that a process which runs other code is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct ForwardMessage {
    /// For this execution.
    pub execution: ExecutionId,
    /// Hash of the code that has to do it.
    pub code: String,
    /// What.
    pub forward: Forward,
}

codec!(
    encode_forward,
    decode_forward,
    ForwardMessage,
    text::ForwardText,
    "request to another version of the code"
);

/// What another version of the code answered, as JSON text.
#[must_use]
pub fn encode_forwarded(forwarded: &Forwarded) -> String {
    encode(&text::ForwardedText::from(forwarded))
}

/// Reads what another version of the code answered from its JSON text.
///
/// # Errors
/// When the text is of another shape.
pub fn decode_forwarded(bytes: &[u8]) -> Result<Forwarded, CodecError> {
    decode::<text::ForwardedText>("answer of another version of the code", bytes).map(Forwarded::from)
}

/// A readable history event list of turns, for answers of the system function.
#[must_use]
pub fn turn_value(turn: &Turn) -> serde_json::Value {
    serde_json::to_value(text::TurnText::from(turn)).unwrap_or_default()
}

/// Whether two payloads are the same value: the members of an object have no order, as in a `HashMap` of the user's.
#[must_use]
pub fn same(a: &Payload, b: &Payload) -> bool {
    let value = |it: &Payload| serde_json::from_slice::<serde_json::Value>(it.as_bytes()).ok();
    a == b || value(a).is_some_and(|it| value(b) == Some(it))
}

/// Whether an error of user code is a cancelled call that it passed on, perhaps in a variant of its own error.
#[must_use]
pub fn passes_on_cancellation(failure: &Failure) -> bool {
    const CLASS: &str = "Cancelled";
    let inner = || {
        let data = serde_json::from_slice::<serde_json::Value>(failure.data.as_bytes()).ok()?;
        let (_, error) = data.as_object().filter(|it| it.len() == 1)?.iter().next()?;
        Some(error.get("class")?.as_str()? == CLASS)
    };
    failure.class == CLASS || inner().unwrap_or_default()
}

#[cfg(test)]
mod tests;
