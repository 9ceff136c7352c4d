//! The JSON that crosses the border of a function: our envelopes, and the shapes in which AWS hands events over.
//!
//! Written from AWS's documented shapes with only the members that we read; payloads of users stay the text that they
//! are. What they mean is decided by the triggers and the engine.

pub(crate) mod bus;
pub(crate) mod envelope;
pub(crate) mod failure;
pub(crate) mod http;
pub(crate) mod queue;
pub(crate) mod stream;

use serde::Serialize;
use serde_json::value::RawValue;

/// An answer to Lambda, as JSON.
pub(crate) fn answer(value: &impl Serialize) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(value)
}
