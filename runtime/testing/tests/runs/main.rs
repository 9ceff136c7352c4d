//! Executions that have one name after the other: none takes what is meant for a former one, whatever is still on its way.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod forks;
#[path = "../raw/mod.rs"]
mod raw;
mod stage;

use eventual_engine::core::{Fact, Outcome, Status};
use eventual_engine::ports::{Clock, Message};
use eventual_testing::world::Delivery;
use raw::id;
use stage::{HOUR, Stage};

#[test]
fn an_answer_to_the_former_execution_is_not_the_new_ones() {
    let stage = Stage::new();
    let former = stage.start("asks/a", "1");
    let old = stage.take_task();
    let run = stage.run(&former);
    stage.end_and_forget(&former);
    stage.start("asks/a", "2");
    assert_ne!(stage.run(&former), run, "a run of its own");
    let new = stage.take_task();
    assert_eq!((old.seq, old.attempt), (new.seq, new.attempt), "nothing but the run tells them apart");
    assert_ne!(old.idempotency_key, new.idempotency_key, "nor may who performs them mix them up");
    // The worker of the former one answers late; and its claim is no claim of the other attempt.
    stage.perform(old.clone());
    assert_eq!(stage.end(&former), None);
    assert_eq!(stage.facts(&former), [], "nothing of it is history");
    stage.tell(&former, &old.id().message(old.id().lost(false, "lost with its function")));
    assert_eq!(stage.facts(&former), []);
    stage.perform(new);
    assert_eq!(stage.end(&former).as_deref(), Some("2"));
}

#[test]
fn a_process_that_remembers_the_former_execution_does_not_go_on_with_it() {
    let stage = Stage::new();
    let execution = stage.start("collect/a", "1");
    let payload = "1".into();
    let signal = Fact::Signal { id: "late".into(), name: "item".into(), payload };
    let late = Message { run: stage.run(&execution), facts: vec![signal], ..Message::default() };
    // Ended, forgotten and started anew by another process, so that this one is told nothing of it.
    stage.with(&stage.another(), |other| {
        other.end_and_forget(&execution);
        other.world.set_now(other.world.now() + 24 * HOUR);
        other.start("collect/a", "1");
    });
    stage.tell(&execution, &late);
    assert_eq!((stage.end(&execution), stage.facts(&execution)), (None, vec![]));
    stage.signal(&execution, "2");
    assert_eq!(stage.end(&execution).as_deref(), Some("[2]"));
}

#[test]
fn what_says_for_no_run_is_for_whichever_has_the_name() {
    let stage = Stage::new();
    let execution = stage.start("asks/a", "1");
    let request = stage.take_task();
    let answer = Fact::TaskDone { seq: request.seq, attempt: 1, outcome: Outcome::Succeeded("7".into()) };
    stage.tell(&execution, &Message { facts: vec![answer], ..Message::default() });
    assert_eq!(stage.end(&execution).as_deref(), Some("7"), "sent by a version that knew no runs");
}

#[test]
fn a_timer_of_the_former_execution_wakes_nobody() {
    let stage = Stage::new();
    let execution = stage.start("sleeps/a", "null");
    stage.end_and_forget(&execution);
    stage.advance(HOUR / 2);
    stage.start("sleeps/a", "null");
    stage.advance(HOUR * 3 / 4);
    assert_eq!(stage.end(&execution), None, "the first timer is over, the second is not");
    stage.advance(HOUR / 2);
    assert_eq!(stage.end(&execution).as_deref(), Some("null"));
}

#[test]
fn the_end_of_a_former_executions_child_is_not_that_of_the_new_ones() {
    let stage = Stage::new();
    // Its child goes on without it.
    let parent = stage.start("family/a", "\"first\"");
    let first = id("collect/first");
    stage.end_and_forget(&parent);
    stage.start("family/a", "\"second\"");
    stage.signal(&first, "1");
    assert_eq!(stage.end(&first).as_deref(), Some("[1]"), "it went on");
    assert_eq!(stage.end(&parent), None, "whoever has its parent's name now did not ask for it");
    stage.signal(&id("collect/second"), "2");
    assert_eq!(stage.end(&parent).as_deref(), Some("[2]"));
}

#[test]
fn a_child_of_the_former_execution_is_somebody_elses() {
    let stage = Stage::new();
    let parent = stage.start("family/a", "\"same\"");
    stage.end_and_forget(&parent);
    stage.start("family/a", "\"same\"");
    let ended = stage.outcome(&parent);
    assert!(
        matches!(&ended, Some(Outcome::Failed(it)) if it.class == "ExecutionAlreadyExists"),
        "it must not wait for an end that is the former one's: {ended:?}"
    );
    assert_eq!(stage.status(&id("collect/same")), Status::Running, "nor stop what it did not start");
}

#[test]
fn a_stranger_under_a_childs_name_is_not_stopped() {
    let stage = Stage::new();
    let stranger = stage.start("collect/same", "1");
    let parent = stage.client(|it| it.start("dutiful", Some("a"), "\"same\"".into()));
    stage.step();
    // It does not know yet that this is no child of its own.
    let refusal = stage.hold();
    stage.client(|it| it.terminate(&parent, "not wanted"));
    stage.give_back(refusal);
    assert_eq!((stage.status(&parent), stage.status(&stranger)), (Status::Terminated, Status::Running));
}

#[test]
fn an_answer_to_the_former_executions_update_is_not_for_the_new_one() {
    let stage = Stage::new();
    stage.start("answers/one", "null");
    let asker = stage.start("updates/a", "\"answers/one\"");
    stage.end_and_forget(&asker);
    stage.start("answers/two", "null");
    stage.start("updates/a", "\"answers/two\"");
    stage.signal(&id("answers/one"), "1");
    assert_eq!(stage.end(&asker), None, "the answer to the first is late");
    stage.signal(&id("answers/two"), "2");
    assert_eq!(stage.end(&asker).as_deref(), Some("2"));
}

#[test]
fn a_signal_of_the_new_execution_is_not_one_that_the_former_sent() {
    let stage = Stage::new();
    let receiver = stage.start("collect/all", "2");
    for number in ["1", "2"] {
        let sender = stage.start("sends/a", number);
        assert_eq!(stage.end(&sender).as_deref(), Some("null"));
        stage.forget();
    }
    assert_eq!(
        stage.end(&receiver).as_deref(),
        Some("[1,2]"),
        "both have the same name and number of the call"
    );
}

#[test]
fn a_process_that_remembers_the_former_execution_begins_anew() {
    let stage = Stage::new();
    let execution = stage.start("collect/a", "3");
    for number in ["1", "2"] {
        stage.signal(&execution, number);
    }
    assert_eq!(stage.turns(&execution), 3, "it has them in memory");
    // Another process ends it, and starts another one.
    let other = stage.another();
    stage.with(&other, |stage| {
        stage.end_and_forget(&execution);
        stage.start("collect/a", "1");
    });
    stage.signal(&execution, "4");
    assert_eq!(stage.end(&execution).as_deref(), Some("[4]"));
    assert_eq!(stage.turns(&execution), 2, "without a gap");
}

#[test]
fn a_message_that_was_sent_to_the_former_execution_does_not_reach_the_new_one() {
    let stage = Stage::new();
    let execution = stage.start("collect/a", "1");
    stage.client(|it| it.signal(&execution, "item", "1".into()));
    let sent = stage.hold();
    assert!(matches!(&sent[..], [Delivery::Wake(to, message)] if *to == execution && message.run.is_some()));
    stage.end_and_forget(&execution);
    stage.start("collect/a", "1");
    stage.give_back(sent);
    assert_eq!(stage.end(&execution), None);
    stage.signal(&execution, "2");
    assert_eq!(stage.end(&execution).as_deref(), Some("[2]"));
}

#[test]
fn who_continues_as_new_stays_the_same_run_and_takes_no_late_answer() {
    let stage = Stage::new();
    let execution = stage.start("anew/a", "0");
    let run = stage.run(&execution);
    let old = stage.take_task();
    stage.signal(&execution, "1");
    assert_eq!(stage.run(&execution), run, "signals go on reaching it");
    let new = stage.take_task();
    assert_ne!(old.seq, new.seq, "numbers go on, so that they tell answers apart");
    stage.perform(old);
    assert_eq!(stage.end(&execution), None);
    stage.perform(new);
    assert_eq!(stage.end(&execution).as_deref(), Some("1"));
}
