//! The process dies at every port call of an execution, before and after the call took effect. After a restart the
//! execution ends as it does without a crash, and the outside world saw every effect, each under one key.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod raw;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use eventual_engine::core::{Call, Emitted, Outcome, Payload, Status, TaskCall};
use eventual_engine::ports::{Clock, Message};
use eventual_engine::{HandlerRequest, Ports, Registry, States, TaskEntry};
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
    Arc::new(registry)
}

struct Run {
    end: Option<Outcome>,
    calls: u64,
    reached: bool,
    events: std::collections::BTreeSet<String>,
    keys: Vec<String>,
}

/// Runs an order whose process dies at `point`. With `redriven`, its messages then come as if for the first time.
async fn run(point: CrashPoint, redriven: bool) -> Run {
    let world = Arc::new(World::new([], 1));
    let inner = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
    let faults = Faults::new(inner, point);
    let ledger: Arc<Ledger> = Arc::default();
    let mut states = States::default();
    states.insert(ledger.clone());
    let mut host = Host::new(world.clone(), faults.ports(), registry(), Arc::new(states));
    let id = raw::id("order/17");
    // A caller that gets no answer asks again, as callers do.
    while host.engine().client().start("order", Some("17"), "7".into()).await.is_err() {
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
                host = host.restarted();
                faults.revive();
                if redriven {
                    world.redrive();
                }
            }
        }
    }
    let meta = inner_meta(&world, &id).await;
    assert!(meta.status == Status::Succeeded, "{point:?}: {meta:?}");
    let keys = ledger.lock().unwrap().keys().cloned().collect();
    Run {
        end: meta.end,
        calls: faults.calls(),
        reached: faults.was_reached(),
        events: world.emitted().into_iter().map(|it| it.name).collect(),
        keys,
    }
}

async fn inner_meta(world: &World, id: &eventual_engine::core::ExecutionId) -> eventual_engine::ports::Meta {
    eventual_engine::ports::Store::meta(world, id).await.unwrap().unwrap()
}

#[test]
fn an_execution_ends_the_same_wherever_its_process_dies() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let calm = run(CrashPoint { call: u64::MAX, after_effect: false }, false).await;
        assert_eq!(calm.end, Some(Outcome::Succeeded("[7,\"go\",7]".into())));
        assert_eq!((calm.events.len(), calm.keys.len()), (2, 2));
        for (call, variant) in (0..calm.calls).flat_map(|call| (0..4).map(move |variant| (call, variant))) {
            let point = CrashPoint { call, after_effect: variant % 2 == 1 };
            let crashed = run(point, variant >= 2).await;
            assert!(crashed.reached, "call {call} happens in every run");
            assert_eq!(crashed.end, calm.end, "{point:?}, redriven {}", variant >= 2);
            assert_eq!(crashed.keys, calm.keys, "every attempt of a call has one key");
            assert_eq!(crashed.events, calm.events, "{point:?}: an event may come twice, and is never lost");
        }
        println!("{} port calls, each a crash before and after, redelivered and redriven", calm.calls);
    });
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
        for (call, after_effect) in (0..20).flat_map(|call| [(call, false), (call, true)]) {
            let world = Arc::new(World::new([], 1));
            let calm = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
            let faults = Faults::new(calm.clone(), CrashPoint { call, after_effect });
            let states = Arc::new(States::default());
            let host = |ports| Host::new(world.clone(), ports, registry(), states.clone());
            let (late, last) = (host(calm.clone()), host(calm.clone()));
            let id = last.engine().client().start("both", Some("1"), "7".into()).await.unwrap();
            while world.next().is_some() {}
            let died = host(faults.ports()).engine().advance(&id, Message::default(), false).await;
            late.engine().advance(&id, Message::default(), false).await.unwrap();
            if died.is_err() {
                last.engine().advance(&id, Message::default(), true).await.unwrap();
            }
            while last.step().await.unwrap() {}
            let end = inner_meta(&world, &id).await.end;
            assert_eq!(end, Some(Outcome::Succeeded("[7,7]".into())), "call {call}, after {after_effect}");
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
