//! Code that fails beside branches and handlers: it ends there and then, and they with it.

use std::future::ready;

use eventual::{Error, Result};
use futures_util::future::join_all;

use crate::script::{came, done, failed, play};
use crate::service::{Go, aside, first, s};

fn oh() -> Error {
    Error::new("Oh", "AHH")
}

/// A step, then a branch of several steps on the side, and an error after one more step.
#[eventual::workflow]
async fn fails_beside_a_branch() -> Result<()> {
    first(s("begin")).await?;
    drop(eventual::spawn(async {
        for step in ["a", "b", "c"] {
            aside(s(step)).await.ok();
        }
    }));
    first(s("end")).await?;
    Err(oh())
}

#[test]
fn a_branch_goes_on_until_the_code_fails() {
    play(fails_beside_a_branch(), |it| {
        it.asks(&["0 first(\"begin\")"]);
        it.told([done(0, "")]);
        it.asks(&["1 first(\"end\")", "2 aside(\"a\")"]);
        it.told([done(2, "")]);
        it.asks(&["3 aside(\"b\")"]);
        it.told([done(3, ""), done(1, "")]);
        it.drops(&[]);
        it.fails("Oh", "AHH");
    });
}

/// The same without a step in between.
#[eventual::workflow]
async fn fails_before_its_branch() -> Result<()> {
    first(s("begin")).await?;
    drop(eventual::spawn(async {
        aside(s("a")).await.ok();
    }));
    Err(oh())
}

#[test]
fn a_branch_that_had_no_time_to_begin_asks_for_nothing() {
    play(fails_before_its_branch(), |it| {
        it.asks(&["0 first(\"begin\")"]);
        it.told([done(0, "")]);
        it.fails("Oh", "AHH");
    });
}

/// Fails right after it began to listen.
#[eventual::workflow]
async fn fails_listening() -> Result<()> {
    first(s("begin")).await?;
    let _handler = eventual::on_signal(|Go(_)| drop(eventual::spawn(aside(s("handled")))));
    Err(oh())
}

#[test]
fn a_handler_of_code_that_failed_handles_nothing() {
    play(fails_listening(), |it| {
        it.asks(&["0 first(\"begin\")"]);
        it.told([done(0, ""), came("1", "Go", 1)]);
        it.fails("Oh", "AHH");
    });
}

/// Fails after a signal that it has handled and another that it waits for.
#[eventual::workflow]
async fn fails_after_signals() -> Result<()> {
    first(s("begin")).await?;
    let _handler = eventual::on_signal(|Go(_)| drop(eventual::spawn(aside(s("handled")))));
    first(s("end")).await?;
    Err(oh())
}

#[test]
fn what_a_handler_began_is_given_up_when_the_code_fails() {
    play(fails_after_signals(), |it| {
        it.asks(&["0 first(\"begin\")"]);
        it.told([done(0, ""), came("1", "Go", 1)]);
        it.asks(&["1 first(\"end\")", "2 wait Go", "3 aside(\"handled\")", "4 wait Go"]);
        it.told([done(1, "")]);
        it.drops(&[3]);
        it.fails("Oh", "AHH");
    });
}

/// Two handlers: a branch of the one fails, the other panics.
#[eventual::workflow]
async fn handlers_go_wrong(panics: bool) -> Result<()> {
    let _handler = eventual::on_signal(move |Go(_)| {
        assert!(!panics, "a handler panics");
        drop(eventual::spawn(async { aside(s("handled")).await.map(|it| it.len()) }));
    });
    first(s("end")).await?;
    Ok(())
}

#[test]
fn an_error_in_what_a_handler_began_is_not_the_codes() {
    play(handlers_go_wrong(false), |it| {
        it.asks(&["0 first(\"end\")", "1 wait Go"]);
        it.told([came("1", "Go", 1)]);
        it.asks(&["2 wait Go", "3 aside(\"handled\")"]);
        it.told([failed(3, "No")]);
        it.waits();
        it.told([done(0, "")]);
        it.ends(serde_json::json!(null));
    });
}

#[test]
fn a_panic_in_a_handler_is_the_codes() {
    play(handlers_go_wrong(true), |it| {
        it.asks(&["0 first(\"end\")", "1 wait Go"]);
        it.told([came("1", "Go", 1)]);
        it.drops(&[0]);
        it.crashes("a handler panics");
    });
}

/// Twenty steps in ten branches, and an error when all are done.
#[eventual::workflow]
async fn fails_after_many() -> Result<()> {
    first(s("begin")).await?;
    let branches = (0..10).map(|number: u32| {
        eventual::spawn(async move {
            aside(number.to_string()).await.ok();
            aside(format!("{number} again")).await.ok();
        })
    });
    join_all(branches).await;
    ready(Err(oh())).await
}

#[test]
fn code_may_fail_after_many_branches() {
    play(fails_after_many(), |it| {
        it.asks(&["0 first(\"begin\")"]);
        it.told([done(0, "")]);
        let calls = |from: u32, what: &str| -> Vec<String> {
            (0..10).map(|it| format!("{} aside(\"{it}{what}\")", from + it)).collect()
        };
        it.asks(&calls(1, "").iter().map(String::as_str).collect::<Vec<_>>());
        it.told((1..11).map(|seq| done(seq, "")));
        it.asks(&calls(11, " again").iter().map(String::as_str).collect::<Vec<_>>());
        it.told((11..21).map(|seq| done(seq, "")));
        it.fails("Oh", "AHH");
    });
}

#[test]
fn what_is_told_after_the_failure_changes_nothing() {
    play(fails_listening(), |it| {
        it.asks(&["0 first(\"begin\")"]);
        it.told([done(0, "")]);
        it.fails("Oh", "AHH");
        it.told([came("1", "Go", 1)]);
        it.told([came("2", "Go", 2)]);
        it.fails("Oh", "AHH");
        assert_eq!(it.turns().len(), 2);
    });
}
