//! The shapes of the texts: one mirror type for each core value, with the conversions both ways.

use eventual_core::{
    Answer, Attempt, Attribute, Caller, Continued, ExecutionId, Fact, FactKey, Outcome, Payload, Run, Stop,
    Turn,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

mod attribute;
mod calls;
mod facts;
mod forward;
mod lists;
mod messages;
mod outcomes;
mod retry;

use calls::CallText;
use facts::KeyText;

pub use attribute::AttributeText;
pub(in crate::codec) use facts::FactText;
pub(in crate::codec) use forward::{ForwardText, ForwardedText};
pub(in crate::codec) use lists::ListText;
pub(in crate::codec) use messages::{MessageText, MetaText, TaskRequestText, TimerText};
pub(in crate::codec) use outcomes::{AttemptRecordText, OutcomeText};

/// A payload as the JSON that it is. One that is not JSON (a foreign codec) becomes `null`; hosts refuse such
/// payloads where they come in. Neither way is its text copied more than once.
pub(in crate::codec) struct Raw(Payload);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::from_slice::<&RawValue>(self.0.as_bytes()).unwrap_or(RawValue::NULL);
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|text| Self(Payload::from(text.get())))
    }
}

fn raw(payload: &Payload) -> Raw {
    Raw(payload.clone())
}

fn payload(raw: &Raw) -> Payload {
    raw.0.clone()
}

/// A caller without its run, which stands in a member of its own: whoever knows no runs still reads the rest.
fn caller((execution, seq): (String, u32), run: Option<&RunText>) -> Result<Caller, String> {
    Ok(Caller { execution: id(&execution)?, run: run.map(|it| it.0), seq })
}

fn caller_text(caller: &Caller) -> (String, u32) {
    (caller.execution.to_string(), caller.seq)
}

fn run_text(caller: Option<&Caller>) -> Option<RunText> {
    caller.and_then(|it| it.run).map(RunText)
}

/// A run as its digits.
#[derive(Clone, Copy)]
pub(in crate::codec) struct RunText(pub(in crate::codec) Run);

impl Serialize for RunText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RunText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let run = Run::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a run")))?;
        Ok(Self(run))
    }
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
    dropped: Vec<(u32, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    markers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<AnswerText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    continued: Option<ContinuedText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<(String, Option<AttributeText>)>,
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
            dropped: turn.dropped.clone(),
            markers: turn.markers.clone(),
            answers: turn.answers.iter().map(AnswerText::from).collect(),
            continued: turn.continued.as_ref().map(ContinuedText::from),
            attributes: turn
                .attributes
                .iter()
                .map(|(name, it)| (name.clone(), it.as_ref().map(AttributeText::from)))
                .collect(),
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
            dropped: text.dropped,
            markers: text.markers,
            answers: text.answers.into_iter().map(Answer::try_from).collect::<Result<_, _>>()?,
            continued: text.continued.map(Continued::try_from).transpose()?,
            attributes: text
                .attributes
                .into_iter()
                .map(|(name, it)| (name, it.map(Attribute::from)))
                .collect(),
            end: text.end.map(Outcome::from),
            parked: text.parked,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct AnswerText {
    id: String,
    outcome: OutcomeText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<(String, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "toRun")]
    to_run: Option<RunText>,
}

impl From<&Answer> for AnswerText {
    fn from(answer: &Answer) -> Self {
        let (to, to_run) = (answer.to.as_ref().map(caller_text), run_text(answer.to.as_ref()));
        Self { id: answer.id.clone(), outcome: (&answer.outcome).into(), to, to_run }
    }
}

impl TryFrom<AnswerText> for Answer {
    type Error = String;
    fn try_from(text: AnswerText) -> Result<Self, String> {
        let to = text.to.map(|it| caller(it, text.to_run.as_ref())).transpose()?;
        Ok(Self { id: text.id, outcome: text.outcome.into(), to })
    }
}

#[derive(Serialize, Deserialize)]
struct ContinuedText {
    input: Raw,
    next: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    facts: Vec<FactText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<KeyText>,
    #[serde(default)]
    cancelled: bool,
}

impl From<&Continued> for ContinuedText {
    fn from(it: &Continued) -> Self {
        Self {
            input: raw(&it.input),
            next: it.next,
            facts: it.facts.iter().map(FactText::from).collect(),
            seen: it.seen.iter().filter_map(KeyText::of).collect(),
            cancelled: it.cancelled,
        }
    }
}

impl TryFrom<ContinuedText> for Continued {
    type Error = String;
    fn try_from(text: ContinuedText) -> Result<Self, String> {
        Ok(Self {
            input: payload(&text.input),
            next: text.next,
            facts: text.facts.into_iter().map(Fact::try_from).collect::<Result<_, _>>()?,
            seen: text.seen.into_iter().map(FactKey::from).collect(),
            cancelled: text.cancelled,
        })
    }
}
