//! Functions within functions: every form in which Rust lets code wait finds its calls again.

use std::pin::Pin;

use eventual::{Call, CallError, Error, Result};
use futures_util::future::{join_all, try_join_all};
use serde_json::json;

use crate::script::{done, fired, play};
use crate::service::{LONG, count, first, s, second};

#[eventual::workflow]
async fn inner() -> String {
    let inner = async || s("foo");
    inner().await
}

#[test]
fn an_inner_function_answers() {
    play(inner(), |it| it.ends(json!("foo")));
}

async fn part() -> Result<Vec<String>> {
    let (one, two) = futures_util::try_join!(first(s("a")), second(s("b")))?;
    Ok(vec![one, two])
}

#[eventual::workflow]
async fn of_parts() -> Result<Vec<String>> {
    part().await
}

#[eventual::workflow]
async fn of_one_part() -> Result<Vec<String>> {
    let (one, two) = tokio::try_join!(first(s("a")), second(s("b")))?;
    Ok(vec![one, two])
}

#[test]
fn a_part_of_the_code_waits_for_all_of_its_own() {
    play(of_parts(), |it| {
        it.asks(&["0 first(\"a\")", "1 second(\"b\")"]);
        it.told([done(0, "A"), done(1, "B")]);
        it.ends(json!(["A", "B"]));
    });
}

#[test]
fn so_does_the_code_itself() {
    play(of_one_part(), |it| {
        it.asks(&["0 first(\"a\")", "1 second(\"b\")"]);
        it.told([done(1, "B")]);
        it.waits();
        it.told([done(0, "A")]);
        it.ends(json!(["A", "B"]));
    });
}

/// Hands out a call that it has not awaited.
fn ask() -> Call<String, Error> {
    first(s("x"))
}

async fn ask_later() -> Result<String, CallError<Error>> {
    ask().await
}

#[eventual::workflow]
async fn awaits_what_it_is_given() -> Result<String> {
    Ok(ask_later().await?)
}

#[eventual::workflow]
async fn awaits_a_call() -> Result<String> {
    let call = ask();
    Ok(call.await?)
}

#[eventual::workflow]
async fn awaits_in_a_box() -> Result<String> {
    let boxed: Pin<Box<dyn Future<Output = Result<String, CallError<Error>>>>> = Box::pin(ask());
    Ok(boxed.await?)
}

#[test]
fn a_call_may_be_handed_through_async_functions() {
    play(awaits_what_it_is_given(), |it| {
        it.asks(&["0 first(\"x\")"]);
        it.told([done(0, "result")]);
        it.ends(json!("result"));
    });
}

#[test]
fn a_call_may_be_handed_out_before_it_is_awaited() {
    play(awaits_a_call(), |it| {
        it.asks(&["0 first(\"x\")"]);
        it.told([done(0, "result")]);
        it.ends(json!("result"));
    });
}

#[test]
fn a_function_that_is_not_async_may_make_the_call() {
    play(awaits_in_a_box(), |it| {
        it.asks(&["0 first(\"x\")"]);
        it.told([done(0, "result")]);
        it.ends(json!("result"));
    });
}

/// Functions in a list, each with a name.
#[eventual::workflow]
async fn of_named_functions() -> Vec<String> {
    let functions = [("a", async || eventual::sleep(LONG).await)];
    let named = functions.into_iter().map(|(name, function)| async move {
        function().await.ok();
        s(name)
    });
    join_all(named).await
}

#[test]
fn functions_in_a_list_are_awaited_together() {
    play(of_named_functions(), |it| {
        it.asks(&["0 timer 100s"]);
        it.told([fired(0)]);
        it.ends(json!(["a"]));
    });
}

/// Calls, async functions that call, and calls in a list, three of each.
#[eventual::workflow]
async fn of_all_forms() -> Result<Vec<Vec<u32>>> {
    let calls = try_join_all([1, 2, 1].map(count));
    let functions = try_join_all([3, 4, 3].map(|it| async move { Ok(count(it).await? * 2) }));
    let list = try_join_all([count(5), count(6), count(5)]);
    let (calls, functions, list) = tokio::join!(calls, functions, list);
    let functions: Result<Vec<u32>> = functions;
    Ok(vec![calls?, functions?, list?])
}

#[test]
fn all_forms_of_closures_go_together() {
    play(of_all_forms(), |it| {
        it.asks(&[
            "0 count(1)",
            "1 count(2)",
            "2 count(1)",
            "3 count(5)",
            "4 count(6)",
            "5 count(5)",
            "6 count(3)",
            "7 count(4)",
            "8 count(3)",
        ]);
        it.told((0..5).map(|seq| done(seq, seq + 1)));
        it.waits();
        it.told((5..9).map(|seq| done(seq, seq + 1)));
        it.ends(json!([[1, 2, 3], [14, 16, 18], [4, 5, 6]]));
    });
}

/// So many steps, one after another.
#[eventual::workflow]
async fn many(steps: u32) -> Result<String> {
    for step in 0..steps {
        count(step).await?;
    }
    Ok(s("done"))
}

#[test]
fn a_hundred_steps_replay_at_once() {
    play(many(100), |it| {
        for seq in 0..100 {
            it.asks(&[&format!("{seq} count({seq})")]);
            it.told([done(seq, seq)]);
        }
        it.ends(json!("done"));
    });
}
