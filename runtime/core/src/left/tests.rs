//! Histories, and what is still under way at their ends.

use std::vec;

use super::*;
use crate::call::{Attempt, TaskCall};
use crate::id::ExecutionId;
use crate::turn::Continued;

fn id(name: &str) -> ExecutionId {
    ExecutionId::new("w", name).unwrap()
}

fn asker() -> Caller {
    Caller { execution: id("asker"), run: None, seq: 3 }
}

fn child(name: &str, close: ParentClose) -> Call {
    let attributes = BTreeMap::new();
    Call::Workflow {
        execution: id(name),
        input: "1".into(),
        detached: false,
        answered: true,
        close,
        attributes,
    }
}

fn stop(name: &str, terminate: bool) -> Stop {
    Stop { execution: id(name), terminate }
}

fn task(inline: bool) -> Call {
    Call::Task(TaskCall { inline, ..TaskCall::new("t", "1".into()) })
}

fn update(id: &str, from: Option<Caller>) -> Fact {
    Fact::Update { id: id.into(), name: "u".into(), input: "1".into(), from }
}

fn child_done(seq: Seq) -> Fact {
    Fact::ChildDone { seq, outcome: Outcome::TimedOut }
}

fn lost(seq: Seq, attempt: u32) -> Fact {
    Fact::TaskLost { seq, attempt, timed_out: false, reason: "gone".into() }
}

fn ids(answers: &[Answer]) -> Vec<&str> {
    answers.iter().map(|it| it.id.as_str()).collect()
}

#[test]
fn children_go_as_their_calls_say() {
    let calls = vec![
        (0, child("asked", ParentClose::Cancel)),
        (1, child("ended", ParentClose::Terminate)),
        (2, child("abandoned", ParentClose::Abandon)),
        (3, child("done", ParentClose::Cancel)),
        (4, child("stopped", ParentClose::Cancel)),
        (5, child("doneNow", ParentClose::Terminate)),
    ];
    let turns = [
        Turn { number: 1, calls, ..Turn::default() },
        Turn {
            number: 2,
            facts: vec![child_done(3)],
            stops: vec![stop("stopped", false)],
            ..Turn::default()
        },
        // Facts of a parked turn are history, too.
        Turn { number: 3, facts: vec![update("a", None)], parked: Some("bug".into()), ..Turn::default() },
    ];
    let left = left_behind(&turns, vec![child_done(5), child_done(3), child_done(5)]);
    assert_eq!(left.stops, [stop("asked", false), stop("ended", true)]);
    assert_eq!(left.facts, [child_done(5)], "what is known is not recorded again");
    assert_eq!(ids(&left.answers), ["a"]);
}

#[test]
fn workers_are_told_that_may_be_at_work() {
    let calls = (0..6).map(|seq| (seq, task(seq >= 4))).collect();
    let again = |seq| Attempt { seq, attempt: 2, at: 9 };
    let later = Fact::TaskDeferred { seq: 5, attempt: 1, due: 99 };
    let turns = [
        Turn { number: 1, calls, ..Turn::default() },
        Turn {
            number: 2,
            facts: vec![lost(0, 1), lost(1, 1), later],
            attempts: vec![again(1)],
            dropped: vec![(2, 1)],
            ..Turn::default()
        },
    ];
    let left = left_behind(&turns, vec![lost(1, 1)]);
    assert_eq!(left.dropped, [(1, 2), (3, 1), (5, 1)], "0 was lost, 2 is told, 4 is inline, 5 is put off");
    assert_eq!(left.facts, []);
}

#[test]
fn what_was_before_code_began_anew_is_settled() {
    let from = Continued {
        input: "2".into(),
        next: 7,
        facts: vec![update("waits", Some(asker()))],
        seen: vec![FactKey::Update("waits".into()), FactKey::Signal("s".into())],
        cancelled: false,
    };
    let turns = [
        Turn {
            number: 4,
            facts: vec![update("waits", Some(asker())), update("taken", None)],
            calls: vec![(6, child("before", ParentClose::Cancel))],
            continued: Some(from),
            ..Turn::default()
        },
        Turn { number: 5, calls: vec![(7, child("after", ParentClose::Cancel))], ..Turn::default() },
    ];
    let signal = Fact::Signal { id: "s".into(), name: "n".into(), payload: "1".into() };
    let left = left_behind(&turns, vec![signal, child_done(6)]);
    assert_eq!(left.stops, [stop("after", false)]);
    assert_eq!(left.facts, [], "one was seen before, the other answers a call of the code before");
    assert_eq!(left.answers.iter().map(|it| it.to.clone()).collect::<Vec<_>>(), [Some(asker())]);
}

#[test]
fn a_fork_leaves_alone_what_answers_to_its_origin() {
    let calls = vec![(0, child("theirs", ParentClose::Cancel)), (1, task(false))];
    let copied = Turn { number: 1, facts: vec![update("theirs", None)], calls, ..Turn::default() };
    let forked = Fact::Forked { to: id("fork"), turn: 1 };
    let at_once = left_behind(core::slice::from_ref(&copied), vec![forked.clone()]);
    assert_eq!((at_once.stops, at_once.dropped, at_once.answers), (vec![], vec![], vec![]));
    let attempts = vec![Attempt { seq: 1, attempt: 2, at: 5 }];
    let own = Turn {
        number: 2,
        facts: vec![forked],
        calls: vec![(2, child("ours", ParentClose::Terminate))],
        attempts,
        ..Turn::default()
    };
    let left = left_behind(&[copied, own], vec![]);
    assert_eq!((left.stops, left.dropped), (vec![stop("ours", true)], vec![(1, 2)]));
}
