//! Executions that are told bit by bit, by messages that come late, twice, and at the same time.

use eventual::Result;
use serde_json::json;

use crate::script::{done, play};
use crate::service::{count, first, s, second};

#[eventual::workflow]
async fn two_steps() -> Result<Vec<String>> {
    Ok(vec![first(s("a")).await?, second(s("b")).await?])
}

#[test]
fn what_has_begun_goes_on_with_what_it_is_told() {
    play(two_steps(), |it| {
        it.asks(&["0 first(\"a\")"]);
        it.told([done(0, "A")]);
        it.asks(&["1 second(\"b\")"]);
    });
}

#[test]
fn what_has_a_history_goes_on_with_what_it_is_told() {
    play(two_steps(), |it| {
        it.asks(&["0 first(\"a\")"]);
        it.told([done(0, "A")]);
        it.asks(&["1 second(\"b\")"]);
        it.restart();
        it.told([done(1, "B")]);
        it.ends(json!(["A", "B"]));
    });
}

/// So many steps, one after another.
#[eventual::workflow]
async fn counts_up(steps: u32) -> Result<u32> {
    let mut sum = 0;
    for step in 0..steps {
        sum += count(step).await?;
    }
    Ok(sum)
}

#[test]
fn a_hundred_messages_are_a_hundred_turns() {
    play(counts_up(100), |it| {
        for seq in 0..100 {
            it.asks(&[&format!("{seq} count({seq})")]);
            it.told([done(seq, 1)]);
        }
        it.ends(json!(100));
        assert_eq!(it.turns().len(), 101);
    });
}

/// Nobody can answer a call that was not made: of a hundred answers at once, the one to the open call counts.
#[test]
fn of_answers_to_calls_that_were_not_made_none_counts() {
    play(counts_up(100), |it| {
        it.asks(&["0 count(0)"]);
        it.told((0..100).map(|seq| done(seq, 1)));
        it.asks(&["1 count(1)"]);
        it.waits();
    });
}

/// A hundred steps at once.
#[eventual::workflow]
async fn counts_at_once(steps: u32) -> Result<u32> {
    let all = (0..steps).map(count);
    Ok(futures_util::future::try_join_all(all).await?.iter().sum())
}

#[test]
fn a_hundred_answers_in_one_message_are_all_learnt() {
    play(counts_at_once(100), |it| {
        let calls: Vec<String> = (0..100).map(|seq| format!("{seq} count({seq})")).collect();
        it.asks(&calls.iter().map(String::as_str).collect::<Vec<_>>());
        it.told((0..100).rev().map(|seq| done(seq, 2)));
        it.ends(json!(200));
        assert_eq!(it.turns().len(), 2);
    });
}

#[test]
fn two_messages_at_once_are_handled_one_after_the_other() {
    play(counts_at_once(3), |it| {
        it.asks(&["0 count(0)", "1 count(1)", "2 count(2)"]);
        it.told_at_once([[done(2, 4)], [done(0, 1)]]);
        it.waits();
        assert_eq!(it.turns().len(), 3, "one turn each");
        it.told([done(1, 2)]);
        it.ends(json!(7));
    });
}

#[test]
fn what_is_told_twice_is_learnt_once() {
    play(two_steps(), |it| {
        it.asks(&["0 first(\"a\")"]);
        it.told([done(0, "A"), done(0, "another")]);
        it.asks(&["1 second(\"b\")"]);
        it.told([done(0, "A")]);
        it.waits();
        assert_eq!(it.turns().len(), 2, "and leaves nothing behind");
        it.told([done(0, "again"), done(1, "B")]);
        it.ends(json!(["A", "B"]));
    });
}
