//! Everything that controls an execution besides its own calls: cancel, terminate, pause, query, conditions, handlers of
//! signals, sagas, changes of the code. Each also after the process has lost its memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod terminated;
mod workflows;

use std::time::Duration;

use eventual::{Call, CallError, Data, Failure, ParentClose};
use eventual_engine::ClientError;
use eventual_engine::core::{ExecutionId, Outcome, Payload, Status};
use eventual_testing::{TestEnvironment, TestExecution};
use workflows::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn environment() -> TestEnvironment {
    TestEnvironment::with_state(eventual::service!(name = "control"), Log::default())
}

fn start<T: Data, E: Failure>(environment: &TestEnvironment, call: Call<T, E>) -> TestExecution<T, E> {
    environment.start(call).unwrap()
}

fn id<T, E>(execution: &TestExecution<T, E>) -> ExecutionId {
    ExecutionId::parse(execution.id()).unwrap()
}

/// Does something to an execution as a client outside would.
fn client<T, E, R>(
    environment: &mut TestEnvironment,
    execution: &TestExecution<T, E>,
    act: impl AsyncFnOnce(&eventual_engine::Client, &ExecutionId) -> R,
) -> R {
    environment.restart();
    let drive = environment.drive();
    let result = drive.block_on(act(drive.client(), &id(execution)));
    drive.settle();
    environment.restart();
    result
}

fn cancel<T, E>(environment: &mut TestEnvironment, execution: &TestExecution<T, E>) {
    client(environment, execution, async |client, id| client.cancel(id, "enough").await).unwrap();
}

fn status<T, E>(environment: &TestEnvironment, execution: &TestExecution<T, E>) -> Status {
    environment.drive().meta(&id(execution)).unwrap().status
}

fn ask<T, E>(
    environment: &mut TestEnvironment,
    execution: &TestExecution<T, E>,
    query: &str,
) -> Result<Outcome, String> {
    client(environment, execution, async |client, id| client.query(id, query, Payload::null()).await)
        .map_err(|error| error.to_string())
}

fn log(environment: &TestEnvironment) -> Vec<String> {
    environment.call(read_log()).unwrap()
}

#[test]
fn a_cancelled_execution_cleans_up_under_a_shield_and_is_cancelled() {
    let mut environment = environment();
    let execution = start(&environment, cleans_up());
    cancel(&mut environment, &execution);
    assert!(matches!(environment.run(&execution), Err(CallError::Cancelled)));
    assert_eq!(status(&environment, &execution), Status::Cancelled);
    assert_eq!(log(&environment), ["cleaned up"], "and what it asked for without a shield was not made");
}

#[test]
fn an_execution_may_answer_a_cancellation_with_a_result() {
    let mut environment = environment();
    let execution = start(&environment, finishes_anyway());
    cancel(&mut environment, &execution);
    assert_eq!(environment.run(&execution).unwrap(), "partial");
}

#[test]
fn an_error_that_wraps_the_cancelled_call_is_a_cancellation_too() {
    let mut environment = environment();
    let execution = start(&environment, wraps());
    cancel(&mut environment, &execution);
    assert!(matches!(environment.run(&execution), Err(CallError::Cancelled)));
}

#[test]
fn children_are_cancelled_with_their_parent_which_waits_for_them() {
    let mut environment = environment();
    let execution = start(&environment, parent());
    cancel(&mut environment, &execution);
    assert!(matches!(environment.run(&execution), Err(CallError::Cancelled)));
    assert_eq!(log(&environment), ["cleaned up"], "the child did, before the parent ended");
}

#[test]
fn a_child_that_loses_a_race_is_stopped_as_its_call_says() {
    for (policy, expected) in [
        (ParentClose::Cancel, Status::Cancelled),
        (ParentClose::Terminate, Status::Terminated),
        (ParentClose::Abandon, Status::Running),
    ] {
        let environment = environment();
        let name = match policy {
            ParentClose::Abandon => 0,
            ParentClose::Cancel => 1,
            ParentClose::Terminate => 2,
        };
        let execution = start(&environment, races_a_child(name));
        environment.run(&execution).unwrap();
        environment.advance(Duration::from_secs(10));
        let child = ExecutionId::new("cleansUp", "child").unwrap();
        assert_eq!(environment.drive().meta(&child).unwrap().status, expected, "{policy:?}");
    }
}

#[test]
fn a_scope_is_cancelled_alone() {
    let environment = environment();
    assert_eq!(environment.call(cancels_a_part()).unwrap(), ["part: cancelled", "rest: done"]);
}

#[test]
fn a_terminated_execution_ends_without_its_code_and_takes_its_children_along() {
    let mut environment = environment();
    let execution = start(&environment, parent());
    client(&mut environment, &execution, async |client, id| client.terminate(id, "gone wrong").await)
        .unwrap();
    let ended = environment.result(&execution);
    assert!(matches!(ended, Some(Err(CallError::Terminated(reason))) if reason == "gone wrong"));
    environment.advance(Duration::from_secs(10));
    assert_eq!(log(&environment), ["cleaned up"], "the child was asked to cancel itself");
    let again = client(&mut environment, &execution, async |client, id| client.cancel(id, "").await);
    assert!(matches!(again, Err(ClientError::Closed(_, "terminated"))), "{again:?}");
}

#[test]
fn a_paused_execution_keeps_what_happens_and_goes_on_when_resumed() {
    let mut environment = environment();
    let execution = start(&environment, collects(2));
    client(&mut environment, &execution, async |client, id| client.pause(id, "maintenance").await).unwrap();
    assert_eq!(status(&environment, &execution), Status::Paused);
    environment.signal(&execution, Item { name: "a".to_owned() }).unwrap();
    environment.signal(&execution, Item { name: "b".to_owned() }).unwrap();
    environment.restart();
    environment.advance(HOUR);
    assert_eq!(status(&environment, &execution), Status::Paused);
    assert!(environment.result(&execution).is_none());
    client(&mut environment, &execution, async |client, id| client.resume(id).await).unwrap();
    assert_eq!(environment.run(&execution).unwrap(), ["a", "b"]);
    let replayed = ask(&mut environment, &execution, "count").unwrap();
    assert_eq!(replayed, Outcome::Succeeded("2".into()), "the history replays, pause and all");
}

#[test]
fn queries_read_open_and_closed_executions_and_record_nothing() {
    let mut environment = environment();
    let execution = start(&environment, collects(2));
    environment.signal(&execution, Item { name: "a".to_owned() }).unwrap();
    let turns = environment.history(&execution).len();
    assert_eq!(ask(&mut environment, &execution, "count").unwrap(), Outcome::Succeeded("1".into()));
    assert_eq!(environment.history(&execution).len(), turns);
    environment.signal(&execution, Item { name: "b".to_owned() }).unwrap();
    environment.run(&execution).unwrap();
    assert_eq!(ask(&mut environment, &execution, "count").unwrap(), Outcome::Succeeded("2".into()));
    let unknown = ask(&mut environment, &execution, "size").unwrap_err();
    assert!(unknown.contains("answers no query `size`; it answers count"), "{unknown}");
    assert!(matches!(ask(&mut environment, &execution, "panics"), Err(text) if text.contains("no query")));
}

#[test]
fn conditions_hold_when_the_state_does_and_time_out_when_it_never_does() {
    let environment = environment();
    let execution = start(&environment, waits_for_votes(2));
    environment.signal(&execution, Vote { yes: true }).unwrap();
    environment.signal(&execution, Vote { yes: false }).unwrap();
    assert!(environment.result(&execution).is_none());
    environment.signal(&execution, Vote { yes: true }).unwrap();
    assert!(environment.result(&execution).unwrap().unwrap(), "without time passing");
    assert!(!environment.call(waits_for_votes(1)).unwrap(), "after its hour");
}

#[test]
fn a_handler_that_is_disposed_of_leaves_signals_to_others() {
    let environment = environment();
    let execution = start(&environment, disposes());
    environment.signal(&execution, Item { name: "a".to_owned() }).unwrap();
    environment.advance(HOUR);
    environment.signal(&execution, Item { name: "b".to_owned() }).unwrap();
    assert_eq!(environment.run(&execution).unwrap(), ["handled a", "awaited b"]);
}

#[test]
fn a_saga_undoes_in_reverse_even_when_cancelled_and_names_what_it_could_not() {
    let environment = environment();
    assert!(matches!(environment.call(books("fails".to_owned())), Err(CallError::Failed(_))));
    assert_eq!(log(&environment), ["did hotel", "did car", "undid car", "undid hotel"]);

    let mut environment = self::environment();
    let execution = start(&environment, books("waits".to_owned()));
    cancel(&mut environment, &execution);
    assert!(matches!(environment.run(&execution), Err(CallError::Cancelled)));
    assert_eq!(log(&environment), ["did hotel", "did car", "undid car", "undid hotel"]);

    let environment = self::environment();
    let Err(CallError::Failed(error)) = environment.call(books("stuck".to_owned())) else { panic!("booked") };
    assert!(error.message.contains("1 of the saga's compensations failed"), "{error}");
    assert_eq!(log(&environment), ["did hotel", "did stuck", "undid hotel"], "the others are undone");
}

#[test]
fn a_task_has_one_time_for_all_its_attempts() {
    let environment = environment();
    let before = environment.now();
    assert!(matches!(environment.call(tries_for_a_minute()), Err(CallError::Failed(_))));
    assert!(environment.now() - before <= 60_000, "no attempt begins after the limit");
    assert!(matches!(environment.call(final_at_once()), Err(CallError::Failed(_))));
    assert_eq!(log(&environment).iter().filter(|it| *it == "tried finally").count(), 1);
}
