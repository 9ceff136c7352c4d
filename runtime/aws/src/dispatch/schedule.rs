//! Timers beyond what a queue can delay: a one-time schedule that deletes itself.
//!
//! Scheduler fires within a minute of its second, so it is set early and sends to the timer queue, where the last leg
//! is a delayed message with the precision that timers have.

use aws_sdk_scheduler::operation::create_schedule::CreateScheduleError;
use aws_sdk_scheduler::primitives::{DateTime, DateTimeFormat};
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use eventual_core::{ExecutionId, Millis};
use eventual_engine::ports::Fault;
use eventual_schema::digest::short_hash;

use super::AwsDispatch;
use crate::fault;

/// How long before it is due a timer leaves Scheduler, in seconds: longer than the minute that Scheduler may be late.
const EARLY_S: u64 = 75;
/// Digits of the hash in a schedule's name.
const NAME_DIGITS: usize = 40;

impl AwsDispatch {
    /// Has Scheduler send `body` to the timer queue shortly before `due`.
    pub(super) async fn schedule(&self, id: &ExecutionId, due: Millis, body: String) -> Result<(), Fault> {
        let operation = || format!("scheduler CreateSchedule for {id}");
        let expression = at(due).map_err(|error| Fault::new(operation(), error))?;
        // The body says execution, call and moment, so its hash names the timer: a second delivery finds the first.
        let name = format!("timer-{}", short_hash(&[&body], NAME_DIGITS));
        let dead_letters = DeadLetterConfig::builder().arn(&self.resources.dead_letter_queue_arn).build();
        let target = Target::builder()
            .arn(&self.resources.timer_queue_arn)
            .role_arn(&self.resources.scheduler_role_arn)
            .input(body)
            .dead_letter_config(dead_letters)
            .build()
            .map_err(|error| Fault::new(operation(), error))?;
        let exactly = FlexibleTimeWindow::builder()
            .mode(FlexibleTimeWindowMode::Off)
            .build()
            .map_err(|error| Fault::new(operation(), error))?;
        let answer = self
            .schedules
            .create_schedule()
            .name(name)
            .group_name(&self.resources.schedule_group)
            .schedule_expression(expression)
            .flexible_time_window(exactly)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.as_service_error(), Some(CreateScheduleError::ConflictException(_))) =>
            {
                Ok(())
            }
            Err(error) => Err(fault::aws(operation(), &error)),
        }
    }
}

/// Scheduler's expression for a while before `due`, in UTC.
fn at(due: Millis) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let seconds = i64::try_from((due / 1000).saturating_sub(EARLY_S))?;
    let text = DateTime::from_secs(seconds).fmt(DateTimeFormat::DateTime)?;
    Ok(format!("at({})", text.trim_end_matches('Z')))
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn schedules_leave_early_and_in_seconds() {
        // 2026-11-21T10:00:00.500Z
        assert_eq!(at(1_795_255_200_500).unwrap(), "at(2026-11-21T09:58:45)");
    }
}
