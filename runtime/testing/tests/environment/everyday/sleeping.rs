//! Sleeping for so long, and until then.

use std::time::{Duration, SystemTime};

use eventual::Result;

use crate::environment;
use crate::service::{DAY, Go};

const SECOND: Duration = Duration::from_secs(1);

#[eventual::workflow]
async fn naps(seconds: u64) -> Result<String> {
    eventual::sleep(Duration::from_secs(seconds)).await?;
    Ok("rested".to_owned())
}

#[eventual::workflow]
async fn naps_until(moment: u64) -> Result<String> {
    eventual::sleep_until(moment).await?;
    Ok("rested".to_owned())
}

/// Sleeps, then until a moment as far away.
#[eventual::workflow]
async fn naps_twice() -> Result<String> {
    eventual::sleep(2 * SECOND).await?;
    eventual::sleep_until(eventual::now() + 2 * SECOND).await?;
    Ok("done!".to_owned())
}

/// Five moments, each two seconds after the one before.
#[eventual::workflow]
async fn looks_at_the_clock() -> Result<Vec<u64>> {
    let mut seen = Vec::new();
    for _ in 0..5 {
        let moment = eventual::now() + 2 * SECOND;
        eventual::sleep_until(moment).await?;
        seen.push(eventual::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis().try_into()?);
    }
    Ok(seen)
}

#[test]
fn a_sleep_is_over_when_its_time_is() {
    let env = environment();
    let execution = env.start(naps(10)).unwrap();
    env.advance(10 * SECOND - Duration::from_millis(1));
    assert_eq!(env.result(&execution), None);
    env.advance(Duration::from_millis(1));
    assert_eq!(env.result(&execution).unwrap().unwrap(), "rested");
}

#[test]
fn a_sleep_counts_from_its_own_beginning() {
    let env = environment();
    env.advance(400 * DAY);
    let execution = env.start(naps(10)).unwrap();
    env.advance(9 * SECOND);
    assert_eq!(env.result(&execution), None);
    env.advance(SECOND);
    assert_eq!(env.result(&execution).unwrap().unwrap(), "rested");
}

#[test]
fn a_signal_that_nobody_expects_does_not_end_a_sleep() {
    let env = environment();
    let execution = env.start(naps(10)).unwrap();
    env.advance(5 * SECOND);
    env.signal(&execution, Go {}).unwrap();
    assert_eq!(env.result(&execution), None);
    env.advance(4 * SECOND);
    assert_eq!(env.result(&execution), None);
    env.advance(SECOND);
    assert_eq!(env.result(&execution).unwrap().unwrap(), "rested");
}

#[test]
fn a_sleep_until_a_moment_ends_then() {
    let env = environment();
    let moment = env.now() + 86_400_000;
    let execution = env.start(naps_until(moment)).unwrap();
    env.advance_to(moment - 1);
    assert_eq!(env.result(&execution), None);
    env.advance_to(moment);
    assert_eq!(env.result(&execution).unwrap().unwrap(), "rested");
}

#[test]
fn a_moment_that_has_passed_is_over_at_once() {
    let env = environment();
    let execution = env.start(naps_until(env.now() - 1)).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "rested");
}

#[test]
fn both_kinds_of_sleep_follow_each_other() {
    let env = environment();
    let began = env.now();
    assert_eq!(env.call(naps_twice()).unwrap(), "done!");
    assert_eq!(env.now() - began, 4_000);
}

#[test]
fn the_clock_of_the_code_goes_with_its_history() {
    let mut env = environment();
    let began = env.now();
    let execution = env.start(looks_at_the_clock()).unwrap();
    env.advance(5 * SECOND);
    env.restart();
    assert_eq!(env.run(&execution).unwrap(), [2, 4, 6, 8, 10].map(|it| began + it * 1_000));
}
