//! What workflow code may rely on, checked against the engine without the facade.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod raw;

use std::pin::Pin;
use std::time::Duration;

use eventual_engine::core::{Call, Fact, Outcome, Payload, Status, TaskCall};
use eventual_engine::ports::{Message, Store};
use eventual_engine::{ClientError, HandlerRequest, Registry, States, TaskEntry};
use eventual_testing::drive::Drive;
use raw::{ask, id, text};

type Code = Pin<Box<dyn Future<Output = Outcome>>>;

type Workflow = fn(Payload) -> Code;

fn drive(workflows: &[(&str, Workflow)]) -> Drive {
    let mut registry = Registry::default();
    for (name, code) in workflows {
        registry.workflows.insert((*name).into(), *code);
    }
    for (name, inline) in [("echo", false), ("inline", true), ("panics", false), ("panicsInline", true)] {
        let needs = std::collections::BTreeSet::new();
        registry.tasks.insert(name.into(), TaskEntry { needs, ..TaskEntry::new(perform, inline) });
    }
    Drive::new(registry, States::default(), [])
}

fn perform(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        assert!(request.input.as_bytes() != b"\"panic\"", "this task panics");
        Outcome::Succeeded(request.input)
    })
}

fn start(drive: &Drive, workflow: &str, input: &str) -> eventual_engine::core::ExecutionId {
    drive.block_on(drive.client().start(workflow, Some("one"), input.into())).unwrap()
}

fn signal(drive: &Drive, name: &str, payload: &str) {
    let id = drive
        .block_on(drive.store().list(&eventual_engine::ports::ListQuery { limit: 1, ..Default::default() }));
    let id = id.unwrap().executions[0].id.clone();
    drive.block_on(drive.client().signal(&id, name, payload.into())).unwrap();
}

fn end(drive: &Drive, workflow: &str) -> Option<Outcome> {
    drive.meta(&id(&format!("{workflow}/one"))).unwrap().end
}

fn task(name: &str, input: &str) -> Call {
    let inline = name.ends_with("nline");
    Call::Task(TaskCall { inline, ..TaskCall::new(name, input.into()) })
}

fn wait(name: &str) -> Call {
    Call::Signal { name: name.into() }
}

fn succeeded(value: &str) -> Option<Outcome> {
    Some(Outcome::Succeeded(value.into()))
}

#[test]
fn falsy_values_survive_as_input_result_task_result_and_signal() {
    for value in ["0", "\"\"", "false", "null", "[]"] {
        let drive = drive(&[("echo", |input| {
            Box::pin(async move {
                let given = String::from_utf8(input.as_bytes().to_vec()).unwrap();
                let there = text(ask(|_| task("echo", &given)).await);
                let here = text(ask(|_| task("inline", &there)).await);
                let sent = text(ask(|_| wait("value")).await);
                assert_eq!(here, sent);
                Outcome::Succeeded(sent.as_str().into())
            })
        })]);
        start(&drive, "echo", value);
        drive.settle();
        signal(&drive, "value", value);
        drive.settle();
        assert_eq!(end(&drive, "echo"), succeeded(value));
    }
}

#[test]
fn history_alone_decides_every_race_however_select_shuffles_its_branches() {
    fn racing(_: Payload) -> Code {
        Box::pin(async {
            let mut order = String::new();
            for _ in 0..ROUNDS {
                let (a, b) = (ask(|_| wait("a")), ask(|_| wait("b")));
                tokio::pin!(a, b);
                let a_won = tokio::select! { _ = &mut a => true, _ = &mut b => false };
                order.push_str(if a_won { "ab" } else { "ba" });
                if a_won {
                    b.await
                } else {
                    a.await
                };
            }
            Outcome::Succeeded(format!("\"{order}\"").as_str().into())
        })
    }
    const ROUNDS: usize = 200;
    let mut drive = drive(&[("racing", racing)]);
    start(&drive, "racing", "null");
    // Buffered before anybody waits, so that in every select both branches could be ready.
    let order: String = (0..ROUNDS).map(|round| if round * round % 7 < 3 { "ab" } else { "ba" }).collect();
    for name in order.chars() {
        signal(&drive, &name.to_string(), "1");
    }
    drive.restart();
    drive.settle();
    assert_eq!(end(&drive, "racing"), succeeded(&format!("\"{order}\"")));
}

#[test]
fn branches_that_build_their_calls_when_polled_find_them_again() {
    async fn through(card: &str, pause: u64) -> String {
        let paid = text(ask(|_| task("echo", card)).await);
        ask(|now| Call::Timer { due: now + pause }).await;
        text(ask(|_| task("echo", &paid)).await)
    }
    fn racing(_: Payload) -> Code {
        Box::pin(async {
            let mut won = Vec::new();
            for round in 0..20 {
                // Both branches build their calls at their first poll, in the order that `select!` draws.
                let (a, b) = (format!("\"a{round}\""), format!("\"b{round}\""));
                won.push(tokio::select! { it = through(&a, 30) => it, it = through(&b, 20) => it });
            }
            ask(|_| wait("end")).await;
            Outcome::Succeeded(format!("[{}]", won.join(",")).as_str().into())
        })
    }
    let mut drive = drive(&[("racing", racing)]);
    start(&drive, "racing", "null");
    drive.advance(Duration::from_secs(5));
    // Twenty rounds replayed from nothing: in about half of them the branches are polled in another order than then.
    for _ in 0..5 {
        drive.restart();
        signal(&drive, "nobody waits for this", "1");
        drive.settle();
        assert_eq!(drive.meta(&id("racing/one")).unwrap().parked, None);
    }
    drive.restart();
    signal(&drive, "end", "1");
    drive.settle();
    let expected: Vec<String> = (0..20).map(|round| format!("\"b{round}\"")).collect();
    assert_eq!(end(&drive, "racing"), succeeded(&format!("[{}]", expected.join(","))));
}

#[test]
fn maps_have_no_order() {
    fn mapping(input: Payload) -> Code {
        static TURNED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
        Box::pin(async move {
            let turned = TURNED.fetch_xor(true, std::sync::atomic::Ordering::SeqCst);
            let written = if turned { r#"{"b":2,"a":1}"# } else { r#"{"a":1,"b":2}"# };
            ask(|_| task("echo", written)).await;
            ask(|_| wait("end")).await;
            Outcome::Succeeded(input)
        })
    }
    let mut drive = drive(&[("mapping", mapping)]);
    let one = start(&drive, "mapping", r#"{"x":1,"y":2}"#);
    assert_eq!(start(&drive, "mapping", r#"{"y":2,"x":1}"#), one, "the same input, written otherwise");
    drive.settle();
    drive.restart();
    signal(&drive, "end", "1");
    drive.settle();
    assert!(end(&drive, "mapping").is_some());
}

#[test]
fn a_start_is_idempotent_by_name_and_input() {
    let drive = drive(&[("waits", |_| Box::pin(async { ask(|_| wait("go")).await }))]);
    let first = start(&drive, "waits", "1");
    assert_eq!(start(&drive, "waits", "1"), first);
    let other = drive.block_on(drive.client().start("waits", Some("one"), "2".into())).unwrap_err();
    assert!(matches!(&other, ClientError::AlreadyExists(id) if *id == first), "{other}");
    assert!(other.to_string().contains("started before with another input"));
    let unknown = drive.block_on(drive.client().start("nobody", None, "2".into())).unwrap_err();
    assert!(matches!(unknown, ClientError::UnknownWorkflow(_)));
}

#[test]
fn a_signal_may_come_before_the_start_is_handled_and_never_after_the_end() {
    let drive = drive(&[("waits", |_| Box::pin(async { ask(|_| wait("go")).await }))]);
    let one = start(&drive, "waits", "1");
    signal(&drive, "go", "5");
    drive.settle();
    assert_eq!(end(&drive, "waits"), succeeded("5"));
    let late = drive.block_on(drive.client().signal(&one, "go", Payload::null())).unwrap_err();
    assert!(matches!(late, ClientError::Closed(..)), "{late}");
    let nobody = drive.block_on(drive.client().signal(&id("waits/two"), "go", Payload::null())).unwrap_err();
    assert!(matches!(nobody, ClientError::NotFound(_)), "{nobody}");
}

#[test]
fn timers_fire_at_their_time_and_not_before() {
    let drive = drive(&[("year", |_| {
        Box::pin(async {
            for _ in 0..365 {
                ask(|now| Call::Timer { due: now + 86_400_000 }).await;
            }
            Outcome::Succeeded(Payload::null())
        })
    })]);
    start(&drive, "year", "null");
    drive.advance(Duration::from_secs(364 * 86_400));
    assert_eq!(end(&drive, "year"), None);
    drive.advance(Duration::from_secs(86_400));
    assert_eq!(end(&drive, "year"), succeeded("null"));
}

#[test]
fn a_panic_fails_its_call_and_nothing_else() {
    let drive = drive(&[
        ("panics", |_| Box::pin(async { panic!("on purpose") })),
        ("calls", |_| {
            Box::pin(async {
                let remote = ask(|_| task("panics", "\"panic\"")).await;
                let inline = ask(|_| task("panicsInline", "\"panic\"")).await;
                assert!(
                    matches!((&remote, &inline), (Outcome::Crashed(_), Outcome::Crashed(_))),
                    "{remote:?} {inline:?}"
                );
                Outcome::Succeeded("1".into())
            })
        }),
    ]);
    start(&drive, "panics", "null");
    start(&drive, "calls", "null");
    drive.settle();
    assert!(matches!(end(&drive, "panics"), Some(Outcome::Crashed(said)) if said.contains("on purpose")));
    assert_eq!(end(&drive, "calls"), succeeded("1"));
}

#[test]
fn code_that_needs_tokio_or_waits_for_nothing_durable_is_told_so() {
    let drive = drive(&[
        ("tokio", |_| {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Outcome::Succeeded(Payload::null())
            })
        }),
        ("stuck", |_| Box::pin(std::future::pending())),
    ]);
    start(&drive, "tokio", "null");
    start(&drive, "stuck", "null");
    drive.settle();
    assert!(
        matches!(end(&drive, "tokio"), Some(Outcome::Crashed(said)) if said.contains("use eventual::sleep"))
    );
    let stuck = drive.meta(&id("stuck/one")).unwrap();
    assert_eq!(stuck.status, Status::Parked);
    assert!(stuck.parked.unwrap().contains("await calls of eventual only"));
}

#[test]
fn a_parked_execution_loses_nothing_and_goes_on_after_a_fix() {
    static FIXED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
    fn code(_: Payload) -> Code {
        Box::pin(async {
            let first = if FIXED.load(std::sync::atomic::Ordering::SeqCst) { "go" } else { "other" };
            let one = text(ask(|_| wait(first)).await);
            let two = text(ask(|_| task("echo", &one)).await);
            let three = text(ask(|_| wait("go")).await);
            Outcome::Succeeded(format!("[{one},{two},{three}]").as_str().into())
        })
    }
    let mut drive = drive(&[("parks", code)]);
    let one = start(&drive, "parks", "null");
    drive.settle();
    FIXED.store(false, std::sync::atomic::Ordering::SeqCst);
    drive.restart();
    signal(&drive, "go", "1");
    drive.settle();
    let parked = drive.meta(&one).unwrap();
    assert_eq!(parked.status, Status::Parked);
    assert!(
        parked.parked.unwrap().contains("was wait for signal `go` then, and is wait for signal `other` now")
    );
    signal(&drive, "go", "2");
    drive.settle();
    FIXED.store(true, std::sync::atomic::Ordering::SeqCst);
    drive.restart();
    drive.block_on(async {
        eventual_engine::ports::Dispatch::wake(drive.world(), &one, &Message::default()).await.unwrap()
    });
    drive.settle();
    assert_eq!(drive.meta(&one).unwrap().end, succeeded("[1,1,2]"));
    let parked_facts =
        drive.history(&one).iter().filter(|it| it.parked.is_some()).flat_map(|it| &it.facts).count();
    assert_eq!(parked_facts, 2, "both signals were recorded while the code could not go on");
}

#[test]
fn unknown_and_duplicate_messages_change_nothing() {
    let drive = drive(&[("waits", |_| Box::pin(async { ask(|_| wait("go")).await }))]);
    let one = start(&drive, "waits", "null");
    drive.settle();
    let nonsense = vec![
        Fact::TimerFired { seq: 99 },
        Fact::TaskDone { seq: 0, attempt: 7, outcome: Outcome::Succeeded("1".into()) },
        Fact::RetryDue { seq: 5, attempt: 2 },
    ];
    for _ in 0..2 {
        let message = Message { facts: nonsense.clone(), ..Message::default() };
        drive.block_on(async {
            eventual_engine::ports::Dispatch::wake(drive.world(), &one, &message).await.unwrap()
        });
        drive.settle();
    }
    assert_eq!(end(&drive, "waits"), None);
    assert_eq!(drive.history(&one).len(), 2, "recorded once, and again only if new");
    signal(&drive, "go", "1");
    drive.settle();
    assert_eq!(end(&drive, "waits"), succeeded("1"));
    assert!(drive.block_on(Store::list(drive.world(), &Default::default())).is_ok());
}
