//! Schedules: workflows that are started at certain times, made and changed by handlers.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use eventual_engine::schedule::{Backfill, RecentStart, ScheduleClient, ScheduleDescription, ScheduleLine};
pub use eventual_schema::Overlap;
use eventual_schema::{HandlerName, ScheduleSpec, Times};

use crate::ask::Ask;
use crate::call::Call;
use crate::codec::{Data, value_of};
use crate::error::Failure;
use crate::execution::{ClientError, Execution, client};
use crate::retry::millis;
use crate::timers::Moment;

impl<T: Data, E: Failure> Call<T, E> {
    /// The schedule `name` that starts this workflow with this input: say when, then [`put`](Scheduling::put) it. For
    /// workflows only; in a handler that declares `uses(<workflow>)`. A schedule that exists with the deployment is an option of
    /// [`#[workflow]`](macro@crate::workflow).
    ///
    /// In the texts of the input, `{{scheduled}}` stands for the time of a start (`2030-01-01T09:00:00Z`), and
    /// `{{schedule}}` for the schedule's name.
    ///
    /// ```
    /// # use eventual::Overlap;
    /// #[eventual::workflow]
    /// async fn report(day: String) -> eventual::Result<()> {
    ///     println!("the report of {day}");
    ///     Ok(())
    /// }
    ///
    /// #[eventual::command(uses(report))]
    /// async fn every_morning() -> eventual::Result<()> {
    ///     let every = report("{{scheduled}}".to_owned()).schedule_as("morning-report");
    ///     every.cron("0 9 * * MON-FRI").time_zone("Europe/Berlin").overlap(Overlap::BufferOne).put().await?;
    ///     Ok(())
    /// }
    /// # fn main() {}
    /// ```
    pub fn schedule_as(self, name: impl Into<String>) -> Scheduling {
        Scheduling { name: name.into(), spec: spec_of(&self.into_asked().ask) }
    }
}

fn spec_of(ask: &Ask) -> Result<ScheduleSpec, ClientError> {
    let refused = |problem: String| Err(ClientError::Refused(problem));
    match ask {
        Ask::Broken(error) => refused(error.message.clone()),
        Ask::Workflow { attributes, .. } if !attributes.is_empty() => {
            refused("a schedule gives no attributes to what it starts: let its code set them".to_owned())
        }
        Ask::Workflow { name, input, .. } => match HandlerName::new(*name) {
            Ok(workflow) => Ok(ScheduleSpec::new(workflow, value_of(input), Vec::new())),
            Err(error) => refused(error.to_string()),
        },
        _ => refused("`.schedule_as()` is for calls of workflows".to_owned()),
    }
}

/// A schedule that is being said.
#[derive(Clone, Debug)]
#[must_use = "there is no schedule before it is put"]
pub struct Scheduling {
    name: String,
    spec: Result<ScheduleSpec, ClientError>,
}

impl Scheduling {
    fn set(mut self, set: impl FnOnce(&mut ScheduleSpec)) -> Self {
        if let Ok(spec) = &mut self.spec {
            set(spec);
        }
        self
    }

    /// At the times of a cron expression: minute, hour, day of the month, month, day of the week (and seconds before them, if
    /// there are six). `L`, `#`, `W`, names and `@daily` are understood. Several crons and intervals of one schedule add up.
    pub fn cron(self, expression: impl Into<String>) -> Self {
        self.set(|spec| spec.times.push(Times::Cron(expression.into())))
    }

    /// Every so often, counted from 1970, at least a second.
    pub fn every(self, interval: Duration) -> Self {
        self.set(|spec| spec.times.push(Times::Every { every_ms: millis(interval), offset_ms: 0 }))
    }

    /// Every so often, so much later than [`every`](Self::every) has it.
    pub fn every_with_offset(self, interval: Duration, offset: Duration) -> Self {
        self.set(|spec| {
            spec.times.push(Times::Every { every_ms: millis(interval), offset_ms: millis(offset) })
        })
    }

    /// Time zone of its cron expressions, by its IANA name: `Europe/Berlin`. UTC by default. A time that does not exist
    /// because clocks are put forward is at the first moment after; one that is there twice counts once.
    pub fn time_zone(self, name: impl Into<String>) -> Self {
        self.set(|spec| spec.time_zone = name.into())
    }

    /// Puts each start off by up to this long, never past the next, so that many schedules do not start at one moment.
    pub fn jitter(self, most: Duration) -> Self {
        self.set(|spec| spec.jitter_ms = millis(most))
    }

    /// What happens when the execution of an earlier start still goes on. By default the later one is left out.
    pub fn overlap(self, overlap: Overlap) -> Self {
        self.set(|spec| spec.overlap = overlap)
    }

    /// How long after its time a start is made up for that could not be made, because nothing ran. A year by default.
    pub fn catch_up(self, window: Duration) -> Self {
        self.set(|spec| spec.catch_up_ms = millis(window))
    }

    /// Only from this moment on.
    pub fn from(self, moment: impl Into<Moment>) -> Self {
        self.set(|spec| spec.from_ms = Some(moment.into().as_millis()))
    }

    /// Only before this moment.
    pub fn until(self, moment: impl Into<Moment>) -> Self {
        self.set(|spec| spec.until_ms = Some(moment.into().as_millis()))
    }

    /// At most so many starts.
    pub fn starts(self, most: u64) -> Self {
        self.set(|spec| spec.starts = Some(most))
    }

    /// It begins paused.
    pub fn paused(self) -> Self {
        self.set(|spec| spec.paused = true)
    }

    /// Makes the schedule, or lets the one of this name be this from now on.
    ///
    /// # Errors
    /// When an expression, the time zone or the name is none, its times never come, or the handler did not declare the
    /// workflow.
    pub async fn put(self) -> Result<Schedule, ClientError> {
        schedules()?.put(&self.name, self.spec?).await?;
        Ok(Schedule { name: self.name })
    }

    /// Makes the schedule.
    ///
    /// # Errors
    /// As of [`put`](Self::put); also when there is one of this name.
    pub async fn create(self) -> Result<Schedule, ClientError> {
        schedules()?.create(&self.name, self.spec?).await?;
        Ok(Schedule { name: self.name })
    }
}

fn schedules() -> Result<ScheduleClient, ClientError> {
    Ok(client()?.schedules())
}

/// A schedule, by its name. For commands, tasks and subscriptions that declare `uses(<the workflow that it starts>)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schedule {
    name: String,
}

impl Schedule {
    /// The schedule of this name; it need not exist.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets it start nothing by time until it is resumed. `note` says why, for people.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn pause(&self, note: &str) -> Result<(), ClientError> {
        Ok(schedules()?.pause(&self.name, note).await?)
    }

    /// Lets it start by time again; the times in between are left out.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn resume(&self, note: &str) -> Result<(), ClientError> {
        Ok(schedules()?.resume(&self.name, note).await?)
    }

    /// Starts its workflow once, now, also while it is paused; its overlap policy decides as for any start.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn trigger(&self) -> Result<(), ClientError> {
        Ok(schedules()?.trigger(&self.name, None).await?)
    }

    /// As [`trigger`](Self::trigger), with another overlap policy this once.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn trigger_with(&self, overlap: Overlap) -> Result<(), ClientError> {
        Ok(schedules()?.trigger(&self.name, Some(overlap)).await?)
    }

    /// Makes the starts of a stretch of time, at most 1,000, with an overlap policy of their own ([`Overlap::BufferAll`] makes one
    /// after the other). A time whose execution was started is not started again.
    ///
    /// # Errors
    /// When there is none of this name, or there are more starts.
    pub async fn backfill<M: Into<Moment>>(
        &self,
        span: Range<M>,
        overlap: Overlap,
    ) -> Result<(), ClientError> {
        let (from_ms, below_ms) = (span.start.into().as_millis(), span.end.into().as_millis());
        Ok(schedules()?.backfill(&self.name, Backfill { from_ms, below_ms, overlap }).await?)
    }

    /// Deletes it. What it started goes on.
    ///
    /// # Errors
    /// When there is none of this name, or it stands in the code.
    pub async fn delete(&self) -> Result<(), ClientError> {
        Ok(schedules()?.delete(&self.name).await?)
    }

    /// What it did and will do, with at most `next` coming starts, up to 100. Its history is replayed for that.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn describe(&self, next: usize) -> Result<Scheduled, ClientError> {
        Ok(Scheduled(schedules()?.describe(&self.name, next).await?))
    }

    /// The schedules of the workflows that the handler declared, the newest first: some, and what to pass as `after` for more.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn list(after: Option<String>) -> Result<(Vec<Self>, Option<String>), ClientError> {
        let (lines, next) = schedules()?.list(after).await?;
        let named = |it: ScheduleLine| Self { name: it.schedule };
        Ok((lines.into_iter().map(named).collect(), next))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a schedule did and will do, as it was when it was asked.
#[derive(Clone, Debug)]
pub struct Scheduled(ScheduleDescription);

impl Scheduled {
    /// `active`, `paused`, or `done` when no start is left.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        self.0.state.as_str()
    }

    /// What was said when it was paused or resumed.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.0.note
    }

    /// Its coming starts; while it is paused, when they would be.
    #[must_use]
    pub fn next(&self) -> Vec<SystemTime> {
        self.0.next.iter().map(|it| SystemTime::UNIX_EPOCH + Duration::from_millis(*it)).collect()
    }

    /// What it started and waits for.
    #[must_use]
    pub fn running(&self) -> Vec<Execution> {
        self.0.running.iter().filter_map(|it| Execution::parse(it).ok()).collect()
    }

    /// Its last starts, up to 20, the latest last: what was started, and how it ended if the schedule waited for it.
    #[must_use]
    pub fn recent(&self) -> Vec<(Execution, Option<String>)> {
        let recent = |it: &RecentStart| Some((Execution::parse(&it.execution).ok()?, it.outcome.clone()));
        self.0.recent.iter().filter_map(recent).collect()
    }

    /// How many starts were made, were left out because an earlier one went on, and were left out because it was too late.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64, u64) {
        (self.0.started, self.0.skipped, self.0.missed)
    }
}
