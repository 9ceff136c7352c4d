//! What follows a call, in combinators instead of statements: on success, on failure, in any case.

use std::cell::Cell;
use std::rc::Rc;

use eventual::{CallError, Error, Result};
use futures_util::future::{BoxFuture, LocalBoxFuture, try_join_all};
use futures_util::{FutureExt, TryFutureExt};
use serde_json::json;

use crate::script::{broke, came, done, failed, fired, play, returned};
use crate::service::{Go, LONG, count, first, s, second, work};

type Step = LocalBoxFuture<'static, Result<String>>;

#[eventual::workflow]
async fn maps() -> Result<u32> {
    Ok(count(1).map_ok(|it| it + 1).await?)
}

#[test]
fn a_result_is_mapped() {
    play(maps(), |it| {
        it.asks(&["0 count(1)"]);
        it.told([done(0, 1)]);
        it.ends(json!(2));
    });
}

#[test]
fn what_follows_waits_for_the_result() {
    play(maps(), |it| {
        it.asks(&["0 count(1)"]);
        it.wake();
        it.waits();
    });
}

#[eventual::workflow]
async fn follows_a_signal() -> String {
    Go(1).send("work/other").map(|_| s("hi")).await
}

#[test]
fn what_follows_something_that_is_done_at_once_is_done_at_once() {
    play(follows_a_signal(), |it| {
        it.asks(&["0 send Go(1) to work/other"]);
        it.ends(json!("hi"));
    });
}

/// Begins a branch after a signal, and returns without it.
#[eventual::workflow]
async fn begins_after_a_signal() -> String {
    let sent = Go(1).send("work/other");
    sent.map(|_| {
        drop(eventual::spawn(first(s("aside"))));
        s("hi")
    })
    .await
}

#[test]
fn a_branch_that_begins_with_the_end_is_not_begun() {
    play(begins_after_a_signal(), |it| {
        it.asks(&["0 send Go(1) to work/other"]);
        it.ends(json!("hi"));
    });
}

#[eventual::workflow]
async fn steps_after_a_signal() -> Result<String> {
    let sent: BoxFuture<'static, _> = Go(1).send("work/other").boxed();
    sent.then(|_| first(s("then")).map_err(Error::from)).await
}

#[test]
fn a_step_may_follow_what_is_done_at_once() {
    play(steps_after_a_signal(), |it| {
        it.asks(&["0 send Go(1) to work/other", "1 first(\"then\")"]);
        it.told([done(1, "hi")]);
        it.ends(json!("hi"));
    });
}

/// Whatever can be waited for, each followed by a step; the last waits for the others.
#[eventual::workflow]
async fn follows_everything() -> Result<Vec<String>> {
    Go(1).send("work/other").await?;
    let passed = Rc::new(Cell::new(0));
    let then = |name: &str| {
        let (passed, name) = (passed.clone(), s(name));
        move || {
            passed.set(passed.get() + 1);
            second(name).map_err(Error::from)
        }
    };
    let (a, b, c, d, e) = (then("a"), then("b"), then("c"), then("d"), then("e"));
    let steps: Vec<Step> = vec![
        first(s("x")).then(|_| a()).boxed_local(),
        Go(2).send("work/other").then(|_| b()).boxed_local(),
        work(s("x")).then(|_| c()).boxed_local(),
        Go::next().then(|_| d()).boxed_local(),
        eventual::until(|| true).then(|()| e()).boxed_local(),
        eventual::until(move || passed.get() >= 5)
            .then(|()| second(s("f")).map_err(Error::from))
            .boxed_local(),
    ];
    try_join_all(steps).await
}

#[test]
fn a_step_follows_whatever_can_be_waited_for() {
    play(follows_everything(), |it| {
        it.asks(&[
            "0 send Go(1) to work/other",
            "1 first(\"x\")",
            "2 send Go(2) to work/other",
            "3 child work/followsEverything:one:3(\"x\")",
            "4 wait Go",
            "5 second(\"e\")",
            "6 second(\"b\")",
        ]);
        it.told([done(1, "")]);
        it.asks(&["7 second(\"a\")"]);
        it.told([returned(3, "")]);
        it.asks(&["8 second(\"c\")"]);
        it.told([came("1", "Go", 1)]);
        it.asks(&["9 second(\"d\")", "10 second(\"f\")"]);
        it.told([done(6, "B"), done(5, "E"), done(7, "A"), done(8, "C")]);
        it.waits();
        it.told([done(9, "D"), done(10, "F")]);
        it.ends(json!(["A", "B", "C", "D", "E", "F"]));
    });
}

#[eventual::workflow]
async fn recovers() -> String {
    first(s("x")).unwrap_or_else(|error| Error::from(error).class.clone()).await
}

#[test]
fn an_error_is_mapped() {
    play(recovers(), |it| {
        it.asks(&["0 first(\"x\")"]);
        it.told([failed(0, "Broken")]);
        it.ends(json!("Broken"));
    });
}

#[test]
fn what_follows_waits_for_the_error() {
    play(recovers(), |it| {
        it.asks(&["0 first(\"x\")"]);
        it.wake();
        it.waits();
        it.told([done(0, "no error")]);
        it.ends(json!("no error"));
    });
}

/// A signal, and an error that the code makes of its being sent.
fn sent_and_failed() -> impl Future<Output = Result<String>> {
    Go(1).send("work/other").map(|_| Err(Error::new("Made", "up")))
}

#[eventual::workflow]
async fn recovers_at_once() -> String {
    sent_and_failed().unwrap_or_else(|_| s("hi")).await
}

#[test]
fn an_error_of_ones_own_is_caught_at_once() {
    play(recovers_at_once(), |it| {
        it.asks(&["0 send Go(1) to work/other"]);
        it.ends(json!("hi"));
    });
}

/// Begins a branch about an error, and returns without it.
#[eventual::workflow]
async fn recovers_aside() -> String {
    let recovered = sent_and_failed().unwrap_or_else(|_| {
        drop(eventual::spawn(first(s("aside"))));
        s("hi")
    });
    recovered.await
}

#[test]
fn a_branch_about_an_error_is_not_begun_with_the_end() {
    play(recovers_aside(), |it| {
        it.asks(&["0 send Go(1) to work/other"]);
        it.ends(json!("hi"));
    });
}

#[eventual::workflow]
async fn recovers_by_a_step() -> Result<String> {
    sent_and_failed().or_else(|_| first(s("instead")).map_err(Error::from)).await
}

#[test]
fn a_step_may_follow_an_error() {
    play(recovers_by_a_step(), |it| {
        it.asks(&["0 send Go(1) to work/other", "1 first(\"instead\")"]);
        it.told([done(1, "hi")]);
        it.ends(json!("hi"));
    });
}

/// Whatever can go wrong, each with a step instead.
#[eventual::workflow]
async fn recovers_from_everything() -> Result<Vec<String>> {
    let instead = |name: &str| {
        let name = s(name);
        move || second(name).map_err(Error::from)
    };
    let (a, b, c, d, e) = (instead("a"), instead("b"), instead("c"), instead("d"), instead("e"));
    let or = |held: bool, name: Result<String>| if held { name } else { Err(Error::new("Late", "")) };
    let steps: Vec<Step> = vec![
        first(s("x")).or_else(|_: CallError<Error>| a()).boxed_local(),
        sent_and_failed().or_else(|_| b()).boxed_local(),
        work(s("x")).or_else(|_: CallError<Error>| c()).boxed_local(),
        Go::next().timeout(LONG).map_ok(|_| s("came")).or_else(|_| d()).boxed_local(),
        eventual::until(|| false)
            .timeout(LONG)
            .map(move |held| or(held, Ok(s("held"))))
            .or_else(|_| e())
            .boxed_local(),
    ];
    try_join_all(steps).await
}

#[test]
fn a_step_follows_whatever_can_go_wrong() {
    play(recovers_from_everything(), |it| {
        it.asks(&[
            "0 first(\"x\")",
            "1 send Go(1) to work/other",
            "2 child work/recoversFromEverything:one:2(\"x\")",
            "3 wait Go",
            "4 timer 100s",
            "5 timer 100s",
            "6 second(\"b\")",
        ]);
        it.told([failed(0, "No")]);
        it.asks(&["7 second(\"a\")"]);
        it.told([broke(2, "No")]);
        it.asks(&["8 second(\"c\")"]);
        it.told([fired(4), fired(5)]);
        it.asks(&["9 second(\"d\")", "10 second(\"e\")"]);
        it.told([done(10, "E"), done(9, "D"), done(8, "C"), done(7, "A"), done(6, "B")]);
        it.ends(json!(["A", "B", "C", "D", "E"]));
    });
}

/// A step in any case, whose answer nobody asks for.
#[eventual::workflow]
async fn in_any_case() -> Result<Vec<String>> {
    let one = first(s("x")).then(async |ended| {
        second(s("after x")).await?;
        Result::<String>::Ok(ended?)
    });
    let other = Go(1).send("work/other").then(async |ended| {
        second(s("after Go")).await?;
        ended?;
        Result::<String>::Ok(s("sent"))
    });
    let (one, other) = tokio::join!(one, other);
    Ok(vec![one?, other?])
}

#[test]
fn a_step_in_any_case_does_not_change_the_result() {
    play(in_any_case(), |it| {
        it.asks(&["0 first(\"x\")", "1 send Go(1) to work/other", "2 second(\"after Go\")"]);
        it.told([done(0, "something")]);
        it.asks(&["3 second(\"after x\")"]);
        it.told([done(2, "ignored"), done(3, "ignored")]);
        it.ends(json!(["something", "sent"]));
    });
}
