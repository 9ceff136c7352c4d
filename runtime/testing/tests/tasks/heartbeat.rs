//! Heartbeats: a lost worker is found, progress is handed on, and who runs in vain learns it.

use eventual::{Call, Data, Failure};
use eventual_engine::core::{ExecutionId, Fact, Outcome};
use eventual_engine::ports::Message;

use crate::service::*;
use crate::stage::text;
use crate::{Stage, stage};

const S: u64 = 1_000;

#[test]
fn a_lost_worker_is_found_within_one_period_and_the_next_attempt_goes_on() {
    let mut stage = stage();
    let id = stage.start(imports(3));
    stage.advance(10 * S);
    stage.pass();
    assert_eq!(stage.seen(), ["attempt 1 begins at 0"]);
    stage.advance(S);
    // The heartbeat of the second step was written at ten seconds, a third of the period after the first.
    stage.kill(0, 1);
    stage.advance(29 * S - 1);
    assert_eq!(stage.seen().len(), 1, "nobody can know yet");
    stage.advance(1);
    assert_eq!(
        stage.seen(),
        ["attempt 1 begins at 0", "attempt 2 begins at 2"],
        "thirty seconds after the last sign of life"
    );
    stage.pass();
    assert_eq!(text(stage.end(&id)), "3");
    let facts: Vec<Fact> = stage.history(&id).into_iter().flat_map(|it| it.facts).collect();
    assert!(
        matches!(
            facts[..],
            [Fact::HeartbeatDue { seq: 0, attempt: 1, .. }, Fact::TaskDone { attempt: 2, .. }]
        ),
        "only the loss is history: {facts:?}"
    );
}

#[test]
fn a_worker_that_beats_lives_and_costs_one_look_a_period() {
    let mut stage = stage();
    let id = stage.start(imports(31));
    for _ in 0..31 {
        stage.advance(20 * S);
        stage.pass();
    }
    assert_eq!(text(stage.end(&id)), "31");
    assert_eq!(stage.seen(), ["attempt 1 begins at 0"]);
    assert!((15..=32).contains(&stage.looks), "{} looks in 620 seconds", stage.looks);
    assert_eq!(stage.history(&id).len(), 2, "looks leave nothing in the history");
    stage.advance(600 * S);
    assert_eq!(stage.world.next_due(), None, "nobody looks at what has ended");
}

#[test]
fn without_attempts_left_the_call_says_that_the_heartbeat_was_lost() {
    let mut stage = stage();
    let id = stage.start(imports_once(2));
    stage.kill(0, 1);
    stage.advance(30 * S);
    assert_eq!(text(stage.end(&id)), "\"heartbeat lost\"");
}

#[test]
fn an_attempt_that_was_replaced_learns_it_and_its_answer_is_not_the_calls() {
    let mut stage = stage();
    let id = stage.start(imports(2));
    stage.advance(30 * S);
    assert_eq!(
        stage.seen(),
        ["attempt 1 begins at 0", "attempt 2 begins at 1"],
        "it was silent for too long"
    );
    stage.advance(20 * S);
    // Whichever of the two goes first: the old one ends, and the other one's answer counts.
    stage.pass();
    stage.pass();
    assert!(
        stage.seen().contains(&"attempt 1 ends: the call was cancelled".to_owned()),
        "{:?}",
        stage.seen()
    );
    assert_eq!(text(stage.end(&id)), "2");
}

type Act = fn(&mut Stage, &ExecutionId);

/// Everything that makes an attempt vain, and what the task sees of it within one heartbeat.
#[test]
fn a_task_that_runs_in_vain_learns_it_at_its_next_heartbeat() {
    let signal: Act = |stage, id| {
        let signal = format!(r#"{{"op":"signal","execution":"{id}","signal":"Stop"}}"#);
        stage.system(&signal).unwrap();
    };
    let cancel: Act = |stage, id| {
        stage.system(&format!(r#"{{"op":"cancel","execution":"{id}"}}"#)).unwrap();
    };
    let terminate: Act = |stage, id| {
        stage.system(&format!(r#"{{"op":"terminate","execution":"{id}"}}"#)).unwrap();
    };
    let expire: Act = |stage, _| {
        for _ in 0..8 {
            stage.advance(10 * S);
            stage.pass();
        }
    };
    learns("dropped", gives_up(40), signal);
    learns("cancelled", gives_up(40), cancel);
    learns("terminated", gives_up(40), terminate);
    learns("ended", ends_early(40), signal);
    learns("out of time", limited(40), expire);
}

fn learns<T: Data, E: Failure>(name: &str, start: Call<T, E>, act: Act) {
    let mut stage = stage();
    let id = stage.start(start);
    // Alive until a moment before.
    for _ in 0..2 {
        stage.advance(10 * S);
        stage.pass();
    }
    act(&mut stage, &id);
    stage.forget();
    stage.advance(10 * S);
    stage.pass();
    let wanted = ["attempt 1 begins at 0", "attempt 1 ends: the call was cancelled"];
    assert_eq!(stage.seen(), wanted, "{name}");
    stage.advance(4_000 * S);
    assert!(stage.end(&id).is_some(), "{name}");
    assert_eq!(stage.seen(), wanted, "{name}");
}

#[test]
fn a_long_wait_is_bridged_and_ended() {
    let mut stage = stage();
    let id = stage.start(waits_for_the_beating());
    stage.system(&format!(r#"{{"op":"signal","execution":"{id}","signal":"Stop"}}"#)).unwrap();
    assert!(stage.end(&id).is_some());
    // The pause between two of its heartbeats is real time; the clock of the world says when one is written.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while stage.seen().is_empty() && std::time::Instant::now() < deadline {
        stage.advance(10);
        stage.runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(5)).await });
    }
    assert_eq!(stage.seen(), ["Err(Cancelled)"]);
}

#[test]
fn a_heartbeat_that_was_not_declared_is_an_error_that_says_so() {
    let mut stage = stage();
    let id = stage.start(beats_without_declaring());
    assert!(text(stage.end(&id)).contains("write `heartbeat = "), "{:?}", stage.end(&id));
    let mut stage = super::stage();
    let id = stage.start(expects_of_the_silent());
    assert!(text(stage.end(&id)).contains("task `silent` does not beat"), "{:?}", stage.end(&id));
}

#[test]
fn a_worker_that_dies_before_it_took_the_attempt_is_the_hosts_to_tell() {
    let mut stage = stage();
    let id = stage.start(imports_once(1));
    stage.pass();
    assert_eq!(text(stage.end(&id)), "\"1\"");
    // The same, with an attempt that nobody took: looks go on, and a loss that the host tells ends them.
    let mut stage = super::stage();
    let (ask, _) = imports_once(1).into_parts();
    let eventual::__private::Ask::Workflow { name, input, .. } = ask else { panic!("{ask:?}") };
    let id = stage.runtime.block_on(stage.engine.client().start(name, Some("1"), input)).unwrap();
    stage.runtime.block_on(stage.engine.advance(&id, Message::default(), false)).unwrap();
    // The attempt is lost on its way.
    while stage.world.next().is_some() {}
    stage.advance(300 * S);
    assert_eq!(stage.end(&id), None, "it may still be on its way");
    stage.tell(&id, Fact::TaskLost { seq: 0, attempt: 1, timed_out: false, reason: "never ran".into() });
    assert!(matches!(stage.end(&id), Some(Outcome::Succeeded(_))));
    stage.advance(300 * S);
    assert_eq!(stage.world.next_due(), None);
}
