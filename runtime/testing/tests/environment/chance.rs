//! Code that is not deterministic is found in the turn in which it is not.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eventual::{CallError, Result};
use eventual_engine::core::Status;

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
        "tests/environment/chance.rs:18:",
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
