//! Replays a history on fresh code, whole: histories that were kept, and those of simulations.
//!
//! Deliberately runs no handler: a history has their answers.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use eventual_engine::core::{Fact, Status, Turn};
use eventual_engine::ports::{Meta, Store};
use eventual_engine::{Engine, Ports, Registry, States};

use crate::world::World;

/// Replays an execution on fresh code: a process that has all turns but the last must take that one as it is.
/// Needs an async runtime with time around it, as engines do.
///
/// # Errors
/// What is different, for people.
pub fn replay(registry: &Arc<Registry>, meta: &Meta, turns: &[Turn]) -> Result<(), String> {
    let Some((last, before)) = turns.split_last() else { return Err("it has no history".to_owned()) };
    let world = Arc::new(World::new([], 0));
    let open = Meta { status: Status::Running, closed: None, end: None, parked: None, ..meta.clone() };
    let replaying = async {
        world.insert(&open).await?;
        for turn in before {
            // The first ones may be gone since its code continued as new.
            world.overwrite(&meta.id, turn);
        }
        world.set_now(last.time);
        for fact in &last.facts {
            if let Fact::HeartbeatDue { seq, attempt, .. } = fact {
                // It is history only because whoever looked found that the heartbeat had stopped.
                world.cancel_attempt(&meta.attempt(*seq, *attempt)).await?;
            }
        }
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let engine = Engine::on_this_thread(ports, registry.clone(), Arc::new(States::default()), &meta.code);
        let advanced = engine.advance(&meta.id, meta.message(last.facts.clone()), false).await;
        advanced.map_err(|error| eventual_engine::Fault::new("replay", error))
    };
    match std::pin::pin!(replaying).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(fault)) => return Err(format!("its replay failed: {fault}")),
        Poll::Pending => return Err("its replay waits for something".to_owned()),
    }
    // Fresh code may go on from there, where it does not end.
    let taken = |turns: &[Turn]| turns.iter().find(|it| it.number == last.number).cloned();
    let (parked, again) =
        world.peek(&meta.id, |meta, turns| (meta.parked.clone(), taken(turns))).unwrap_or_default();
    if again.as_ref() == Some(last) {
        return Ok(());
    }
    Err(format!("fresh code does not replay it: parked {parked:?}, last turn {again:?} instead of {last:?}"))
}
