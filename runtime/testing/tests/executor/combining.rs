//! Several at once: all of them, any of them, the first of them, each as it ends.

use std::future::ready;

use eventual::{Call, Error, Result};
use futures_util::FutureExt;
use futures_util::future::{join_all, select_all, select_ok, try_join_all};
use serde_json::json;

use crate::script::{done, failed, play};
use crate::service::{aside, first, s};

/// Two calls that nobody has awaited yet.
fn two() -> [Call<String, Error>; 2] {
    [first(s("a")), first(s("b"))]
}

const TWO: [&str; 2] = ["0 first(\"a\")", "1 first(\"b\")"];

#[eventual::workflow]
async fn all() -> Result<Vec<String>> {
    Ok(try_join_all(two()).await?)
}

#[test]
fn all_are_awaited_by_whoever_gets_them() {
    play(all(), |it| {
        it.asks(&TWO);
        it.told([done(0, "A")]);
        it.waits();
        it.told([done(1, "B")]);
        it.ends(json!(["A", "B"]));
    });
}

#[eventual::workflow]
async fn all_constants() -> Vec<u32> {
    join_all([ready(1), ready(1)]).await
}

#[test]
fn all_of_what_is_ready_is_ready() {
    play(all_constants(), |it| it.ends(json!([1, 1])));
}

/// What was awaited before, and what was not.
#[eventual::workflow]
async fn all_again() -> Result<Vec<String>> {
    let [a, b] = two().map(FutureExt::shared);
    a.clone().await?;
    let mut all = try_join_all([a.clone(), b]).await?;
    all.push(a.await?);
    Ok(all)
}

#[test]
fn all_may_hold_what_is_done_already() {
    play(all_again(), |it| {
        it.asks(&["0 first(\"a\")"]);
        it.told([done(0, "A")]);
        it.asks(&["1 first(\"b\")"]);
        it.told([done(1, "B")]);
        it.ends(json!(["A", "B", "A"]));
    });
}

/// One async function for each item.
#[eventual::workflow]
async fn all_by_function(items: Vec<String>) -> Result<Vec<String>> {
    try_join_all(items.into_iter().map(|it| async move { Ok(first(it).await?) })).await
}

#[test]
fn all_keep_the_order_of_the_items_whoever_is_first() {
    play(all_by_function(vec![s("a"), s("b")]), |it| {
        it.asks(&TWO);
        it.told([done(1, "B"), done(0, "A")]);
        it.ends(json!(["A", "B"]));
    });
    play(all_by_function(Vec::new()), |it| it.ends(json!([])));
}

/// Calls before, in and after a group.
#[eventual::workflow]
async fn all_in_order() -> Result<()> {
    let before = aside(s("before"));
    let group = try_join_all(two());
    let after = aside(s("after"));
    let (before, group, after) = tokio::join!(before, group, after);
    before?;
    group?;
    after?;
    Ok(())
}

#[test]
fn calls_are_numbered_in_the_order_in_which_they_are_built() {
    play(all_in_order(), |it| {
        it.asks(&["0 aside(\"before\")", "1 first(\"a\")", "2 first(\"b\")", "3 aside(\"after\")"]);
        it.told([done(3, ""), done(2, ""), done(1, ""), done(0, "")]);
        it.ends(json!(null));
    });
}

#[eventual::workflow]
async fn any() -> Result<String> {
    Ok(select_ok(two()).await?.0)
}

#[test]
fn any_ends_with_the_first_that_succeeds() {
    play(any(), |it| {
        it.asks(&TWO);
        it.told([done(1, "B")]);
        it.drops(&[0]);
        it.ends(json!("B"));
    });
}

#[test]
fn which_of_any_was_first_is_what_history_says() {
    for (order, winner) in [([0, 1], "0"), ([1, 0], "1")] {
        play(any(), |it| {
            it.asks(&TWO);
            it.told(order.map(|seq| done(seq, seq.to_string())));
            it.ends(json!(winner));
        });
    }
}

#[test]
fn any_ignores_a_failure() {
    for seq in [0, 1] {
        play(any(), |it| {
            it.asks(&TWO);
            it.told([failed(seq, "No")]);
            it.waits();
            it.told([done(1 - seq, "yes")]);
            it.ends(json!("yes"));
        });
    }
}

/// The same by our own word, which counts what failed.
#[eventual::workflow]
async fn any_of_ours() -> Result<String> {
    Ok(eventual::parallel(two()).first(1).await?.remove(0).1)
}

#[test]
fn any_fails_when_all_do() {
    play(any(), |it| {
        it.asks(&TWO);
        it.told([failed(1, "One"), failed(0, "Other")]);
        it.fails("Other", "it failed");
    });
    play(any_of_ours(), |it| {
        it.asks(&TWO);
        it.told([failed(1, "One")]);
        it.waits();
        it.told([failed(0, "Other")]);
        it.fails("TooManyFailed", "2 of 2 failed, at last number 0: it failed");
    });
}

#[eventual::workflow]
async fn race() -> Result<String> {
    Ok(select_all(two()).await.0?)
}

#[test]
fn a_race_ends_with_its_first() {
    play(race(), |it| {
        it.asks(&TWO);
        it.told([done(1, "B")]);
        it.drops(&[0]);
        it.ends(json!("B"));
    });
}

#[test]
fn which_of_a_race_was_first_is_what_history_says() {
    for (order, winner) in [([0, 1], "0"), ([1, 0], "1")] {
        play(race(), |it| {
            it.asks(&TWO);
            it.told(order.map(|seq| done(seq, seq.to_string())));
            it.ends(json!(winner));
        });
    }
}

#[test]
fn a_failure_wins_a_race_too() {
    play(race(), |it| {
        it.asks(&TWO);
        it.told([failed(0, "No"), done(1, "yes")]);
        it.fails("No", "it failed");
    });
}

/// Each as it ended.
fn told(ended: Vec<Result<String, eventual::CallError<Error>>>) -> Vec<String> {
    ended.into_iter().map(|it| it.unwrap_or_else(|error| Error::from(error).class.clone())).collect()
}

#[eventual::workflow]
async fn settled() -> Vec<String> {
    told(join_all(two()).await)
}

#[eventual::workflow]
async fn settled_by_function(items: Vec<String>) -> Vec<String> {
    told(eventual::map(items, first).settled().await)
}

#[test]
fn settled_is_when_each_has_ended() {
    play(settled(), |it| {
        it.asks(&TWO);
        it.told([done(1, "B")]);
        it.waits();
        it.told([failed(0, "No")]);
        it.ends(json!(["No", "B"]));
    });
}

#[test]
fn settled_are_failures_and_results_in_any_mixture() {
    for failing in 0..4 {
        play(settled_by_function(vec![s("a"), s("b")]), |it| {
            it.asks(&TWO);
            let end = |seq: u32| if failing & (1 << seq) == 0 { done(seq, "yes") } else { failed(seq, "No") };
            it.told([end(1), end(0)]);
            it.ends(json!([failing & 1, failing & 2].map(|it| if it == 0 { "yes" } else { "No" })));
        });
    }
}
