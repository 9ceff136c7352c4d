//! Handlers of signals beside the code, until they are disposed of. What comes afterwards is kept for whoever waits.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use crate::script::{came, done, fired, play};
use crate::service::{Go, LONG, Stop, first, s};

/// Counts signals of two kinds; for each of the second it takes a step. Sleeps, stops listening, sleeps again.
#[eventual::workflow]
async fn listens() -> Vec<u32> {
    let counts = Rc::new([(); 3].map(|()| Cell::new(0)));
    let count = |which: usize| {
        let counts = counts.clone();
        move || counts[which].set(counts[which].get() + 1)
    };
    let (one, other, stepped) = (count(0), count(1), count(2));
    let going = eventual::on_signal(move |Go(_)| one());
    let stopping = eventual::on_signal(move |Stop(number)| {
        other();
        let stepped = stepped.clone();
        drop(eventual::spawn(async move {
            if first(number.to_string()).await.is_ok() {
                stepped();
            }
        }));
    });
    eventual::sleep(LONG).await.ok();
    going.dispose();
    stopping.dispose();
    eventual::sleep(LONG).await.ok();
    counts.iter().map(Cell::get).collect()
}

const BEGINS: [&str; 3] = ["0 timer 100s", "1 wait Go", "2 wait Stop"];

#[test]
fn a_handler_waits_beside_the_code() {
    play(listens(), |it| it.asks(&BEGINS));
}

#[test]
fn a_signal_that_is_handled_does_not_wake_the_code() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 1)]);
        it.asks(&["3 wait Go"]);
        it.waits();
    });
}

#[test]
fn what_was_handled_is_known_when_the_code_wakes() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 1)]);
        it.asks(&["3 wait Go"]);
        it.told([fired(0)]);
        it.asks(&["4 timer 100s"]);
        it.told([fired(4)]);
        it.ends(json!([1, 0, 0]));
    });
}

#[test]
fn every_signal_is_handled_once_and_in_order() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Go", 1), came("2", "Go", 2), came("1", "Go", 1)]);
        it.asks(&["3 wait Go", "4 wait Go"]);
        it.told([came("3", "Go", 3), fired(0)]);
        it.asks(&["6 timer 100s"]);
        it.told([fired(6)]);
        it.ends(json!([3, 0, 0]));
    });
}

#[test]
fn a_signal_after_the_end_of_its_handler_is_not_handled() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([fired(0)]);
        it.asks(&["3 timer 100s"]);
        it.told([came("1", "Go", 1)]);
        it.waits();
        it.told([fired(3)]);
        it.ends(json!([0, 0, 0]));
    });
}

#[test]
fn a_handler_may_take_steps() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Stop", 7)]);
        it.asks(&["3 wait Stop", "4 first(\"7\")"]);
        it.waits();
    });
}

#[test]
fn a_handler_may_take_several_steps_at_once() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Stop", 7), came("2", "Stop", 8)]);
        it.asks(&["3 wait Stop", "4 first(\"7\")", "5 wait Stop", "6 first(\"8\")"]);
        it.waits();
    });
}

#[test]
fn the_code_goes_on_while_a_handlers_step_is_under_way() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Stop", 7)]);
        it.asks(&["3 wait Stop", "4 first(\"7\")"]);
        it.told([fired(0)]);
        it.asks(&["5 timer 100s"]);
        it.told([fired(5)]);
        it.drops(&[4]);
        it.ends(json!([0, 1, 0]));
    });
}

#[test]
fn a_handlers_step_that_is_done_counts() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Stop", 7)]);
        it.asks(&["3 wait Stop", "4 first(\"7\")"]);
        it.told([done(4, ""), fired(0)]);
        it.asks(&["5 timer 100s"]);
        it.told([fired(5)]);
        it.ends(json!([0, 1, 1]));
    });
}

#[test]
fn a_step_that_a_handler_began_goes_on_after_the_handler() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([came("1", "Stop", 7)]);
        it.asks(&["3 wait Stop", "4 first(\"7\")"]);
        it.told([fired(0)]);
        it.asks(&["5 timer 100s"]);
        it.told([done(4, "")]);
        it.waits();
        it.told([fired(5)]);
        it.ends(json!([0, 1, 1]));
    });
}

#[test]
fn a_handler_that_is_disposed_of_takes_no_steps() {
    play(listens(), |it| {
        it.asks(&BEGINS);
        it.told([fired(0), came("1", "Stop", 7)]);
        it.asks(&["3 timer 100s"]);
        it.told([came("2", "Stop", 8), fired(3)]);
        it.ends(json!([0, 0, 0]));
    });
}

/// Whoever waits next gets what its handler left.
#[eventual::workflow]
async fn listens_then_waits() -> eventual::Result<String> {
    let handled = Rc::new(Cell::new(0));
    let handling = handled.clone();
    let handler = eventual::on_signal(move |Go(number)| handling.set(number));
    eventual::sleep(LONG).await?;
    handler.dispose();
    eventual::sleep(LONG).await?;
    let Go(awaited) = Go::next().await?;
    Ok(format!("handled {}, awaited {awaited}{}", handled.get(), s("")))
}

#[test]
fn what_no_handler_took_is_kept() {
    play(listens_then_waits(), |it| {
        it.asks(&["0 timer 100s", "1 wait Go"]);
        it.told([came("1", "Go", 1)]);
        it.asks(&["2 wait Go"]);
        it.told([fired(0)]);
        it.asks(&["3 timer 100s"]);
        it.told([came("2", "Go", 2)]);
        it.waits();
        it.told([fired(3)]);
        it.asks(&["4 wait Go"]);
        it.ends(json!("handled 1, awaited 2"));
    });
}
