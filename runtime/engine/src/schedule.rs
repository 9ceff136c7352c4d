//! Schedules: workflows that are started at certain times.
//!
//! A schedule is an execution of the engine's own workflow [`WORKFLOW`]: its timers, the executions that it starts and
//! what it was told are in its history, so that it is exact on every host, survives what every execution survives, and
//! runs in virtual time. What it decides is in `state.rs`, without a clock; `run.rs` awaits; `client.rs` is what is
//! asked of it from outside, and `declare.rs` what a deployment says. It deliberately has no store of its own.

mod client;
mod command;
mod declare;
mod describe;
mod run;
mod state;
mod timetable;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use eventual_core::ExecutionId;
use eventual_core::limits::SCHEDULE_NAME_MAX;
pub use eventual_schema::schedule::WORKFLOW;

pub use client::ScheduleClient;
pub use command::{Backfill, ScheduleCommand};
pub(crate) use declare::Declared;
pub use declare::check;
pub use describe::{RecentStart, ScheduleDescription, ScheduleLine, ScheduleState};
pub use timetable::{Timetable, written};

use crate::client::ClientError;
use crate::registry::Registry;

/// The signal that brings a [`ScheduleCommand`].
const SIGNAL: &str = "command";
/// The query that answers a [`ScheduleDescription`].
const QUERY: &str = "describe";
/// Attributes of a schedule's execution: the workflow that it starts, where it stands, and the hash of what the code
/// declares, if the code declared it.
const STARTS: &str = "workflow";
const STATE: &str = "state";
const DECLARED: &str = "declared";

/// The same handlers, and the engine's own workflow.
pub(crate) fn with_schedules(registry: Arc<Registry>) -> Arc<Registry> {
    let mut registry = Arc::unwrap_or_clone(registry);
    registry.workflows.insert(WORKFLOW.to_owned(), run::run);
    Arc::new(registry)
}

/// The execution that is the schedule of this name.
fn id_of(name: &str) -> Result<ExecutionId, ClientError> {
    if name.len() > SCHEDULE_NAME_MAX {
        return Err(ClientError::Name(format!(
            "the name of a schedule has at most {SCHEDULE_NAME_MAX} bytes, because it is part of its executions' names; \
             {name:?} has {}",
            name.len()
        )));
    }
    ExecutionId::new(WORKFLOW, name).map_err(|error| ClientError::Name(error.into()))
}
