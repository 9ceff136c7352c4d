//! Limits of time: of a task, of several things at once, and of whatever else ends something.

use std::time::Duration;

use eventual::{CallError, CancelScope, Error, Result};
use eventual_engine::core::Fact;
use futures_util::future::{Either, join_all, select};
use serde_json::json;

use crate::script::{done, fired, play};
use crate::service::{LONG, first, mend, s, second};

/// The original gave a task a timer as its limit: here that is a race, and the loser is given up.
#[eventual::workflow]
async fn mends_what_is_late() -> Result<String> {
    match select(first(s("slow")), eventual::sleep(LONG)).await {
        Either::Left((done, _)) => Ok(done?),
        Either::Right((_, slow)) => {
            drop(slow);
            Ok(mend(s("late")).await?)
        }
    }
}

#[test]
fn a_step_that_loses_against_a_timer_is_given_up_and_mended() {
    play(mends_what_is_late(), |it| {
        it.asks(&["0 first(\"slow\")", "1 timer 100s"]);
        it.at(100);
        it.told([fired(1)]);
        it.drops(&[0]);
        it.asks(&["2 mend(\"late\")"]);
        it.told([done(0, "too late")]);
        it.waits();
        it.told([done(2, "mended")]);
        it.ends(json!("mended"));
    });
}

/// A limit of no time at all.
#[eventual::workflow]
async fn cannot_wait() -> String {
    let waited = first(s("slow")).total_timeout(Duration::ZERO).await;
    format!("{waited:?}")
}

#[test]
fn a_limit_of_nothing_is_over_when_its_moment_comes() {
    play(cannot_wait(), |it| {
        it.asks(&["0 first(\"slow\")"]);
        it.told([Fact::TaskExpired { seq: 0 }]);
        it.ends(json!("Err(Timeout)"));
    });
}

/// One limit for two steps.
#[eventual::workflow]
async fn limits_two() -> Vec<String> {
    let scope = CancelScope::new();
    let steps = scope.run(join_all([first(s("a")), first(s("b"))]));
    let ended = match select(steps, eventual::sleep(LONG)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((_, steps)) => {
            scope.cancel();
            steps.await
        }
    };
    ended.iter().map(|it| format!("{it:?}")).collect()
}

#[test]
fn one_timer_ends_several_steps() {
    play(limits_two(), |it| {
        it.asks(&["0 first(\"a\")", "1 first(\"b\")", "2 timer 100s"]);
        it.told([fired(2)]);
        it.drops(&[0, 1]);
        it.ends(json!(["Err(Cancelled)", "Err(Cancelled)"]));
    });
}

#[test]
fn what_was_done_before_the_limit_stays_done() {
    play(limits_two(), |it| {
        it.asks(&["0 first(\"a\")", "1 first(\"b\")", "2 timer 100s"]);
        it.told([done(1, "b")]);
        it.told([fired(2)]);
        it.told([done(0, "late")]);
        it.ends(json!(["Err(Cancelled)", "Ok(\"b\")"]));
    });
    // What has been told in the same message has come, too: nobody throws it away.
    play(limits_two(), |it| {
        it.asks(&["0 first(\"a\")", "1 first(\"b\")", "2 timer 100s"]);
        it.told([done(1, "b")]);
        it.told([fired(2), done(0, "just in time")]);
        it.ends(json!(["Ok(\"just in time\")", "Ok(\"b\")"]));
    });
}

/// A step ends another one, and that a third.
#[eventual::workflow]
async fn steps_end_steps() -> Vec<String> {
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let one = async {
        let ended = first(s("one")).await;
        outer.cancel();
        format!("{ended:?}")
    };
    let two = async {
        let ended = outer.run(first(s("two"))).await;
        inner.cancel();
        format!("{ended:?}")
    };
    let three = async { format!("{:?}", inner.run(first(s("three"))).await) };
    let (one, two, three) = tokio::join!(one, two, three);
    vec![one, two, three]
}

#[test]
fn what_ends_may_end_another_and_that_a_third() {
    play(steps_end_steps(), |it| {
        it.asks(&["0 first(\"one\")", "1 first(\"two\")", "2 first(\"three\")"]);
        it.told([done(0, "woo")]);
        it.drops(&[1, 2]);
        it.ends(json!(["Ok(\"woo\")", "Err(Cancelled)", "Err(Cancelled)"]));
    });
}

/// Waits for a step and says how it ended.
#[eventual::workflow]
async fn says_how() -> Result<String> {
    match second(s("x")).await {
        Ok(it) => Ok(it),
        Err(CallError::Timeout) => Ok(s("timed out")),
        Err(CallError::Crashed(said)) => Ok(said),
        Err(other) => Err(Error::from(other)),
    }
}

#[test]
fn a_worker_out_of_time_is_replaced_until_the_attempts_are_used_up() {
    let late = |attempt| Fact::TaskLost { seq: 0, attempt, timed_out: true, reason: "too slow".into() };
    play(says_how(), |it| {
        it.asks(&["0 second(\"x\")"]);
        it.told([late(1)]);
        it.waits();
        it.told([late(1), late(2)]);
        it.waits();
        it.told([late(3)]);
        it.ends(json!("timed out"));
    });
}
