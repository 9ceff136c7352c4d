//! What a schedule is told.

use eventual_core::Millis;
use eventual_schema::{Overlap, ScheduleSpec};
use serde::{Deserialize, Serialize};

/// Something that a schedule is told, in the order in which it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ScheduleCommand {
    /// Start for the times of a stretch that is past, or was not scheduled then.
    Backfill(Backfill),
    /// There is no such schedule any more. What it started goes on.
    Delete,
    /// Start nothing by time until it is resumed.
    Pause {
        /// Why, for people.
        note: String,
    },
    /// From now on, be this.
    Put {
        /// What it says.
        spec: Box<ScheduleSpec>,
        /// Hash of what the code declares, if the code says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        declared: Option<String>,
    },
    /// Start by time again; the times in between are left out.
    Resume {
        /// Why, for people.
        note: String,
    },
    /// Start once, now, also while paused.
    Trigger {
        /// What happens when the execution of an earlier start goes on, instead of what the schedule says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        overlap: Option<Overlap>,
    },
}

/// A stretch of time whose starts are to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backfill {
    /// The first moment in it, in milliseconds since 1970.
    pub from_ms: Millis,
    /// The first moment after it.
    pub below_ms: Millis,
    /// What happens when the execution of an earlier start goes on; by default one after the other.
    #[serde(default = "one_by_one")]
    pub overlap: Overlap,
}

const fn one_by_one() -> Overlap {
    Overlap::BufferAll
}
