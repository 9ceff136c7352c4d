//! A workflow that another one waits for.

use eventual::{CallError, Result};
use serde_json::json;

use crate::script::{broke, done, play, returned};
use crate::service::{LONG, first, s, work};

#[eventual::workflow]
async fn has_a_child() -> Result<String> {
    let result = work(s("x")).await?;
    first(s("after")).await?;
    Ok(result)
}

const CHILD: &str = "0 child work/hasAChild:one:0(\"x\")";

#[test]
fn a_child_is_one_call_whose_end_leads_on() {
    play(has_a_child(), |it| {
        it.asks(&[CHILD]);
        it.wake();
        it.waits();
        it.told([returned(0, "result")]);
        it.asks(&["1 first(\"after\")"]);
        it.wake();
        it.waits();
        it.told([done(1, ""), returned(0, "another")]);
        it.ends(json!("result"));
    });
}

#[test]
fn the_error_of_a_child_is_its_callers_to_handle() {
    play(has_a_child(), |it| {
        it.asks(&[CHILD]);
        it.told([broke(0, "Broken")]);
        it.fails("Broken", "it broke");
    });
}

/// Waits for its child for so long.
#[eventual::workflow]
async fn has_a_slow_child() -> String {
    match work(s("x")).timeout(LONG).await {
        Err(CallError::Timeout) => s("too slow"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_child_that_is_too_slow_is_asked_to_stop() {
    use crate::script::fired;
    play(has_a_slow_child(), |it| {
        it.asks(&["0 child work/hasASlowChild:one:0(\"x\")", "1 timer 100s"]);
        it.told([fired(1)]);
        it.stops(&["work/hasASlowChild:one:0"]);
        it.ends(json!("too slow"));
    });
}
