//! Signals to others, and events. A signal to somebody who is not there is an error where it is sent, and never a message
//! that nobody can handle.

use eventual::{CallError, Result};
use futures_util::FutureExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::script::{play, returned};
use crate::service::{Go, s, work};

/// Tells another execution and a child of its own, all at once.
#[eventual::workflow]
async fn tells_all() -> Result<String> {
    let (other, child, to_child) =
        tokio::join!(Go(1).send("work/other"), work(s("x")).key("mine"), Go(2).send("work/mine"));
    other?;
    to_child?;
    Ok(child?)
}

/// The same, but to somebody else.
#[eventual::workflow]
async fn tells_somebody_else() -> Result<String> {
    let (other, child, to_child) =
        tokio::join!(Go(1).send("work/another"), work(s("x")).key("mine"), Go(2).send("work/mine"));
    other?;
    to_child?;
    Ok(child?)
}

const ALL: [&str; 3] =
    ["0 send Go(1) to work/other", "1 child work/mine(\"x\")", "2 send Go(2) to work/mine"];

#[test]
fn signals_to_others_and_to_a_child_go_out_together() {
    play(tells_all(), |it| {
        it.asks(&ALL);
        it.waits();
        assert_eq!(it.turns()[1].facts.len(), 2, "both were sent: {:?}", it.turns()[1]);
    });
}

#[test]
fn a_turn_without_one_of_its_signals_is_not_gone_on_from() {
    play(tells_all(), |it| {
        it.asks(&ALL);
        it.rewrite(1, |turn| turn.calls.truncate(2));
        it.told([returned(1, "done")]);
        it.parked(&["call 2 of turn 1 was nothing then, and is send signal `Go` now", "sending.rs:"]);
    });
}

#[test]
fn a_signal_to_somebody_else_is_another_call() {
    play(tells_all(), |it| {
        it.asks(&ALL);
        it.becomes("tellsSomebodyElse");
        it.told([returned(1, "done")]);
        it.parked(&[
            "call 0 of turn 1 was send signal `Go` then, and is send signal `Go` with another input now",
        ]);
    });
}

#[test]
fn the_end_of_the_child_is_the_end() {
    play(tells_all(), |it| {
        it.asks(&ALL);
        it.told([returned(1, "done")]);
        it.ends(json!("done"));
    });
}

/// One after the other, in one expression.
#[eventual::workflow]
async fn tells_then_works() -> Result<String> {
    let told = Go(1).send("work/other").then(async |told| {
        told?;
        Result::Ok(work(s("x")).key("mine").await?)
    });
    told.await
}

#[eventual::workflow]
async fn tells_and_works() -> Result<String> {
    Go(1).send("work/other").await?;
    let child = work(s("x")).key("mine");
    let (told, child) = tokio::join!(Go(2).send("work/mine"), child);
    told?;
    Ok(child?)
}

#[test]
fn what_follows_a_signal_follows_when_it_was_sent() {
    play(tells_then_works(), |it| {
        it.asks(&["0 send Go(1) to work/other", "1 child work/mine(\"x\")"]);
        it.told([returned(1, "done")]);
        it.ends(json!("done"));
    });
}

#[test]
fn a_signal_that_is_awaited_is_done_at_once() {
    play(tells_and_works(), |it| {
        it.asks(&["0 send Go(1) to work/other", "1 child work/mine(\"x\")", "2 send Go(2) to work/mine"]);
        it.waits();
        it.told([returned(1, "done")]);
        it.ends(json!("done"));
    });
}

#[eventual::workflow]
async fn tells_nobody() -> String {
    match Go(1).send("work/nobody").await {
        Err(CallError::Invalid(error)) => error.class.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_signal_to_nobody_says_so_where_it_is_sent() {
    play(tells_nobody(), |it| {
        it.asks(&["0 send Go(1) to work/nobody"]);
        it.ends(json!("ClientError::NotFound"));
    });
}

#[eventual::event]
#[derive(Serialize, Deserialize, JsonSchema)]
struct Noted {
    key: String,
}

#[eventual::workflow]
async fn notes() -> Result<String> {
    Noted { key: s("value") }.emit().await?;
    Ok(s("done!"))
}

#[test]
fn an_event_is_done_when_it_is_recorded() {
    play(notes(), |it| {
        it.asks(&["0 emit Noted({\"key\":\"value\"})"]);
        it.ends(json!("done!"));
        assert_eq!(it.turns().len(), 1);
    });
}
