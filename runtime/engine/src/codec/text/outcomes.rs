//! The shapes of how things end, and of what is kept of an attempt of a task.

use eventual_core::{Failure, Outcome, RetryAdvice};
use serde::{Deserialize, Serialize};

use super::{Raw, payload, raw};
use crate::ports::AttemptRecord;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(in crate::codec) enum OutcomeText {
    Cancelled,
    Crashed {
        message: String,
    },
    Failed {
        class: String,
        message: String,
        data: Raw,
        status: u16,
        /// Milliseconds to wait before another attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        /// Whether no other attempt is to be made.
        #[serde(default, rename = "final", skip_serializing_if = "std::ops::Not::not")]
        is_final: bool,
    },
    HeartbeatLost,
    Succeeded {
        value: Raw,
    },
    Terminated {
        reason: String,
    },
    TimedOut,
}

impl From<&Outcome> for OutcomeText {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Crashed(message) => Self::Crashed { message: message.clone() },
            Outcome::Failed(failure) => Self::Failed {
                class: failure.class.clone(),
                message: failure.message.clone(),
                data: raw(&failure.data),
                status: failure.status,
                retry_after_ms: match failure.advice {
                    RetryAdvice::After(pause) => Some(pause),
                    RetryAdvice::AsPolicy | RetryAdvice::Never => None,
                },
                is_final: failure.advice == RetryAdvice::Never,
            },
            Outcome::HeartbeatLost => Self::HeartbeatLost,
            Outcome::Succeeded(value) => Self::Succeeded { value: raw(value) },
            Outcome::Terminated(reason) => Self::Terminated { reason: reason.clone() },
            Outcome::TimedOut => Self::TimedOut,
        }
    }
}

impl From<OutcomeText> for Outcome {
    fn from(text: OutcomeText) -> Self {
        match text {
            OutcomeText::Cancelled => Self::Cancelled,
            OutcomeText::Crashed { message } => Self::Crashed(message),
            OutcomeText::Failed { class, message, data, status, retry_after_ms, is_final } => {
                let advice = match retry_after_ms {
                    _ if is_final => RetryAdvice::Never,
                    Some(pause) => RetryAdvice::After(pause),
                    None => RetryAdvice::AsPolicy,
                };
                Self::Failed(Failure { class, message, data: payload(&data), status, advice })
            }
            OutcomeText::HeartbeatLost => Self::HeartbeatLost,
            OutcomeText::Succeeded { value } => Self::Succeeded(payload(&value)),
            OutcomeText::Terminated { reason } => Self::Terminated(reason),
            OutcomeText::TimedOut => Self::TimedOut,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codec) struct AttemptRecordText {
    #[serde(default)]
    beaten: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Raw>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cancelled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeText>,
}

impl From<&AttemptRecord> for AttemptRecordText {
    fn from(record: &AttemptRecord) -> Self {
        Self {
            beaten: record.beaten,
            details: record.details.as_ref().map(raw),
            cancelled: record.cancelled,
            outcome: record.outcome.as_ref().map(OutcomeText::from),
        }
    }
}

impl From<AttemptRecordText> for AttemptRecord {
    fn from(text: AttemptRecordText) -> Self {
        Self {
            beaten: text.beaten,
            details: text.details.map(|it| payload(&it)),
            cancelled: text.cancelled,
            outcome: text.outcome.map(Outcome::from),
        }
    }
}
