//! Our own envelope: what every message in our queues and every invocation of a task looks like.
//!
//! It names the execution (and for a task the attempt) outside of the body, so that a message whose body nobody can
//! read any more, or that lies in the bucket, can still be told to its execution.

use eventual_core::{ExecutionId, Run, Seq};
use eventual_engine::ports::AttemptId;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::spill::Kept;

/// A message on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Envelope {
    execution: String,
    /// Of a task, the run of the execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// The codec's text.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    body: Option<Box<RawValue>>,
    /// Where that text is, when it is large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spilled: Option<String>,
}

/// Why a text is not an envelope.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("not an envelope: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("not an envelope: {0}")]
    Execution(String),
    #[error("an envelope for {0} without body")]
    Empty(String),
}

impl Envelope {
    /// An envelope around a text of the codec.
    pub(crate) fn new(id: &ExecutionId, kept: Kept) -> Result<Self, serde_json::Error> {
        let (body, spilled) = match kept {
            Kept::Inline(text) => (Some(RawValue::from_string(text)?), None),
            Kept::Spilled(key) => (None, Some(key)),
        };
        Ok(Self { execution: id.to_string(), run: None, seq: None, attempt: None, body, spilled })
    }

    /// The same, for an attempt of a task.
    pub(crate) fn of_task(self, id: &AttemptId) -> Self {
        let run = id.run.map(|it| it.to_string());
        Self { run, seq: Some(id.seq), attempt: Some(id.attempt), ..self }
    }

    pub(crate) fn to_json(&self) -> String {
        // Strings, numbers and checked JSON: there is nothing that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an envelope: the execution, and its body or where that is.
    pub(crate) fn open(text: &str) -> Result<(ExecutionId, Kept), EnvelopeError> {
        let envelope: Self = serde_json::from_str(text)?;
        let id = execution(&envelope.execution)?;
        match (envelope.body, envelope.spilled) {
            (Some(body), _) => Ok((id, Kept::Inline(body.get().to_owned()))),
            (None, Some(key)) => Ok((id, Kept::Spilled(key))),
            (None, None) => Err(EnvelopeError::Empty(envelope.execution)),
        }
    }

    /// Reads for which attempt of a task an envelope is.
    pub(crate) fn attempt(text: &str) -> Result<AttemptId, EnvelopeError> {
        let envelope: Self = serde_json::from_str(text)?;
        match (envelope.seq, envelope.attempt) {
            (Some(seq), Some(attempt)) => {
                let run = envelope.run.as_deref().and_then(Run::parse);
                Ok(AttemptId { execution: execution(&envelope.execution)?, run, seq, attempt })
            }
            _ => Err(EnvelopeError::Empty(envelope.execution)),
        }
    }
}

/// A member that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

fn execution(text: &str) -> Result<ExecutionId, EnvelopeError> {
    ExecutionId::parse(text).map_err(|error| EnvelopeError::Execution(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_stay_the_text_that_they_are() {
        let id = ExecutionId::new("w", "n").unwrap();
        let text = r#"{"b":12345678901234567890123,"a":null}"#;
        let json = Envelope::new(&id, Kept::Inline(text.into())).unwrap().to_json();
        assert_eq!(Envelope::open(&json).unwrap(), (id.clone(), Kept::Inline(text.into())));
        for falsy in ["null", "0", "false", "\"\"", "[]"] {
            let json = Envelope::new(&id, Kept::Inline(falsy.into())).unwrap().to_json();
            assert_eq!(Envelope::open(&json).unwrap().1, Kept::Inline(falsy.into()));
        }
    }

    #[test]
    fn a_spilled_task_still_says_which_attempt_it_is() {
        let id = ExecutionId::new("w", "n").unwrap();
        for run in [None, Some(Run::of(&id, 1, 2))] {
            let attempt = AttemptId { execution: id.clone(), run, seq: 3, attempt: 2 };
            let kept = Kept::Spilled("payloads/w/n/1".into());
            let json = Envelope::new(&id, kept.clone()).unwrap().of_task(&attempt).to_json();
            assert_eq!(Envelope::attempt(&json).unwrap(), attempt);
            assert_eq!(Envelope::open(&json).unwrap(), (id.clone(), kept));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "1", "{}", r#"{"execution":"x","body":1}"#, r#"{"execution":"w/n"}"#] {
            assert!(Envelope::open(text).is_err(), "{text}");
        }
    }
}
