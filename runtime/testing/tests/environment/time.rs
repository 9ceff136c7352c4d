//! The clock of a test moves as the test says, and months take milliseconds.

use std::time::{Duration, Instant};

use eventual_testing::TestEnvironment;
use serde_json::json;

use crate::environment;
use crate::service::{DAY, daily, note, wait_for_go};

#[test]
fn a_daily_loop_of_a_year_is_over_at_once() {
    let env = environment();
    let (began, since) = (env.now(), Instant::now());
    assert_eq!(env.call(daily(365)).unwrap(), 365);
    assert_eq!(env.now() - began, 365 * 86_400_000);
    assert_eq!(env.calls(note).len(), 365);
    println!("a simulated year took {:?}", since.elapsed());
}

#[test]
fn time_passes_by_so_much_or_to_a_moment_and_never_back() {
    let env = environment();
    let began = env.now();
    let execution = env.start(daily(3)).unwrap();
    assert_eq!(env.calls(note).len(), 1);
    env.advance(DAY - Duration::from_millis(1));
    assert_eq!(env.calls(note).len(), 1);
    env.advance_to(began + 86_400_000);
    assert_eq!(env.calls(note).len(), 2);
    env.advance_to(began);
    assert_eq!(env.now(), began + 86_400_000, "never back");
    env.advance_to(std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(began) + 3 * DAY);
    assert_eq!(env.result(&execution), Some(Ok(3)));
    let days: Vec<u64> = env.calls(note).iter().map(|it| (it.at - began) / 86_400_000).collect();
    assert_eq!(days, [0, 1, 2]);
}

#[test]
fn a_test_runs_until_something_holds_or_until_its_deadline() {
    let env = environment();
    let began = env.now();
    env.start(daily(1_000)).unwrap();
    assert!(env.run_until(20 * DAY, |env| env.calls(note).len() == 10));
    assert_eq!(env.now() - began, 9 * 86_400_000);
    assert!(!env.run_until(2 * DAY, |env| env.calls(note).len() == 100));
    assert_eq!(env.now() - began, 11 * 86_400_000, "no further than it was told");
    assert!(!env.run_until_idle(DAY));
    assert!(env.run_until_idle(2_000 * DAY), "after its last day nothing is on its way");
    env.start(wait_for_go()).unwrap();
    assert!(env.run_until_idle(DAY), "who waits for the test is idle");
}

#[test]
fn what_has_ended_is_forgotten_after_its_retention_and_its_name_is_free() {
    let env = environment();
    let execution = env.start(daily(1).key("again")).unwrap();
    env.run(&execution).unwrap();
    let first = env.execution(&execution);
    let get = |env: &TestEnvironment| env.system(&json!({ "op": "get", "execution": execution.id() }));
    let listed = |env: &TestEnvironment| {
        let page = env.system(&json!({ "op": "list", "workflow": "daily" })).unwrap();
        page["executions"].as_array().unwrap().len()
    };
    env.advance(30 * DAY);
    assert_eq!((get(&env).unwrap()["status"].as_str(), listed(&env)), (Some("succeeded"), 1), "for 30 days");
    assert!(env.start(daily(2).key("again")).is_err(), "its name is its own");
    env.advance(Duration::from_millis(1));
    assert_eq!((get(&env).unwrap_err().class.as_str(), listed(&env)), ("NotFound", 0));
    assert_eq!(env.result(&execution), Some(Ok(1)), "a test may look at everything that it ran");
    assert_eq!(env.history(&execution).len(), 3);

    let again = env.start(daily(2).key("again")).unwrap();
    assert_eq!((again.id(), env.result(&again)), (execution.id(), None));
    let second = env.execution(&again);
    assert_ne!(first.run, second.run);
    assert_eq!(env.run(&again), Ok(2));
    let runs: Vec<_> = env.executions().into_iter().map(|it| it.run).collect();
    assert_eq!(runs, [first.run, second.run]);
}

#[test]
fn a_test_says_how_long_closed_executions_are_kept() {
    let env = environment().retention(DAY);
    let execution = env.start(daily(1)).unwrap();
    let waiting = env.start(wait_for_go()).unwrap();
    env.run(&execution).unwrap();
    env.advance(DAY + Duration::from_millis(1));
    let status =
        |id: &str| env.system(&json!({ "op": "get", "execution": id })).map(|it| it["status"].clone());
    assert_eq!(status(execution.id()).unwrap_err().class, "NotFound");
    assert_eq!(status(waiting.id()).unwrap(), "running", "open ones stay");
}
