//! Code that is not deterministic is found in the turn in which it is not.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eventual::{CallError, Result};
use eventual_engine::core::Status;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::environment;
use crate::service::*;

/// Asks in the order of a hash map.
#[eventual::workflow(allow_nondeterminism)]
async fn unordered(accounts: Vec<String>) -> Result<()> {
    let accounts: HashMap<String, u64> = accounts.into_iter().map(|it| (it, 1)).collect();
    for (account, _) in accounts {
        note(account).await?;
    }
    Ok(())
}

#[eventual::workflow]
async fn ordered(accounts: Vec<String>) -> Result<u32> {
    let accounts: BTreeMap<String, u64> = accounts.into_iter().map(|it| (it, 1)).collect();
    for account in accounts.into_keys() {
        note(account).await?;
    }
    let branch = eventual::spawn(async { eventual::sleep(Duration::from_secs(5)).await });
    let won = tokio::select! {
        _ = branch => 1,
        _ = eventual::sleep(Duration::from_secs(5)) => 2,
    };
    Ok(won)
}

/// Ends otherwise in every instance.
#[eventual::workflow(allow_nondeterminism)]
async fn counts_its_runs() -> u32 {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    RUNS.fetch_add(1, Ordering::SeqCst)
}

/// Tells how often its branches were polled, which is the executor's matter.
#[eventual::workflow]
async fn counts_polls() -> Result<()> {
    let polls = Rc::new(Cell::new(0_u32));
    let mut branches = FuturesUnordered::new();
    for seconds in [1, 2, 3] {
        let mut sleep = Box::pin(eventual::sleep(Duration::from_secs(seconds)));
        let polls = polls.clone();
        branches.push(poll_fn(move |cx| {
            polls.set(polls.get() + 1);
            sleep.as_mut().poll(cx)
        }));
    }
    while branches.next().await.is_some() {}
    note(polls.get().to_string()).await?;
    Ok(())
}

/// Runs something that needs an async runtime.
#[eventual::workflow(allow_nondeterminism)]
async fn needs_tokio(what: String) {
    match what.as_str() {
        "sleep" => tokio::time::sleep(Duration::from_millis(1)).await,
        "spawn" => drop(tokio::spawn(async {})),
        _ => {}
    }
}

fn accounts() -> Vec<String> {
    ["ada", "bob", "cyd", "dan", "eve", "fay"].map(str::to_owned).to_vec()
}

#[test]
fn the_order_of_a_hash_map_parks_the_execution_with_both_sides() {
    let env = environment();
    let execution = env.start(unordered(accounts())).unwrap();
    let [(id, reason)] = env.parked().try_into().unwrap();
    assert_eq!(id, execution.id());
    for part in [
        "not deterministic",
        "as call 0 of turn 1, one asked for task `note` and another for task `note` with another input",
        "tests/environment/chance.rs:23:",
        "after the start of the execution",
    ] {
        assert!(reason.contains(part), "{part} is not in: {reason}");
    }
    assert!(
        matches!(env.call(unordered(accounts())), Err(CallError::Invalid(it)) if it.message.contains("parked"))
    );
    let alone = environment().twins(1);
    alone.call(unordered(accounts())).unwrap();
}

#[test]
fn what_is_deterministic_passes_however_its_branches_are_polled() {
    for _ in 0..20 {
        let mut env = environment();
        let execution = env.start(ordered(accounts())).unwrap();
        env.restart();
        assert_eq!(env.run(&execution).unwrap(), 2, "its timer was asked for before the branch's");
        assert_eq!(env.execution(&execution).status, Status::Succeeded);
    }
}

#[test]
fn code_that_depends_on_when_it_is_polled_is_parked() {
    let env = environment();
    env.start(counts_polls()).unwrap();
    env.advance(Duration::from_secs(5));
    let [(_, reason)] = env.parked().try_into().unwrap();
    assert!(
        reason.contains("one asked for task `note` and another for task `note` with another input"),
        "{reason}"
    );
    environment().twins(1).call(counts_polls()).unwrap();
}

#[test]
fn another_end_parks_too() {
    let env = environment();
    let execution = env.start(counts_its_runs()).unwrap();
    let reason = env.execution(&execution).parked.unwrap();
    assert!(
        reason.contains("in turn 1, one ended with ") && reason.contains(" and another ended with "),
        "{reason}"
    );
}

#[test]
fn code_that_needs_an_async_runtime_is_told_so_as_in_production() {
    let env = environment();
    for what in ["sleep", "spawn"] {
        let Err(CallError::Crashed(said)) = env.call(needs_tokio(what.into())) else {
            panic!("{what} works")
        };
        assert!(said.contains("Workflow code runs without tokio"), "{what}: {said}");
    }
    env.call(needs_tokio("nothing".into())).unwrap();
}
