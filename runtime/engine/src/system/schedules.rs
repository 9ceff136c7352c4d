//! What operators ask of schedules.

use eventual_core::Millis;
use eventual_schema::{Overlap, ScheduleSpec};
use serde::{Deserialize, Serialize};

use super::{SystemError, SystemResponse};
use crate::engine::Engine;
use crate::schedule::Backfill;

/// How many of its next starts a schedule tells when nothing is said.
const NEXT: usize = 5;

/// What is asked of a schedule, by `do`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ScheduleRequest {
    /// Make the starts of a stretch of time, at most 1,000.
    Backfill {
        /// Its name.
        schedule: String,
        /// The first moment, in milliseconds since 1970.
        from_ms: Millis,
        /// The first moment after it.
        below_ms: Millis,
        /// What happens when an earlier start goes on; one after the other without.
        #[serde(default)]
        overlap: Option<Overlap>,
    },
    /// Make a schedule; an error when there is one of this name.
    Create {
        /// Its name.
        schedule: String,
        /// What it says.
        spec: Box<ScheduleSpec>,
    },
    /// Delete it.
    Delete {
        /// Its name.
        schedule: String,
    },
    /// What it is, did, and will do.
    Describe {
        /// Its name.
        schedule: String,
        /// How many of its next starts, up to 100; 5 without.
        #[serde(default)]
        next: Option<usize>,
    },
    /// Some of the schedules.
    List {
        /// `next` of the page before.
        #[serde(default)]
        after: Option<String>,
    },
    /// Let it start nothing by time until it is resumed.
    Pause {
        /// Its name.
        schedule: String,
        /// Why, for people.
        #[serde(default)]
        note: String,
    },
    /// Make it, or let the one that is there be this.
    Put {
        /// Its name.
        schedule: String,
        /// What it says.
        spec: Box<ScheduleSpec>,
    },
    /// Let it start by time again.
    Resume {
        /// Its name.
        schedule: String,
        /// Why, for people.
        #[serde(default)]
        note: String,
    },
    /// Start its workflow once, now.
    Trigger {
        /// Its name.
        schedule: String,
        /// What happens when an earlier start goes on; what the schedule says without.
        #[serde(default)]
        overlap: Option<Overlap>,
    },
}

impl Engine {
    pub(super) async fn schedule(&self, request: ScheduleRequest) -> Result<SystemResponse, SystemError> {
        let schedules = self.client.schedules();
        let schedule = match request {
            ScheduleRequest::Describe { schedule, next } => {
                let described = schedules.describe(&schedule, next.unwrap_or(NEXT)).await?;
                return Ok(SystemResponse::Schedule(Box::new(described)));
            }
            ScheduleRequest::List { after } => {
                let (schedules, next) = schedules.list(after).await?;
                return Ok(SystemResponse::Schedules { schedules, next });
            }
            ScheduleRequest::Backfill { schedule, from_ms, below_ms, overlap } => {
                let overlap = overlap.unwrap_or(Overlap::BufferAll);
                schedules.backfill(&schedule, Backfill { from_ms, below_ms, overlap }).await?;
                schedule
            }
            ScheduleRequest::Create { schedule, spec } => {
                schedules.create(&schedule, *spec).await?;
                schedule
            }
            ScheduleRequest::Delete { schedule } => {
                schedules.delete(&schedule).await?;
                schedule
            }
            ScheduleRequest::Pause { schedule, note } => {
                schedules.pause(&schedule, &note).await?;
                schedule
            }
            ScheduleRequest::Put { schedule, spec } => {
                schedules.put(&schedule, *spec).await?;
                schedule
            }
            ScheduleRequest::Resume { schedule, note } => {
                schedules.resume(&schedule, &note).await?;
                schedule
            }
            ScheduleRequest::Trigger { schedule, overlap } => {
                schedules.trigger(&schedule, overlap).await?;
                schedule
            }
        };
        Ok(SystemResponse::Scheduled { schedule })
    }
}
