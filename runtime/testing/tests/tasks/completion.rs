//! Tasks that somebody else answers, by token.

use eventual::TaskToken;
use eventual_engine::core::{Fact, Outcome};

use crate::service::*;
use crate::stage;
use crate::stage::text;

const S: u64 = 1_000;
const DAY: u64 = 86_400 * S;

fn answer(token: &str, yes: bool) -> Answer {
    Answer { token: TaskToken::from(token.to_owned()), yes }
}

fn failed(outcome: &Outcome) -> (String, String) {
    match outcome {
        Outcome::Failed(failure) => (failure.class.clone(), failure.message.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_task_is_answered_by_whoever_has_its_token() {
    let mut stage = stage();
    let id = stage.start(decides("buy it?".into()));
    assert_eq!(stage.seen(), ["asked at 0: buy it? TaskToken"], "a token is not shown");
    stage.advance(3_600 * S);
    stage.forget();
    assert_eq!(stage.end(&id), None);
    let token = stage.token();
    assert!(matches!(stage.command(decide(answer(&token, true))), Outcome::Succeeded(_)));
    assert_eq!(text(stage.end(&id)), r#""Decision { yes: true }""#);
    // The same again, as somebody does who got no answer; and another one.
    assert!(matches!(stage.command(decide(answer(&token, true))), Outcome::Succeeded(_)));
    let (class, message) = failed(&stage.command(decide(answer(&token, false))));
    assert_eq!(class, "ClientError::Conflict");
    assert!(message.contains("was answered before, and otherwise"), "{message}");
    stage.advance(2 * DAY);
    assert_eq!(stage.seen().len(), 1, "its time-out comes too late");
}

#[test]
fn an_error_that_somebody_else_answers_is_the_tasks_error() {
    let mut stage = stage();
    let id = stage.start(decides("sign it?".into()));
    let token = TaskToken::from(stage.token());
    assert!(matches!(stage.command(refuse(token)), Outcome::Succeeded(_)));
    assert_eq!(text(stage.end(&id)), r#""Failed(Broken { name: \"contract\" })""#);
}

#[test]
fn forged_tokens_are_refused() {
    let mut stage = stage();
    stage.start(decides("buy it?".into()));
    let token = stage.token();
    let (signed, signature) = token.split_once('.').unwrap();
    let mut other = super::stage();
    other.start(decides_twice("buy it?".into()));
    let (other_signed, other_signature) = {
        let it = other.token();
        let (a, b) = it.split_once('.').unwrap();
        (a.to_owned(), b.to_owned())
    };
    let flipped: String = signature.chars().rev().collect();
    for forged in [
        String::new(),
        "nonsense".to_owned(),
        signed.to_owned(),
        format!("{signed}."),
        format!("{signed}.{flipped}"),
        format!("{other_signed}.{signature}"),
        format!("{signed}.{other_signature}"),
    ] {
        let (class, message) = failed(&stage.command(decide(answer(&forged, true))));
        assert_eq!(class, "ClientError::Refused", "{forged}: {message}");
        assert!(forged.is_empty() || !message.contains(&forged), "a token is never shown");
    }
}

#[test]
fn a_token_whose_time_is_over_is_stale_and_the_next_attempt_has_another() {
    let mut stage = stage();
    let id = stage.start(decides_twice("buy it?".into()));
    let first = stage.token();
    stage.advance(DAY);
    stage.advance(5 * S);
    assert_eq!(stage.seen().len(), 2, "{:?}", stage.seen());
    assert_ne!(first, stage.token());
    let (class, message) = failed(&stage.command(decide(answer(&first, true))));
    assert_eq!(class, "ClientError::Conflict");
    assert!(message.contains("nobody waits for this answer any more"), "{message}");
    let second = stage.token();
    assert!(matches!(stage.command(decide(answer(&second, false))), Outcome::Succeeded(_)));
    assert_eq!(text(stage.end(&id)), r#""Decision { yes: false }""#);
}

#[test]
fn nobody_answers_and_the_call_has_run_out_of_time() {
    let mut stage = stage();
    let id = stage.start(decides_twice("buy it?".into()));
    stage.advance(DAY - 1);
    assert_eq!(stage.seen().len(), 1);
    stage.advance(DAY + 10 * S);
    assert_eq!(text(stage.end(&id)), "\"Timeout\"", "{:?}", stage.seen());
}

#[test]
fn a_token_of_a_call_that_was_dropped_is_stale() {
    let mut stage = stage();
    let id = stage.start(decides_or_stops("buy it?".into()));
    stage.system(&format!(r#"{{"op":"signal","execution":"{id}","signal":"Stop"}}"#)).unwrap();
    let token = stage.token();
    let (_, message) = failed(&stage.command(decide(answer(&token, true))));
    assert!(message.contains("nobody waits"), "{message}");
    stage.advance(DAY);
    assert!(stage.end(&id).is_some());
    let (_, message) = failed(&stage.command(decide(answer(&token, true))));
    assert!(message.contains("nobody waits"), "the same when the execution has ended: {message}");
}

#[test]
fn what_answers_itself_needs_nobody_and_the_first_answer_counts() {
    let mut stage = stage();
    let id = stage.start(decides("obvious?".into()));
    assert_eq!(text(stage.end(&id)), r#""Decision { yes: true }""#);
    let token = stage.token();
    let (_, message) = failed(&stage.command(decide(answer(&token, false))));
    assert!(message.contains("otherwise"), "{message}");
    // Answered while its own code still runs.
    let mut stage = super::stage();
    let id = stage.start(decides("slowly?".into()));
    let token = stage.token();
    assert!(matches!(stage.command(decide(answer(&token, false))), Outcome::Succeeded(_)));
    assert_eq!(text(stage.end(&id)), r#""Decision { yes: false }""#);
    stage.pass();
    stage.advance(2 * DAY);
    assert_eq!(stage.seen().len(), 1);
}

#[test]
fn an_answer_that_was_accepted_comes_before_a_loss() {
    let mut stage = stage();
    let id = stage.start(decides("slowly?".into()));
    let token = stage.token();
    // Whoever answered died before the execution was told, and never came back; and so did the worker.
    let outcome = Outcome::Succeeded(r#"{"yes":true}"#.into());
    let kept = stage.runtime.block_on(eventual_engine::ports::Store::complete_attempt(
        &*stage.world,
        &stage.world.peek(&id, |meta, _| meta.attempt(0, 1)).unwrap(),
        &outcome,
    ));
    assert_eq!(kept.unwrap(), eventual_engine::ports::Completed::Kept);
    stage.tell(&id, Fact::TaskLost { seq: 0, attempt: 1, timed_out: false, reason: "gone".into() });
    assert_eq!(text(stage.end(&id)), r#""Decision { yes: true }""#);
    assert!(matches!(stage.command(decide(answer(&token, true))), Outcome::Succeeded(_)), "it counted");
}

#[test]
fn an_inline_task_can_be_answered_elsewhere_too() {
    let mut stage = stage();
    let id = stage.start(decides_inline());
    stage.advance(60 * S);
    assert_eq!(stage.seen(), ["asked inline", "asked inline"], "once for each attempt");
    let token = stage.token();
    stage.system(&format!(r#"{{"op":"completeTask","token":"{token}","result":7}}"#)).unwrap();
    assert_eq!(text(stage.end(&id)), "\"Ok(7)\"");
}

#[test]
fn outside_clients_succeed_fail_and_beat() {
    let mut stage = stage();
    let id = stage.start(decides_far_away());
    let token = stage.token();
    let beat = format!(r#"{{"op":"heartbeatTask","token":"{token}","details":[1]}}"#);
    for _ in 0..10 {
        stage.advance(50 * S);
        let answer = stage.system(&beat).unwrap();
        assert_eq!(answer, format!(r#"{{"execution":"{id}","cancelled":false}}"#));
    }
    assert_eq!(stage.seen(), ["far at 0"]);
    // It stops beating, and another attempt is made.
    stage.advance(60 * S);
    assert_eq!(stage.seen(), ["far at 0", "far at 560"]);
    assert_eq!(stage.system(&beat).unwrap(), format!(r#"{{"execution":"{id}","cancelled":true}}"#));
    let token = stage.token();
    let fail = format!(
        r#"{{"op":"failTask","token":"{token}","class":"Far::Away","message":"too far","data":{{"km":9}}}}"#
    );
    stage.system(&fail).unwrap();
    let end = text(stage.end(&id));
    assert!(end.contains("Far::Away") && end.contains("too far") && end.contains("9"), "{end}");
    let refused = stage.system(r#"{"op":"completeTask","token":"e30.e30"}"#).unwrap_err();
    assert_eq!(refused, "this is no token of this service's tasks: pass it on exactly as the task got it");
}

#[test]
fn answering_is_declared_and_typed() {
    let mut stage = stage();
    stage.start(decides("buy it?".into()));
    let token = stage.token();
    let (_, message) = failed(&stage.command(decide_undeclared(answer(&token, true))));
    assert!(message.contains("`uses(ask_boss)`"), "{message}");
    let (_, message) = failed(&stage.command(decide_mixed_up(TaskToken::from(token))));
    assert_eq!(message, "the token is for task `askBoss`, and not for `askInline`");
}

#[test]
fn an_execution_from_before_tokens_gets_its_secret_at_its_next_turn() {
    use eventual_engine::core::ExecutionId;
    use eventual_engine::ports::{Meta, Store};
    use eventual_testing::world::START;
    let mut stage = stage();
    let id = ExecutionId::new("decides", "old").unwrap();
    let old = Meta::new(id.clone(), "\"buy it?\"".into(), START, 1, "old", None);
    stage.runtime.block_on(Store::insert(&*stage.world, &old)).unwrap();
    stage.settle();
    let token = stage.token();
    stage.forget();
    assert!(matches!(stage.command(decide(answer(&token, true))), Outcome::Succeeded(_)));
    assert_eq!(text(stage.end(&id)), r#""Decision { yes: true }""#);
}
