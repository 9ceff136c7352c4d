//! What is told of a schedule.

use eventual_core::Millis;
use eventual_schema::ScheduleSpec;
use serde::{Deserialize, Serialize};

/// Whether a schedule starts anything by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScheduleState {
    /// It does.
    Active,
    /// It was deleted; only its past is left.
    Deleted,
    /// It made as many starts as it was to make, or its last time is past.
    Done,
    /// It does not until it is resumed.
    Paused,
}

impl ScheduleState {
    /// The state by its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
            Self::Done => "done",
            Self::Paused => "paused",
        }
    }
}

/// A schedule, with what it did and will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleDescription {
    /// Its name.
    pub schedule: String,
    /// Where it stands.
    pub state: ScheduleState,
    /// What was said when it was paused or resumed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What it says.
    pub spec: ScheduleSpec,
    /// Whether it stands in the code.
    pub declared: bool,
    /// When it starts next, in milliseconds since 1970, jitter included. While it is paused: when it would.
    pub next: Vec<Millis>,
    /// What it started and waits for.
    pub running: Vec<String>,
    /// Its last starts, the latest last.
    pub recent: Vec<RecentStart>,
    /// Starts that wait for an earlier one to end.
    pub waiting: u64,
    /// Starts that were made.
    pub started: u64,
    /// Starts that were left out because an earlier one went on.
    pub skipped: u64,
    /// Starts that were left out because it was too late for them.
    pub missed: u64,
}

/// A start that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentStart {
    /// The time that it was for, in milliseconds since 1970.
    pub scheduled: Millis,
    /// When it was made.
    pub started: Millis,
    /// What was started.
    pub execution: String,
    /// How that ended, if the schedule waited for it: `succeeded`, `failed`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// A schedule in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleLine {
    /// Its name.
    pub schedule: String,
    /// The workflow that it starts.
    pub workflow: String,
    /// Where it stands.
    pub state: String,
    /// Whether it stands in the code.
    pub declared: bool,
}
