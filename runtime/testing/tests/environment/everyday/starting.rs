//! Starting executions, and messages to those that nobody started.

use std::time::Duration;

use eventual::Result;
use eventual_engine::ClientError;
use eventual_engine::core::{ExecutionId, Fact, Payload, Status};
use eventual_engine::ports::{Dispatch, Message};
use eventual_testing::TestEnvironment;

use crate::environment;

/// Waits for a second and returns what it was given.
#[eventual::workflow]
async fn keeps(number: u32) -> Result<u32> {
    eventual::sleep(Duration::from_secs(1)).await?;
    Ok(number)
}

fn start(env: &TestEnvironment, name: Option<&str>, input: &str) -> Result<ExecutionId, ClientError> {
    env.drive().block_on(env.drive().client().start("keeps", name, input.into()))
}

#[test]
fn a_start_without_a_name_is_always_another_execution() {
    let env = environment();
    let (one, other) = (start(&env, None, "1").unwrap(), start(&env, None, "1").unwrap());
    assert_ne!(one, other);
    assert!(env.run_until_idle(Duration::from_secs(2)));
    assert!(env.executions().iter().all(|it| it.status == Status::Succeeded));
}

#[test]
fn a_start_by_the_function_is_a_start_by_its_name() {
    let env = environment();
    let execution = env.start(keeps(7).key("seven")).unwrap();
    assert_eq!(execution.id(), "keeps/seven");
    assert_eq!(start(&env, Some("seven"), "7").unwrap().as_str(), "keeps/seven");
    assert_eq!(env.run(&execution), Ok(7));
    assert_eq!(env.executions().len(), 1);
}

#[test]
fn a_workflow_that_is_not_there_is_not_started() {
    let env = environment();
    let unknown = env.drive().block_on(env.drive().client().start("nobody", None, "null".into()));
    assert!(unknown.unwrap_err().to_string().contains("no workflow `nobody`"));
    assert!(env.executions().is_empty());
}

#[test]
fn a_name_that_cannot_be_one_is_refused_with_what_is_wrong() {
    let env = environment();
    for name in ["no spaces", "no/slash", "", &"n".repeat(201)] {
        let refused = start(&env, Some(name), "1").unwrap_err();
        assert!(matches!(&refused, ClientError::Name(_)), "{name}: {refused}");
    }
    assert!(env.executions().is_empty());
}

#[test]
fn the_same_start_finds_the_execution_that_is_there_also_when_it_has_ended() {
    let env = environment();
    let first = start(&env, Some("one"), "0").unwrap();
    assert_eq!(start(&env, Some("one"), " 0 ").unwrap(), first, "the same input, written otherwise");
    assert!(env.run_until_idle(Duration::from_secs(2)));
    assert_eq!(start(&env, Some("one"), "0").unwrap(), first);
    assert!(env.run_until_idle(Duration::from_secs(2)));
    assert_eq!(env.history(first.as_str()).len(), 2, "it did not run again");
}

#[test]
fn another_start_under_a_name_that_is_taken_is_refused() {
    let env = environment();
    let first = start(&env, Some("one"), "1").unwrap();
    let refused = start(&env, Some("one"), "2").unwrap_err();
    assert!(matches!(&refused, ClientError::AlreadyExists(id) if *id == first), "{refused}");
}

/// In the original such a message came back for fourteen days, and kept others from being handled.
#[test]
fn a_message_to_an_execution_that_nobody_started_is_dropped_and_keeps_nobody_waiting() {
    let env = environment();
    let nobody = ExecutionId::new("keeps", "nobody").unwrap();
    let refused = env.drive().block_on(env.drive().client().signal(&nobody, "Go", Payload::null()));
    assert!(matches!(refused, Err(ClientError::NotFound(_))), "{refused:?}");
    let execution = env.start(keeps(1)).unwrap();
    let signal = Fact::Signal { id: "s".into(), name: "Go".into(), payload: Payload::null() };
    env.drive().block_on(async {
        let message = Message { facts: vec![signal, Fact::TimerFired { seq: 0 }], ..Message::default() };
        env.drive().world().wake(&nobody, &message).await.unwrap();
    });
    env.settle();
    assert_eq!(env.due().len(), 1, "the timer of the other, and nothing that comes again");
    assert!(env.dead_letters().is_empty());
    assert_eq!(env.run(&execution), Ok(1));
    assert_eq!(env.executions().len(), 1);
}
