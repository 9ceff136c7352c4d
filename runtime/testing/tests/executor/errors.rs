//! Errors and panics of workflow code, and what it does about those of others.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use eventual::{Error, Result};
use futures_util::future::try_join_all;
use serde_json::json;

use crate::script::{came, done, fired, play};
use crate::service::{Go, Stop, first, mend, s, second};

#[eventual::workflow]
async fn refuses() -> Result<()> {
    Err(Error::new("Refused", "Hi"))
}

#[eventual::workflow]
async fn reads(number: String) -> Result<u32> {
    Ok(number.parse()?)
}

#[eventual::workflow]
async fn says_no() -> Result<u32, String> {
    Err(s("hi"))
}

#[eventual::workflow]
async fn panics() -> u32 {
    panic!("on purpose")
}

#[test]
fn an_error_of_the_code_is_the_end_with_class_and_message() {
    play(refuses(), |it| it.fails("Refused", "Hi"));
}

#[test]
fn an_error_of_any_type_keeps_the_name_of_its_type() {
    play(reads(s("x")), |it| it.fails("ParseIntError", "invalid digit found in string"));
}

#[test]
fn a_text_is_an_error_too_and_a_panic_is_a_crash() {
    play(says_no(), |it| it.fails("Error", "hi"));
    play(panics(), |it| it.crashes("on purpose"));
}

/// Tells somebody a number, and waits for a greater one, until it is stopped or nobody answers.
#[eventual::workflow]
async fn plays_ping(other: String) -> Result<u32> {
    let (heard, stopped) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(false)));
    let (hears, stops) = (heard.clone(), stopped.clone());
    let _hearing = eventual::on_signal(move |Go(number)| hears.set(Some(number)));
    let _stopping = eventual::on_signal(move |Stop(_)| stops.set(true));
    let mut last = 0;
    while !stopped.get() {
        Go(last + 1).send(&other).await?;
        if !eventual::until(|| heard.get().is_some() || stopped.get()).timeout(Duration::from_secs(10)).await
        {
            return Err(Error::new("Silence", "timed out!"));
        }
        last = heard.take().unwrap_or(last);
    }
    Ok(last)
}

#[test]
fn an_error_after_a_wait_is_the_end_too() {
    play(plays_ping(s("work/other")), |it| {
        it.asks(&["0 send Go(1) to work/other", "1 wait Go", "2 wait Stop", "3 timer 10s"]);
        it.told([came("1", "Go", 7)]);
        it.asks(&["4 wait Go", "5 send Go(8) to work/other", "6 timer 10s"]);
        it.told([fired(3)]);
        it.waits();
        it.told([fired(6)]);
        it.fails("Silence", "timed out!");
    });
    play(plays_ping(s("work/other")), |it| {
        it.asks(&["0 send Go(1) to work/other", "1 wait Go", "2 wait Stop", "3 timer 10s"]);
        it.told([came("1", "Stop", 0)]);
        it.ends(json!(0));
    });
}

/// Cleans up after an error, and in any case.
#[eventual::workflow]
async fn cleans_up() -> Result<()> {
    let tried: Result<()> = Err(Error::new("Refused", "no"));
    if tried.is_err() {
        mend(s("catch")).await?;
    }
    second(s("finally")).await?;
    Ok(())
}

/// Does not wait for what it does about an error.
#[eventual::workflow]
async fn cleans_up_aside() -> Result<()> {
    let tried: Result<()> = Err(Error::new("Refused", "no"));
    if tried.is_err() {
        drop(eventual::spawn(mend(s("catch"))));
    }
    second(s("finally")).await?;
    Ok(())
}

#[test]
fn what_is_done_about_an_error_comes_before_what_is_done_in_any_case() {
    play(cleans_up(), |it| {
        it.asks(&["0 mend(\"catch\")"]);
        it.told([done(0, "")]);
        it.asks(&["1 second(\"finally\")"]);
        it.told([done(1, "")]);
        it.ends(json!(null));
    });
}

#[test]
fn what_nobody_awaits_is_done_beside_it() {
    play(cleans_up_aside(), |it| {
        it.asks(&["0 mend(\"catch\")", "1 second(\"finally\")"]);
        it.told([done(1, "")]);
        it.drops(&[0]);
        it.ends(json!(null));
    });
}

/// An error in one of several branches, caught around all of them; what is done in any case has the last word.
#[eventual::workflow]
async fn has_the_last_word(items: Vec<String>) -> Result<String> {
    let check = |item: String| async move {
        let found = first(item).await?;
        if found == "bad" { Err(Error::new("Bad", found)) } else { Ok(()) }
    };
    let caught: Result<&str> = match try_join_all(items.into_iter().map(check)).await {
        Ok(_) => Ok("all good"),
        Err(_) => mend(s("catch")).await.map(|_| "caught").map_err(Into::into),
    };
    second(s("finally")).await?;
    Ok(if caught.is_ok() { s("the last word") } else { s("not mended") })
}

#[test]
fn an_error_deep_inside_is_caught_outside() {
    play(has_the_last_word(vec![s("good"), s("bad")]), |it| {
        it.asks(&["0 first(\"good\")", "1 first(\"bad\")"]);
        it.told([done(0, "good"), done(1, "bad")]);
        it.asks(&["2 mend(\"catch\")"]);
        it.told([done(2, "")]);
        it.asks(&["3 second(\"finally\")"]);
        it.told([done(3, "")]);
        it.ends(json!("the last word"));
    });
}
