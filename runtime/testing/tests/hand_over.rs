//! A host that ends its processes after a while: a long chain of inline steps goes from message to message, and each step is made
//! once. Whoever was late and took a turn meanwhile may have died over it.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eventual_engine::core::{ExecutionId, Millis, Outcome};
use eventual_engine::ports::{Clock, Message};
use eventual_engine::{Ports, States};
use eventual_testing::faults::{CrashPoint, Faults};
use eventual_testing::host::Host;
use eventual_testing::world::{Delivery, World};
use tokio::runtime::Builder;

static PERFORMED: AtomicU32 = AtomicU32::new(0);

#[eventual::task(inline, timeout = "10s")]
async fn add(sum: u32) -> u32 {
    PERFORMED.fetch_add(1, Ordering::Relaxed);
    sum + 1
}

#[eventual::task(inline)]
async fn add_more(sum: u32) -> u32 {
    sum + 1
}

#[eventual::signal]
#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Enough {}

/// So many steps, fewer when it is told that they are enough.
#[eventual::workflow]
async fn many(steps: u32) -> eventual::Result<u32> {
    let enough = std::rc::Rc::new(std::cell::Cell::new(false));
    let told = enough.clone();
    let _handler = eventual::on_signal(move |_: Enough| told.set(true));
    let mut sum = 0;
    while sum < steps && !enough.get() {
        sum = add(sum).await?;
    }
    Ok(sum)
}

/// Steps, each with a pause after it.
#[eventual::workflow]
async fn pauses(steps: u32) -> eventual::Result<u32> {
    let mut sum = 0;
    while sum < steps {
        sum = add_more(sum).await?;
        sum = add_more(sum).await?;
        eventual::sleep(Duration::from_secs(60)).await?;
    }
    Ok(sum)
}

/// Takes deliveries, each of which may take `ms`, until there is none or `most` were taken: how many.
fn run(host: &Host, world: &World, ms: Millis, most: usize) -> usize {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut taken = 0;
    while taken < most {
        let Some((Delivery::Wake(id, message), times)) = world.next() else { break };
        let until = world.now() + ms;
        runtime.block_on(host.engine().advance_until(&id, message, times > 0, Some(until))).unwrap();
        taken += 1;
    }
    taken
}

fn start(workflow: &str, input: &str) -> (Arc<World>, Host, ExecutionId) {
    let world = Arc::new(World::new([], 1));
    let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
    let registry = eventual::service!(name = "hands", auth = none).registry().clone();
    let host = Host::new(world.clone(), ports, registry, Arc::new(States::default()));
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let id = runtime.block_on(host.engine().client().start(workflow, Some("one"), input.into())).unwrap();
    (world, host, id)
}

fn end(world: &World, id: &ExecutionId) -> Option<Outcome> {
    world.peek(id, |meta, _| meta.end.clone()).flatten()
}

#[test]
fn a_chain_goes_from_message_to_message_and_what_came_meanwhile_is_heard() {
    // No time for a second task of ten seconds: a message for each. A start from outside comes twice, so that one of them finds
    // an execution that has ended.
    let (world, host, id) = start("many", "5");
    PERFORMED.store(0, Ordering::Relaxed);
    assert_eq!(run(&host, &world, 10_000, 100), 6);
    assert_eq!(end(&world, &id), Some(Outcome::Succeeded("5".into())));
    assert_eq!(PERFORMED.load(Ordering::Relaxed), 5);

    // Time for a second one, as long as no time passes: one message for all.
    let (world, host, id) = start("many", "5");
    assert_eq!(run(&host, &world, 10_001, 100), 2);
    assert_eq!(end(&world, &id), Some(Outcome::Succeeded("5".into())));

    // A process that forgot everything goes on, and a signal is not kept waiting by what is left.
    let (world, host, id) = start("many", "1000000");
    assert_eq!(run(&host, &world, 1, 3), 3);
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(host.engine().client().signal(&id, "Enough", "{}".into())).unwrap();
    assert!(run(&host.restarted(), &world, 1, 100) < 10);
    assert!(matches!(end(&world, &id), Some(Outcome::Succeeded(_))), "it would make steps for ever");
}

/// The message of whoever is late was handled by somebody else, so that nobody tells it to deliver again what it takes.
#[test]
fn what_somebody_late_took_and_did_not_deliver_is_delivered_by_the_next() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    for (after_effect, redelivered) in [(false, false), (true, false), (false, true), (true, true)] {
        for call in 0.. {
            // One step is made, and a message for the next is on its way.
            let (world, host, id) = start("pauses", "4");
            assert_eq!(run(&host, &world, 1, 1), 1);
            let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
            let faults = Faults::new(ports, CrashPoint { call, after_effect });
            let late = host.dying(&faults);
            let died = runtime.block_on(late.engine().advance(&id, Message::default(), redelivered)).is_err();
            while let Some(due) = Some(world.now()).filter(|_| end(&world, &id).is_none()) {
                let taken = run(&host, &world, 1, 100);
                let next = world.next_due();
                assert!(
                    taken > 0 || next.is_some(),
                    "late process dead at call {call}: nothing is on its way"
                );
                world.set_now(next.unwrap_or(due).max(due));
            }
            assert_eq!(end(&world, &id), Some(Outcome::Succeeded("4".into())));
            assert_eq!(died, faults.was_reached());
            if !died {
                break;
            }
        }
    }
}
