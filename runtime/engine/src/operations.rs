//! Operations on other executions that workflow code asks for: start, signal, cancel. Performed after the commit by whoever
//! took the turn, so that the code learns whether they were possible.
//!
//! An operation may be performed twice, when the process dies before its outcome is recorded. The receiver drops the second
//! message; the outcome of the second is the one that the code learns. A receiver that has ended since is asked for the first.

use std::collections::BTreeMap;

use eventual_core::{Attribute, Call, ExecutionId, Fact, Outcome, Payload, Seq};
use futures_util::future::try_join_all;

use crate::codec;
use crate::engine::Engine;
use crate::ports::{Fault, Insert, Message, Meta};

impl Engine {
    /// Performs operations: starts first, because a signal may be meant for what is started.
    pub(crate) async fn operate_all(
        &self,
        meta: &Meta,
        operations: Vec<(Seq, Call)>,
    ) -> Result<Vec<Fact>, Fault> {
        let (starts, others): (Vec<_>, Vec<_>) =
            operations.into_iter().partition(|(_, call)| matches!(call, Call::Workflow { .. }));
        let mut facts = Vec::new();
        for part in [starts, others] {
            let done = part.iter().map(async |(seq, call)| {
                let outcome = self.operate(meta, *seq, call).await?;
                Ok::<_, Fault>(Fact::OperationDone { seq: *seq, outcome })
            });
            facts.extend(try_join_all(done).await?);
        }
        Ok(facts)
    }

    /// Performs one operation.
    pub(crate) async fn operate(&self, meta: &Meta, seq: Seq, call: &Call) -> Result<Outcome, Fault> {
        match call {
            Call::Cancel { execution, reason, .. } => {
                self.tell_open(execution, Fact::CancelRequested { reason: reason.clone() }).await
            }
            Call::Send { execution, signal, payload, .. } => {
                let (name, payload) = (signal.clone(), payload.clone());
                self.tell_open(execution, Fact::Signal { id: meta.key_of(seq), name, payload }).await
            }
            Call::Workflow { execution, input, attributes, .. } => {
                self.start_detached(&self.new_meta(execution, input, attributes)).await
            }
            other => Ok(Outcome::Crashed(format!("a {} is no operation", other.kind()))),
        }
    }

    /// Sends a fact to an execution that is there and has not ended.
    async fn tell_open(&self, execution: &ExecutionId, fact: Fact) -> Result<Outcome, Fault> {
        match self.ports.store.meta(execution).await? {
            None => Ok(not_found(execution)),
            Some(meta) if meta.status.is_closed() => {
                let turns = self.ports.store.turns(execution, 0).await?;
                let taken = turns.iter().flat_map(|it| &it.facts).any(|it| *it == fact);
                Ok(if taken { Outcome::Succeeded(Payload::null()) } else { closed(&meta) })
            }
            Some(meta) => {
                self.ports.dispatch.wake(execution, &meta.message(vec![fact])).await?;
                Ok(Outcome::Succeeded(Payload::null()))
            }
        }
    }

    async fn start_detached(&self, meta: &Meta) -> Result<Outcome, Fault> {
        let execution = &meta.id;
        match self.ports.store.insert(meta).await? {
            Insert::Exists(other) if !codec::same(&other.input, &meta.input) => {
                let message = format!("execution {execution} was started before with another input");
                Ok(Outcome::refused(CONFLICT, message, 409))
            }
            _ => {
                self.ports.dispatch.wake(execution, &Message::default()).await?;
                Ok(Outcome::Succeeded(Payload::null()))
            }
        }
    }

    /// A new execution that begins now on the code that runs here.
    pub(crate) fn new_meta(
        &self,
        id: &ExecutionId,
        input: &Payload,
        attributes: &BTreeMap<String, Attribute>,
    ) -> Meta {
        self.client.new_meta(id.clone(), input.clone(), attributes.clone())
    }
}

/// Class of the error of a child under a name that is taken.
pub(crate) const EXISTS: &str = "ExecutionAlreadyExists";
/// Classes of the errors that clients get of the same operations.
const CONFLICT: &str = "ClientError::Conflict";
const NOT_FOUND: &str = "ClientError::NotFound";

pub(crate) fn not_found(execution: &ExecutionId) -> Outcome {
    Outcome::refused(NOT_FOUND, format!("there is no execution {execution}"), 404)
}

pub(crate) fn closed(meta: &Meta) -> Outcome {
    let message =
        format!("execution {} has ended ({}); it takes no more messages", meta.id, meta.status.as_str());
    Outcome::refused(CONFLICT, message, 409)
}
