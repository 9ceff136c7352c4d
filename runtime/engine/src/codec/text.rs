//! The shapes of the texts: one mirror type for each core value, with the conversions both ways.

use eventual_core::{
    Attempt, Call, Emitted, ExecutionId, Fact, Failure, Outcome, ParentClose, Payload, RetryPolicy, Stop,
    TaskCall, Turn,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod messages;

pub(in crate::codec) use messages::{MessageText, MetaText, TaskRequestText, TimerText};

type Raw = Box<RawValue>;

/// A payload as the JSON that it is. One that is not JSON (a foreign codec) becomes `null`; hosts refuse such
/// payloads where they come in.
fn raw(payload: &Payload) -> Raw {
    std::str::from_utf8(payload.as_bytes())
        .ok()
        .and_then(|text| RawValue::from_string(text.to_owned()).ok())
        .unwrap_or_else(|| RawValue::NULL.to_owned())
}

fn payload(raw: &RawValue) -> Payload {
    Payload::from(raw.get())
}

fn id(text: &str) -> Result<ExecutionId, String> {
    ExecutionId::parse(text).map_err(String::from)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TurnText {
    number: u64,
    time: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    facts: Vec<FactText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<SeqCall>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stops: Vec<StopText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    markers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<OutcomeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parked: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StopText {
    execution: String,
    #[serde(default)]
    terminate: bool,
}

#[derive(Serialize, Deserialize)]
struct SeqCall {
    seq: u32,
    call: CallText,
}

#[derive(Serialize, Deserialize)]
struct AttemptText {
    seq: u32,
    attempt: u32,
    at: u64,
}

impl From<&Turn> for TurnText {
    fn from(turn: &Turn) -> Self {
        Self {
            number: turn.number,
            time: turn.time,
            facts: turn.facts.iter().map(FactText::from).collect(),
            calls: turn.calls.iter().map(|(seq, call)| SeqCall { seq: *seq, call: call.into() }).collect(),
            attempts: turn
                .attempts
                .iter()
                .map(|it| AttemptText { seq: it.seq, attempt: it.attempt, at: it.at })
                .collect(),
            stops: turn
                .stops
                .iter()
                .map(|it| StopText { execution: it.execution.to_string(), terminate: it.terminate })
                .collect(),
            markers: turn.markers.clone(),
            end: turn.end.as_ref().map(OutcomeText::from),
            parked: turn.parked.clone(),
        }
    }
}

impl TryFrom<TurnText> for Turn {
    type Error = String;
    fn try_from(text: TurnText) -> Result<Self, String> {
        Ok(Self {
            number: text.number,
            time: text.time,
            facts: text.facts.into_iter().map(Fact::try_from).collect::<Result<_, _>>()?,
            calls: text
                .calls
                .into_iter()
                .map(|it| Ok((it.seq, it.call.try_into()?)))
                .collect::<Result<_, String>>()?,
            attempts: text
                .attempts
                .into_iter()
                .map(|it| Attempt { seq: it.seq, attempt: it.attempt, at: it.at })
                .collect(),
            stops: text
                .stops
                .into_iter()
                .map(|it| Ok(Stop { execution: id(&it.execution)?, terminate: it.terminate }))
                .collect::<Result<_, String>>()?,
            markers: text.markers,
            end: text.end.map(Outcome::from),
            parked: text.parked,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum FactText {
    CancelRequested {
        #[serde(default)]
        reason: String,
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
}

impl From<&Fact> for FactText {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::CancelRequested { reason } => Self::CancelRequested { reason: reason.clone() },
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
        }
    }
}

impl TryFrom<FactText> for Fact {
    type Error = String;
    fn try_from(text: FactText) -> Result<Self, String> {
        Ok(match text {
            FactText::CancelRequested { reason } => Self::CancelRequested { reason },
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
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum OutcomeText {
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

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum CallText {
    Cancel {
        execution: String,
        #[serde(default)]
        reason: String,
    },
    Emit {
        events: Vec<EmittedText>,
    },
    Send {
        execution: String,
        signal: String,
        payload: Raw,
    },
    Signal {
        name: String,
    },
    Task(TaskText),
    Timer {
        due: u64,
    },
    Workflow {
        execution: String,
        input: Raw,
        #[serde(default)]
        detached: bool,
        #[serde(default, skip_serializing_if = "CloseText::is_cancel")]
        close: CloseText,
    },
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum CloseText {
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
struct TaskText {
    name: String,
    input: Raw,
    #[serde(default)]
    inline: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    timeout_ms: u64,
    retry: RetryText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    final_errors: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetryText {
    attempts: u32,
    errors: bool,
    initial_ms: u64,
    backoff_percent: u32,
    max_ms: u64,
    #[serde(default)]
    jitter_percent: u32,
}

impl From<&Emitted> for EmittedText {
    fn from(event: &Emitted) -> Self {
        Self { name: event.name.clone(), payload: raw(&event.payload) }
    }
}

impl From<&Call> for CallText {
    fn from(call: &Call) -> Self {
        match call {
            Call::Cancel { execution, reason } => {
                Self::Cancel { execution: execution.to_string(), reason: reason.clone() }
            }
            Call::Emit(events) => Self::Emit { events: events.iter().map(EmittedText::from).collect() },
            Call::Send { execution, signal, payload } => {
                Self::Send { execution: execution.to_string(), signal: signal.clone(), payload: raw(payload) }
            }
            Call::Signal { name } => Self::Signal { name: name.clone() },
            Call::Task(task) => Self::Task(TaskText {
                name: task.name.clone(),
                input: raw(&task.input),
                inline: task.inline,
                key: task.key.clone(),
                timeout_ms: task.timeout_ms,
                retry: RetryText {
                    attempts: task.retry.attempts,
                    errors: task.retry.errors,
                    initial_ms: task.retry.initial_ms,
                    backoff_percent: task.retry.backoff_percent,
                    max_ms: task.retry.max_ms,
                    jitter_percent: task.retry.jitter_percent,
                },
                total_ms: task.total_ms,
                final_errors: task.final_errors.clone(),
            }),
            Call::Timer { due } => Self::Timer { due: *due },
            Call::Workflow { execution, input, detached, close } => Self::Workflow {
                execution: execution.to_string(),
                input: raw(input),
                detached: *detached,
                close: (*close).into(),
            },
        }
    }
}

impl TryFrom<CallText> for Call {
    type Error = String;
    fn try_from(text: CallText) -> Result<Self, String> {
        Ok(match text {
            CallText::Cancel { execution, reason } => Self::Cancel { execution: id(&execution)?, reason },
            CallText::Emit { events } => Self::Emit(
                events
                    .into_iter()
                    .map(|it| Emitted { payload: payload(&it.payload), name: it.name })
                    .collect(),
            ),
            CallText::Send { execution, signal, payload: it } => {
                Self::Send { execution: id(&execution)?, signal, payload: payload(&it) }
            }
            CallText::Signal { name } => Self::Signal { name },
            CallText::Task(task) => Self::Task(TaskCall {
                input: payload(&task.input),
                name: task.name,
                inline: task.inline,
                key: task.key,
                timeout_ms: task.timeout_ms,
                retry: RetryPolicy {
                    attempts: task.retry.attempts,
                    errors: task.retry.errors,
                    initial_ms: task.retry.initial_ms,
                    backoff_percent: task.retry.backoff_percent,
                    max_ms: task.retry.max_ms,
                    jitter_percent: task.retry.jitter_percent,
                },
                total_ms: task.total_ms,
                final_errors: task.final_errors,
            }),
            CallText::Timer { due } => Self::Timer { due },
            CallText::Workflow { execution, input, detached, close } => Self::Workflow {
                execution: id(&execution)?,
                input: payload(&input),
                detached,
                close: close.into(),
            },
        })
    }
}
