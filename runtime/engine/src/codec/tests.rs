//! What is written is what is read, falsy payloads included.

use eventual_core::{Attempt, Call, Emitted, Failure, Outcome, Payload, RetryPolicy, TaskCall};

use super::*;

fn id() -> ExecutionId {
    ExecutionId::new("wf", "one").unwrap()
}

fn full_turn() -> Turn {
    let failure = Failure { class: "E".into(), message: "no".into(), data: "[]".into(), status: 402 };
    let task = TaskCall {
        name: "t".into(),
        input: "0".into(),
        inline: true,
        key: Some("k".into()),
        timeout_ms: 5,
        retry: RetryPolicy::default(),
    };
    Turn {
        number: 3,
        time: 7,
        facts: vec![
            Fact::ChildDone { seq: 1, outcome: Outcome::Succeeded("\"\"".into()) },
            Fact::RetryDue { seq: 1, attempt: 2 },
            Fact::Signal { id: "s".into(), name: "n".into(), payload: "false".into() },
            Fact::TaskDone { seq: 2, attempt: 1, outcome: Outcome::Failed(failure) },
            Fact::TaskLost { seq: 2, attempt: 2, timed_out: true, reason: "r".into() },
            Fact::TimerFired { seq: 9 },
        ],
        calls: vec![
            (1, Call::Emit(vec![Emitted { name: "e".into(), payload: Payload::null() }])),
            (2, Call::Send { execution: id(), signal: "s".into(), payload: "{}".into() }),
            (3, Call::Signal { name: "s".into() }),
            (4, Call::Task(task)),
            (5, Call::Timer { due: 8 }),
            (6, Call::Workflow { execution: id(), input: "[]".into(), detached: true }),
        ],
        attempts: vec![Attempt { seq: 2, attempt: 3, at: 9 }],
        end: Some(Outcome::Crashed("c".into())),
        parked: Some("p".into()),
    }
}

#[test]
fn turns_survive() {
    let turn = full_turn();
    assert_eq!(decode_turn(encode_turn(&turn).as_bytes()).unwrap(), turn);
}

#[test]
fn falsy_payloads_survive_byte_for_byte() {
    for text in ["0", "\"\"", "false", "null", "[]", "{}", "-0.0", "1e400"] {
        let fact = Fact::TaskDone { seq: 0, attempt: 1, outcome: Outcome::Succeeded(text.into()) };
        assert_eq!(decode_fact(encode_fact(&fact).as_bytes()).unwrap(), fact, "{text}");
    }
}

#[test]
fn metas_messages_tasks_and_timers_survive() {
    let meta = Meta {
        id: id(),
        status: eventual_core::Status::Parked,
        input: "null".into(),
        started: 1,
        closed: Some(2),
        end: Some(Outcome::TimedOut),
        parked: Some("why".into()),
        seed: u64::MAX,
        code: "c".into(),
        parent: Some((id(), 4)),
    };
    assert_eq!(decode_meta(encode_meta(&meta).as_bytes()).unwrap(), meta);
    let message = Message { facts: full_turn().facts };
    assert_eq!(decode_message(encode_message(&message).as_bytes()).unwrap(), message);
    let task = TaskRequest {
        execution: id(),
        seq: 1,
        attempt: 2,
        task: "t".into(),
        input: "null".into(),
        idempotency_key: "k".into(),
        timeout_ms: 3,
        scheduled: 4,
    };
    assert_eq!(decode_task(encode_task(&task).as_bytes()).unwrap(), task);
    let timer = TimerMessage { execution: id(), due: 5, fact: Fact::TimerFired { seq: 1 } };
    assert_eq!(decode_timer(encode_timer(&timer).as_bytes()).unwrap(), timer);
}

#[test]
fn nonsense_is_an_error_that_says_what() {
    let error = decode_turn(b"{\"number\":1}").unwrap_err().to_string();
    assert!(error.starts_with("turn cannot be read: missing field"), "{error}");
    assert!(decode_message(b"").is_err() && decode_meta(b"[]").is_err());
}
