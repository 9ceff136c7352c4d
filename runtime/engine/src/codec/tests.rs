//! What is written is what is read, falsy payloads included.

use std::collections::BTreeMap;

use eventual_core::{
    Answer, Attempt, Attribute, Call, Caller, Continued, Emitted, FactKey, Failure, Outcome, ParentClose,
    Payload, RetryAdvice, RetryPolicy, Run, Stop, TaskCall,
};

use super::*;

fn id() -> ExecutionId {
    ExecutionId::new("wf", "one").unwrap()
}

fn run() -> Run {
    Run::of(&id(), 1, 2)
}

fn caller(seq: u32) -> Caller {
    Caller { execution: id(), run: Some(run()), seq }
}

fn caller_of(execution: &str, seq: u32) -> Caller {
    Caller { execution: ExecutionId::parse(execution).unwrap(), ..caller(seq) }
}

#[expect(clippy::too_many_lines, reason = "one of everything that a turn can have")]
fn full_turn() -> Turn {
    let failure = Failure { data: "[]".into(), ..Failure::new("E", "no", 402) };
    let task = TaskCall {
        name: "t".into(),
        input: "0".into(),
        inline: true,
        key: Some("k".into()),
        timeout_ms: 5,
        retry: RetryPolicy { jitter_percent: 10, ..RetryPolicy::default() },
        total_ms: Some(9),
        final_errors: vec!["E::F".into()],
        heartbeat_ms: Some(6),
    };
    Turn {
        number: 3,
        time: 7,
        facts: vec![
            Fact::CancelRequested { reason: "c".into() },
            Fact::Paused { id: "p".into(), reason: "r".into() },
            Fact::Resumed { id: "q".into() },
            Fact::TaskExpired { seq: 3 },
            Fact::Terminated { reason: "t".into() },
            Fact::HeartbeatDue { seq: 1, attempt: 2, period_ms: 3, due: 4 },
            Fact::TaskDeferred { seq: 1, attempt: 2, due: 4 },
            Fact::ChildDone { seq: 1, outcome: Outcome::Succeeded("\"\"".into()) },
            Fact::RetryDue { seq: 1, attempt: 2 },
            Fact::Signal { id: "s".into(), name: "n".into(), payload: "false".into() },
            Fact::TaskDone { seq: 2, attempt: 1, outcome: Outcome::Failed(failure) },
            Fact::TaskLost { seq: 2, attempt: 2, timed_out: true, reason: "r".into() },
            Fact::TimerFired { seq: 9 },
            Fact::Forked { to: id(), turn: 3 },
            Fact::OperationDone { seq: 10, outcome: Outcome::Cancelled },
            Fact::Update { id: "u".into(), name: "n".into(), input: "2".into(), from: Some(caller(4)) },
            Fact::UpdateDone { seq: 11, outcome: Outcome::Succeeded("3".into()) },
        ],
        calls: vec![
            (1, Call::Emit(vec![Emitted { name: "e".into(), payload: Payload::null() }])),
            (2, Call::Send { execution: id(), signal: "s".into(), payload: "{}".into(), answered: true }),
            (3, Call::Signal { name: "s".into() }),
            (4, Call::Task(task)),
            (5, Call::Timer { due: 8 }),
            (
                6,
                Call::Workflow {
                    execution: id(),
                    input: "[]".into(),
                    detached: true,
                    answered: true,
                    close: ParentClose::Cancel,
                    attributes: [("channel".to_owned(), Attribute::from("web"))].into(),
                },
            ),
            (
                7,
                Call::Workflow {
                    execution: id(),
                    input: "1".into(),
                    detached: false,
                    answered: false,
                    close: ParentClose::Terminate,
                    attributes: BTreeMap::new(),
                },
            ),
            (
                8,
                Call::Workflow {
                    execution: id(),
                    input: "1".into(),
                    detached: false,
                    answered: false,
                    close: ParentClose::Abandon,
                    attributes: BTreeMap::new(),
                },
            ),
            (9, Call::Cancel { execution: id(), reason: "enough".into(), answered: true }),
            (10, Call::NextUpdate { name: Some("n".into()) }),
            (
                11,
                Call::Update {
                    execution: id(),
                    name: "n".into(),
                    input: "4".into(),
                    start: Some("5".into()),
                },
            ),
        ],
        attempts: vec![Attempt { seq: 2, attempt: 3, at: 9 }],
        stops: vec![Stop { execution: id(), terminate: true }],
        dropped: vec![(4, 1)],
        markers: vec!["m".into()],
        answers: vec![Answer { id: "u".into(), outcome: Outcome::TimedOut, to: Some(caller(2)) }],
        continued: Some(Continued {
            input: "6".into(),
            next: 12,
            facts: vec![Fact::Signal { id: "t".into(), name: "n".into(), payload: "7".into() }],
            seen: vec![
                FactKey::Pause("a".into()),
                FactKey::Resume("b".into()),
                FactKey::Signal("c".into()),
                FactKey::Update("d".into()),
            ],
            cancelled: true,
        }),
        attributes: vec![
            ("a".into(), Some(Attribute::Time(1))),
            ("b".into(), None),
            ("c".into(), Some(2.0.into())),
        ],
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
        run: Some(run()),
        status: eventual_core::Status::Parked,
        input: "null".into(),
        started: 1,
        closed: Some(2),
        end: Some(Outcome::TimedOut),
        parked: Some("why".into()),
        seed: u64::MAX,
        code: "c".into(),
        pinned: true,
        markers: ["new-tax".to_owned()].into(),
        parent: Some(caller(4)),
        base: 7,
        attributes: [
            ("bool", Attribute::from(false)),
            ("float", 1.0.into()),
            ("precise", 0.1.into()),
            ("integer", i64::MIN.into()),
            ("text", "".into()),
            ("time", Attribute::Time(u64::MAX)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        as_of: 7,
        secret: crate::ports::Secret::from_text("s".into()),
        origin: Some(crate::ports::Origin { from: id(), run: Some(run()), turn: 3, root: id() }),
    };
    assert_eq!(decode_meta(encode_meta(&meta).as_bytes()).unwrap(), meta);
    let message = Message { facts: full_turn().facts, run: Some(run()), goes_on: true };
    assert_eq!(decode_message(encode_message(&message).as_bytes()).unwrap(), message);
    let task = TaskRequest {
        execution: id(),
        run: Some(run()),
        seq: 1,
        attempt: 2,
        task: "t".into(),
        input: "null".into(),
        idempotency_key: "k".into(),
        timeout_ms: 3,
        scheduled: 4,
        heartbeat_ms: Some(5),
    };
    assert_eq!(decode_task(encode_task(&task).as_bytes()).unwrap(), task);
    let timer = Timer { execution: id(), run: Some(run()), due: 5, fact: Fact::TimerFired { seq: 1 } };
    assert_eq!(decode_timer(encode_timer(&timer).as_bytes()).unwrap(), timer);
}

#[test]
fn what_is_kept_of_an_attempt_survives() {
    for advice in [RetryAdvice::AsPolicy, RetryAdvice::After(0), RetryAdvice::Never] {
        let outcome = Some(Outcome::Failed(Failure { advice, ..Failure::new("E", "no", 402) }));
        let details = Some("false".into());
        let record = AttemptRecord { beaten: 1, details, cancelled: true, outcome };
        assert_eq!(decode_attempt(encode_attempt(&record).as_bytes()).unwrap(), record);
    }
    assert_eq!(decode_attempt(b"{}").unwrap(), AttemptRecord::default());
    // Written before errors said anything of retries.
    let old = br#"{"failed":{"class":"E","message":"no","data":null,"status":402}}"#;
    assert_eq!(decode_outcome(old).unwrap(), Outcome::Failed(Failure::new("E", "no", 402)));
}

#[test]
fn nonsense_is_an_error_that_says_what() {
    let error = decode_turn(b"{\"number\":1}").unwrap_err().to_string();
    assert!(error.starts_with("turn cannot be read: missing field"), "{error}");
    assert!(decode_message(b"").is_err() && decode_meta(b"[]").is_err());
}

fn turn_of(task: TaskCall) -> Turn {
    Turn { number: 1, time: 2, calls: vec![(0, Call::Task(task))], ..Turn::default() }
}

fn task_of(turn: &Turn) -> &TaskCall {
    match &turn.calls[0].1 {
        Call::Task(task) => task,
        other => panic!("{other:?}"),
    }
}

#[test]
fn texts_of_the_first_release_are_read() {
    let turn = r#"{"number":1,"time":2,"calls":[{"seq":0,"call":{"task":{"name":"t","input":1,"timeoutMs":5,
        "retry":{"attempts":3,"errors":false,"initialMs":0,"backoffPercent":200,"maxMs":60000}}}},
        {"seq":1,"call":{"workflow":{"execution":"w/1","input":1}}}]}"#;
    let turn = decode_turn(turn.as_bytes()).unwrap();
    assert!(
        matches!(&turn.calls[0].1, Call::Task(it) if it.total_ms.is_none() && it.retry.jitter_percent == 0)
    );
    // Left out since, where it is this; written down or not, it means the same for ever.
    let unsaid = turn_of(TaskCall::new("t", "1".into()));
    let text = encode_turn(&unsaid);
    assert!(!text.contains("retry"), "{text}");
    assert_eq!(
        (decode_turn(text.as_bytes()).unwrap(), task_of(&turn).retry),
        (unsaid.clone(), task_of(&unsaid).retry)
    );
    assert!(matches!(&turn.calls[1].1, Call::Workflow { close: ParentClose::Cancel, .. }));
    assert!(turn.stops.is_empty() && turn.markers.is_empty() && turn.attributes.is_empty());
    let meta = r#"{"execution":"w/1","status":"running","input":1,"started":2,"seed":3}"#;
    let meta = decode_meta(meta.as_bytes()).unwrap();
    assert!(meta.attributes.is_empty() && meta.as_of == 0);
    let child = r#"{"execution":"w/1","status":"running","input":1,"started":2,"seed":3,"parent":["w/2",4]}"#;
    let child = decode_meta(child.as_bytes()).unwrap();
    assert_eq!((child.run, child.parent), (None, Some(Caller { run: None, ..caller_of("w/2", 4) })));
    let told = decode_message(br#"{"facts":[{"timerFired":{"seq":1}}]}"#).unwrap();
    assert_eq!(told, Message { facts: vec![Fact::TimerFired { seq: 1 }], ..Message::default() });
}

#[test]
fn those_who_know_no_runs_read_the_rest() {
    let told = Message { facts: vec![Fact::TimerFired { seq: 1 }], run: Some(run()), goes_on: false };
    let text = encode_message(&told);
    assert_eq!(text, format!(r#"{{"facts":[{{"timerFired":{{"seq":1}}}}],"run":"{}"}}"#, run()));
    let asked = Fact::Update { id: "u".into(), name: "n".into(), input: "2".into(), from: Some(caller(4)) };
    let text = encode_fact(&asked);
    assert!(text.contains(&format!(r#""from":["{}",4],"fromRun":"{}""#, id(), run())), "{text}");
}

#[test]
fn a_cancellation_is_known_by_itself_and_inside_of_an_error() {
    let failure = |class: &str, data: &str| Failure { data: data.into(), ..Failure::new(class, "", 500) };
    assert!(passes_on_cancellation(&failure("Cancelled", "null")));
    assert!(passes_on_cancellation(&failure("OrderError::Other", r#"{"Other":{"class":"Cancelled"}}"#)));
    assert!(!passes_on_cancellation(&failure("OrderError::Other", r#"{"Other":{"class":"Timeout"}}"#)));
    assert!(!passes_on_cancellation(&failure("E", r#"["Cancelled"]"#)));
}

#[test]
fn what_is_forwarded_and_its_answers_survive() {
    let wake = Message { facts: vec![Fact::TimerFired { seq: 1 }], ..Message::default() };
    for forward in [
        Forward::Query { name: "total".into(), input: "0".into() },
        Forward::Wake { message: wake, redelivered: true },
    ] {
        let sent = ForwardMessage { execution: id(), code: "c".into(), forward };
        assert_eq!(decode_forward(encode_forward(&sent).as_bytes()).unwrap(), sent);
    }
    for answer in [
        Forwarded::Answered(Ok(Outcome::Succeeded("0".into()))),
        Forwarded::Answered(Err("no such query".into())),
        Forwarded::Handled,
        Forwarded::NoSuchCode,
    ] {
        assert_eq!(decode_forwarded(encode_forwarded(&answer).as_bytes()).unwrap(), answer);
    }
}

#[test]
fn queries_of_lists_survive() {
    use crate::ports::{AttributeFilter, AttributeTest, Span};
    assert_eq!(decode_list(encode_list(&ListQuery::default()).as_bytes()).unwrap(), ListQuery::default());
    let tests = [
        AttributeTest::Is(1.0.into()),
        AttributeTest::StartsWith(String::new()),
        AttributeTest::Within(None, Some(Attribute::Time(8))),
        AttributeTest::Within(Some(1_i64.into()), None),
    ];
    let query = ListQuery {
        workflow: Some("w".into()),
        status: Some(eventual_core::Status::Parked),
        started: Span { from: Some(0), below: None },
        closed: Span { from: None, below: Some(u64::MAX) },
        attributes: tests.map(|test| AttributeFilter { name: "a".into(), test }).into(),
        limit: 7,
        after: Some(String::new()),
    };
    assert_eq!(decode_list(encode_list(&query).as_bytes()).unwrap(), query);
    assert!(decode_list(br#"{"limit":1,"status":"fine"}"#).is_err());
}
