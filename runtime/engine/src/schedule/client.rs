//! What code outside of workflows may do with schedules. The same rule as for executions: a handler schedules the workflows
//! that it declared.

use std::collections::BTreeMap;

use eventual_core::limits::{LIST_PAGE_MAX, SCHEDULE_BACKFILL_MAX};
use eventual_core::{Attribute, Fact, Outcome, Payload};
use eventual_schema::{Need, Overlap, ScheduleSpec};
use serde_json::json;

use super::command::{Backfill, ScheduleCommand};
use super::describe::{ScheduleDescription, ScheduleLine, ScheduleState};
use super::state::State;
use super::timetable::Timetable;
use super::{DECLARED, QUERY, SIGNAL, STARTS, STATE, WORKFLOW, id_of, run};
use crate::client::{Client, ClientError};
use crate::ports::{Insert, ListQuery, Meta};

/// A client of the service's schedules.
#[derive(Clone, Debug)]
pub struct ScheduleClient {
    client: Client,
}

impl Client {
    /// The service's schedules.
    #[must_use]
    pub fn schedules(&self) -> ScheduleClient {
        ScheduleClient { client: self.clone() }
    }
}

impl ScheduleClient {
    /// Makes the schedule `name`, or lets the one that is there be this from now on. One that is paused stays so, unless
    /// `paused` of the spec changes.
    ///
    /// # Errors
    /// When the spec or the name is none, its times never come, the workflow is not of this service, or the handler did not
    /// declare it.
    pub async fn put(&self, name: &str, spec: ScheduleSpec) -> Result<(), ClientError> {
        self.check(name, &spec)?;
        self.keep(name, spec, None).await
    }

    /// Makes the schedule `name`.
    ///
    /// # Errors
    /// As of [`put`](Self::put); also when there is one of this name.
    pub async fn create(&self, name: &str, spec: ScheduleSpec) -> Result<(), ClientError> {
        self.check(name, &spec)?;
        if self.there_is(name).await?.is_some() {
            let message = format!("there is a schedule `{name}`: change it, or choose another name");
            return Err(ClientError::Name(message));
        }
        self.keep(name, spec, None).await
    }

    /// Lets the schedule start nothing by time until it is resumed.
    ///
    /// # Errors
    /// When there is none of this name, or the handler did not declare its workflow.
    pub async fn pause(&self, name: &str, note: &str) -> Result<(), ClientError> {
        self.tell(name, &ScheduleCommand::Pause { note: note.to_owned() }).await
    }

    /// Lets it start by time again. What was not started meanwhile is left out.
    ///
    /// # Errors
    /// As of [`pause`](Self::pause).
    pub async fn resume(&self, name: &str, note: &str) -> Result<(), ClientError> {
        self.tell(name, &ScheduleCommand::Resume { note: note.to_owned() }).await
    }

    /// Starts its workflow once, now, also while it is paused. `overlap` instead of what the schedule says.
    ///
    /// # Errors
    /// As of [`pause`](Self::pause).
    pub async fn trigger(&self, name: &str, overlap: Option<Overlap>) -> Result<(), ClientError> {
        self.tell(name, &ScheduleCommand::Trigger { overlap }).await
    }

    /// Makes the starts of a stretch of time, at most 1,000. A time whose execution was started is not started again.
    ///
    /// # Errors
    /// As of [`pause`](Self::pause); also when there are more.
    pub async fn backfill(&self, name: &str, backfill: Backfill) -> Result<(), ClientError> {
        let spec = self.describe(name, 0).await?.spec;
        let table = Timetable::new(name, &spec).map_err(ClientError::Name)?;
        let mut at = backfill.from_ms.saturating_sub(1);
        for _ in 0..SCHEDULE_BACKFILL_MAX {
            let Some(slot) = table.after(at).filter(|it| *it < backfill.below_ms) else {
                return self.tell(name, &ScheduleCommand::Backfill(backfill)).await;
            };
            at = slot;
        }
        Err(ClientError::Name(format!(
            "a backfill makes at most {SCHEDULE_BACKFILL_MAX} starts; schedule `{name}` has more before {}: ask for it in \
             parts",
            backfill.below_ms
        )))
    }

    /// Deletes the schedule. What it started goes on; a new one may have its name.
    ///
    /// # Errors
    /// As of [`pause`](Self::pause); also when it stands in the code.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        let meta = self.of(name).await?;
        if meta.attributes.contains_key(DECLARED) {
            return Err(ClientError::Name(format!(
                "schedule `{name}` stands in the code: pause it, or remove it there and deploy"
            )));
        }
        self.tell(name, &ScheduleCommand::Delete).await
    }

    /// What the schedule is, did, and will do: its next starts, at most `next` and 100.
    ///
    /// # Errors
    /// As of [`pause`](Self::pause).
    pub async fn describe(&self, name: &str, next: usize) -> Result<ScheduleDescription, ClientError> {
        let meta = self.of(name).await?;
        let (id, input, base) = (meta.id.clone(), meta.input.clone(), meta.base);
        let now = self.client.ports().clock.now();
        let question = json!({ "now": now, "next": next }).to_string();
        let answer = self.client.ask(meta, QUERY, Payload::from(question.as_str())).await;
        let unknown = |problem: String| ClientError::Unanswered(format!("schedule `{name}`: {problem}"));
        match answer {
            Ok(Outcome::Succeeded(text)) => {
                serde_json::from_slice(text.as_bytes()).map_err(|error| unknown(error.to_string()))
            }
            Ok(other) => Err(unknown(format!("{other:?}"))),
            Err(ClientError::Unanswered(problem)) => {
                let turns = self.client.ports().store.turns(&id, base.saturating_sub(1)).await?;
                // It has not had its first turn, or its code does not go with its history.
                if turns.is_empty() { run::fresh(name, &input, now, next) } else { Err(problem) }
                    .map_err(unknown)
            }
            Err(error) => Err(error),
        }
    }

    /// Some of the schedules, the newest first, and where the next page begins. A handler sees those of the workflows that it declared.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        after: Option<String>,
    ) -> Result<(Vec<ScheduleLine>, Option<String>), ClientError> {
        let query = ListQuery {
            workflow: Some(WORKFLOW.to_owned()),
            limit: LIST_PAGE_MAX,
            after,
            ..ListQuery::default()
        };
        let page = self.client.ports().store.list(&query).await?;
        let lines = page.executions.iter().filter(|it| !it.status.is_closed()).map(line);
        let seen = |it: &ScheduleLine| {
            it.state != ScheduleState::Deleted.as_str()
                && self.client.check("lists schedules of workflow", &it.workflow, Need::Workflow).is_ok()
        };
        Ok((lines.filter(seen).collect(), page.next))
    }

    fn check(&self, name: &str, spec: &ScheduleSpec) -> Result<(), ClientError> {
        let workflow = spec.workflow.as_str();
        self.client.check("schedules workflow", workflow, Need::Workflow)?;
        self.client.known_workflow(workflow)?;
        let table = Timetable::new(name, spec).map_err(ClientError::Name)?;
        if table.after(self.client.ports().clock.now()).is_none() {
            return Err(ClientError::Name(format!(
                "schedule `{name}` would never start anything: its times are past"
            )));
        }
        Ok(())
    }

    /// Makes or changes a schedule that was checked.
    pub(super) async fn keep(
        &self,
        name: &str,
        spec: ScheduleSpec,
        declared: Option<String>,
    ) -> Result<(), ClientError> {
        let id = id_of(name)?;
        let mut attributes: BTreeMap<String, Attribute> = BTreeMap::from([
            (STARTS.to_owned(), spec.workflow.as_str().into()),
            (STATE.to_owned(), ScheduleState::Active.as_str().into()),
        ]);
        attributes.extend(declared.as_ref().map(|it| (DECLARED.to_owned(), Attribute::from(it))));
        let input = encoded(&State::new(spec.clone(), declared.clone()))?;
        let there = self.client.ports().store.meta(&id).await?;
        if there.is_none()
            && self.client.insert(&self.client.new_meta(id, input, attributes)).await? == Insert::Inserted
        {
            return Ok(());
        }
        self.send(name, &ScheduleCommand::Put { spec: Box::new(spec), declared }).await
    }

    /// What is known of a schedule, deleted or not.
    pub(super) async fn there_is(&self, name: &str) -> Result<Option<Meta>, ClientError> {
        let meta = self.client.ports().store.meta(&id_of(name)?).await?;
        Ok(meta.filter(|it| it.attributes.get(STATE) != Some(&ScheduleState::Deleted.as_str().into())))
    }

    /// What is known of a schedule that the handler may touch.
    async fn of(&self, name: &str) -> Result<Meta, ClientError> {
        let meta = self.there_is(name).await?.ok_or_else(|| ClientError::NoSchedule(name.to_owned()))?;
        self.client.check("schedules workflow", &line(&meta).workflow, Need::Workflow)?;
        Ok(meta)
    }

    async fn tell(&self, name: &str, command: &ScheduleCommand) -> Result<(), ClientError> {
        self.of(name).await?;
        self.send(name, command).await
    }

    async fn send(&self, name: &str, command: &ScheduleCommand) -> Result<(), ClientError> {
        self.client.tell(&id_of(name)?, command_fact(self.client.unique(), command)?).await
    }
}

/// The fact that brings a command.
pub(super) fn command_fact(id: String, command: &ScheduleCommand) -> Result<Fact, ClientError> {
    Ok(Fact::Signal { id, name: SIGNAL.to_owned(), payload: encoded(command)? })
}

fn encoded(value: &impl serde::Serialize) -> Result<Payload, ClientError> {
    serde_json::to_vec(value).map(Payload::from).map_err(|error| ClientError::Name(error.to_string()))
}

fn line(meta: &Meta) -> ScheduleLine {
    let text = |name: &str| match meta.attributes.get(name) {
        Some(Attribute::Text(text)) => text.clone(),
        _ => String::new(),
    };
    ScheduleLine {
        schedule: meta.id.name().to_owned(),
        workflow: text(STARTS),
        state: text(STATE),
        declared: meta.attributes.contains_key(DECLARED),
    }
}
