//! The shapes of what workflow code asks for.

use std::collections::BTreeMap;

use eventual_core::{Call, Emitted, ParentClose, TaskCall};
use serde::{Deserialize, Serialize};

use super::retry::RetryText;
use super::{AttributeText, Raw, id, payload, raw};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum CallText {
    Cancel {
        execution: String,
        #[serde(default)]
        reason: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        answered: bool,
    },
    Emit {
        events: Vec<EmittedText>,
    },
    NextUpdate {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    Send {
        execution: String,
        signal: String,
        payload: Raw,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        answered: bool,
    },
    Signal {
        name: String,
    },
    Task(TaskText),
    Timer {
        due: u64,
    },
    Update {
        execution: String,
        name: String,
        input: Raw,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<Raw>,
    },
    Workflow {
        execution: String,
        input: Raw,
        #[serde(default)]
        detached: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        answered: bool,
        #[serde(default, skip_serializing_if = "CloseText::is_cancel")]
        close: CloseText,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        attributes: BTreeMap<String, AttributeText>,
    },
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CloseText {
    Abandon,
    #[default]
    Cancel,
    Terminate,
}

impl CloseText {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_cancel(&self) -> bool {
        *self == Self::Cancel
    }
}

impl From<ParentClose> for CloseText {
    fn from(close: ParentClose) -> Self {
        match close {
            ParentClose::Abandon => Self::Abandon,
            ParentClose::Cancel => Self::Cancel,
            ParentClose::Terminate => Self::Terminate,
        }
    }
}

impl From<CloseText> for ParentClose {
    fn from(text: CloseText) -> Self {
        match text {
            CloseText::Abandon => Self::Abandon,
            CloseText::Cancel => Self::Cancel,
            CloseText::Terminate => Self::Terminate,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct EmittedText {
    name: String,
    payload: Raw,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskText {
    name: String,
    input: Raw,
    #[serde(default)]
    inline: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    timeout_ms: u64,
    #[serde(default, skip_serializing_if = "RetryText::is_unsaid")]
    retry: RetryText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    final_errors: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heartbeat_ms: Option<u64>,
}

impl From<&Emitted> for EmittedText {
    fn from(event: &Emitted) -> Self {
        Self { name: event.name.clone(), payload: raw(&event.payload) }
    }
}

impl From<&Call> for CallText {
    fn from(call: &Call) -> Self {
        match call {
            Call::Cancel { execution, reason, answered } => {
                Self::Cancel { execution: execution.to_string(), reason: reason.clone(), answered: *answered }
            }
            Call::Emit(events) => Self::Emit { events: events.iter().map(EmittedText::from).collect() },
            Call::NextUpdate { name } => Self::NextUpdate { name: name.clone() },
            Call::Send { execution, signal, payload, answered } => Self::Send {
                execution: execution.to_string(),
                signal: signal.clone(),
                payload: raw(payload),
                answered: *answered,
            },
            Call::Signal { name } => Self::Signal { name: name.clone() },
            Call::Task(task) => Self::Task(TaskText {
                name: task.name.clone(),
                input: raw(&task.input),
                inline: task.inline,
                key: task.key.clone(),
                timeout_ms: task.timeout_ms,
                retry: task.retry.into(),
                total_ms: task.total_ms,
                final_errors: task.final_errors.clone(),
                heartbeat_ms: task.heartbeat_ms,
            }),
            Call::Timer { due } => Self::Timer { due: *due },
            Call::Update { execution, name, input, start } => Self::Update {
                execution: execution.to_string(),
                name: name.clone(),
                input: raw(input),
                start: start.as_ref().map(raw),
            },
            Call::Workflow { execution, input, detached, answered, close, attributes } => Self::Workflow {
                execution: execution.to_string(),
                input: raw(input),
                detached: *detached,
                answered: *answered,
                close: (*close).into(),
                attributes: attributes.iter().map(|(name, it)| (name.clone(), it.into())).collect(),
            },
        }
    }
}

impl TryFrom<CallText> for Call {
    type Error = String;
    fn try_from(text: CallText) -> Result<Self, String> {
        Ok(match text {
            CallText::Cancel { execution, reason, answered } => {
                Self::Cancel { execution: id(&execution)?, reason, answered }
            }
            CallText::Emit { events } => Self::Emit(
                events
                    .into_iter()
                    .map(|it| Emitted { payload: payload(&it.payload), name: it.name })
                    .collect(),
            ),
            CallText::NextUpdate { name } => Self::NextUpdate { name },
            CallText::Send { execution, signal, payload: it, answered } => {
                Self::Send { execution: id(&execution)?, signal, payload: payload(&it), answered }
            }
            CallText::Signal { name } => Self::Signal { name },
            CallText::Task(task) => Self::Task(TaskCall {
                input: payload(&task.input),
                name: task.name,
                inline: task.inline,
                key: task.key,
                timeout_ms: task.timeout_ms,
                retry: task.retry.into(),
                total_ms: task.total_ms,
                final_errors: task.final_errors,
                heartbeat_ms: task.heartbeat_ms,
            }),
            CallText::Timer { due } => Self::Timer { due },
            CallText::Update { execution, name, input, start } => Self::Update {
                execution: id(&execution)?,
                name,
                input: payload(&input),
                start: start.as_ref().map(payload),
            },
            CallText::Workflow { execution, input, detached, answered, close, attributes } => {
                Self::Workflow {
                    execution: id(&execution)?,
                    input: payload(&input),
                    detached,
                    answered,
                    close: close.into(),
                    attributes: attributes.into_iter().map(|(name, it)| (name, it.into())).collect(),
                }
            }
        })
    }
}
