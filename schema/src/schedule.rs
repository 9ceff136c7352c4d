//! What a schedule says: when, which workflow, and what when the one before is still going on. Plain data; when exactly
//! that is, the engine knows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::Source;
use crate::name::HandlerName;

/// Name of the engine's own workflow, of which each schedule is an execution. No workflow of a service is called so.
pub const WORKFLOW: &str = "eventualSchedule";

/// How long after its time a start is made up for when nothing is said: a year.
pub const CATCH_UP_MS: u64 = 365 * 86_400_000;

/// When a workflow is started again and again, and with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleSpec {
    /// The workflow.
    pub workflow: HandlerName,
    /// Its input. In its texts, `{{scheduled}}` stands for the time of the start (`2030-01-01T09:00:00Z`), and `{{schedule}}`
    /// for the schedule's name.
    #[serde(default)]
    pub input: Value,
    /// When. Several together: whenever one of them says so.
    pub times: Vec<Times>,
    /// Time zone of cron expressions, by its IANA name. `UTC` by default.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Each start is put off by up to so many milliseconds, never past the next one; by which is decided by the schedule's
    /// name and the time, so that many schedules of one time are spread out. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub jitter_ms: u64,
    /// What happens when the execution of an earlier start still goes on. Skip by default.
    #[serde(default)]
    pub overlap: Overlap,
    /// A start that could not be made in time, because nothing ran, is made up for up to so many milliseconds later.
    /// Default: a year.
    #[serde(default = "a_year")]
    pub catch_up_ms: u64,
    /// Not before this moment, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// Not from this moment on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// At most so many starts by time; without, no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<u64>,
    /// Whether it begins paused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

/// When a schedule starts its workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Times {
    /// By a cron expression of five fields (minute, hour, day of the month, month, day of the week), or six with seconds
    /// before them. `L`, `#`, `W`, names and `@daily` are understood.
    Cron(String),
    /// Every so many milliseconds, counted from 1970.
    Every {
        /// The interval.
        every_ms: u64,
        /// Added to each time.
        #[serde(default)]
        offset_ms: u64,
    },
}

/// What happens at a start when the execution of an earlier one still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Overlap {
    /// It is started beside them.
    AllowAll,
    /// It waits, however many do; they go one after the other.
    BufferAll,
    /// It waits, if no other does.
    BufferOne,
    /// The other is asked to cancel itself, and it is started when that has ended.
    CancelOther,
    /// It is left out.
    #[default]
    Skip,
    /// The other is ended without its code, and it is started then.
    TerminateOther,
}

/// A schedule that stands in the code, and exists with the deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// What it says.
    pub spec: ScheduleSpec,
    /// Where it is written.
    pub source: Source,
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn a_year() -> u64 {
    CATCH_UP_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl ScheduleSpec {
    /// A schedule of `workflow` with these times, and the defaults.
    #[must_use]
    pub fn new(workflow: HandlerName, input: Value, times: Vec<Times>) -> Self {
        Self {
            workflow,
            input,
            times,
            time_zone: utc(),
            jitter_ms: 0,
            overlap: Overlap::default(),
            catch_up_ms: CATCH_UP_MS,
            from_ms: None,
            until_ms: None,
            starts: None,
            paused: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_needs_to_be_said() {
        let text = r#"{"workflow":"report","times":[{"cron":"0 9 * * *"},{"every":{"everyMs":60000}}]}"#;
        let spec: ScheduleSpec = serde_json::from_str(text).unwrap();
        let times = vec![Times::Cron("0 9 * * *".into()), Times::Every { every_ms: 60_000, offset_ms: 0 }];
        assert_eq!(spec, ScheduleSpec::new(HandlerName::new("report").unwrap(), Value::Null, times));
        assert_eq!(
            serde_json::from_str::<ScheduleSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(),
            spec
        );
        assert!(
            serde_json::from_str::<ScheduleSpec>(r#"{"workflow":"report","times":[],"zone":"UTC"}"#).is_err()
        );
    }
}
