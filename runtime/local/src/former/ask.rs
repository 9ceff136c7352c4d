//! The calls that a former program makes on the ports of the program that serves, and their answers: written, read, performed.
//! Deliberately no more than the ports themselves: what a call means is in `eventual_engine::ports`.

use eventual_core::{Emitted, ExecutionId, Millis, Outcome, Payload, Run, Turn};
use eventual_engine::codec::{self, ForwardMessage};
use eventual_engine::ports::{
    AttemptId, AttemptRecord, Beat, Commit, Completed, Fault, Forwarded, Insert, ListQuery, Message, Meta,
    Page, Ports, TaskRequest, Timer,
};

use super::frames::{Frame, Parts, shown};

/// A call.
#[derive(Debug, PartialEq)]
pub(crate) enum Ask {
    Answer(ExecutionId, String, Outcome),
    Answered(ExecutionId, String),
    AttemptOf(AttemptId),
    CancelAttempt(AttemptId),
    Claim(AttemptId, u64),
    Commit(ExecutionId, Box<Turn>),
    CompleteAttempt(AttemptId, Outcome),
    Emit(String, Vec<Emitted>),
    Finish(Box<Meta>, Box<Turn>),
    Forward(Box<ForwardMessage>),
    Heartbeat(AttemptId, Millis, Option<Payload>),
    Insert(Box<Meta>),
    List(Box<ListQuery>),
    Meta(ExecutionId),
    Retire(ExecutionId, u64),
    SetAttributes(Box<Meta>, Vec<String>),
    SetStatus(Box<Meta>),
    Task(Box<TaskRequest>),
    Timer(Box<Timer>),
    Turns(ExecutionId, u64),
    Wake(ExecutionId, Message),
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Reply {
    Attempt(Option<AttemptRecord>),
    Beat(Beat),
    Claimed(bool),
    Committed(Commit),
    Completed(Completed),
    Done,
    Forwarded(Forwarded),
    Inserted(Insert),
    Meta(Option<Box<Meta>>),
    Outcome(Option<Outcome>),
    Page(Page),
    Turns(Vec<Turn>),
}

impl Ask {
    pub(crate) fn encode(&self, to: Frame) -> Frame {
        match self {
            Self::Answer(id, update, outcome) => {
                let to = to.text("store.answer").text(id.as_str()).text(update);
                to.text(&codec::encode_outcome(outcome))
            }
            Self::Answered(id, update) => to.text("store.answered").text(id.as_str()).text(update),
            Self::AttemptOf(it) => encode_attempt(to.text("store.attemptOf"), it),
            Self::CancelAttempt(it) => encode_attempt(to.text("store.cancelAttempt"), it),
            Self::Claim(it, lease_ms) => encode_attempt(to.text("store.claim"), it).number(lease_ms),
            Self::Commit(id, turn) => {
                to.text("store.commit").text(id.as_str()).text(&codec::encode_turn(turn))
            }
            Self::CompleteAttempt(it, outcome) => {
                encode_attempt(to.text("store.completeAttempt"), it).text(&codec::encode_outcome(outcome))
            }
            Self::Emit(key, events) => {
                let to = to.text("dispatch.emit").text(key).all(events.iter().map(|it| &it.name));
                to.all(events.iter().map(|it| it.payload.as_bytes()))
            }
            Self::Finish(meta, turn) => {
                to.text("store.finish").text(&codec::encode_meta(meta)).text(&codec::encode_turn(turn))
            }
            Self::Forward(it) => to.text("dispatch.forward").text(&codec::encode_forward(it)),
            Self::Heartbeat(it, now, details) => {
                let to = encode_attempt(to.text("store.heartbeat"), it).number(now);
                to.maybe(details.as_ref().map(Payload::as_bytes))
            }
            Self::Insert(meta) => to.text("store.insert").text(&codec::encode_meta(meta)),
            Self::List(query) => to.text("store.list").text(&codec::encode_list(query)),
            Self::Meta(id) => to.text("store.meta").text(id.as_str()),
            Self::Retire(id, before) => to.text("store.retire").text(id.as_str()).number(before),
            Self::SetAttributes(meta, changed) => {
                to.text("store.setAttributes").text(&codec::encode_meta(meta)).all(changed.iter())
            }
            Self::SetStatus(meta) => to.text("store.setStatus").text(&codec::encode_meta(meta)),
            Self::Task(request) => to.text("dispatch.task").text(&codec::encode_task(request)),
            Self::Timer(timer) => to.text("dispatch.timer").text(&codec::encode_timer(timer)),
            Self::Turns(id, after) => to.text("store.turns").text(id.as_str()).number(after),
            Self::Wake(id, message) => {
                to.text("dispatch.wake").text(id.as_str()).text(&codec::encode_message(message))
            }
        }
    }

    /// Reads what [`Ask::encode`] wrote.
    pub(crate) fn decode(from: &mut Parts<'_>) -> Result<Self, String> {
        let kind = from.text()?;
        Ok(match kind {
            "store.answer" => Self::Answer(id(from)?, from.text()?.to_owned(), outcome(from.bytes()?)?),
            "store.answered" => Self::Answered(id(from)?, from.text()?.to_owned()),
            "store.attemptOf" => Self::AttemptOf(attempt(from)?),
            "store.cancelAttempt" => Self::CancelAttempt(attempt(from)?),
            "store.claim" => Self::Claim(attempt(from)?, from.number()?),
            "store.commit" => Self::Commit(id(from)?, Box::new(turn(from.bytes()?)?)),
            "store.completeAttempt" => Self::CompleteAttempt(attempt(from)?, outcome(from.bytes()?)?),
            "store.finish" => Self::Finish(Box::new(meta(from.bytes()?)?), Box::new(turn(from.bytes()?)?)),
            "store.heartbeat" => {
                let (it, now) = (attempt(from)?, from.number()?);
                Self::Heartbeat(it, now, from.maybe()?.map(|it| Payload::from(it.to_vec())))
            }
            "store.insert" => Self::Insert(Box::new(meta(from.bytes()?)?)),
            "store.list" => Self::List(Box::new(read(codec::decode_list, from.bytes()?)?)),
            "store.meta" => Self::Meta(id(from)?),
            "store.retire" => Self::Retire(id(from)?, from.number()?),
            "store.setAttributes" => Self::SetAttributes(
                Box::new(meta(from.bytes()?)?),
                from.all(|it| text(it).map(str::to_owned))?,
            ),
            "store.setStatus" => Self::SetStatus(Box::new(meta(from.bytes()?)?)),
            "store.turns" => Self::Turns(id(from)?, from.number()?),
            _ => return Self::decode_dispatch(kind, from),
        })
    }

    fn decode_dispatch(kind: &str, from: &mut Parts<'_>) -> Result<Self, String> {
        Ok(match kind {
            "dispatch.emit" => {
                let key = from.text()?.to_owned();
                let names = from.all(|it| text(it).map(str::to_owned))?;
                let payloads = from.all(|it| Ok(Payload::from(it.to_vec())))?;
                if names.len() != payloads.len() {
                    return Err("events without payloads, or payloads without events".to_owned());
                }
                let events = names.into_iter().zip(payloads);
                Self::Emit(key, events.map(|(name, payload)| Emitted { name, payload }).collect())
            }
            "dispatch.forward" => Self::Forward(Box::new(read(codec::decode_forward, from.bytes()?)?)),
            "dispatch.task" => Self::Task(Box::new(read(codec::decode_task, from.bytes()?)?)),
            "dispatch.timer" => Self::Timer(Box::new(read(codec::decode_timer, from.bytes()?)?)),
            "dispatch.wake" => Self::Wake(id(from)?, read(codec::decode_message, from.bytes()?)?),
            other => return Err(format!("{:?} is no call that can be asked for", shown(other))),
        })
    }

    /// Makes the call.
    pub(crate) async fn perform(self, ports: &Ports) -> Result<Reply, Fault> {
        let store = &ports.store;
        Ok(match self {
            Self::Answer(id, update, outcome) => {
                store.answer(&id, &update, &outcome).await?;
                Reply::Done
            }
            Self::Answered(id, update) => Reply::Outcome(store.answered(&id, &update).await?),
            Self::AttemptOf(it) => Reply::Attempt(store.attempt_of(&it).await?),
            Self::CancelAttempt(it) => Reply::Outcome(store.cancel_attempt(&it).await?),
            Self::Claim(it, lease_ms) => Reply::Claimed(store.claim(&it, lease_ms).await?),
            Self::Commit(id, turn) => Reply::Committed(store.commit(&id, &turn).await?),
            Self::CompleteAttempt(it, outcome) => {
                Reply::Completed(store.complete_attempt(&it, &outcome).await?)
            }
            Self::Finish(meta, turn) => Reply::Committed(store.finish(&meta, &turn).await?),
            Self::Heartbeat(it, now, details) => {
                Reply::Beat(store.heartbeat(&it, now, details.as_ref()).await?)
            }
            Self::Insert(meta) => Reply::Inserted(store.insert(&meta).await?),
            Self::List(query) => Reply::Page(store.list(&query).await?),
            Self::Meta(id) => Reply::Meta(store.meta(&id).await?.map(Box::new)),
            Self::Retire(id, before) => {
                store.retire(&id, before).await?;
                Reply::Done
            }
            Self::SetAttributes(meta, changed) => {
                store.set_attributes(&meta, &changed).await?;
                Reply::Done
            }
            Self::SetStatus(meta) => {
                store.set_status(&meta).await?;
                Reply::Done
            }
            Self::Turns(id, after) => Reply::Turns(store.turns(&id, after).await?),
            other => return other.perform_dispatch(ports).await,
        })
    }

    async fn perform_dispatch(self, ports: &Ports) -> Result<Reply, Fault> {
        let dispatch = &ports.dispatch;
        match self {
            Self::Emit(key, events) => dispatch.emit(&key, &events).await?,
            Self::Forward(it) => {
                let forwarded = dispatch.forward(&it.code, &it.execution, &it.forward).await?;
                return Ok(Reply::Forwarded(forwarded));
            }
            Self::Task(request) => dispatch.task(&request).await?,
            Self::Timer(timer) => dispatch.timer(&timer).await?,
            Self::Wake(id, message) => dispatch.wake(&id, &message).await?,
            other => {
                return Err(Fault::new(format!("{other:?}"), "it is no delivery: this is a bug of eventual"));
            }
        }
        Ok(Reply::Done)
    }
}

impl Reply {
    pub(crate) fn encode(&self, to: Frame) -> Frame {
        match self {
            Self::Attempt(record) => to.text("attempt").maybe(record.as_ref().map(codec::encode_attempt)),
            Self::Beat(beat) => to.text("beat").number(beat.cancelled),
            Self::Claimed(is_ours) => to.text("claimed").number(is_ours),
            Self::Committed(commit) => to.text("committed").number(*commit == Commit::Written),
            Self::Completed(Completed::Before(outcome)) => {
                to.text("completed").text("before").text(&codec::encode_outcome(outcome))
            }
            Self::Completed(Completed::Cancelled) => to.text("completed").text("cancelled"),
            Self::Completed(Completed::Kept) => to.text("completed").text("kept"),
            Self::Done => to.text("done"),
            Self::Forwarded(it) => to.text("forwarded").text(&codec::encode_forwarded(it)),
            Self::Inserted(Insert::Exists(meta)) => to.text("inserted").maybe(Some(codec::encode_meta(meta))),
            Self::Inserted(Insert::Inserted) => to.text("inserted").maybe(None::<&str>),
            Self::Meta(meta) => to.text("meta").maybe(meta.as_deref().map(codec::encode_meta)),
            Self::Outcome(outcome) => to.text("outcome").maybe(outcome.as_ref().map(codec::encode_outcome)),
            Self::Page(page) => {
                to.text("page").maybe(page.next.as_ref()).all(page.executions.iter().map(codec::encode_meta))
            }
            Self::Turns(turns) => to.text("turns").all(turns.iter().map(codec::encode_turn)),
        }
    }

    /// Reads what [`Reply::encode`] wrote.
    pub(crate) fn decode(from: &mut Parts<'_>) -> Result<Self, String> {
        Ok(match from.text()? {
            "attempt" => Self::Attempt(from.maybe()?.map(|it| read(codec::decode_attempt, it)).transpose()?),
            "beat" => Self::Beat(Beat { cancelled: from.number()? }),
            "claimed" => Self::Claimed(from.number()?),
            "committed" => Self::Committed(if from.number()? { Commit::Written } else { Commit::Taken }),
            "completed" => Self::Completed(match from.text()? {
                "before" => Completed::Before(outcome(from.bytes()?)?),
                "cancelled" => Completed::Cancelled,
                "kept" => Completed::Kept,
                other => return Err(format!("{:?} is no answer to a completion", shown(other))),
            }),
            "done" => Self::Done,
            "forwarded" => Self::Forwarded(read(codec::decode_forwarded, from.bytes()?)?),
            "inserted" => Self::Inserted(match from.maybe()? {
                Some(before) => Insert::Exists(Box::new(meta(before)?)),
                None => Insert::Inserted,
            }),
            "meta" => Self::Meta(from.maybe()?.map(meta).transpose()?.map(Box::new)),
            "outcome" => Self::Outcome(from.maybe()?.map(outcome).transpose()?),
            "page" => {
                let next = from.maybe()?.map(text).transpose()?.map(str::to_owned);
                Self::Page(Page { executions: from.all(meta)?, next })
            }
            "turns" => Self::Turns(from.all(turn)?),
            other => return Err(format!("{:?} is no answer to a call", shown(other))),
        })
    }
}

fn read<T, E: ToString>(decode: impl FnOnce(&[u8]) -> Result<T, E>, bytes: &[u8]) -> Result<T, String> {
    decode(bytes).map_err(|error| error.to_string())
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| error.to_string())
}

fn id(from: &mut Parts<'_>) -> Result<ExecutionId, String> {
    ExecutionId::parse(from.text()?).map_err(|error| error.to_string())
}

fn meta(bytes: &[u8]) -> Result<Meta, String> {
    read(codec::decode_meta, bytes)
}

fn turn(bytes: &[u8]) -> Result<Turn, String> {
    read(codec::decode_turn, bytes)
}

fn outcome(bytes: &[u8]) -> Result<Outcome, String> {
    read(codec::decode_outcome, bytes)
}

fn encode_attempt(to: Frame, it: &AttemptId) -> Frame {
    let to = to.text(it.execution.as_str()).maybe(it.run.map(|it| it.to_string()));
    to.number(it.seq).number(it.attempt)
}

fn attempt(from: &mut Parts<'_>) -> Result<AttemptId, String> {
    let execution = id(from)?;
    let run =
        |it: &[u8]| text(it).ok().and_then(Run::parse).ok_or_else(|| "no run of an execution".to_owned());
    let run = from.maybe()?.map(run).transpose()?;
    Ok(AttemptId { execution, run, seq: from.number()?, attempt: from.number()? })
}

#[cfg(test)]
mod tests;
