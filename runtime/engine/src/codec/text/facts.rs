//! The shapes of what happened to an execution.

use eventual_core::{Fact, FactKey};
use serde::{Deserialize, Serialize};

use super::outcomes::OutcomeText;
use super::{Raw, RunText, caller, caller_text, payload, raw, run_text};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(in crate::codec) enum FactText {
    CancelRequested {
        #[serde(default)]
        reason: String,
    },
    HeartbeatDue {
        seq: u32,
        attempt: u32,
        period_ms: u64,
        due: u64,
    },
    Forked {
        to: String,
        turn: u64,
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
    TaskDeferred {
        seq: u32,
        attempt: u32,
        due: u64,
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_run: Option<RunText>,
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
            Fact::HeartbeatDue { seq, attempt, period_ms, due } => {
                Self::HeartbeatDue { seq: *seq, attempt: *attempt, period_ms: *period_ms, due: *due }
            }
            Fact::TaskDeferred { seq, attempt, due } => {
                Self::TaskDeferred { seq: *seq, attempt: *attempt, due: *due }
            }
            Fact::Forked { to, turn } => Self::Forked { to: to.to_string(), turn: *turn },
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
                from_run: run_text(from.as_ref()),
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
            FactText::HeartbeatDue { seq, attempt, period_ms, due } => {
                Self::HeartbeatDue { seq, attempt, period_ms, due }
            }
            FactText::TaskDeferred { seq, attempt, due } => Self::TaskDeferred { seq, attempt, due },
            FactText::Forked { to, turn } => Self::Forked { to: super::id(&to)?, turn },
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
            FactText::Update { id, name, input, from, from_run } => {
                let from = from.map(|it| caller(it, from_run.as_ref())).transpose()?;
                Self::Update { id, name, input: payload(&input), from }
            }
            FactText::UpdateDone { seq, outcome } => Self::UpdateDone { seq, outcome: outcome.into() },
        })
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
