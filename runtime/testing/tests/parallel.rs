//! Many calls at once: how many at a time, in which order, and what becomes of the rest when enough have ended.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::time::Duration;

use eventual::{CallError, Result};
use eventual_engine::core::Status;
use eventual_testing::{TestEnvironment, explore};

/// What is done many times.
#[eventual::task]
async fn work(number: u32) -> Result<u32, String> {
    Ok(number)
}

/// A child that takes so many minutes.
#[eventual::workflow]
async fn slowly(minutes: u64) -> Result<u64> {
    eventual::sleep(Duration::from_secs(60 * minutes)).await?;
    Ok(minutes)
}

#[eventual::workflow]
async fn works_on_all((count, limit): (u32, usize)) -> Result<Vec<u32>> {
    Ok(eventual::map(0..count, work).concurrency(limit).all().await?)
}

#[eventual::workflow]
async fn settles(count: u32) -> Vec<bool> {
    eventual::map(0..count, work).settled().await.iter().map(Result::is_ok).collect()
}

#[eventual::workflow]
async fn fastest((minutes, wanted): (Vec<u64>, usize)) -> Result<Vec<(usize, u64)>> {
    let children = minutes.into_iter().map(slowly);
    Ok(eventual::parallel(children).first(wanted).await?)
}

#[eventual::workflow]
async fn tolerates((count, percent): (u32, u8)) -> Result<usize> {
    let done = eventual::map(0..count, work).concurrency(3).tolerate_percent(percent).await?;
    Ok(done.iter().filter(|it| it.is_ok()).count())
}

/// Branches of several steps each, two at a time.
#[eventual::workflow]
async fn pipelines(count: u32) -> Result<Vec<u32>> {
    let one = async |number: u32| -> Result<u32> {
        let first = work(number).await?;
        eventual::sleep(Duration::from_secs(u64::from(10 - number))).await?;
        Ok(work(first + 100).await?)
    };
    eventual::map(0..count, one).concurrency(2).all().await
}

fn environment() -> TestEnvironment {
    TestEnvironment::new(eventual::service!(name = "parallel"))
}

/// Fails for these.
fn failing(env: &TestEnvironment, bad: &[u32]) {
    let bad = bad.to_vec();
    env.mock(work).invoke(move |it| if bad.contains(&it) { Err(format!("{it} is bad")) } else { Ok(it) });
}

fn inputs(env: &TestEnvironment) -> Vec<u32> {
    env.calls(work).into_iter().map(|it| it.input).collect()
}

#[test]
fn no_more_run_than_the_limit_and_results_keep_the_order_of_the_items() {
    let mut env = environment();
    env.mock(work).hold();
    let execution = env.start(works_on_all((7, 3))).unwrap();
    let mut done = Vec::new();
    while env.result(&execution).is_none() {
        let held: Vec<u32> = env.held(work).iter().map(|it| *it.input()).collect();
        assert_eq!(held.len(), 3.min(7 - done.len()), "as many as may run, run: {held:?}");
        env.restart();
        // The one that began last is the first to end.
        let last = env.held(work).pop().unwrap();
        let number = *last.input();
        last.succeed(number * 10);
        done.push(number);
    }
    assert_eq!(done, [2, 3, 4, 5, 6, 1, 0]);
    assert_eq!(env.result(&execution).unwrap().unwrap(), [0, 10, 20, 30, 40, 50, 60]);
}

#[test]
fn the_first_failure_ends_it_and_the_rest_never_begins() {
    let env = environment();
    failing(&env, &[2]);
    let Err(CallError::Failed(error)) = env.call(works_on_all((100, 2))) else { panic!("all succeeded") };
    assert_eq!(error.message, "2 is bad");
    assert!(inputs(&env).len() <= 4, "{:?}", inputs(&env));
}

#[test]
fn all_are_settled_however_they_end() {
    let env = environment();
    failing(&env, &[0, 3]);
    assert_eq!(env.call(settles(5)).unwrap(), [false, true, true, false, true]);
    assert!(env.call(settles(0)).unwrap().is_empty());
}

#[test]
fn the_fastest_win_and_the_others_are_cancelled() {
    let env = environment();
    let began = env.now();
    assert_eq!(env.call(fastest((vec![9, 2, 5, 1, 7], 2))).unwrap(), [(1, 2), (3, 1)]);
    assert_eq!(env.now() - began, 2 * 60_000, "nobody waits for the others");
    env.advance(Duration::from_secs(60));
    let statuses: Vec<Status> = env.executions().iter().skip(1).map(|it| it.status).collect();
    let cancelled = statuses.iter().filter(|it| **it == Status::Cancelled).count();
    assert_eq!((statuses.len(), cancelled), (5, 3), "{statuses:?}");
    let Err(CallError::Failed(error)) = env.call(fastest((vec![1, 2], 3))) else { panic!("three of two") };
    assert_eq!((error.class.as_str(), error.message.as_str()), ("TooManyFailed", "0 of 2 failed"));
    env.mock(slowly).fail(eventual::Error::new("Late", "too late"));
    let Err(CallError::Failed(error)) = env.call(fastest((vec![1, 2, 3], 2))) else { panic!("all failed") };
    assert!(error.message.starts_with("2 of 3 failed, at last number 1: too late"), "{error}");
}

#[test]
fn some_failures_are_tolerated_and_one_more_is_not() {
    let env = environment();
    failing(&env, &[1, 4]);
    assert_eq!(env.call(tolerates((10, 25))).unwrap(), 8);
    let began = inputs(&env).len();
    failing(&env, &[1, 2, 4]);
    let Err(CallError::Failed(error)) = env.call(tolerates((10, 25))) else { panic!("three are too many") };
    assert!(error.message.starts_with("3 of 10 failed, at last number 4"), "{error}");
    assert!(inputs(&env).len() - began < 10, "the rest never began");
    assert!(env.call(tolerates((10, 0))).is_err());
    failing(&env, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(env.call(tolerates((10, 100))).unwrap(), 0);
}

#[test]
fn a_crash_anywhere_changes_nothing() {
    let explored = explore(environment, |env| {
        failing(env, &[7]);
        (env.call(pipelines(4)), env.call(works_on_all((5, 2))), env.call(fastest((vec![3, 1, 2], 2))))
    });
    assert!(explored.runs > 100, "{explored:?}");
}
