//! What must hold when nothing is left to happen.
//!
//! Deliberately reads the world alone, as an operator would: no engine's memory counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use eventual_engine::core::{Call, ExecutionId, Fact, Outcome, Status, Turn};
use eventual_engine::ports::{Message, Meta, Store};
use eventual_engine::{Engine, Ports, Registry, States};

use super::service;
use super::shared::Shared;
use crate::world::World;

/// Executions that somebody started and was told so: workflow and size.
pub(super) type Expected = BTreeMap<ExecutionId, (&'static str, u64)>;

/// Checks everything; adds what it counted to the figures.
pub(super) fn all(shared: &Shared, registry: &Arc<Registry>, expected: &Expected) -> Result<(), String> {
    for (id, (workflow, size)) in expected {
        let end = shared.world.peek(id, |meta, _| meta.end.clone());
        match end.flatten() {
            Some(end) if service::may_end(workflow, *size, &end) => {}
            Some(end) => {
                return Err(format!("{id} of size {size} ended otherwise than without trouble: {end:?}"));
            }
            None => return Err(format!("{id} did not end, and nothing is on its way{}", shown(shared, id))),
        }
    }
    for id in shared.world.ids() {
        let Some(seen) = shared.world.peek(&id, |meta, turns| (meta.clone(), turns.to_vec())) else {
            continue;
        };
        let (meta, turns) = seen;
        history(&meta, &turns).map_err(|what| format!("{id}: {what}{}", shown(shared, &id)))?;
        effects(shared, &meta, &turns).map_err(|what| format!("{id}: {what}"))?;
        replays(registry, &meta, &turns).map_err(|what| format!("{id}: {what}{}", shown(shared, &id)))?;
        let mut state = shared.state();
        state.figures.executions += 1;
        state.figures.turns += turns.len() as u64;
    }
    Ok(())
}

fn shown(shared: &Shared, id: &ExecutionId) -> String {
    let text = shared.world.peek(id, |meta, turns| {
        let turns: Vec<String> = turns.iter().map(|it| format!("  {it:?}")).collect();
        format!(" ({}):\n{}", meta.status.as_str(), turns.join("\n"))
    });
    text.unwrap_or_else(|| ": unknown".to_owned())
}

/// Turns without gaps, facts recorded once, one end, and the same in the meta.
fn history(meta: &Meta, turns: &[Turn]) -> Result<(), String> {
    let numbers: Vec<u64> = turns.iter().map(|it| it.number).collect();
    if numbers != (1..=turns.len() as u64).collect::<Vec<_>>() {
        return Err(format!("the turns are numbered {numbers:?}"));
    }
    let mut keys = BTreeSet::new();
    for fact in turns.iter().flat_map(|it| &it.facts) {
        if !keys.insert(fact.key()) {
            return Err(format!("{:?} was recorded twice", fact.key()));
        }
    }
    let ends: Vec<usize> = (0..turns.len()).filter(|it| turns[*it].end.is_some()).collect();
    let last = turns.last().and_then(|it| it.end.clone());
    if ends.len() != 1 || last != meta.end {
        return Err(format!(
            "{} turns have an end, the last has {last:?}, the execution {:?}",
            ends.len(),
            meta.end
        ));
    }
    Ok(())
}

/// What history says was done was done, and what it asked for went out.
fn effects(shared: &Shared, meta: &Meta, turns: &[Turn]) -> Result<(), String> {
    let state = shared.state();
    for turn in turns {
        for fact in &turn.facts {
            if let Fact::TaskDone { seq, attempt, outcome } = fact
                && !matches!(outcome, Outcome::Crashed(_))
                && !state.effects.contains_key(&(meta.id.clone(), *seq, *attempt))
            {
                return Err(format!("attempt {attempt} of call {seq} has an outcome and had no effect"));
            }
        }
        for (seq, call) in &turn.calls {
            if matches!(call, Call::Emit(_)) && !state.published.contains(&format!("{}#{seq}", meta.id)) {
                return Err(format!("the events of call {seq} were never published"));
            }
        }
    }
    Ok(())
}

/// A fresh process that has all turns but the last takes that one as it is.
fn replays(registry: &Arc<Registry>, meta: &Meta, turns: &[Turn]) -> Result<(), String> {
    let Some((last, before)) = turns.split_last() else { return Err("it has no history".to_owned()) };
    let world = Arc::new(World::new([], 0));
    let open = Meta { status: Status::Running, closed: None, end: None, parked: None, ..meta.clone() };
    let replaying = async {
        world.insert(&open).await?;
        for turn in before {
            world.commit(&meta.id, turn).await?;
        }
        world.set_now(last.time);
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let engine = Engine::on_this_thread(ports, registry.clone(), Arc::new(States::default()), "replay");
        let advanced = engine.advance(&meta.id, Message { facts: last.facts.clone() }, false).await;
        advanced.map_err(|error| eventual_engine::Fault::new("replay", error))
    };
    match std::pin::pin!(replaying).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => {}
        Poll::Ready(Err(fault)) => return Err(format!("its replay failed: {fault}")),
        Poll::Pending => return Err("its replay waits for something".to_owned()),
    }
    let (parked, again) =
        world.peek(&meta.id, |meta, turns| (meta.parked.clone(), turns.last().cloned())).unwrap_or_default();
    if again.as_ref() == Some(last) {
        return Ok(());
    }
    Err(format!("fresh code does not replay it: parked {parked:?}, last turn {again:?} instead of {last:?}"))
}
