//! The process dies at every port call of executions whose tasks beat, are answered elsewhere, or may run only once.

use std::sync::Arc;

use eventual_engine::core::{ExecutionId, Outcome};
use eventual_engine::ports::{Clock, Store};
use eventual_engine::{Ports, States};
use eventual_testing::faults::{CrashPoint, Faults};
use eventual_testing::host::Host;
use eventual_testing::world::World;

use crate::stage::{Floor, text};

struct Run {
    end: Option<Outcome>,
    calls: u64,
    seen: Vec<String>,
}

/// Runs an execution whose process dies at `point`; somebody answers every token that is handed out, until it counts.
async fn run(workflow: &str, input: &str, point: CrashPoint) -> Run {
    let service = eventual::service!(name = "tasks");
    let world = Arc::new(World::new([], 1));
    let floor = Floor::new(world.clone());
    // Steps of an import go on at once.
    floor.gate.add_permits(1_000);
    let inner = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
    let faults = Faults::new(inner, point);
    let mut states = States::default();
    states.insert(floor.clone());
    let mut host = Host::new(world.clone(), faults.ports(), service.registry().clone(), Arc::new(states));
    while host.engine().client().start(workflow, Some("1"), input.into()).await.is_err() {
        host = host.restarted();
        faults.revive();
    }
    let deadline = world.now() + 40 * 86_400_000;
    while world.now() < deadline {
        match host.step().await {
            Ok(true) => {}
            Ok(false) => {
                let token = floor.tokens.lock().unwrap().pop();
                if let Some(token) = token {
                    let answer = Outcome::Succeeded(r#"{"yes":true}"#.into());
                    if let Err(eventual_engine::ClientError::Fault(_)) =
                        host.engine().client().complete(token.as_str(), answer).await
                    {
                        floor.tokens.lock().unwrap().push(token);
                        host = host.restarted();
                        faults.revive();
                    }
                } else if let Some(due) = world.next_due() {
                    world.set_now(due);
                } else {
                    break;
                }
            }
            Err(_) => {
                host = host.restarted();
                faults.revive();
            }
        }
    }
    let id = ExecutionId::new(workflow, "1").unwrap();
    let meta = Store::meta(&*world, &id).await.unwrap().unwrap();
    let seen = floor.seen.lock().unwrap().clone();
    Run { end: meta.end, calls: faults.calls(), seen }
}

fn everywhere(workflow: &str, input: &str, may_end: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let calm = run(workflow, input, CrashPoint { call: u64::MAX, after_effect: false }).await;
        assert_eq!(text(calm.end), may_end[0]);
        for (call, after_effect) in (0..calm.calls).flat_map(|call| [(call, false), (call, true)]) {
            let crashed = run(workflow, input, CrashPoint { call, after_effect }).await;
            let end = text(crashed.end);
            assert!(may_end.contains(&end.as_str()), "call {call}, after {after_effect}: {end}");
            let times = crashed.seen.iter().filter(|it| *it == "once").count();
            assert!(times <= 1, "call {call}, after {after_effect}: at most once, and it was {times} times");
        }
    });
}

#[test]
fn a_task_that_is_answered_elsewhere_ends_wherever_a_process_dies() {
    everywhere("decides", "\"buy it?\"", &[r#""Decision { yes: true }""#]);
}

#[test]
fn a_task_that_beats_ends_wherever_its_process_dies() {
    everywhere("imports", "3", &["3"]);
}

#[test]
fn a_token_of_an_inline_task_survives_every_death() {
    let wrong = r#""Err(Invalid(Error(Details"#;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let calm = run("decidesInline", "null", CrashPoint { call: u64::MAX, after_effect: false }).await;
        let end = text(calm.end);
        assert!(end.starts_with(wrong), "the answer is no number, and it came: {end}");
        for (call, after_effect) in (0..calm.calls).flat_map(|call| [(call, false), (call, true)]) {
            let crashed = run("decidesInline", "null", CrashPoint { call, after_effect }).await;
            assert_eq!(text(crashed.end), end, "call {call}, after {after_effect}");
        }
    });
}

#[test]
fn an_inline_task_that_may_run_once_runs_at_most_once() {
    let lost = r#""Err(Crashed(\"its process ended while it was performed\"))""#;
    everywhere("once", "null", &["\"Ok(1)\"", lost]);
}
