//! Updates on their way: from one execution to another, from clients, and the answers back.

use std::collections::BTreeMap;
use std::time::Duration;

use eventual_core::{Answer, ExecutionId, Fact, Outcome, Payload, Seq};

use crate::client::{Client, ClientError};
use crate::engine::Engine;
use crate::fits;
use crate::operations::{closed, not_found};
use crate::ports::{Awaited, Fault, Insert, Message, Meta};

/// How long a client waits for the answer to an update: less than any gateway on the way gives up after.
pub const UPDATE_WAIT: Duration = Duration::from_secs(20);

/// An update as a client sends it.
#[derive(Clone, Debug)]
pub struct UpdateRequest {
    /// Name of the update.
    pub name: String,
    /// What is asked.
    pub input: Payload,
    /// Names this update, so that it can be sent again without being made twice; random without.
    pub id: Option<String>,
    /// The input with which the execution is started if there is none of its id.
    pub start: Option<Payload>,
}

impl Engine {
    /// Sends the update that an execution asks for, or the answer that it cannot be sent.
    pub(crate) async fn ask_update(
        &self,
        asker: &Meta,
        seq: Seq,
        execution: &ExecutionId,
        update: UpdateRequest,
    ) -> Result<(), Fault> {
        let key = asker.key_of(seq);
        let there = match &update.start {
            None => self.ports.store.meta(execution).await?,
            Some(input) => {
                let new = self.new_meta(execution, input, &BTreeMap::new());
                match self.ports.store.insert(&new).await? {
                    Insert::Exists(there) => Some(*there),
                    Insert::Inserted => Some(new),
                }
            }
        };
        let refusal = match there {
            None => not_found(execution),
            Some(meta) if meta.status.is_closed() => match self.recorded_answer(&meta, &key).await? {
                Some(outcome) => outcome,
                None => closed(&meta),
            },
            Some(meta) => {
                let UpdateRequest { name, input, .. } = update;
                let fact = Fact::Update { id: key, name, input, from: Some(asker.caller(seq)) };
                return self.ports.dispatch.wake(execution, &meta.message(vec![fact])).await;
            }
        };
        let fact = Fact::UpdateDone { seq, outcome: refusal };
        self.ports.dispatch.wake(&asker.id, &asker.message(vec![fact])).await
    }

    /// The answer that a closed execution gave.
    async fn recorded_answer(&self, meta: &Meta, update: &str) -> Result<Option<Outcome>, Fault> {
        let turns = self.ports.store.turns(&meta.id, 0).await?;
        let mut answers = turns.into_iter().flat_map(|it| it.answers);
        Ok(answers.find(|it| it.id == update).map(|it| it.outcome))
    }

    /// Delivers an answer to whoever asked.
    pub(crate) async fn deliver_answer(&self, id: &ExecutionId, answer: &Answer) -> Result<(), Fault> {
        let outcome = answer.outcome.clone();
        match &answer.to {
            None => self.ports.store.answer(id, &answer.id, &outcome).await,
            Some(asker) => {
                let fact = Fact::UpdateDone { seq: asker.seq, outcome };
                self.ports.dispatch.wake(&asker.execution, &Message::answering(asker, fact)).await
            }
        }
    }

    /// Answers updates that came to a closed execution, and that no turn of it recorded.
    pub(crate) async fn refuse_late_updates(&self, meta: &Meta, facts: &[&Fact]) -> Result<(), Fault> {
        for fact in facts {
            let Fact::Update { id, from, .. } = fact else { continue };
            let answer = Answer { id: id.clone(), outcome: closed(meta), to: from.clone() };
            self.deliver_answer(&meta.id, &answer).await?;
        }
        Ok(())
    }
}

impl Client {
    /// Asks an execution for a change and waits for its answer, up to [`UPDATE_WAIT`].
    ///
    /// # Errors
    /// When there is no such execution, it has ended, or the handler did not declare its workflow;
    /// [`ClientError::Unanswered`] when the answer takes longer: it can be asked for again under the same id.
    pub async fn update(&self, id: &ExecutionId, update: UpdateRequest) -> Result<Outcome, ClientError> {
        self.check_workflow("updates executions of workflow", id.workflow())?;
        fits::message("update", &update.name, &update.input)?;
        if let Some(key) = &update.id
            && let Some(answer) = self.ports().store.answered(id, key).await?
        {
            return Ok(answer);
        }
        let key = update.id.unwrap_or_else(|| self.unique());
        let fact =
            Fact::Update { id: key.clone(), name: update.name.clone(), input: update.input, from: None };
        let start = update.start.map(|input| (input, BTreeMap::new()));
        self.start_and_tell(id, start, fact).await?;
        let answered = self
            .once(id, Awaited::Turn, || Box::pin(async { Ok(self.ports().store.answered(id, &key).await?) }));
        tokio::time::timeout(UPDATE_WAIT, answered).await.unwrap_or_else(|_| {
            Err(ClientError::Unanswered(format!(
                "{id} did not answer update `{}` within {UPDATE_WAIT:?}; ask again with the update's id {key:?} for its answer",
                update.name
            )))
        })
    }
}
