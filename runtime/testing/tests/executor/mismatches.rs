//! Code that does not go with its history: it stands still, with both sides, and loses nothing. The original failed such
//! executions for good.

use eventual::Result;
use serde_json::json;

use crate::script::{done, play};
use crate::service::{LONG, first, s, second};

#[eventual::workflow]
async fn steps_first() -> Result<String> {
    Ok(first(s("a")).await?)
}

#[eventual::workflow]
async fn steps_second() -> Result<String> {
    Ok(second(s("a")).await?)
}

#[eventual::workflow]
async fn sleeps_first() -> Result<String> {
    eventual::sleep(LONG).await?;
    Ok(s("slept"))
}

#[test]
fn another_kind_of_call_parks_with_both_sides() {
    play(sleeps_first(), |it| {
        it.asks(&["0 timer 100s"]);
        it.becomes("stepsFirst");
        it.told([done(0, "x")]);
        it.parked(&["call 0 of turn 1 was timer then, and is task `first` now", "mismatches.rs:"]);
    });
}

#[test]
fn another_name_parks_and_code_that_fits_goes_on() {
    play(steps_first(), |it| {
        it.asks(&["0 first(\"a\")"]);
        it.becomes("stepsSecond");
        it.told([done(0, "b")]);
        it.parked(&["call 0 of turn 1 was task `first` then, and is task `second` now"]);
        it.becomes("stepsFirst");
        it.told([]);
        it.ends(json!("b"));
    });
}
