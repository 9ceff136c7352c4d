//! Calls that the code drops in the turn in which it asked for them, and numbers that drift apart.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::call::{ParentClose, TaskCall};
use crate::fact::Fact;
use crate::machine::Output;

fn task(name: &str) -> Call {
    Call::Task(TaskCall::new(name, "1".into()))
}

fn child(number: Seq) -> Call {
    let execution = ExecutionId::parse(&format!("child/parent:one:{number}")).unwrap();
    let (close, attributes) = (ParentClose::Cancel, alloc::collections::BTreeMap::new());
    Call::Workflow { execution, input: "1".into(), detached: false, answered: true, close, attributes }
}

#[track_caller]
fn ask(machine: &mut Machine, call: Call) -> Seq {
    let code = machine.allocate();
    machine.schedule(code, call, ScopeId::default(), Location::caller());
    assert_eq!(machine.take(code), None);
    code
}

fn live(script: impl Fn(&mut Machine)) -> Vec<(Seq, Call)> {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    script(&mut machine);
    machine.end().unwrap().calls
}

fn replayed(calls: &[(Seq, Call)]) -> Machine {
    let mut machine = Machine::new(1);
    machine.begin_replay(10, &[], calls, &[]);
    machine
}

#[test]
fn what_is_dropped_in_its_turn_was_not_asked_for() {
    let calls = live(|machine| {
        let dropped = [task("x"), child(1), Call::Emit(Vec::new())].map(|it| ask(machine, it));
        ask(machine, task("y"));
        dropped.into_iter().for_each(|it| machine.forget(it));
        assert_eq!(machine.events(), 1);
    });
    assert_eq!(calls, [(3, task("y"))]);
}

#[test]
fn what_is_dropped_later_is_told_that_nobody_waits() {
    let mut machine = Machine::new(1);
    machine.begin(10, &[]);
    let (one, two) = (ask(&mut machine, task("x")), ask(&mut machine, child(1)));
    machine.end().unwrap();
    machine.begin(20, &[]);
    machine.forget(one);
    machine.forget(two);
    let Output { calls, dropped, stops, .. } = machine.end().unwrap();
    assert_eq!((calls.len(), dropped, stops.len()), (0, vec![(one, 1)], 1));
}

#[test]
fn a_replay_may_make_and_drop_what_history_does_not_have() {
    let calls = live(|machine| assert_eq!(ask(machine, task("y")), 0));
    let mut machine = replayed(&calls);
    let dropped = ask(&mut machine, task("x"));
    ask(&mut machine, task("y"));
    machine.forget(dropped);
    assert_eq!(machine.end(), Ok(Output::default()));

    let mut machine = replayed(&calls);
    ask(&mut machine, task("x"));
    ask(&mut machine, task("y"));
    let text = machine.end().unwrap_err().to_string();
    assert!(text.contains("call 0 of turn 1 was task `y` then, and is task `x` now"), "{text}");
}

#[test]
fn what_was_dropped_gives_its_place_to_another_that_is_the_same() {
    let calls = live(|machine| assert_eq!(ask(machine, task("x")), 0));
    for drop_first in [true, false] {
        let mut machine = replayed(&calls);
        let dropped = ask(&mut machine, task("x"));
        if drop_first {
            machine.forget(dropped);
        }
        let stays = ask(&mut machine, task("x"));
        if !drop_first {
            machine.forget(dropped);
        }
        assert_eq!(machine.end(), Ok(Output::default()));
        machine.begin(20, &[Fact::TaskDone { seq: 0, attempt: 1, outcome: Outcome::Succeeded("1".into()) }]);
        assert_eq!(machine.open_next(), Some(stays));
        assert!(machine.take(stays).is_some());
    }
}

#[test]
fn histories_that_have_what_was_dropped_replay_as_before() {
    let calls = [(0, task("x")), (1, task("y"))];
    let mut machine = replayed(&calls);
    let dropped = ask(&mut machine, task("x"));
    ask(&mut machine, task("y"));
    machine.forget(dropped);
    assert_eq!(machine.end(), Ok(Output::default()));
}

#[test]
fn a_new_call_never_gets_a_number_that_history_has() {
    let calls = live(|machine| {
        let dropped = ask(machine, task("x"));
        ask(machine, task("y"));
        machine.forget(dropped);
    });
    // The one that was dropped is not even built this time, and another is built now and polled later.
    let mut machine = replayed(&calls);
    ask(&mut machine, task("y"));
    let later = machine.allocate();
    assert_eq!(machine.end(), Ok(Output::default()));
    machine.begin(20, &[]);
    machine.schedule(later, child(later), ScopeId::default(), Location::caller());
    assert_eq!(machine.take(later), None);
    let after = ask(&mut machine, task("z"));
    assert_eq!(machine.recorded(later), 2);
    let calls = machine.end().unwrap().calls;
    assert_eq!(calls[0], (2, child(2)), "under a name of its own, too");
    assert_eq!(calls.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [2, machine.recorded(after)]);
    assert!(machine.recorded(after) > 2);
    let done = |seq| Fact::TaskDone { seq, attempt: 1, outcome: Outcome::Succeeded("1".into()) };
    machine.begin(30, &[done(machine.recorded(after))]);
    assert_eq!(machine.open_next(), Some(after));
}
