//! Conditions on the code's own state, with a limit and without.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use crate::script::{came, fired, play};
use crate::service::{Go, LONG, Stop, s};

#[eventual::workflow]
async fn holds_already() -> String {
    eventual::until(|| true).await;
    s("done")
}

#[test]
fn a_condition_that_holds_asks_for_nothing() {
    play(holds_already(), |it| it.ends(json!("done")));
}

/// Waits for a flag that only a signal sets.
#[eventual::workflow]
async fn waits_for_a_flag() -> String {
    let flag = Rc::new(Cell::new(false));
    let sets = flag.clone();
    let _handler = eventual::on_signal(move |Go(_)| sets.set(true));
    eventual::until(|| flag.get()).await;
    s("done")
}

#[test]
fn a_condition_that_does_not_hold_asks_for_nothing_of_its_own() {
    play(waits_for_a_flag(), |it| {
        it.asks(&["0 wait Go"]);
        it.waits();
    });
}

#[eventual::workflow]
async fn never_holds() -> String {
    let held = eventual::until(|| false).timeout(LONG).await;
    format!("held: {held}")
}

#[test]
fn a_limit_of_a_condition_is_a_timer() {
    play(never_holds(), |it| it.asks(&["0 timer 100s"]));
}

#[test]
fn it_is_asked_for_once() {
    play(never_holds(), |it| {
        it.asks(&["0 timer 100s"]);
        it.restart();
        it.wake();
        it.waits();
    });
}

/// Waits for a flag, no longer than so.
#[eventual::workflow]
async fn waits_a_while() -> String {
    let flag = Rc::new(Cell::new(false));
    let sets = flag.clone();
    let _handler = eventual::on_signal(move |Go(_)| sets.set(true));
    if eventual::until(|| flag.get()).timeout(LONG).await { s("done") } else { s("timed out") }
}

const BEGINS: [&str; 2] = ["0 timer 100s", "1 wait Go"];

#[test]
fn what_a_signal_changes_is_looked_at_at_once() {
    play(waits_a_while(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 1)]);
        it.ends(json!("done"));
    });
}

#[test]
fn what_changes_nothing_ends_nothing() {
    play(waits_a_while(), |it| {
        it.asks(&BEGINS);
        for number in 0..4 {
            it.told([came(&number.to_string(), "Stop", 1)]);
            it.waits();
        }
        it.told([came("5", "Go", 1)]);
        it.ends(json!("done"));
    });
}

/// The handler sets the flag, and what the handler began takes it back before the condition is looked at.
#[eventual::workflow]
async fn waits_for_a_flicker() -> String {
    let flag = Rc::new(Cell::new(false));
    let sets = flag.clone();
    let _handler = eventual::on_signal(move |Go(_)| {
        sets.set(true);
        let unsets = sets.clone();
        drop(eventual::spawn(async move { unsets.set(false) }));
    });
    let stays = flag.clone();
    let _other = eventual::on_signal(move |Stop(_)| stays.set(true));
    eventual::until(|| flag.get()).await;
    s("done")
}

#[test]
fn a_condition_is_looked_at_when_everything_has_been_learnt() {
    play(waits_for_a_flicker(), |it| {
        it.asks(&["0 wait Go", "1 wait Stop"]);
        it.told([came("1", "Go", 1)]);
        it.asks(&["2 wait Go"]);
        it.waits();
        it.told([came("2", "Stop", 1)]);
        it.ends(json!("done"));
    });
}

#[test]
fn a_condition_that_never_holds_ends_with_its_limit() {
    play(waits_a_while(), |it| {
        it.asks(&BEGINS);
        it.told([fired(0)]);
        it.ends(json!("timed out"));
    });
}

#[test]
fn a_limit_after_the_condition_is_too_late() {
    play(waits_a_while(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 1), fired(0)]);
        it.ends(json!("done"));
    });
}

#[test]
fn a_condition_after_its_limit_is_too_late() {
    play(waits_a_while(), |it| {
        it.asks(&BEGINS);
        it.told([fired(0), came("1", "Go", 1)]);
        it.ends(json!("timed out"));
    });
}

#[eventual::workflow]
async fn waits_for_nothing() {
    eventual::until(|| false).await;
}

#[test]
fn a_condition_that_nothing_can_change_is_a_mistake_that_is_told() {
    play(waits_for_nothing(), |it| it.parked(&["nothing can ever wake it"]));
}
