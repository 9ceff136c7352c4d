//! The shapes of what is known of an execution, and of what is on its way to one.

use std::collections::{BTreeMap, BTreeSet};

use eventual_core::{Fact, Outcome, Status};
use serde::{Deserialize, Serialize};

use super::facts::FactText;
use super::outcomes::OutcomeText;
use super::{AttributeText, Raw, RunText, caller, caller_text, payload, raw, run_text};
use crate::ports::{Message, Meta, Origin, Secret, TaskRequest, Timer};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codec) struct MetaText {
    execution: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunText>,
    status: String,
    input: Raw,
    started: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<OutcomeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parked: Option<String>,
    seed: u64,
    #[serde(default)]
    code: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    markers: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<(String, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_run: Option<RunText>,
    #[serde(default, skip_serializing_if = "is_zero")]
    base: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, AttributeText>,
    #[serde(default, skip_serializing_if = "is_zero")]
    as_of: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<OriginText>,
}

#[derive(Serialize, Deserialize)]
struct OriginText {
    from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunText>,
    turn: u64,
    root: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(it: &u64) -> bool {
    *it == 0
}

impl From<&Meta> for MetaText {
    fn from(meta: &Meta) -> Self {
        Self {
            execution: meta.id.to_string(),
            run: meta.run.map(RunText),
            status: meta.status.as_str().to_owned(),
            input: raw(&meta.input),
            started: meta.started,
            closed: meta.closed,
            end: meta.end.as_ref().map(OutcomeText::from),
            parked: meta.parked.clone(),
            seed: meta.seed,
            code: meta.code.clone(),
            pinned: meta.pinned,
            markers: meta.markers.clone(),
            parent: meta.parent.as_ref().map(caller_text),
            parent_run: run_text(meta.parent.as_ref()),
            base: meta.base,
            attributes: meta.attributes.iter().map(|(name, it)| (name.clone(), it.into())).collect(),
            as_of: meta.as_of,
            secret: meta.secret.as_text().to_owned(),
            origin: meta.origin.as_ref().map(|it| OriginText {
                from: it.from.to_string(),
                run: it.run.map(RunText),
                turn: it.turn,
                root: it.root.to_string(),
            }),
        }
    }
}

impl TryFrom<MetaText> for Meta {
    type Error = String;
    fn try_from(text: MetaText) -> Result<Self, String> {
        Ok(Self {
            id: super::id(&text.execution)?,
            run: text.run.map(|it| it.0),
            status: Status::parse(&text.status).ok_or_else(|| format!("unknown status {:?}", text.status))?,
            input: payload(&text.input),
            started: text.started,
            closed: text.closed,
            end: text.end.map(Outcome::from),
            parked: text.parked,
            seed: text.seed,
            code: text.code,
            pinned: text.pinned,
            markers: text.markers,
            parent: text.parent.map(|it| caller(it, text.parent_run.as_ref())).transpose()?,
            base: text.base,
            attributes: text.attributes.into_iter().map(|(name, it)| (name, it.into())).collect(),
            as_of: text.as_of,
            secret: Secret::from_text(text.secret),
            origin: text
                .origin
                .map(|it| {
                    let (from, root) = (super::id(&it.from)?, super::id(&it.root)?);
                    Ok::<_, String>(Origin { from, run: it.run.map(|it| it.0), turn: it.turn, root })
                })
                .transpose()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codec) struct MessageText {
    facts: Vec<FactText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunText>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    goes_on: bool,
}

impl From<&Message> for MessageText {
    fn from(message: &Message) -> Self {
        let facts = message.facts.iter().map(FactText::from).collect();
        Self { facts, run: message.run.map(RunText), goes_on: message.goes_on }
    }
}

impl TryFrom<MessageText> for Message {
    type Error = String;
    fn try_from(text: MessageText) -> Result<Self, String> {
        let facts = text.facts.into_iter().map(Fact::try_from).collect::<Result<_, _>>()?;
        Ok(Self { facts, run: text.run.map(|it| it.0), goes_on: text.goes_on })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codec) struct TaskRequestText {
    execution: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunText>,
    seq: u32,
    attempt: u32,
    task: String,
    input: Raw,
    idempotency_key: String,
    timeout_ms: u64,
    scheduled: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heartbeat_ms: Option<u64>,
}

impl From<&TaskRequest> for TaskRequestText {
    fn from(request: &TaskRequest) -> Self {
        Self {
            execution: request.execution.to_string(),
            run: request.run.map(RunText),
            seq: request.seq,
            attempt: request.attempt,
            task: request.task.clone(),
            input: raw(&request.input),
            idempotency_key: request.idempotency_key.clone(),
            timeout_ms: request.timeout_ms,
            scheduled: request.scheduled,
            heartbeat_ms: request.heartbeat_ms,
        }
    }
}

impl TryFrom<TaskRequestText> for TaskRequest {
    type Error = String;
    fn try_from(text: TaskRequestText) -> Result<Self, String> {
        Ok(Self {
            execution: super::id(&text.execution)?,
            run: text.run.map(|it| it.0),
            seq: text.seq,
            attempt: text.attempt,
            task: text.task,
            input: payload(&text.input),
            idempotency_key: text.idempotency_key,
            timeout_ms: text.timeout_ms,
            scheduled: text.scheduled,
            heartbeat_ms: text.heartbeat_ms,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::codec) struct TimerText {
    execution: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunText>,
    due: u64,
    fact: FactText,
}

impl From<&Timer> for TimerText {
    fn from(timer: &Timer) -> Self {
        let (execution, run) = (timer.execution.to_string(), timer.run.map(RunText));
        Self { execution, run, due: timer.due, fact: (&timer.fact).into() }
    }
}

impl TryFrom<TimerText> for Timer {
    type Error = String;
    fn try_from(text: TimerText) -> Result<Self, String> {
        let (execution, run) = (super::id(&text.execution)?, text.run.map(|it| it.0));
        Ok(Self { execution, run, due: text.due, fact: text.fact.try_into()? })
    }
}
