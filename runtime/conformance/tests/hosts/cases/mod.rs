//! The list of cases. What each promise of the engine is, is said once, in the case; where it runs is the host's matter.

mod control;
mod durable;
mod lookups;
mod messages;
mod tasks;
mod together;
mod tokens;

use crate::host::Site;

/// One promise.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Site<'_>),
    /// Why the test environment cannot show it, and what shows it there instead.
    pub(crate) real_only: Option<&'static str>,
    /// Why it does not hold when the process dies in between.
    pub(crate) calm_only: Option<&'static str>,
}

/// A reason, where there is one.
macro_rules! reason {
    () => {
        None
    };
    ($why:expr) => {
        Some($why)
    };
}

macro_rules! cases {
    ($($group:ident::$case:ident $(real only: $why:literal)? $(calm only: $because:ident)?,)*) => {
        /// All cases, in no order: each makes its own executions.
        pub(crate) const CASES: &[Case] = &[$(Case {
            name: concat!(stringify!($group), "::", stringify!($case)),
            run: $group::$case,
            real_only: reason!($($why)?),
            calm_only: reason!($($because)?),
        },)*];
    };
}

/// Why some cases are not run with crashes.
const ATTEMPTS: &str = "a worker that dies is a lost attempt: it counts attempts, or has only one";
const TOKENS: &str = "a worker that dies is a lost attempt, and the next one has another token";
const EVENTS: &str = "events come at least once, and its execution ends with the first";

cases! {
    tasks::texts_pass_through_both_kinds,
    tasks::attempts_are_made_with_their_pauses_and_one_key calm only: ATTEMPTS,
    tasks::an_error_may_say_when_to_come_again calm only: ATTEMPTS,
    tasks::an_error_arrives_with_its_type calm only: ATTEMPTS,
    tasks::a_final_error_is_not_tried_again calm only: ATTEMPTS,
    tasks::a_crash_is_final calm only: ATTEMPTS,
    tasks::an_attempt_has_its_time calm only: ATTEMPTS,
    tasks::all_attempts_together_have_their_time
        real only: "it performs a task to its end before it goes on; runtime/testing/tests/tasks/retry.rs shows it with virtual time",
    tasks::a_heartbeat_hands_its_details_to_the_next_attempt calm only: ATTEMPTS,
    tasks::a_silent_worker_is_replaced calm only: ATTEMPTS,
    tasks::a_silent_worker_without_another_attempt_is_told calm only: ATTEMPTS,
    tasks::a_dropped_task_learns_it_by_its_heartbeat
        real only: "it performs a task to its end before it goes on; runtime/testing/tests/tasks/heartbeat.rs shows it with virtual time",
    tokens::whoever_has_the_token_answers calm only: TOKENS,
    tokens::a_handler_answers calm only: TOKENS,
    tokens::an_error_brings_another_attempt_and_another_token calm only: TOKENS,
    tokens::nobody_answers_in_time calm only: TOKENS,
    tokens::heartbeats_come_from_outside_too calm only: TOKENS,
    tokens::what_is_no_token_is_refused,
    messages::signals_are_kept_in_order,
    messages::a_signal_may_come_right_behind_the_start,
    messages::a_signal_starts_what_is_not_there,
    messages::a_signal_is_awaited_for_a_while,
    messages::a_handler_is_disposed_of,
    messages::nobody_there_is_a_clear_answer,
    messages::workflows_send,
    messages::an_event_reaches_its_subscription calm only: EVENTS,
    messages::conditions_hold_or_time_out,
    messages::queries_are_answered_open_and_closed,
    messages::updates_are_checked_and_answered,
    messages::workflows_update,
    control::a_child_answers_or_fails_with_its_type calm only: ATTEMPTS,
    control::a_parent_that_ends_treats_its_child_as_it_said,
    control::cancellation_goes_down_and_cleans_up_under_a_shield,
    control::code_may_finish_although_it_is_cancelled,
    control::a_part_is_cancelled,
    control::terminated_is_ended_without_its_code,
    control::paused_stands_still_and_loses_nothing,
    control::a_fork_goes_on_by_itself,
    control::a_reset_ends_the_original,
    control::starting_again_finds_the_first,
    durable::timers_are_right_at_every_length,
    durable::absolute_timers_are_right,
    durable::a_timer_of_years_is_kept_and_given_up,
    durable::time_and_chance_are_those_of_the_history,
    durable::what_waits_for_nothing_is_parked_and_keeps_its_messages,
    durable::too_many_calls_park_one_execution_and_no_other,
    durable::large_payloads_pass_everywhere,
    durable::what_is_too_long_is_refused,
    durable::a_long_life_continues_as_new,
    together::joins_and_branches_and_races,
    together::so_many_at_a_time,
    together::the_first_wins_and_the_others_are_given_up,
    together::a_saga_is_undone_backwards,
    together::an_actor_keeps_its_state_and_makes_one_call_at_a_time,
    together::an_actor_fails_and_spoils_nothing,
    together::workflows_call_actors,
    lookups::executions_are_found_by_their_attributes,
    lookups::a_workflow_says_what_its_children_are_found_by,
    lookups::lists_are_paged_and_counted,
    lookups::a_schedule_starts_again_and_again,
    lookups::a_schedule_is_paused_triggered_and_deleted,
    lookups::a_schedule_tells_its_times,
    lookups::commands_answer_as_http_says,
    lookups::commands_start_and_wait,
}
