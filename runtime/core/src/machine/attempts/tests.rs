//! What facts about attempts do to a call that waits.

use std::vec::Vec;

use super::*;
use crate::call::{RetryPolicy, TaskCall};
use crate::fact::Failure;

/// A machine that has asked for a task.
fn asked(task: TaskCall) -> Machine {
    let mut machine = Machine::new(1);
    machine.begin(0, &[]);
    let seq = machine.allocate();
    machine.schedule(seq, Call::Task(task), super::super::cancel::ROOT, core::panic::Location::caller());
    assert_eq!(machine.take(seq), None);
    machine.end().unwrap();
    machine
}

fn task(attempts: u32) -> TaskCall {
    let retry = RetryPolicy { attempts, errors: true, initial_ms: 1_000, ..RetryPolicy::default() };
    TaskCall { retry, ..TaskCall::new("t", "1".into()) }
}

fn due(attempt: u32) -> Fact {
    Fact::HeartbeatDue { seq: 0, attempt, period_ms: 5, due: 9 }
}

/// The outcome that the call has after it learnt this.
fn learn(machine: &mut Machine, time: Millis, fact: Fact) -> Option<Outcome> {
    machine.begin(time, &[fact]);
    machine.open_next().and_then(|seq| machine.take(seq))
}

#[test]
fn a_lost_heartbeat_is_a_lost_attempt() {
    let mut machine = asked(task(2));
    assert_eq!(learn(&mut machine, 10, due(1)), None);
    let again = Attempt { seq: 0, attempt: 2, at: 1_010 };
    assert_eq!(machine.end().unwrap().attempts, [again]);
    let late = Fact::TaskDone { seq: 0, attempt: 1, outcome: Outcome::Succeeded("1".into()) };
    assert_eq!(machine.fresh([late].to_vec()), Vec::new(), "the first fact decides the attempt");
    assert_eq!(learn(&mut machine, 2_000, due(2)), Some(Outcome::HeartbeatLost));
}

#[test]
fn what_somebody_else_answers_is_not_performed_here_again() {
    let mut machine = asked(TaskCall { inline: true, ..task(2) });
    let begins = |machine: &Machine| machine.outstanding().map(|it| it.3).collect::<Vec<_>>();
    assert_eq!(begins(&machine), [true]);
    assert_eq!(learn(&mut machine, 1, Fact::TaskDeferred { seq: 0, attempt: 1, due: 50 }), None);
    assert_eq!(begins(&machine), [false]);
    let late = Fact::TaskLost { seq: 0, attempt: 1, timed_out: true, reason: "late".into() };
    assert_eq!(learn(&mut machine, 50, late), None);
    assert_eq!(learn(&mut machine, 1_050, Fact::RetryDue { seq: 0, attempt: 2 }), None);
    assert_eq!(begins(&machine), [true], "the next attempt is its own");
}

#[test]
fn an_error_says_when_it_is_tried_again() {
    let failed = |attempt, advice| Fact::TaskDone {
        seq: 0,
        attempt,
        outcome: Outcome::Failed(Failure { advice, ..Failure::new("E", "no", 500) }),
    };
    let mut machine = asked(task(9));
    assert_eq!(learn(&mut machine, 10, failed(1, RetryAdvice::After(90_000))), None);
    assert_eq!(machine.end().unwrap().attempts[0].at, 90_010, "longer than the policy's longest pause");
    let never = learn(&mut machine, 99_000, failed(2, RetryAdvice::Never));
    assert!(matches!(never, Some(Outcome::Failed(_))));
    // Advice is no policy: where errors are final, they are.
    let mut task = task(9);
    task.retry.errors = false;
    assert!(learn(&mut asked(task), 10, failed(1, RetryAdvice::After(1))).is_some());
}

#[test]
fn workers_learn_that_nobody_waits() {
    let ended = |end: fn(&mut Machine), call: TaskCall| {
        let mut machine = asked(call);
        machine.begin(5, &[]);
        end(&mut machine);
        machine.close();
        machine.end().unwrap().dropped
    };
    assert_eq!(ended(|it| it.forget(0), task(1)), [(0, 1)]);
    assert_eq!(ended(|it| it.cancel(super::super::cancel::ROOT), task(1)), [(0, 1)]);
    assert_eq!(ended(|_| {}, task(1)), [(0, 1)], "the code ended");
    assert_eq!(ended(|it| it.forget(0), TaskCall { inline: true, ..task(1) }), []);
    let mut machine = asked(task(1));
    assert_eq!(learn(&mut machine, 5, Fact::TaskExpired { seq: 0 }), Some(Outcome::TimedOut));
    assert_eq!(machine.end().unwrap().dropped, [(0, 1)]);
    let mut machine = asked(task(1));
    let done = Fact::TaskDone { seq: 0, attempt: 1, outcome: Outcome::Succeeded("1".into()) };
    assert!(learn(&mut machine, 5, done).is_some());
    machine.close();
    assert_eq!(machine.end().unwrap().dropped, [], "who has answered runs no more");
}
