//! The shapes of what happened to an execution.

use eventual_core::{Fact, FactKey, Failure, Outcome};
use serde::{Deserialize, Serialize};

use super::{Raw, caller, caller_text, payload, raw};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(in crate::codec) enum FactText {
    CancelRequested {
        #[serde(default)]
        reason: String,
    },
    OperationDone {
        seq: u32,
        outcome: OutcomeText,
    },
    Paused {
        id: String,
        #[serde(default)]
        reason: String,
    },
    Resumed {
        id: String,
    },
    TaskExpired {
        seq: u32,
    },
    Terminated {
        #[serde(default)]
        reason: String,
    },
    ChildDone {
        seq: u32,
        outcome: OutcomeText,
    },
    RetryDue {
        seq: u32,
        attempt: u32,
    },
    Signal {
        id: String,
        name: String,
        payload: Raw,
    },
    TaskDone {
        seq: u32,
        attempt: u32,
        outcome: OutcomeText,
    },
    TaskLost {
        seq: u32,
        attempt: u32,
        #[serde(default)]
        timed_out: bool,
        #[serde(default)]
        reason: String,
    },
    TimerFired {
        seq: u32,
    },
    Update {
        id: String,
        name: String,
        input: Raw,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<(String, u32)>,
    },
    UpdateDone {
        seq: u32,
        outcome: OutcomeText,
    },
}

impl From<&Fact> for FactText {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::CancelRequested { reason } => Self::CancelRequested { reason: reason.clone() },
            Fact::OperationDone { seq, outcome } => {
                Self::OperationDone { seq: *seq, outcome: outcome.into() }
            }
            Fact::Paused { id, reason } => Self::Paused { id: id.clone(), reason: reason.clone() },
            Fact::Resumed { id } => Self::Resumed { id: id.clone() },
            Fact::TaskExpired { seq } => Self::TaskExpired { seq: *seq },
            Fact::Terminated { reason } => Self::Terminated { reason: reason.clone() },
            Fact::ChildDone { seq, outcome } => Self::ChildDone { seq: *seq, outcome: outcome.into() },
            Fact::RetryDue { seq, attempt } => Self::RetryDue { seq: *seq, attempt: *attempt },
            Fact::Signal { id, name, payload } => {
                Self::Signal { id: id.clone(), name: name.clone(), payload: raw(payload) }
            }
            Fact::TaskDone { seq, attempt, outcome } => {
                Self::TaskDone { seq: *seq, attempt: *attempt, outcome: outcome.into() }
            }
            Fact::TaskLost { seq, attempt, timed_out, reason } => {
                Self::TaskLost { seq: *seq, attempt: *attempt, timed_out: *timed_out, reason: reason.clone() }
            }
            Fact::TimerFired { seq } => Self::TimerFired { seq: *seq },
            Fact::Update { id, name, input, from } => Self::Update {
                id: id.clone(),
                name: name.clone(),
                input: raw(input),
                from: from.as_ref().map(caller_text),
            },
            Fact::UpdateDone { seq, outcome } => Self::UpdateDone { seq: *seq, outcome: outcome.into() },
        }
    }
}

impl TryFrom<FactText> for Fact {
    type Error = String;
    fn try_from(text: FactText) -> Result<Self, String> {
        Ok(match text {
            FactText::CancelRequested { reason } => Self::CancelRequested { reason },
            FactText::OperationDone { seq, outcome } => Self::OperationDone { seq, outcome: outcome.into() },
            FactText::Paused { id, reason } => Self::Paused { id, reason },
            FactText::Resumed { id } => Self::Resumed { id },
            FactText::TaskExpired { seq } => Self::TaskExpired { seq },
            FactText::Terminated { reason } => Self::Terminated { reason },
            FactText::ChildDone { seq, outcome } => Self::ChildDone { seq, outcome: outcome.into() },
            FactText::RetryDue { seq, attempt } => Self::RetryDue { seq, attempt },
            FactText::Signal { id, name, payload: it } => Self::Signal { id, name, payload: payload(&it) },
            FactText::TaskDone { seq, attempt, outcome } => {
                Self::TaskDone { seq, attempt, outcome: outcome.into() }
            }
            FactText::TaskLost { seq, attempt, timed_out, reason } => {
                Self::TaskLost { seq, attempt, timed_out, reason }
            }
            FactText::TimerFired { seq } => Self::TimerFired { seq },
            FactText::Update { id, name, input, from } => {
                Self::Update { id, name, input: payload(&input), from: from.map(caller).transpose()? }
            }
            FactText::UpdateDone { seq, outcome } => Self::UpdateDone { seq, outcome: outcome.into() },
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(in crate::codec) enum OutcomeText {
    Cancelled,
    Crashed { message: String },
    Failed { class: String, message: String, data: Raw, status: u16 },
    HeartbeatLost,
    Succeeded { value: Raw },
    Terminated { reason: String },
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
            OutcomeText::Failed { class, message, data, status } => {
                Self::Failed(Failure { class, message, data: payload(&data), status })
            }
            OutcomeText::HeartbeatLost => Self::HeartbeatLost,
            OutcomeText::Succeeded { value } => Self::Succeeded(payload(&value)),
            OutcomeText::Terminated { reason } => Self::Terminated(reason),
            OutcomeText::TimedOut => Self::TimedOut,
        }
    }
}

/// The key of a message.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum KeyText {
    Pause(String),
    Resume(String),
    Signal(String),
    Update(String),
}

impl KeyText {
    /// Absent for what is no message's.
    pub(super) fn of(key: &FactKey) -> Option<Self> {
        Some(match key {
            FactKey::Pause(id) => Self::Pause(id.clone()),
            FactKey::Resume(id) => Self::Resume(id.clone()),
            FactKey::Signal(id) => Self::Signal(id.clone()),
            FactKey::Update(id) => Self::Update(id.clone()),
            _ => return None,
        })
    }
}

impl From<KeyText> for FactKey {
    fn from(text: KeyText) -> Self {
        match text {
            KeyText::Pause(id) => Self::Pause(id),
            KeyText::Resume(id) => Self::Resume(id),
            KeyText::Signal(id) => Self::Signal(id),
            KeyText::Update(id) => Self::Update(id),
        }
    }
}
