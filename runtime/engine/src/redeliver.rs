//! Delivering again what a turn asked for, where whoever took the turn may have died before it was delivered.

use std::collections::BTreeSet;
use std::mem;

use eventual_core::{Call, ExecutionId, Fact, Seq, Turn};
use futures_util::future::try_join_all;

use crate::engine::Engine;
use crate::ports::{Fault, Meta};
use crate::workflows::Pending;

impl Engine {
    /// Delivers what a message with `facts` caused, because its process may have died between commit and delivery: the turns
    /// that recorded them, and those that followed without another message. When none recorded them, the last turn alone,
    /// if `last_anyway`; for a message without facts also all turns that such a message causes. Answers the last turn that
    /// was looked at: what is committed from then on is not delivered here.
    pub(crate) async fn finish_delivery(
        &self,
        meta: &Meta,
        facts: &[Fact],
        last_anyway: bool,
    ) -> Result<u64, Fault> {
        let turns = self.ports.store.turns(&meta.id, 0).await?;
        if meta.status.is_closed() {
            let known: BTreeSet<_> = turns.iter().flat_map(|it| &it.facts).map(Fact::key).collect();
            let late: Vec<&Fact> = facts.iter().filter(|it| !known.contains(&it.key())).collect();
            self.refuse_late_updates(meta, &late).await?;
        }
        let inline = inline_tasks(&turns);
        let mut caused = caused_by(&turns, facts, &inline);
        if caused.is_empty() && last_anyway {
            caused.extend(turns.len().checked_sub(1));
        }
        let last = turns.last().map_or(0, |it| it.number);
        if caused.is_empty() {
            return Ok(last);
        }
        let untold = |turn: &Turn| facts.is_empty() && last_anyway && is_untold(turn, &inline);
        self.deliver_again(meta, &turns, |index, turn| caused.contains(&index) || untold(turn)).await?;
        if let Some(end) = meta.end.clone().filter(|_| meta.status.is_closed()) {
            self.tell_parent(meta, end).await?;
        }
        Ok(last)
    }

    /// Delivers the turns again that asked for these calls.
    pub(crate) async fn deliver_turns_of(&self, meta: &Meta, calls: &BTreeSet<Seq>) -> Result<(), Fault> {
        let turns = self.ports.store.turns(&meta.id, meta.superseded()).await?;
        let asked = |turn: &Turn| turn.calls.iter().any(|(seq, _)| calls.contains(seq));
        self.deliver_again(meta, &turns, |_, turn| asked(turn)).await
    }

    /// Delivers the turns again with which an execution went on after it had stood still, without a message of its own for that, up
    /// to but without the turn `own`: somebody late may have taken them.
    pub(crate) async fn deliver_since_parked(&self, meta: &Meta, own: u64) -> Result<(), Fault> {
        let turns = self.ports.store.turns(&meta.id, meta.superseded()).await?;
        let inline = inline_tasks(&turns);
        let stood = turns.iter().rev().find(|it| it.number < own && it.parked.is_some());
        let since = stood.map_or(0, |it| it.number) + 1;
        let late = |turn: &Turn| (since..own).contains(&turn.number) && is_untold(turn, &inline);
        self.deliver_again(meta, &turns, |_, turn| late(turn)).await
    }

    /// Delivers those of an execution's turns again that `which` picks, by place and turn.
    async fn deliver_again(
        &self,
        meta: &Meta,
        turns: &[Turn],
        which: impl Fn(usize, &Turn) -> bool,
    ) -> Result<(), Fault> {
        let mut pending = Pending::of_history(turns);
        let timers = mem::take(&mut pending.timers);
        let learnt = learnt_outcomes(turns);
        let mut started = BTreeSet::new();
        for (index, turn) in turns.iter().enumerate() {
            if meta.is_copied(turn) || !which(index, turn) {
                continue;
            }
            let mut turn = turn.clone();
            turn.calls.retain(|(seq, _)| !learnt.contains(seq));
            pending.timers = if goes_on_as_fork(turns, index) { timers.clone() } else { Vec::new() };
            self.deliver(meta, &turn, &pending).await?;
            started.extend(turn.calls.iter().filter_map(|(_, call)| child(call).cloned()));
        }
        // One that was stopped before it was started would go on for ever.
        let stops = turns.iter().flat_map(|it| &it.stops).filter(|it| started.contains(&it.execution));
        try_join_all(stops.map(|it| self.stop_child(meta, it))).await?;
        Ok(())
    }
}

/// The child that a call waits for.
const fn child(call: &Call) -> Option<&ExecutionId> {
    match call {
        Call::Workflow { execution, detached: false, .. } => Some(execution),
        _ => None,
    }
}

/// Whether a turn is the first that code took as a fork's: the one that says so, or, where that was parked, the first after it
/// that was not.
fn goes_on_as_fork(turns: &[Turn], index: usize) -> bool {
    let is_told = |it: &Turn| it.facts.iter().any(|it| matches!(it, Fact::Forked { .. }));
    let (before, this) = (&turns[..index], &turns[index]);
    let parked = before.iter().rev().take_while(|it| it.parked.is_some());
    this.parked.is_none() && parked.chain([this]).any(is_told)
}

/// The turns that a message with `facts` caused, by their places: those that recorded a fact of it (calls of parked turns are
/// recorded by the first after them that is not), and those that followed without another message.
fn caused_by(turns: &[Turn], facts: &[Fact], inline: &BTreeSet<Seq>) -> BTreeSet<usize> {
    let keys: Vec<_> = facts.iter().map(Fact::key).collect();
    let mut caused = BTreeSet::new();
    for (index, turn) in turns.iter().enumerate() {
        let follows = index.checked_sub(1).is_some_and(|before| {
            caused.contains(&before) && (turns[before].parked.is_some() || is_untold(turn, inline))
        });
        if follows || turn.facts.iter().any(|it| keys.contains(&it.key())) {
            caused.insert(index);
        }
    }
    caused
}

/// The calls whose outcome, or that of their first attempt, is recorded, so that they were delivered. To deliver them once
/// more would make the others answer once more, and that answer deliver them again, without end.
fn learnt_outcomes(turns: &[Turn]) -> BTreeSet<Seq> {
    let facts = turns.iter().flat_map(|it| &it.facts);
    facts
        .filter_map(|fact| match fact {
            Fact::ChildDone { seq, .. }
            | Fact::OperationDone { seq, .. }
            | Fact::TaskDone { seq, attempt: 1, .. }
            | Fact::TimerFired { seq }
            | Fact::UpdateDone { seq, .. } => Some(*seq),
            _ => None,
        })
        .collect()
}

fn inline_tasks(turns: &[Turn]) -> BTreeSet<Seq> {
    let calls = turns.iter().flat_map(|it| &it.calls);
    calls.filter(|(_, call)| matches!(call, Call::Task(task) if task.inline)).map(|(seq, _)| *seq).collect()
}

/// Whether no message told the facts of a turn: it began the execution, or learnt what whoever took it did inline.
fn is_untold(turn: &Turn, inline: &BTreeSet<Seq>) -> bool {
    turn.facts.iter().all(|fact| match fact {
        Fact::TaskDeferred { seq, .. } | Fact::TaskDone { seq, .. } | Fact::TaskLost { seq, .. } => {
            inline.contains(seq)
        }
        Fact::OperationDone { .. } => true,
        _ => false,
    })
}
