//! Every call and every answer is read as it was written, and nothing else is.

use eventual_core::Fact;
use eventual_engine::ports::{AttributeFilter, AttributeTest, Forward};

use super::*;

fn id() -> ExecutionId {
    ExecutionId::new("w", "n").unwrap()
}

fn attempt_of(run: Option<Run>) -> AttemptId {
    AttemptId { execution: id(), run, seq: 3, attempt: 1 }
}

fn a_meta() -> Meta {
    let mut meta = Meta::new(id(), "{ \"a\":\n1 }".into(), 5, 6, "code", None);
    meta.attributes.insert("text".into(), "".into());
    meta
}

fn a_turn() -> Turn {
    Turn { number: 2, time: 7, facts: vec![Fact::TimerFired { seq: 0 }], ..Turn::default() }
}

fn one_outcome() -> Outcome {
    Outcome::Succeeded("null".into())
}

/// One of each.
fn asks() -> Vec<Ask> {
    let message = Message { facts: vec![Fact::TimerFired { seq: 0 }], ..Message::default() };
    let test = AttributeTest::StartsWith(String::new());
    let attributes = vec![AttributeFilter { name: "a".into(), test }];
    let forward = Forward::Query { name: "q".into(), input: "1".into() };
    let request = TaskRequest {
        execution: id(),
        run: None,
        seq: 1,
        attempt: 2,
        task: "t".into(),
        input: "[]".into(),
        idempotency_key: String::new(),
        timeout_ms: 3,
        scheduled: 4,
        heartbeat_ms: Some(5),
    };
    let timer = Timer { execution: id(), run: None, due: u64::MAX, fact: Fact::TimerFired { seq: 0 } };
    vec![
        Ask::Answer(id(), "u".into(), one_outcome()),
        Ask::Answered(id(), String::new()),
        Ask::AttemptOf(attempt_of(None)),
        Ask::CancelAttempt(attempt_of(Some(Run::of(&id(), 1, 2)))),
        Ask::Claim(attempt_of(None), u64::MAX),
        Ask::Commit(id(), Box::new(a_turn())),
        Ask::CompleteAttempt(attempt_of(None), Outcome::TimedOut),
        Ask::Emit("k".into(), vec![]),
        Ask::Emit("k".into(), vec![Emitted { name: "E".into(), payload: "\"\\n\"".into() }]),
        Ask::Finish(Box::new(a_meta()), Box::new(a_turn())),
        Ask::Forward(Box::new(ForwardMessage { execution: id(), code: "c".into(), forward })),
        Ask::Heartbeat(attempt_of(None), 8, None),
        Ask::Heartbeat(attempt_of(None), 8, Some("0".into())),
        Ask::Insert(Box::new(a_meta())),
        Ask::List(Box::new(ListQuery { attributes, limit: 9, ..ListQuery::default() })),
        Ask::Meta(id()),
        Ask::Retire(id(), 10),
        Ask::SetAttributes(Box::new(a_meta()), vec!["a".into(), "b".into()]),
        Ask::SetStatus(Box::new(a_meta())),
        Ask::Task(Box::new(request)),
        Ask::Timer(Box::new(timer)),
        Ask::Turns(id(), 0),
        Ask::Wake(id(), message),
    ]
}

fn replies() -> Vec<Reply> {
    vec![
        Reply::Attempt(None),
        Reply::Attempt(Some(AttemptRecord::taken(4))),
        Reply::Beat(Beat { cancelled: true }),
        Reply::Claimed(false),
        Reply::Committed(Commit::Taken),
        Reply::Committed(Commit::Written),
        Reply::Completed(Completed::Before(one_outcome())),
        Reply::Completed(Completed::Cancelled),
        Reply::Completed(Completed::Kept),
        Reply::Done,
        Reply::Forwarded(Forwarded::NoSuchCode),
        Reply::Inserted(Insert::Exists(Box::new(a_meta()))),
        Reply::Inserted(Insert::Inserted),
        Reply::Meta(None),
        Reply::Meta(Some(Box::new(a_meta()))),
        Reply::Outcome(None),
        Reply::Outcome(Some(one_outcome())),
        Reply::Page(Page::default()),
        Reply::Page(Page { executions: vec![a_meta(), a_meta()], next: Some("ff".into()) }),
        Reply::Turns(vec![]),
        Reply::Turns(vec![a_turn(), a_turn()]),
    ]
}

/// The body of what `write` writes, of which every beginning is an error to `read`.
fn body<T>(
    write: impl FnOnce(Frame) -> Frame,
    read: impl Fn(&mut Parts<'_>) -> Result<T, String>,
) -> Vec<u8> {
    let bytes = write(Frame::new("")).finish().unwrap();
    // Behind the length of the frame, and the empty part that begins it.
    let body = bytes[8..].to_vec();
    for end in 0..body.len() {
        assert!(
            read(&mut Parts::new(&body[..end])).is_err(),
            "{end} of {:?}",
            String::from_utf8_lossy(&body)
        );
    }
    body
}

#[test]
fn calls_are_read_as_they_were_written() {
    for ask in asks() {
        let body = body(|to| ask.encode(to), Ask::decode);
        assert_eq!(Ask::decode(&mut Parts::new(&body)), Ok(ask));
    }
}

#[test]
fn answers_are_read_as_they_were_written() {
    for reply in replies() {
        let body = body(|to| reply.encode(to), Reply::decode);
        let read = Reply::decode(&mut Parts::new(&body)).unwrap();
        assert_eq!(format!("{read:?}"), format!("{reply:?}"));
    }
}

#[test]
fn nonsense_is_refused() {
    let frames = [
        Frame::new("store.meta").text("no id"),
        Frame::new("store.commit").text("w/n").text("{}"),
        Frame::new("store.claim").text("w/n").maybe(Some("no run")).number(1).number(1).number(1),
        Frame::new("dispatch.emit").text("k").all(["A"].iter()).all([""; 0].iter()),
        Frame::new("dispatch.everything"),
    ];
    for frame in frames {
        let bytes = frame.finish().unwrap();
        assert!(Ask::decode(&mut Parts::new(&bytes[4..])).is_err(), "{:?}", String::from_utf8_lossy(&bytes));
    }
    for frame in [Frame::new("completed").text("so so"), Frame::new("claimed").text("1"), Frame::new("sung")]
    {
        let bytes = frame.finish().unwrap();
        assert!(
            Reply::decode(&mut Parts::new(&bytes[4..])).is_err(),
            "{:?}",
            String::from_utf8_lossy(&bytes)
        );
    }
}
