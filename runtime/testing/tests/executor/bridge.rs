//! A race with state between branches: the tide rises on a timer, a horn is blown by a task, and a walker crosses a bridge.
//! Only the order in which history tells of them decides how wet he gets.

use std::cell::Cell;
use std::rc::Rc;

use eventual::Result;
use serde_json::json;

use crate::script::{done, fired, play};
use crate::service::{LONG, aside, first, s};

#[eventual::workflow]
async fn crosses() -> Result<String> {
    let (flooded, warned) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let tide = (eventual::sleep(LONG), flooded.clone());
    drop(eventual::spawn(async move {
        tide.0.await.ok();
        tide.1.set(true);
    }));
    let horn = (aside(s("horn")), warned.clone());
    drop(eventual::spawn(async move {
        horn.0.await.ok();
        horn.1.set(true);
    }));
    first(s("walk")).await?;
    Ok(match (flooded.get(), warned.get()) {
        (true, _) => s("wet"),
        (false, true) => s("in a hurry"),
        (false, false) => s("dry"),
    })
}

const BEGINS: [&str; 3] = ["0 timer 100s", "1 aside(\"horn\")", "2 first(\"walk\")"];

#[test]
fn all_branches_begin_at_once() {
    play(crosses(), |it| it.asks(&BEGINS));
}

#[test]
fn they_wait_and_begin_nothing_twice() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.restart();
        it.wake();
        it.waits();
    });
}

#[test]
fn the_tide_alone_ends_nothing() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.told([fired(0)]);
        it.waits();
    });
}

#[test]
fn whoever_walks_after_the_tide_gets_wet() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.told([fired(0)]);
        it.told([done(2, "")]);
        it.ends(json!("wet"));
    });
}

#[test]
fn and_gets_wet_when_both_are_told_at_once() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.told([fired(0), done(2, "")]);
        it.ends(json!("wet"));
    });
}

#[test]
fn whoever_walks_before_the_tide_stays_dry() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.told([done(2, "")]);
        it.ends(json!("dry"));
    });
}

#[test]
fn and_stays_dry_when_the_tide_is_told_right_after() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.told([done(2, ""), fired(0)]);
        it.ends(json!("dry"));
    });
}

#[test]
fn the_horn_before_the_walk_is_heard_before_a_later_tide() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.told([done(1, ""), done(2, ""), fired(0)]);
        it.ends(json!("in a hurry"));
    });
}

#[test]
fn a_tide_after_the_end_changes_nothing() {
    play(crosses(), |it| {
        it.asks(&BEGINS);
        it.told([done(2, "")]);
        it.told([fired(0)]);
        it.ends(json!("dry"));
        assert_eq!(it.turns().len(), 2);
    });
}
