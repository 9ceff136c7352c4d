//! Timers, by length and by moment.

use std::time::Duration;

use eventual::Result;
use eventual_testing::world::START;
use serde_json::json;

use crate::script::{fired, play};
use crate::service::s;

#[eventual::workflow]
async fn sleeps(seconds: u64) -> Result<String> {
    eventual::sleep(Duration::from_secs(seconds)).await?;
    Ok(s("done"))
}

#[eventual::workflow]
async fn sleeps_until(moment: u64) -> Result<String> {
    eventual::sleep_until(moment).await?;
    Ok(s("done"))
}

#[test]
fn a_sleep_is_a_timer_from_the_turn_that_asked() {
    play(sleeps(10), |it| it.asks(&["0 timer 10s"]));
}

#[test]
fn a_timer_is_asked_for_once() {
    play(sleeps(10), |it| {
        it.asks(&["0 timer 10s"]);
        it.at(5);
        it.restart();
        it.wake();
        it.waits();
    });
}

#[test]
fn a_timer_that_fires_ends_the_sleep() {
    play(sleeps(10), |it| {
        it.asks(&["0 timer 10s"]);
        it.at(10);
        it.told([fired(0)]);
        it.ends(json!("done"));
    });
}

#[test]
fn a_moment_is_a_timer_until_then() {
    play(sleeps_until(START + 90_000), |it| it.asks(&["0 timer 90s"]));
}

#[test]
fn a_moment_is_asked_for_once() {
    play(sleeps_until(START + 90_000), |it| {
        it.asks(&["0 timer 90s"]);
        it.at(80);
        it.restart();
        it.wake();
        it.waits();
    });
}

#[test]
fn a_moment_that_has_come_ends_the_sleep() {
    play(sleeps_until(START + 90_000), |it| {
        it.asks(&["0 timer 90s"]);
        it.at(91);
        it.told([fired(0), fired(0)]);
        it.ends(json!("done"));
    });
}
