//! A user's scenario with a crash everywhere.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eventual::{Ctx, Result, State};
use eventual_testing::{Explorer, TestEnvironment, Trouble, explore};

use crate::environment;
use crate::service::*;

/// What was done, in order, without looking at the key: a mistake.
#[derive(Default)]
struct Careless(Mutex<Vec<u64>>);

#[eventual::task]
async fn pay_carelessly(cents: u64, ledger: State<Careless>) {
    ledger.0.lock().unwrap().push(cents);
}

#[eventual::workflow]
async fn careless(cents: u64) -> Result<()> {
    pay_carelessly(cents).await?;
    eventual::sleep(DAY).await?;
    Ok(())
}

#[eventual::command(auth = none)]
async fn paid_carelessly(ledger: State<Careless>) -> u64 {
    ledger.0.lock().unwrap().iter().sum()
}

#[eventual::command(auth = none)]
async fn charged(ledger: State<Ledger>, ctx: Ctx) -> u64 {
    assert!(ctx.execution().is_none());
    ledger.0.lock().unwrap().values().sum()
}

#[test]
fn a_careful_scenario_survives_every_crash_and_repetition() {
    let runs = AtomicU32::new(0);
    let explored = explore(environment, |env| {
        runs.fetch_add(1, Ordering::SeqCst);
        let placed =
            env.request("POST", "/accounts/ada/orders").json(&serde_json::json!({ "cents": 5 })).send();
        let other = env.call(order_for("eve".into()));
        let days = env.call(daily(3));
        env.advance(Duration::from_secs(60));
        (placed.body, other, days, env.call(charged()))
    });
    assert_eq!(explored.runs, explored.of, "all of them");
    assert_eq!(runs.load(Ordering::SeqCst) as usize, explored.runs + 1);
    assert!(explored.runs > 100, "{explored:?}");
}

#[test]
fn a_task_that_forgets_its_key_is_found_and_can_be_run_alone() {
    let careless_environment =
        || TestEnvironment::with_state(eventual::service!(name = "environment"), Careless::default());
    let scenario = |env: &TestEnvironment| {
        env.call(careless(5)).unwrap();
        env.call(paid_carelessly()).unwrap()
    };
    let finding = Explorer::default().run(careless_environment, scenario).unwrap_err();
    let said = finding.to_string();
    assert!(said.contains("it answers 10 instead of 5"), "{said}");
    assert!(said.contains(&format!("EVENTUAL_EXPLORE={}", finding.trouble)), "{said}");
    let again = Explorer::default().only(finding.trouble).run(careless_environment, scenario);
    assert_eq!(again.unwrap_err().difference, finding.difference);
    let elsewhere = Trouble::Crash { call: 0, after_effect: false };
    Explorer::default().only(elsewhere).run(careless_environment, scenario).unwrap();
}

#[test]
fn a_budget_ends_an_exploration_early() {
    let explorer = Explorer::default().budget(Duration::ZERO);
    let explored = explorer.run(environment, |env| env.call(daily(5))).unwrap();
    assert_eq!(explored.runs, 1);
    assert!(explored.of > 20);
}
