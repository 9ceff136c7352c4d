//! Versions of the code: which of them may take the turns of an execution, and who is asked when it is not this one.
//!
//! An execution of a pinned workflow stays on the code that it was started on. Whoever gets a message to it and runs other
//! code forwards the message; when nobody runs that code any more the execution is parked, and goes on when somebody does.
//! Everything else follows the newest code, with `changed` where histories have to fit.

use std::collections::BTreeSet;

use eventual_core::limits::LIST_PAGE_MAX;
use eventual_core::{Attribute, ExecutionId, Fact, Millis, Outcome, Payload, Status, Turn};
use eventual_schema::deploy::CODE_ATTRIBUTE;

use crate::advance::AdvanceError;
use crate::client::{Client, ClientError};
use crate::engine::Engine;
use crate::ports::{AttributeFilter, AttributeTest, Fault, Forward, Forwarded, ListQuery, Message, Meta};

impl Meta {
    /// The same execution, on `code` alone.
    #[must_use]
    pub(crate) fn pinned(mut self) -> Self {
        self.pinned = true;
        self.attributes.insert(CODE_ATTRIBUTE.to_owned(), Attribute::Text(self.code.clone()));
        self
    }

    /// Whether only other code than `code` may take its turns.
    pub(crate) fn is_foreign_to(&self, code: &str) -> bool {
        self.pinned && self.code != code
    }
}

impl Engine {
    /// Does what a process that runs other code cannot, [until](Self::advance_until) some time. Answers
    /// [`Forwarded::NoSuchCode`] when this one does not run `code` either: whoever keeps the addresses of code was mistaken.
    ///
    /// # Errors
    /// As of [`advance`](Self::advance).
    pub async fn forwarded(
        &self,
        code: &str,
        id: &ExecutionId,
        forward: Forward,
        until: Option<Millis>,
    ) -> Result<Forwarded, AdvanceError> {
        if code != &*self.code {
            return Ok(Forwarded::NoSuchCode);
        }
        match forward {
            Forward::Query { name, input } => match self.client.query(id, &name, input).await {
                Ok(outcome) => Ok(Forwarded::Answered(Ok(outcome))),
                Err(ClientError::Fault(fault)) => Err(fault.into()),
                Err(error) => Ok(Forwarded::Answered(Err(error.to_string()))),
            },
            Forward::Wake { message, redelivered } => {
                self.advance_until(id, message, redelivered, until).await?;
                Ok(Forwarded::Handled)
            }
        }
    }

    /// Lets those executions go on that were parked because nobody ran the code that they are pinned to: this code, and the codes
    /// `kept`, which others run for this process. For hosts of one machine, when a process begins. What is parked on this code
    /// goes on whatever the reason was. Answers how many there were.
    ///
    /// # Errors
    /// When the store fails; those that were not reached can be resumed one by one, or by the next process.
    pub async fn resume_pinned(&self, kept: &[String]) -> Result<u64, ClientError> {
        let mut parked = Vec::new();
        if !self.registry.pinned.is_empty() {
            let query = pinned_to(&self.code, Status::Parked);
            self.client.visit(&query, |it| parked.push(it.id.clone())).await?;
        }
        for code in kept.iter().filter(|it| **it != *self.code) {
            let waits = |it: &Meta| it.parked.as_ref().is_some_and(|why| why.starts_with(&why_not_run(it)));
            let query = pinned_to(code, Status::Parked);
            self.client.visit(&query, |it| parked.extend(waits(it).then(|| it.id.clone()))).await?;
        }
        for id in &parked {
            self.client.resume(id).await?;
        }
        Ok(parked.len() as u64)
    }

    /// Whether an open execution is pinned to `code`. It costs a look at every open one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_needed(&self, code: &str) -> Result<bool, Fault> {
        for status in Status::ALL.into_iter().filter(|it| !it.is_closed()) {
            let mut query = ListQuery { limit: 1, ..pinned_to(code, status) };
            loop {
                let page = self.ports.store.list(&query).await?;
                if !page.executions.is_empty() {
                    return Ok(true);
                }
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
        }
        Ok(false)
    }

    /// Has the code that an execution is pinned to handle a message, when that is not this code. `false` when it is this
    /// process that has to.
    pub(crate) async fn forward(
        &self,
        meta: &Meta,
        message: &Message,
        redelivered: bool,
    ) -> Result<bool, AdvanceError> {
        if !meta.is_foreign_to(&self.code) {
            return Ok(false);
        }
        let forward = Forward::Wake { message: message.clone(), redelivered };
        let forwarded = self.ports.dispatch.forward(&meta.code, &meta.id, &forward).await?;
        Ok(forwarded != Forwarded::NoSuchCode)
    }

    /// Why this code cannot take a turn of an execution: it is pinned to code that nobody runs. With
    /// those facts that its history does not have.
    pub(crate) fn pinned_elsewhere(
        &self,
        meta: &Meta,
        committed: &[Turn],
        facts: &[Fact],
    ) -> Option<(String, Vec<Fact>)> {
        if !meta.is_foreign_to(&self.code) {
            return None;
        }
        Some((not_run(meta), not_recorded(committed, facts)))
    }
}

/// The executions of one status that are pinned to `code`.
fn pinned_to(code: &str, status: Status) -> ListQuery {
    let test = AttributeTest::Is(Attribute::Text(code.to_owned()));
    let attributes = vec![AttributeFilter { name: CODE_ATTRIBUTE.to_owned(), test }];
    ListQuery { status: Some(status), attributes, limit: LIST_PAGE_MAX, ..ListQuery::default() }
}

/// Those of `facts` that a history does not have.
pub(crate) fn not_recorded(committed: &[Turn], facts: &[Fact]) -> Vec<Fact> {
    if committed.is_empty() {
        return facts.to_vec();
    }
    let known: BTreeSet<_> = committed.iter().flat_map(|it| &it.facts).map(Fact::key).collect();
    facts.iter().filter(|it| !known.contains(&it.key())).cloned().collect()
}

impl Client {
    /// Has the code that an execution is pinned to answer a query; `None` when that is the code that runs here.
    pub(crate) async fn ask_elsewhere(
        &self,
        meta: &Meta,
        query: &str,
        input: &Payload,
    ) -> Result<Option<Outcome>, ClientError> {
        if !meta.is_foreign_to(self.code()) {
            return Ok(None);
        }
        let forward = Forward::Query { name: query.to_owned(), input: input.clone() };
        match self.ports().dispatch.forward(&meta.code, &meta.id, &forward).await? {
            Forwarded::Answered(answer) => answer.map(Some).map_err(ClientError::Unanswered),
            Forwarded::Handled | Forwarded::NoSuchCode => Err(ClientError::Unanswered(not_run(meta))),
        }
    }
}

/// Why nothing goes on, for people.
fn not_run(meta: &Meta) -> String {
    let why = why_not_run(meta);
    format!("{why}run that code again, or fork the execution, which then goes on with the newest code")
}

/// How such a reason begins, in every release: by it those are found that go on when somebody runs their code.
fn why_not_run(meta: &Meta) -> String {
    format!("{} is pinned to the code {}, which nobody runs here: ", meta.id, meta.code)
}
