//! What must hold when nothing is left to happen.
//!
//! Deliberately reads the world alone, as an operator would: no engine's memory counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eventual_engine::Registry;
use eventual_engine::core::{Attribute, Call, ExecutionId, Fact, Outcome, Turn};
use eventual_engine::ports::Meta;
use eventual_schema::deploy::CODE_ATTRIBUTE;

use super::service;
use super::shared::Shared;
use crate::replay::replay;

/// Why somebody outside terminates an execution.
pub(super) const TERMINATED: &str = "not wanted any more";

/// Executions that somebody started and was told so: workflow and size.
pub(super) type Expected = BTreeMap<ExecutionId, (&'static str, u64)>;

/// Checks everything; adds what it counted to the figures.
pub(super) fn all(shared: &Shared, newest: usize, expected: &Expected) -> Result<(), String> {
    for (id, (workflow, size)) in expected {
        let end = shared.world.peek(id, |meta, _| meta.end.clone().map(|it| (it, meta.code.clone())));
        match end.flatten() {
            Some((end, code)) if service::may_end(workflow, *size, &code, &end) || is_terminated(&end) => {}
            Some((end, _)) => {
                let what = format!("{id} of size {size} ended otherwise than without trouble: {end:?}");
                return Err(format!("{what}{}", shown(shared, id)));
            }
            None => return Err(format!("{id} did not end, and nothing is on its way{}", shown(shared, id))),
        }
    }
    for id in shared.world.ids() {
        let Some(meta) = shared.world.peek(&id, |meta, _| meta.clone()) else { continue };
        let turns = shared.turns(&id);
        let registry = &registry_of(&meta, newest);
        history(&meta, &turns).map_err(|what| format!("{id}: {what}{}", shown(shared, &id)))?;
        effects(shared, &meta, &turns).map_err(|what| format!("{id}: {what}"))?;
        replay(registry, &meta, &turns).map_err(|what| format!("{id}: {what}{}", shown(shared, &id)))?;
        // The last turn of one that was terminated is not its code's, nor are those at which it stood still; the one before is.
        if let Some((_, before)) = turns.split_last().filter(|_| meta.end.as_ref().is_some_and(is_terminated))
            && let stood = before.iter().rev().take_while(|it| it.parked.is_some()).count()
            && let before = &before[..before.len() - stood]
            && before.last().is_some_and(|it| it.continued.is_none())
            && let Err(what) = replay(registry, &meta, before)
            // A later code may go on otherwise from the turn before; then the one that took it does not.
            && (0..newest).all(|it| replay(&service::registry(it), &meta, before).is_err())
        {
            return Err(format!("{id}: {what}{}", shown(shared, &id)));
        }
        let mut state = shared.state();
        state.figures.executions += 1;
        state.figures.turns += turns.len() as u64;
        state.figures.stood += turns.iter().filter(|it| it.parked.is_some()).count() as u64;
    }
    Ok(())
}

/// The code that an execution goes on with.
fn registry_of(meta: &Meta, newest: usize) -> Arc<Registry> {
    let own = service::CODES.iter().position(|it| it.0 == meta.code).filter(|_| meta.pinned);
    service::registry(own.unwrap_or(newest))
}

fn is_terminated(end: &Outcome) -> bool {
    *end == Outcome::Terminated(TERMINATED.to_owned())
}

pub(super) fn shown(shared: &Shared, id: &ExecutionId) -> String {
    let status = shared.world.peek(id, |meta, _| meta.status.as_str()).unwrap_or("unknown");
    let turns: Vec<String> = shared.turns(id).iter().map(|it| format!("  {it:?}")).collect();
    format!(" ({status}):\n{}", turns.join("\n"))
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
    let code = || (CODE_ATTRIBUTE.to_owned(), Attribute::from(meta.code.as_str()));
    let mut attributes: BTreeMap<_, _> = meta.pinned.then(code).into_iter().collect();
    for (name, value) in turns.iter().flat_map(|it| &it.attributes) {
        match value {
            Some(value) => attributes.insert(name.clone(), value.clone()),
            None => attributes.remove(name),
        };
    }
    if attributes != meta.attributes {
        return Err(format!("its attributes are {attributes:?}, and it is found by {:?}", meta.attributes));
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
    for (seq, attempt) in turns.iter().flat_map(|it| &it.dropped) {
        if !shared.world.attempt(&meta.attempt(*seq, *attempt)).is_some_and(|it| it.cancelled) {
            return Err(format!("attempt {attempt} of call {seq} was given up, and its worker is not told"));
        }
    }
    let state = shared.state();
    for ((_, seq, attempt), answer) in state.accepted.iter().filter(|((id, ..), _)| *id == meta.id) {
        let told =
            Fact::TaskDone { seq: *seq, attempt: *attempt, outcome: Outcome::Succeeded(answer.clone()) };
        // An execution may be terminated between the answer and the message that tells it.
        if !turns.iter().any(|it| it.facts.contains(&told)) && !meta.end.as_ref().is_some_and(is_terminated) {
            return Err(format!("attempt {attempt} of call {seq} was answered, and that is not history"));
        }
    }
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
            if matches!(call, Call::Emit(_)) && !state.published.contains(&meta.key_of(*seq)) {
                return Err(format!("the events of call {seq} were never published"));
            }
        }
    }
    Ok(())
}
