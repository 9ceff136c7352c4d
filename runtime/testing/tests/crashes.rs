//! The process dies at every port call of an execution, before and after the call took effect. After a restart the
//! execution ends as it does without a crash, and the outside world saw every effect, each under one key.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod raw;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use eventual_engine::core::{Call, Emitted, Outcome, Payload, Status, TaskCall, Update};
use eventual_engine::ports::{Clock, Message};
use eventual_engine::{HandlerRequest, Ports, Registry, States, TaskEntry, ambient};
use eventual_testing::faults::{CrashPoint, Faults};
use eventual_testing::host::Host;
use eventual_testing::world::World;
use raw::{ask, text};

/// What the outside world saw: idempotency key to number of performances.
type Ledger = Mutex<BTreeMap<String, u32>>;

fn task(name: &str, inline: bool) -> Call {
    Call::Task(TaskCall { inline, ..TaskCall::new(name, "7".into()) })
}

/// Everything that a turn can ask for: remote and inline tasks, an event, a timer, a child, a signal to it, a race.
fn order(_: Payload) -> std::pin::Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async {
        let paid = text(ask(|_| task("pay", false)).await);
        ask(|_| Call::Emit(vec![Emitted { name: "Paid".into(), payload: "1".into() }])).await;
        let child = "child/one";
        let both = futures_util::future::join(
            ask(|_| Call::Workflow {
                execution: raw::id(child),
                input: "null".into(),
                detached: false,
                answered: true,
                close: Default::default(),
                attributes: Default::default(),
            }),
            async {
                ask(|now| Call::Timer { due: now + 90_000 }).await;
                ask(|_| Call::Send {
                    execution: raw::id(child),
                    signal: "go".into(),
                    payload: "\"go\"".into(),
                    answered: true,
                })
                .await;
            },
        );
        let (came, ()) = both.await;
        let noted = text(ask(|_| task("note", true)).await);
        // Asked for in the very turn that ends: nothing but its own message can deliver it.
        ask(|_| Call::Emit(vec![Emitted { name: "Noted".into(), payload: "1".into() }])).await;
        Outcome::Succeeded(format!("[{paid},{},{noted}]", text(came)).as_str().into())
    })
}

/// Asks a counter that begins anew with every second update, and says how far that came.
fn asks(_: Payload) -> std::pin::Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async {
        let mut last = String::new();
        for number in 1..=4 {
            let name = if number == 4 { "end" } else { "count" };
            last = text(
                ask(|_| Call::Update {
                    execution: raw::id("counter/one"),
                    name: name.into(),
                    input: "null".into(),
                    start: Some("0".into()),
                })
                .await,
            );
        }
        Outcome::Succeeded(last.as_str().into())
    })
}

/// The next update of the workflow that runs here.
#[track_caller]
fn next_update() -> impl Future<Output = Update> {
    let mut slot = ambient::new_call(Location::caller()).expect("in workflow code");
    poll_fn(move |cx| slot.poll_update(cx, None).map(|it| it.expect("nothing cancels it")))
}

fn counter(input: Payload) -> std::pin::Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async move {
        let mut count: i64 = text(Outcome::Succeeded(input)).parse().unwrap();
        ambient::accept_updates(None);
        for _ in 0..2 {
            let update = next_update().await;
            count += 1;
            assert!(ambient::set_attribute("count", Some(count.into())).is_some_and(|it| it.is_ok()));
            ask(|_| task("note", true)).await;
            let answer = Outcome::Succeeded(count.to_string().as_str().into());
            ambient::answer(&update.id, answer.clone());
            if update.name == "end" {
                return answer;
            }
        }
        assert!(ambient::continue_as_new(count.to_string().as_str().into()));
        std::future::pending().await
    })
}

/// Starts a child and sends it what it waits for, in one turn.
fn family(_: Payload) -> std::pin::Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async {
        let calls = (
            ask(|_| Call::Workflow {
                execution: raw::id("child/one"),
                input: "null".into(),
                detached: false,
                answered: true,
                close: Default::default(),
                attributes: Default::default(),
            }),
            ask(|_| Call::Send {
                execution: raw::id("child/one"),
                signal: "go".into(),
                payload: "7".into(),
                answered: true,
            }),
        );
        let (came, sent) = futures_util::future::join(calls.0, calls.1).await;
        assert_eq!(text(sent), "null");
        Outcome::Succeeded(text(came).as_str().into())
    })
}

fn child(_: Payload) -> std::pin::Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async {
        Outcome::Succeeded(text(ask(|_| Call::Signal { name: "go".into() }).await).as_str().into())
    })
}

fn perform(request: HandlerRequest) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        if let Some(ledger) = request.context.states.get::<Ledger>() {
            *ledger.lock().unwrap().entry(request.context.idempotency_key).or_default() += 1;
        }
        Outcome::Succeeded(request.input)
    })
}

fn registry() -> Arc<Registry> {
    let entry = |inline| TaskEntry::new(perform, inline);
    let mut registry = Registry::default();
    registry.tasks.insert("pay".into(), entry(false));
    registry.tasks.insert("note".into(), entry(true));
    registry.workflows.insert("order".into(), order);
    registry.workflows.insert("child".into(), child);
    registry.workflows.insert("both".into(), both);
    registry.workflows.insert("asks".into(), asks);
    registry.workflows.insert("counter".into(), counter);
    registry.workflows.insert("family".into(), family);
    Arc::new(registry)
}

struct Run {
    end: Option<Outcome>,
    calls: u64,
    reached: bool,
    events: std::collections::BTreeSet<String>,
    keys: Vec<String>,
}

/// What happens at a point.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    point: CrashPoint,
    /// Whether its messages then come as if for the first time.
    redriven: bool,
    /// Whether the process lives on, with its memory.
    lives: bool,
}

/// Runs an execution that meets trouble.
async fn run(workflow: &str, trouble: Trouble) -> Run {
    let world = Arc::new(World::new([], 1));
    let inner = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
    let faults = Faults::new(inner, trouble.point);
    let ledger: Arc<Ledger> = Arc::default();
    let mut states = States::default();
    states.insert(ledger.clone());
    let mut host = Host::new(world.clone(), faults.ports(), registry(), Arc::new(states));
    let id = raw::id(&format!("{workflow}/17"));
    // A caller that gets no answer asks again, as callers do.
    while host.engine().client().start(workflow, Some("17"), "7".into()).await.is_err() {
        host = host.restarted();
        faults.revive();
    }
    let deadline = world.now() + 3_600_000;
    while world.now() < deadline {
        match host.step().await {
            Ok(true) => {}
            Ok(false) => match world.next_due() {
                Some(due) => world.set_now(due),
                None => break,
            },
            Err(_) => {
                if !trouble.lives {
                    host = host.restarted();
                }
                faults.revive();
                if trouble.redriven {
                    world.redrive();
                }
            }
        }
    }
    for id in world.ids() {
        let meta = inner_meta(&world, &id).await;
        assert!(meta.status == Status::Succeeded, "{trouble:?}: {meta:?}");
    }
    let counted = world.peek(&raw::id("counter/one"), |it, _| it.attributes.get("count").cloned());
    assert!(counted.as_ref().is_none_or(|it| *it == Some(4_i64.into())), "{trouble:?}: {counted:?}");
    // Without the run, which another start chooses anew; two keys of one call are still two.
    let keys = ledger.lock().unwrap().keys().map(|it| it.split('@').next().unwrap().to_owned()).collect();
    Run {
        end: inner_meta(&world, &id).await.end,
        calls: faults.calls(),
        reached: faults.was_reached(),
        events: world.emitted().into_iter().map(|it| it.name).collect(),
        keys,
    }
}

async fn inner_meta(world: &World, id: &eventual_engine::core::ExecutionId) -> eventual_engine::ports::Meta {
    eventual_engine::ports::Store::meta(world, id).await.unwrap().unwrap()
}

fn everywhere(workflow: &str, end: &str, keys: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let nowhere = CrashPoint { call: u64::MAX, after_effect: false };
        let calm = run(workflow, Trouble { point: nowhere, redriven: false, lives: false }).await;
        assert_eq!(calm.end, Some(Outcome::Succeeded(end.into())));
        assert_eq!(calm.keys.len(), keys);
        for (call, variant) in (0..calm.calls).flat_map(|call| (0..8).map(move |variant| (call, variant))) {
            let point = CrashPoint { call, after_effect: variant & 1 == 1 };
            let trouble = Trouble { point, redriven: variant & 2 != 0, lives: variant & 4 != 0 };
            let troubled = run(workflow, trouble).await;
            assert!(troubled.reached, "call {call} happens in every run");
            assert_eq!(troubled.end, calm.end, "{trouble:?}");
            assert_eq!(troubled.keys, calm.keys, "every attempt of a call has one key");
            assert_eq!(
                troubled.events, calm.events,
                "{trouble:?}: an event may come twice, and is never lost"
            );
        }
    });
}

#[test]
fn an_execution_ends_the_same_wherever_its_process_dies_or_a_call_fails() {
    everywhere("order", "[7,\"go\",7]", 2);
}

#[test]
fn code_that_begins_anew_answers_and_ends_wherever_its_process_dies_or_a_call_fails() {
    everywhere("asks", "4", 4);
}

#[test]
fn a_child_and_what_is_sent_to_it_arrive_wherever_a_process_dies_or_a_call_fails() {
    everywhere("family", "7", 0);
}

/// A remote and an inline task at once.
fn both(_: Payload) -> std::pin::Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async {
        let tasks = (ask(|_| task("pay", false)), ask(|_| task("note", true)));
        let (paid, noted) = futures_util::future::join(tasks.0, tasks.1).await;
        Outcome::Succeeded(format!("[{},{}]", text(paid), text(noted)).as_str().into())
    })
}

/// The first process dies at every port call, a late one takes the next turn, and only then the message comes again: it
/// must deliver what the first turn asked for, which is not the last one any more.
#[test]
fn a_redelivered_start_finishes_its_turn_although_another_process_went_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let points = (0..20).flat_map(|call| [(call, false), (call, true)]);
        for (workflow, (call, after_effect)) in points.flat_map(|point| [("both", point), ("family", point)])
        {
            let world = Arc::new(World::new([], 1));
            let calm = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
            let faults = Faults::new(calm.clone(), CrashPoint { call, after_effect });
            let states = Arc::new(States::default());
            let host = |ports| Host::new(world.clone(), ports, registry(), states.clone());
            let (late, last) = (host(calm.clone()), host(calm.clone()));
            let id = last.engine().client().start(workflow, Some("1"), "7".into()).await.unwrap();
            while world.next().is_some() {}
            let died = host(faults.ports()).engine().advance(&id, Message::default(), false).await;
            late.engine().advance(&id, Message::default(), false).await.unwrap();
            if died.is_err() {
                last.engine().advance(&id, Message::default(), true).await.unwrap();
            }
            while last.step().await.unwrap() {}
            let end = inner_meta(&world, &id).await.end;
            let expected = if workflow == "both" { "[7,7]" } else { "7" };
            let what = format!("{workflow}, call {call}, after {after_effect}");
            assert_eq!(end, Some(Outcome::Succeeded(expected.into())), "{what}");
        }
    });
}

/// Two processes with warm memories take the deliveries alternately, so that each is behind most of the time.
#[test]
fn processes_with_stale_memories_find_out() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let world = Arc::new(World::new([], 1));
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let ledger: Arc<Ledger> = Arc::default();
        let mut states = States::default();
        states.insert(ledger.clone());
        let first = Host::new(world.clone(), ports, registry(), Arc::new(states));
        let hosts = [first.restarted(), first];
        hosts[0].engine().client().start("order", Some("17"), "7".into()).await.unwrap();
        for turn in 0.. {
            if !hosts[turn % 2].step().await.unwrap() {
                match world.next_due() {
                    Some(due) => world.set_now(due),
                    None => break,
                }
            }
        }
        let end = inner_meta(&world, &raw::id("order/17")).await.end;
        assert_eq!(end, Some(Outcome::Succeeded("[7,\"go\",7]".into())));
        assert!(
            ledger.lock().unwrap().values().all(|times| *times == 1),
            "nothing is done twice without a crash"
        );
        assert_eq!(world.emitted().len(), 2);
    });
}
