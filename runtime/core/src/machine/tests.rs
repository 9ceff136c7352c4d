//! Scripts against the machine, without any code to poll: the test takes and schedules as code would.

use alloc::string::ToString;
use alloc::vec;
use core::panic::Location;
use std::format;

use super::*;
use crate::call::{RetryPolicy, TaskCall};
use crate::fact::Failure;

fn task(name: &str, retry: RetryPolicy) -> Call {
    Call::Task(TaskCall { retry, ..TaskCall::new(name, "1".into()) })
}

fn signal(name: &str) -> Call {
    Call::Signal { name: name.into() }
}

fn done(seq: Seq, attempt: u32, value: &str) -> Fact {
    Fact::TaskDone { seq, attempt, outcome: Outcome::Succeeded(value.into()) }
}

fn came(id: &str, name: &str) -> Fact {
    Fact::Signal { id: id.into(), name: name.into(), payload: format!("\"{id}\"").as_str().into() }
}

#[track_caller]
fn ask(machine: &mut Machine, call: Call) -> Seq {
    let seq = machine.allocate();
    machine.schedule(seq, call, ScopeId::default(), Location::caller());
    assert_eq!(machine.take(seq), None, "nothing is ready before the gate opens");
    seq
}

fn learn(machine: &mut Machine) -> Vec<Outcome> {
    let mut learnt = Vec::new();
    while let Some(seq) = machine.open_next() {
        learnt.extend(machine.take(seq));
    }
    learnt
}

#[test]
fn completions_are_learnt_in_the_order_of_history() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let (a, b) = (
        ask(&mut machine, task("a", RetryPolicy::default())),
        ask(&mut machine, task("b", RetryPolicy::default())),
    );
    assert_eq!(machine.end().unwrap().calls.len(), 2);
    machine.begin(20, &[done(b, 1, "\"b\""), done(a, 1, "\"a\"")]);
    assert_eq!(learn(&mut machine), [Outcome::Succeeded("\"b\"".into()), Outcome::Succeeded("\"a\"".into())]);
    assert!(!machine.waits());
}

#[test]
fn the_gate_is_open_for_one_call_at_a_time() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let (a, b) = (ask(&mut machine, signal("x")), ask(&mut machine, signal("y")));
    machine.end().unwrap();
    machine.begin(20, &[came("1", "y"), came("2", "x")]);
    assert_eq!(machine.open_next(), Some(b), "the older completion comes first");
    assert_eq!(machine.take(a), None, "a younger one is closed while the gate is open for another");
    assert!(machine.take(b).is_some());
    assert_eq!(machine.open_next(), Some(a));
}

#[test]
fn a_held_call_does_not_block_those_behind_it() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let (held, other) = (ask(&mut machine, signal("x")), ask(&mut machine, signal("y")));
    machine.end().unwrap();
    machine.begin(20, &[came("1", "x"), came("2", "y")]);
    assert_eq!(machine.open_next(), Some(held));
    assert_eq!(machine.open_next(), Some(other), "nobody took it, so the next one gets its chance");
    assert!(machine.take(other).is_some());
    assert_eq!(machine.open_next(), None, "the held one is not offered again until it is polled");
    assert_eq!(machine.take(held), None);
    assert_eq!(machine.open_next(), Some(held));
    assert!(machine.take(held).is_some());
}

#[test]
fn signals_are_buffered_and_go_to_the_first_that_waits() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[came("1", "x"), came("2", "x"), came("1", "x")]);
    assert_eq!(learn(&mut machine), []);
    let dropped = ask(&mut machine, signal("x"));
    let [first, second, third] = [(); 3].map(|()| ask(&mut machine, signal("x")));
    machine.forget(dropped);
    assert_eq!(machine.open_next(), Some(first));
    assert_eq!(machine.take(first), Some(Outcome::Succeeded("\"1\"".into())));
    assert_eq!(machine.open_next(), Some(second));
    assert_eq!(machine.take(second), Some(Outcome::Succeeded("\"2\"".into())));
    assert_eq!(
        machine.outstanding().map(|it| it.0).collect::<Vec<_>>(),
        [third],
        "the same signal sent again is one signal"
    );
}

#[test]
fn the_first_outcome_counts_and_duplicates_are_dropped() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let a = ask(&mut machine, task("a", RetryPolicy::default()));
    machine.end().unwrap();
    machine.begin(20, &[done(a, 1, "1"), done(a, 1, "2")]);
    assert_eq!(learn(&mut machine), [Outcome::Succeeded("1".into())]);
    assert_eq!(machine.fresh(vec![done(a, 1, "3"), came("s", "x"), came("s", "x")]), [came("s", "x")]);
}

#[test]
fn lost_workers_are_replaced_until_the_attempts_are_used_up() {
    let mut machine = Machine::new(1);
    let lost = |attempt| Fact::TaskLost { seq: 0, attempt, timed_out: false, reason: "gone".into() };
    machine.begin(10, &[]);
    ask(&mut machine, task("a", RetryPolicy { initial_ms: 5, ..RetryPolicy::default() }));
    machine.end().unwrap();
    machine.begin(20, &[lost(1), lost(1), done(0, 1, "\"late\"")]);
    assert_eq!(
        machine.end().unwrap().attempts,
        [Attempt { seq: 0, attempt: 2, at: 25 }],
        "and the late answer is not taken"
    );
    machine.begin(25, &[Fact::RetryDue { seq: 0, attempt: 2 }]);
    assert_eq!(machine.end().unwrap().attempts, [Attempt { seq: 0, attempt: 2, at: 25 }]);
    machine.begin(30, &[lost(2)]);
    assert_eq!(machine.end().unwrap().attempts, [Attempt { seq: 0, attempt: 3, at: 40 }]);
    machine.begin(50, &[lost(3)]);
    assert_eq!(learn(&mut machine), [Outcome::Crashed("gone".into())]);
}

#[test]
fn an_error_of_user_code_is_final_unless_the_policy_says_otherwise() {
    let failed =
        |seq| Fact::TaskDone { seq, attempt: 1, outcome: Outcome::Failed(Failure::new("E", "no", 500)) };
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    ask(&mut machine, task("final", RetryPolicy::default()));
    ask(&mut machine, task("again", RetryPolicy { errors: true, initial_ms: 7, ..RetryPolicy::default() }));
    machine.end().unwrap();
    machine.begin(20, &[failed(0), failed(1)]);
    assert_eq!(learn(&mut machine).len(), 1);
    assert_eq!(machine.end().unwrap().attempts, [Attempt { seq: 1, attempt: 2, at: 27 }]);
}

#[test]
fn what_is_done_when_recorded_still_passes_the_gate() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let emit = ask(&mut machine, Call::Emit(Vec::new()));
    assert_eq!(machine.open_next(), Some(emit));
    assert_eq!(machine.take(emit), Some(Outcome::Succeeded(Payload::null())));
}

#[test]
fn a_replay_makes_the_same_calls_or_says_which_differ() {
    let script = |machine: &mut Machine, name: &str| {
        ask(machine, task("a", RetryPolicy::default()));
        ask(machine, signal(name));
    };
    let mut first = Machine::new(1);
    first.begin(10, &[]);
    script(&mut first, "x");
    let calls = first.end().unwrap().calls;

    let mut again = Machine::new(1);
    again.begin_replay(10, &[], &calls, &[]);
    script(&mut again, "x");
    assert_eq!(again.end(), Ok(Output::default()), "nothing is asked for twice");

    let mut other = Machine::new(1);
    other.begin_replay(10, &[], &calls, &[]);
    script(&mut other, "y");
    let text = other.end().unwrap_err().to_string();
    assert!(
        text.contains("call 1 of turn 1 was wait for signal `x` then, and is wait for signal `y` now, at "),
        "{text}"
    );

    let mut less = Machine::new(1);
    less.begin_replay(10, &[], &calls, &[]);
    ask(&mut less, task("a", RetryPolicy::default()));
    assert!(less.end().unwrap_err().to_string().contains("`x` then, and is not made now"));
}

#[test]
fn branches_polled_in_another_order_find_their_calls() {
    let timer = |due| Call::Timer { due };
    let retry = RetryPolicy::default();
    let mut first = Machine::new(1);
    first.begin(10, &[]);
    for call in [task("a", retry), timer(50), task("b", retry), timer(20)] {
        ask(&mut first, call);
    }
    let calls = first.end().unwrap().calls;

    let mut again = Machine::new(1);
    again.begin_replay(10, &[], &calls, &[]);
    let [b, short, a, long] =
        [task("b", retry), timer(20), task("a", retry), timer(50)].map(|call| ask(&mut again, call));
    again.end().unwrap();
    again.begin(
        60,
        &[Fact::TimerFired { seq: 3 }, done(2, 1, "\"b\""), done(0, 1, "\"a\""), Fact::TimerFired { seq: 1 }],
    );
    for (expected, value) in [(short, "null"), (b, "\"b\""), (a, "\"a\""), (long, "null")] {
        assert_eq!(again.open_next(), Some(expected), "the code's own number, in the order of history");
        assert_eq!(again.take(expected), Some(Outcome::Succeeded(value.into())));
    }
    assert!(!again.waits());
}

#[test]
fn a_timer_may_change_its_due_time_and_a_child_its_number() {
    let child = |seq: Seq| Call::Workflow {
        execution: crate::ExecutionId::parse(&format!("child/parent:one:{seq}")).unwrap(),
        input: "1".into(),
        detached: false,
        answered: true,
        close: crate::call::ParentClose::Cancel,
        attributes: BTreeMap::new(),
    };
    let mut first = Machine::new(1);
    first.begin(10, &[]);
    ask(&mut first, Call::Timer { due: 50 });
    ask(&mut first, child(1));
    ask(&mut first, signal("x"));
    let calls = first.end().unwrap().calls;
    let mut again = Machine::new(1);
    again.begin_replay(10, &[], &calls, &[]);
    ask(&mut again, Call::Timer { due: 60 });
    ask(&mut again, signal("x"));
    ask(&mut again, child(2));
    assert_eq!(again.end(), Ok(Output::default()));
}

#[test]
fn random_numbers_repeat_with_the_seed() {
    let numbers = |seed| {
        let mut machine = Machine::new(seed);
        [machine.random(), machine.random()]
    };
    assert_eq!(numbers(3), numbers(3));
    assert_ne!(numbers(3), numbers(4));
    assert_ne!(numbers(3)[0], numbers(3)[1]);
}

fn child(name: &str, close: crate::call::ParentClose) -> Call {
    let execution = crate::id::ExecutionId::new("child", name).unwrap();
    let attributes = BTreeMap::new();
    Call::Workflow { execution, input: "1".into(), detached: false, answered: true, close, attributes }
}

#[test]
fn a_cancelled_execution_is_told_by_its_calls_and_waits_for_its_children() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let sleeping = ask(&mut machine, Call::Timer { due: 100 });
    let waiting = ask(&mut machine, child("a", crate::call::ParentClose::Cancel));
    machine.end().unwrap();
    machine.begin(20, &[Fact::CancelRequested { reason: "enough".into() }]);
    assert_eq!(machine.open_next(), Some(sleeping));
    assert_eq!(machine.take(sleeping), Some(Outcome::Cancelled));
    assert_eq!(machine.open_next(), None, "the child has not ended");
    let late = ask(&mut machine, task("late", RetryPolicy::default()));
    let shield = machine.open_scope(ScopeId::default(), true);
    let cleanup = machine.allocate();
    machine.schedule(cleanup, task("cleanup", RetryPolicy::default()), shield, Location::caller());
    assert_eq!(machine.open_next(), Some(late), "what is asked for afterwards is cancelled at once");
    assert_eq!(machine.take(late), Some(Outcome::Cancelled));
    let output = machine.end().unwrap();
    assert_eq!(output.calls.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [cleanup], "but for the shield");
    assert_eq!(output.stops.len(), 1);
    machine.begin(30, &[Fact::ChildDone { seq: waiting, outcome: Outcome::Cancelled }]);
    assert_eq!(learn(&mut machine), [Outcome::Cancelled]);
    assert!(machine.end().unwrap().stops.is_empty(), "it is stopped once");
}

#[test]
fn a_scope_is_cancelled_with_what_is_around_it_and_not_the_other_way() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let outer = machine.open_scope(ScopeId::default(), false);
    let inner = machine.open_scope(outer, false);
    let safe = machine.open_scope(inner, true);
    machine.cancel(outer);
    let cancelled = [ScopeId::default(), outer, inner, safe].map(|it| machine.is_cancelled(it));
    assert_eq!(cancelled, [false, true, true, false]);
    assert!(!machine.cancel_requested());
}

#[test]
fn children_nobody_waits_for_are_stopped_as_their_calls_say() {
    use crate::call::ParentClose;
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let calls =
        [ParentClose::Abandon, ParentClose::Cancel, ParentClose::Terminate].map(|close| child("c", close));
    let seqs = calls.map(|it| ask(&mut machine, it));
    machine.end().unwrap();
    machine.begin(20, &[]);
    machine.forget(seqs[1]);
    machine.close();
    let stops = machine.end().unwrap().stops;
    assert_eq!(stops.iter().map(|it| it.terminate).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_change_is_seen_by_new_executions_and_never_by_those_that_passed_it() {
    let mut fresh = Machine::new(1);
    fresh.begin(10, &[]);
    assert!(fresh.changed("x") && fresh.changed("x"));
    assert_eq!(fresh.end().unwrap().markers, ["x"]);
    let mut again = Machine::new(1);
    again.begin_replay(10, &[], &[], &["x".into()]);
    assert!(again.changed("x"), "as then");
    let mut old = Machine::new(1);
    old.begin_replay(10, &[], &[], &[]);
    assert!(!old.changed("x"));
    old.end().unwrap();
    old.begin(20, &[]);
    assert!(!old.changed("x"), "an execution does not change its mind");
}

#[test]
fn attempts_end_with_their_time_and_with_final_errors() {
    let policy = RetryPolicy { attempts: 9, errors: true, initial_ms: 1_000, ..RetryPolicy::default() };
    let failed = |seq, attempt, class: &str| Fact::TaskDone {
        seq,
        attempt,
        outcome: Outcome::Failed(Failure::new(class, "no", 500)),
    };
    let Call::Task(limited) = task("t", policy) else { unreachable!() };
    let limited = TaskCall { total_ms: Some(2_500), final_errors: vec!["Final".into()], ..limited };
    let mut machine = Machine::new(1);
    machine.begin(0, &[]);
    let (a, b) = (ask(&mut machine, Call::Task(limited.clone())), ask(&mut machine, Call::Task(limited)));
    machine.end().unwrap();
    machine.begin(1_000, &[failed(a, 1, "Again"), failed(b, 1, "Final")]);
    assert_eq!(learn(&mut machine).len(), 1, "the final error is final");
    assert_eq!(machine.end().unwrap().attempts.len(), 1);
    machine.begin(2_000, &[Fact::RetryDue { seq: a, attempt: 2 }, failed(a, 2, "Again")]);
    assert_eq!(
        learn(&mut machine).len(),
        1,
        "a third attempt would begin at 4,000, after the limit of 2,500"
    );
    assert!(!machine.waits());
}

#[test]
fn jitter_shortens_pauses_within_its_part() {
    let policy = RetryPolicy { initial_ms: 10_000, jitter_percent: 20, ..RetryPolicy::default() };
    let pauses: Vec<u64> = (0..5_000).map(|chance| policy.jittered_ms(2, chance)).collect();
    assert_eq!((pauses.iter().min(), pauses.iter().max()), (Some(&8_000), Some(&10_000)));
    assert_eq!(RetryPolicy { initial_ms: 7, ..RetryPolicy::default() }.jittered_ms(2, 99), 7);
}

fn update(id: &str, name: &str) -> Fact {
    Fact::Update { id: id.into(), name: name.into(), input: "1".into(), from: None }
}

fn next_update(name: Option<&str>) -> Call {
    Call::NextUpdate { name: name.map(Into::into) }
}

#[test]
fn updates_wait_for_busy_code_and_are_refused_by_code_that_does_not_know_them() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    machine.accept_updates(Some("x"));
    let first = ask(&mut machine, next_update(Some("x")));
    machine.end().unwrap();
    machine.begin(20, &[update("1", "x"), update("2", "x"), update("3", "y"), update("1", "x")]);
    assert_eq!(machine.open_next(), Some(first));
    let taken = machine.take_update(first).unwrap().unwrap();
    assert_eq!((taken.id.as_str(), taken.name.as_str()), ("1", "x"));
    machine.answer("1", Outcome::Succeeded("7".into()));
    machine.answer("1", Outcome::Succeeded("8".into()));
    let answers = machine.end().unwrap().answers;
    assert_eq!(answers[0].outcome, Outcome::Succeeded("7".into()), "the first answer counts");
    assert!(matches!(&answers[1].outcome, Outcome::Failed(it) if it.class == "UnknownUpdate"));
    assert_eq!((answers.len(), answers[1].id.as_str()), (2, "3"));
    machine.begin(30, &[]);
    let second = ask(&mut machine, next_update(None));
    assert_eq!(machine.open_next(), Some(second), "the second waited for its turn");
    machine.take_update(second).unwrap().unwrap();
    machine.close();
    assert!(
        matches!(&machine.end().unwrap().answers[0].outcome, Outcome::Failed(it) if it.class == "ExecutionClosed")
    );
}

#[test]
fn code_that_continues_as_new_keeps_what_it_did_not_take_and_knows_what_comes_again() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let timer = ask(&mut machine, Call::Timer { due: 90 });
    let x = ask(&mut machine, signal("x"));
    machine.end().unwrap();
    machine.begin(20, &[came("1", "x"), came("2", "x"), came("3", "y"), update("4", "z")]);
    assert_eq!(machine.open_next(), Some(x));
    machine.take(x).unwrap();
    let continued = machine.continue_as_new("\"next\"".into());
    assert!(machine.end().unwrap().answers.is_empty(), "an update that nobody took goes on");

    let mut next = Machine::continued(1, 2, 20, &continued);
    let late = [Fact::TimerFired { seq: timer }, came("1", "x"), came("2", "x")];
    assert_eq!(
        next.fresh(late.to_vec()),
        [],
        "late outcomes of the old code and messages that come again are dropped"
    );
    next.begin(30, &[]);
    let (y, z) = (ask(&mut next, signal("y")), ask(&mut next, next_update(None)));
    let again = ask(&mut next, signal("x"));
    assert!(y > x, "numbers go on");
    assert_eq!(next.open_next(), Some(again), "in the order in which they came");
    assert_eq!(next.take(again), Some(Outcome::Succeeded("\"2\"".into())));
    assert_eq!(next.open_next(), Some(y));
    next.take(y).unwrap();
    assert_eq!(next.open_next(), Some(z));
    assert_eq!(next.take_update(z).unwrap().unwrap().id, "4");
    assert_ne!(Machine::new(1).random(), next.random(), "chance begins anew too");
}
