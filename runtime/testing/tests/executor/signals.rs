//! Waiting for a signal, with a limit and without. Signals are kept in order for whoever waits next, and each is for one.

use eventual::{CallError, Result};
use serde_json::json;

use crate::script::{came, fired, play};
use crate::service::{Go, LONG, s};

#[eventual::workflow]
async fn expects() -> String {
    match Go::next().timeout(LONG).await {
        Ok(Go(number)) => format!("came with {number}"),
        Err(CallError::Timeout) => s("timed out"),
        Err(other) => format!("{other:?}"),
    }
}

const BEGINS: [&str; 2] = ["0 wait Go", "1 timer 100s"];

#[test]
fn waiting_with_a_limit_is_a_wait_and_a_timer() {
    play(expects(), |it| it.asks(&BEGINS));
}

#[test]
fn nothing_happens_until_it_comes() {
    play(expects(), |it| {
        it.asks(&BEGINS);
        it.restart();
        it.wake();
        it.waits();
    });
}

#[test]
fn a_signal_that_comes_ends_the_wait() {
    play(expects(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 0)]);
        it.ends(json!("came with 0"));
    });
}

#[test]
fn a_signal_brings_its_payload() {
    play(expects(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 42)]);
        it.ends(json!("came with 42"));
    });
}

#[test]
fn a_wait_ends_with_its_limit() {
    play(expects(), |it| {
        it.asks(&BEGINS);
        it.told([fired(1)]);
        it.ends(json!("timed out"));
    });
}

#[test]
fn a_signal_after_the_limit_is_too_late() {
    for together in [true, false] {
        play(expects(), |it| {
            it.asks(&BEGINS);
            if together {
                it.told([fired(1), came("1", "Go", 1)]);
            } else {
                it.told([fired(1)]);
                it.told([came("1", "Go", 1)]);
            }
            it.ends(json!("timed out"));
        });
    }
}

#[test]
fn a_limit_after_the_signal_is_too_late() {
    for together in [true, false] {
        play(expects(), |it| {
            it.asks(&BEGINS);
            if together {
                it.told([came("1", "Go", 1), fired(1)]);
            } else {
                it.told([came("1", "Go", 1)]);
                it.told([fired(1)]);
            }
            it.ends(json!("came with 1"));
        });
    }
}

#[test]
fn of_two_signals_the_first_ends_the_wait() {
    play(expects(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 1), came("2", "Go", 2)]);
        it.ends(json!("came with 1"));
    });
}

/// Two that wait for the same.
#[eventual::workflow]
async fn both_expect() -> Result<Vec<u32>> {
    let (one, two) = tokio::try_join!(Go::next().timeout(LONG), Go::next().timeout(LONG))?;
    Ok(vec![one.0, two.0])
}

#[test]
fn a_signal_is_for_the_one_that_has_waited_longest() {
    play(both_expect(), |it| {
        it.asks(&["0 wait Go", "1 timer 100s", "2 wait Go", "3 timer 100s"]);
        it.told([came("1", "Go", 7)]);
        it.waits();
        it.told([came("1", "Go", 7)]);
        it.waits();
        it.told([came("2", "Go", 8)]);
        it.ends(json!([7, 8]));
    });
}

/// Waits twice, one after the other.
#[eventual::workflow]
async fn expects_twice() -> Result<Vec<u32>> {
    let one = Go::next().timeout(LONG).await?;
    let two = Go::next().timeout(LONG).await?;
    Ok(vec![one.0, two.0])
}

#[test]
fn a_limit_that_nobody_catches_is_the_end() {
    play(expects_twice(), |it| {
        it.asks(&BEGINS);
        it.told([fired(1)]);
        it.fails("Timeout", &CallError::<eventual::Error>::Timeout.to_string());
    });
    play(expects_twice(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 1), came("2", "Go", 2)]);
        it.asks(&["2 wait Go"]);
        it.ends(json!([1, 2]));
    });
}

#[test]
fn another_signal_does_not_end_the_wait() {
    play(expects_twice(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Stop", 1)]);
        it.waits();
        it.told([came("2", "Stop", 1), fired(1)]);
        it.fails("Timeout", &CallError::<eventual::Error>::Timeout.to_string());
    });
}
