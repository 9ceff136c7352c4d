//! One step after another, a branch on the side, two at once, and what mends a failure.

use eventual::{Error, Result};
use serde_json::json;

use crate::script::{came, done, ended_by_force, failed, fired, play};
use crate::service::{LONG, aside, first, mend, s, second};

/// A step, then one on the side that nobody awaits, then a timer and a step at once. A failure is mended.
#[eventual::workflow]
async fn shop(order: String) -> Result<Vec<String>> {
    let shopping = async {
        let a = first(order.clone()).await?;
        drop(eventual::spawn(aside(order.clone())));
        let (slept, b) = tokio::join!(eventual::sleep(LONG), second(order));
        slept?;
        Ok::<_, Error>(vec![a, b?])
    };
    match shopping.await {
        Ok(all) => Ok(all),
        Err(error) => {
            mend(error.class.clone()).await?;
            Ok(Vec::new())
        }
    }
}

/// What it asks for at first, and after the first step.
const BEGINS: [&str; 1] = ["0 first(\"tea\")"];
const GOES_ON: [&str; 3] = ["1 aside(\"tea\")", "2 timer 100s", "3 second(\"tea\")"];

#[test]
fn code_that_knows_nothing_asks_for_its_first_step() {
    play(shop(s("tea")), |it| {
        it.asks(&BEGINS);
        it.waits();
    });
}

#[test]
fn an_answer_leads_to_the_next_steps_awaited_or_not() {
    play(shop(s("tea")), |it| {
        it.asks(&BEGINS);
        it.told([done(0, "leaves")]);
        it.asks(&GOES_ON);
        it.waits();
    });
}

#[test]
fn an_execution_that_is_ended_asks_for_nothing_more() {
    play(shop(s("tea")), |it| {
        it.asks(&BEGINS);
        it.told([ended_by_force()]);
        it.terminated();
        it.drops(&[0]);
    });
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    play(shop(s("tea")), |it| {
        it.asks(&BEGINS);
        it.told([ended_by_force(), done(0, "leaves")]);
        it.told([done(0, "leaves")]);
        it.terminated();
        assert_eq!(it.turns().len(), 2);
    });
}

#[test]
fn a_failed_step_is_caught_and_mended() {
    play(shop(s("tea")), |it| {
        it.asks(&BEGINS);
        it.told([failed(0, "SoldOut")]);
        it.asks(&["1 mend(\"SoldOut\")"]);
        it.told([done(1, "")]);
        it.ends(json!([]));
    });
}

#[test]
fn the_result_is_made_of_all_answers() {
    play(shop(s("tea")), |it| {
        it.asks(&BEGINS);
        it.told([done(0, "leaves")]);
        it.asks(&GOES_ON);
        it.told([done(1, "ignored"), fired(2), done(3, "water")]);
        it.ends(json!(["leaves", "water"]));
    });
}

/// Calls are handed out only after they are recorded, so an answer before its call is nonsense from outside: it is kept,
/// and the code goes its way.
#[test]
fn an_answer_to_what_was_not_asked_for_is_no_answer() {
    play(shop(s("tea")), |it| {
        it.asks(&BEGINS);
        it.told([done(3, "too early")]);
        it.waits();
        it.told([done(0, "leaves")]);
        it.asks(&GOES_ON);
        it.waits();
    });
}

/// A turn is written whole or not at all: one with a part of its calls is not of this code.
#[test]
fn a_turn_with_a_part_of_its_calls_is_not_gone_on_from() {
    for left in 0..3 {
        play(shop(s("tea")), |it| {
            it.told([done(0, "leaves")]);
            it.asks(&["0 first(\"tea\")", GOES_ON[0], GOES_ON[1], GOES_ON[2]]);
            it.rewrite(2, |turn| drop(turn.calls.remove(left)));
            it.told([done(3, "water")]);
            it.parked(&["of turn 2 was nothing then, and is ", "steps.rs:"]);
        });
    }
}

/// The same with an answer to one of the calls that are left: it is kept for when the code goes with its history.
#[test]
fn an_answer_to_a_part_of_a_turn_is_kept() {
    play(shop(s("tea")), |it| {
        it.told([done(0, "leaves")]);
        it.asks(&["0 first(\"tea\")", GOES_ON[0], GOES_ON[1], GOES_ON[2]]);
        let mut lost = None;
        it.rewrite(2, |turn| lost = turn.calls.pop());
        it.told([done(3, "water")]);
        it.parked(&[]);
        it.rewrite(2, |turn| turn.calls.extend(lost));
        it.told([fired(2)]);
        it.ends(json!(["leaves", "water"]));
    });
}

#[test]
fn what_is_missing_is_waited_for() {
    play(shop(s("tea")), |it| {
        it.told([done(0, "leaves")]);
        it.asks(&["0 first(\"tea\")", GOES_ON[0], GOES_ON[1], GOES_ON[2]]);
        it.told([done(1, "ignored"), fired(2)]);
        it.waits();
        it.told([came("1", "Go", 1)]);
        it.waits();
    });
}

#[eventual::workflow]
async fn constant() -> u32 {
    std::future::ready(1).await
}

#[test]
fn code_that_waits_for_nothing_ends_at_once() {
    play(constant(), |it| it.ends(json!(1)));
}

/// A step in a branch that nobody awaits, and a condition that never holds.
#[eventual::workflow]
async fn waits_for_ever() -> String {
    drop(eventual::spawn(first(s("aside"))));
    eventual::until(|| false).await;
    s("done")
}

/// A step in a branch that goes on with its answer.
#[eventual::workflow]
async fn waits_for_ever_and_maps() -> String {
    drop(eventual::spawn(async { first(s("aside")).await.map(|it| it.len()) }));
    eventual::until(|| false).await;
    s("done")
}

#[test]
fn a_failure_that_nobody_awaits_is_nobodys() {
    play(waits_for_ever(), |it| {
        it.asks(&["0 first(\"aside\")"]);
        it.told([failed(0, "Lost")]);
        it.parked(&["nothing can ever wake it"]);
    });
}

#[test]
fn a_failure_in_a_branch_that_nobody_awaits_ends_that_branch_only() {
    play(waits_for_ever_and_maps(), |it| {
        it.asks(&["0 first(\"aside\")"]);
        it.told([failed(0, "Lost")]);
        it.parked(&["nothing can ever wake it"]);
    });
}

#[test]
fn an_answer_that_nobody_awaits_ends_nothing() {
    play(waits_for_ever(), |it| {
        it.asks(&["0 first(\"aside\")"]);
        it.told([done(0, "done")]);
        it.parked(&["nothing can ever wake it"]);
    });
}
