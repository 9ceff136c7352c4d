//! Executions that talk to others and live long: updates, signal-with-start, operations that cannot be done, and code that
//! continues as new. Each also after the process has lost its memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod workflows;

use std::time::Duration;

use eventual::{CallError, Execution};
use eventual_engine::core::{ExecutionId, Outcome, Payload, Status};
use eventual_engine::{ClientError, UpdateRequest};
use eventual_testing::{TestEnvironment, TestExecution};
use workflows::*;

fn environment() -> TestEnvironment {
    TestEnvironment::new(eventual::service!(name = "dialogue"))
}

fn id<T, E>(execution: &TestExecution<T, E>) -> ExecutionId {
    ExecutionId::parse(execution.id()).unwrap()
}

fn update(name: &str, input: &str, id: Option<&str>) -> UpdateRequest {
    UpdateRequest { name: name.into(), input: input.into(), id: id.map(Into::into), start: None }
}

#[test]
fn an_update_is_checked_made_and_answered() {
    let mut environment = environment();
    let execution = environment.start(sum(3)).unwrap();
    assert_eq!(environment.call(add(((&execution).into(), 1))).unwrap(), 2);
    environment.restart();
    let twice = environment.call(add(((&execution).into(), 1))).unwrap_err();
    assert!(
        matches!(&twice, CallError::Failed(error) if error.class == "Twice" && error.status == 409),
        "{twice:?}"
    );
    assert_eq!(environment.call(add(((&execution).into(), 2))).unwrap(), 6);
    assert_eq!(environment.call(add(((&execution).into(), 3))).unwrap(), 12);
    assert_eq!(environment.run(&execution).unwrap(), 12);
    let late = environment.call(add(((&execution).into(), 4))).unwrap_err();
    assert!(matches!(&late, CallError::Failed(error) if error.class == "ClientError::Conflict"), "{late:?}");
}

#[test]
fn a_workflow_asks_another_and_gets_each_answer() {
    let mut environment = environment();
    let execution = environment.start(sum(2)).unwrap();
    let asking = environment.start(asks((&execution).into())).unwrap();
    environment.restart();
    let answers = environment.run(&asking).unwrap();
    assert_eq!(answers, ["2", "Twice", "UnknownUpdate", "10"], "and the last ended the other");
    let refused = environment.call(asks((&execution).into())).unwrap();
    assert_eq!(refused, ["ClientError::Conflict"; 4]);
}

#[test]
fn an_update_sent_again_is_one_update() {
    let environment = environment();
    let execution = environment.start(sum(2)).unwrap();
    let drive = environment.drive();
    let ask = |key| drive.block_on(drive.client().update(&id(&execution), update("add", "5", Some(key))));
    assert_eq!(ask("a").unwrap(), Outcome::Succeeded("10".into()));
    assert_eq!(ask("a").unwrap(), Outcome::Succeeded("10".into()));
    assert!(matches!(ask("b").unwrap(), Outcome::Failed(error) if error.class == "Twice"));
    let nonsense = drive.block_on(drive.client().update(&id(&execution), update("add", "\"x\"", None)));
    assert!(matches!(nonsense.unwrap(), Outcome::Failed(error) if error.class == "InvalidInput"));
}

#[test]
fn an_update_that_nobody_can_answer_now_says_so() {
    let environment = environment();
    let execution = environment.start(sum(2)).unwrap();
    let drive = environment.drive();
    drive.block_on(drive.client().pause(&id(&execution), "later")).unwrap();
    let asked = drive.block_on(drive.client().update(&id(&execution), update("add", "5", Some("k"))));
    assert!(
        matches!(&asked, Err(ClientError::Unanswered(message)) if message.contains("\"k\"")),
        "{asked:?}"
    );
    drive.block_on(drive.client().resume(&id(&execution))).unwrap();
    let again = drive.block_on(drive.client().update(&id(&execution), update("add", "5", Some("k"))));
    assert_eq!(again.unwrap(), Outcome::Succeeded("10".into()), "it was kept");
}

#[test]
fn operations_that_cannot_be_done_say_why() {
    let environment = environment();
    let ended = environment.start(sum(0)).unwrap();
    let classes = environment.call(operates((&ended).into())).unwrap();
    let missing = "ClientError::NotFound";
    let expected =
        [missing, "ClientError::Conflict", missing, "counts/operated", "refused", "counts/operated"];
    assert_eq!(classes, expected);
    let operated = ExecutionId::new("counts", "operated").unwrap();
    assert!(environment.drive().run_until(|it| it.meta(&operated).unwrap().status == Status::Succeeded));
    assert_eq!(environment.drive().meta(&operated).unwrap().end, Some(Outcome::Succeeded("6".into())));
}

#[test]
fn a_signal_starts_the_execution_that_it_is_for_once() {
    let environment = environment();
    for number in 1..=3 {
        let execution = environment.call(count_one(("c".into(), number))).unwrap();
        assert_eq!(execution.id(), "counts/c");
    }
    let counted = ExecutionId::new("counts", "c").unwrap();
    assert_eq!(environment.drive().meta(&counted).unwrap().end, Some(Outcome::Succeeded("12".into())));
    let closed = environment.call(count_one(("c".into(), 4))).unwrap_err();
    assert!(matches!(&closed, CallError::Failed(error) if error.status == 409), "{closed:?}");
}

#[test]
fn code_that_continues_as_new_loses_no_signal_and_reads_only_what_it_needs() {
    let mut environment = environment();
    let execution = environment.start(counts(to(1_000))).unwrap();
    for round in 0..10 {
        for _ in 0..100 {
            environment.signal(&execution, Add { number: 1 }).unwrap();
        }
        environment.restart();
        if round == 4 {
            let drive = environment.drive();
            let answer = drive.block_on(drive.client().query(&id(&execution), "count", Payload::null()));
            assert_eq!(answer.unwrap(), Outcome::Succeeded("500".into()));
        }
        let kept = environment.history(&execution).len();
        assert!(kept < 2 * 50 * 3, "{kept} turns are kept");
    }
    assert_eq!(environment.run(&execution).unwrap(), 2_000);
}

#[test]
fn a_burst_of_signals_survives_the_new_beginnings() {
    let mut environment = environment();
    let execution = environment.start(counts(to(333))).unwrap();
    let drive = environment.drive();
    let all = async {
        for number in 0..333 {
            let payload = format!("{{\"number\":{number}}}");
            drive.client().signal(&id(&execution), "Add", payload.as_str().into()).await.unwrap();
        }
    };
    drive.block_on(all);
    environment.restart();
    assert_eq!(environment.run(&execution).unwrap(), 2 * (0..333).sum::<u32>());
}

#[test]
fn a_year_of_days_passes_in_a_moment() {
    let mut environment = environment();
    let execution = environment.start(daily(365)).unwrap();
    let began = environment.now();
    environment.advance(Duration::from_secs(86_400 * 200));
    environment.restart();
    environment.run(&execution).unwrap();
    assert_eq!(environment.now() - began, 365 * 86_400_000);
    assert!(environment.history(&execution).len() < 64, "two months are kept");
}

#[test]
fn a_fork_goes_on_by_itself_with_what_was_under_way() {
    let mut environment = environment();
    let first = environment.start(forks()).unwrap();
    let drive = environment.drive();
    let child = drive.world().ids().into_iter().find(|it| it.workflow() == "sum").unwrap();
    environment.signal(&first, Add { number: 5 }).unwrap();
    let began = environment.history(&first).iter().find(|it| it.calls.len() > 3).unwrap().number;
    environment.restart();
    let drive = environment.drive();
    let fork = drive.block_on(drive.client().fork(&id(&first), began, Some("again"))).unwrap();
    assert_eq!(fork.as_str(), "forks/again");
    drive.settle();
    let signal = drive.client().signal(&fork, "Add", "{\"number\":6}".into());
    drive.block_on(signal).unwrap();
    drive.block_on(drive.client().update(&child, update("add", "4", None))).unwrap();
    environment.restart();
    let told = environment.run(&first).unwrap();
    assert_eq!(told, ["doubled 2", "child 8", "added 5", "task 7", first.id()]);
    let drive = environment.drive();
    assert!(drive.run_until(|it| it.meta(&fork).unwrap().status.is_closed()));
    let Some(Outcome::Succeeded(told)) = drive.meta(&fork).unwrap().end else {
        panic!("{:?}", drive.meta(&fork))
    };
    let told: Vec<String> = serde_json::from_slice(told.as_bytes()).unwrap();
    assert_eq!([&told[0], &told[2], &told[3], &told[4]], ["doubled 2", "added 6", "task 7", "forks/again"]);
    assert!(told[1].contains("forked from"), "{}", told[1]);

    let refused =
        |turn| drive.block_on(drive.client().fork(&id(&first), turn, None)).unwrap_err().to_string();
    assert!(refused(99).contains("it has 1 to"), "{}", refused(99));
    let last = environment.history(&first).len() as u64;
    assert!(refused(last).contains("ended it"), "{}", refused(last));
    let again = drive.block_on(drive.client().fork(&fork, began + 1, Some("third"))).unwrap();
    drive.settle();
    assert!(drive.meta(&again).unwrap().parked.is_none(), "a fork of a fork goes with its history");
}

#[test]
fn an_execution_that_continued_is_forked_and_reset() {
    let mut environment = environment();
    let execution = environment.start(counts(to(300))).unwrap();
    for _ in 0..200 {
        environment.signal(&execution, Add { number: 1 }).unwrap();
    }
    let turns = environment.history(&execution);
    let at = turns.iter().find(|it| it.continued.is_some()).unwrap().number + 50;
    let drive = environment.drive();
    let reset = drive.block_on(drive.client().reset(&id(&execution), at, Some("reset"))).unwrap();
    drive.settle();
    assert_eq!(drive.meta(&id(&execution)).unwrap().status, Status::Terminated);
    for _ in 0..200 {
        // The last ones may find that it has all that it needs.
        let _told = drive.block_on(drive.client().signal(&reset, "Add", "{\"number\":1}".into()));
    }
    environment.restart();
    assert!(environment.drive().run_until(|it| it.meta(&reset).unwrap().status.is_closed()));
    assert_eq!(environment.drive().meta(&reset).unwrap().end, Some(Outcome::Succeeded("600".into())));
}

#[test]
fn a_workflow_continues_only_as_itself() {
    let error = environment().call(strays()).unwrap_err();
    assert!(matches!(&error, CallError::Failed(error) if error.class == "NotThisWorkflow"), "{error:?}");
}

#[test]
fn an_execution_is_addressed_by_anybody_who_knows_its_name() {
    let execution = Execution::new("sum", "nobody").unwrap();
    let error = environment().call(add((execution, 1))).unwrap_err();
    assert!(
        matches!(&error, CallError::Failed(error) if error.class == "ClientError::NotFound"),
        "{error:?}"
    );
}
