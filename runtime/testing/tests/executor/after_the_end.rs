//! An execution is over when its code has returned: its handlers and branches end with it, and what comes later changes
//! nothing. The original let them go on behind a result that nobody could change any more.

use eventual::{Error, Result};
use serde_json::json;

use crate::script::{came, done, play};
use crate::service::{Go, aside, first, s};

fn steps_at_every_signal() {
    let _handler = eventual::on_signal(|Go(_)| drop(eventual::spawn(first(s("step")))));
}

#[eventual::workflow]
async fn returns_at_once() -> String {
    steps_at_every_signal();
    s("hello?")
}

#[eventual::workflow]
async fn fails_at_once() -> Result<String> {
    steps_at_every_signal();
    Err(Error::new("Oh", "AHHH"))
}

#[eventual::workflow]
async fn returns_before_its_branches() -> String {
    drop(eventual::spawn(aside(s("never"))));
    aside(s("once")).await.ok();
    drop(eventual::spawn(aside(s("nor this"))));
    s("hello?")
}

#[test]
fn handlers_end_with_the_result() {
    play(returns_at_once(), |it| {
        it.ends(json!("hello?"));
        it.told([came("1", "Go", 1)]);
        it.ends(json!("hello?"));
        assert_eq!(it.turns().len(), 1);
    });
}

#[test]
fn handlers_end_with_the_error() {
    play(fails_at_once(), |it| {
        it.fails("Oh", "AHHH");
        it.told([came("1", "Go", 1)]);
        it.fails("Oh", "AHHH");
        assert_eq!(it.turns().len(), 1);
    });
}

#[test]
fn branches_end_with_the_result_and_what_they_wait_for_is_given_up() {
    play(returns_before_its_branches(), |it| {
        it.asks(&["0 aside(\"never\")", "1 aside(\"once\")"]);
        it.told([done(1, "")]);
        it.drops(&[0]);
        it.ends(json!("hello?"));
        it.told([done(0, "late")]);
        it.ends(json!("hello?"));
    });
}
