//! A wake-up: load, take turns, commit each, deliver each, until the execution waits for somebody else.

use std::collections::BTreeSet;
use std::mem;

use eventual_core::{ExecutionId, Fact, FactKey, Left, Millis, Outcome, Run, Seq, Status, Turn, left_behind};

use crate::doubt::Doubt;
use crate::engine::Engine;
use crate::hand_over::Chain;
use crate::ports::{Commit, Fault, Message, Meta, Secret};
use crate::versions::not_recorded;
use crate::workflows::{Pending, TurnReply, TurnRequest};

/// Why a wake-up could not be handled. The host leaves the message where it is, to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Other processes kept committing turns of this execution.
    #[error("execution {0} is being advanced by another process; the message will be handled again")]
    Contended(ExecutionId),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// No execution of this id was ever started here. Dropping the message loses nothing.
    #[error("there is no execution {0}; the message to it is dropped")]
    Unknown(ExecutionId),
}

/// How often a turn is taken again because another process committed one of its number.
const CONFLICTS_MAX: u32 = 5;

impl Engine {
    /// Handles a message to an execution. `redelivered` says that it may have been handled before, so that what was
    /// committed then may not have been delivered.
    ///
    /// # Errors
    /// When the world failed: the message must be handled again. [`AdvanceError::Unknown`] alone is final.
    pub async fn advance(
        &self,
        id: &ExecutionId,
        message: Message,
        redelivered: bool,
    ) -> Result<(), AdvanceError> {
        self.advance_until(id, message, redelivered, None).await
    }

    /// The same for a host that wants to be done `until` some time: from then on, and before inline tasks that might take longer,
    /// the execution gets a message that goes on where this one stops.
    ///
    /// # Errors
    /// As of [`advance`](Self::advance).
    pub async fn advance_until(
        &self,
        id: &ExecutionId,
        message: Message,
        redelivered: bool,
        until: Option<Millis>,
    ) -> Result<(), AdvanceError> {
        let _turns = self.lock(id).await;
        let unsure = Unsure { engine: self, id: Some(id) };
        let advanced = self.handle(id, message, redelivered, Chain::new(until)).await;
        if advanced.is_ok() {
            unsure.settled();
        }
        advanced
    }

    /// The same, by whoever has the execution to itself in this process.
    async fn handle(
        &self,
        id: &ExecutionId,
        message: Message,
        redelivered: bool,
        mut chain: Chain,
    ) -> Result<(), AdvanceError> {
        let warm = if redelivered { None } else { self.warm(id, &message) };
        let (mut look, mut seen) = (warm.is_none(), warm.is_none());
        let mut meta = if let Some(warm) = warm { warm } else { self.known(id).await? };
        if Run::differ(meta.run, message.run) {
            log_late(&meta, &message);
            return Ok(());
        }
        if !meta.status.is_closed() && Box::pin(self.forward(&meta, &message, redelivered)).await? {
            return Ok(());
        }
        let mut delivered = None;
        if redelivered {
            delivered = Some(Box::pin(self.finish_delivery(&meta, &message.facts, true)).await?);
        }
        self.give_secret(&mut meta).await?;
        if meta.status.is_closed() {
            let nothing = redelivered || (message.facts.is_empty() && !message.goes_on);
            return if nothing { Ok(()) } else { self.told_closed(&meta, &message.facts).await };
        }
        let (told, goes_on) = (message.facts.clone(), message.goes_on);
        let mut facts = self.watch(&meta, message.facts).await?;
        if facts.is_empty() && !told.is_empty() {
            // Whatever it was about goes on as it did.
            return Ok(());
        }
        let mut doubt = Doubt::of_message(&facts, goes_on, redelivered);
        self.tell_declared(&meta, &mut facts);
        let mut conflicts = 0;
        loop {
            match self.turn(&mut meta, facts.clone(), look).await {
                Ok((next, turn)) => {
                    if let Some(facts) = doubt.confirmed(&next, &turn) {
                        Box::pin(self.finish_delivery(&meta, &facts, facts.is_empty())).await?;
                    }
                    look = false;
                    seen |= turn.number > 0;
                    // Somebody who is late may have committed more since, and died.
                    let before = turn.number.checked_sub(1).unwrap_or(meta.as_of);
                    if delivered.take().is_some_and(|it| before > it) {
                        Box::pin(self.finish_delivery(&meta, &told, true)).await?;
                    }
                    match next {
                        Next::Closed | Next::Ended | Next::Parked => return Ok(()),
                        Next::Waits(pending) if !pending.is_ours() => {
                            self.remember(&meta, seen);
                            return Ok(());
                        }
                        next if chain.ends_before(&next, self.ports.clock.now()) => {
                            return Ok(self.hand_over(&meta, seen).await?);
                        }
                        Next::Continued => facts = Vec::new(),
                        Next::Waits(pending) => facts = self.perform_pending(&meta, &turn, pending).await?,
                    }
                }
                Err(TurnError::Taken) if conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    (doubt, look, seen) = (Doubt::of(&facts), true, true);
                    let Some(now) = self.after_conflict(&meta, &told, &facts).await? else { return Ok(()) };
                    meta = now;
                }
                Err(TurnError::Taken) => return Err(AdvanceError::Contended(id.clone())),
                Err(TurnError::Fault(fault)) => return Err(fault.into()),
            }
        }
    }

    /// What is known of an execution whose turn somebody else took, who may have changed more than the history; nothing when there
    /// is nothing left to tell it.
    async fn after_conflict(
        &self,
        before: &Meta,
        told: &[Fact],
        facts: &[Fact],
    ) -> Result<Option<Meta>, AdvanceError> {
        let meta = self.known(&before.id).await?;
        if meta.run != before.run {
            // Forgotten meanwhile, and started anew.
            return Ok(None);
        }
        if meta.status.is_closed() {
            let mine = facts.iter().filter(|it| !told.contains(it));
            let all: Vec<Fact> = told.iter().chain(mine).cloned().collect();
            self.told_closed(&meta, &all).await?;
            return Ok(None);
        }
        Ok(Some(meta))
    }

    /// What is remembered of an execution, where that is enough for a message: one that brings something new finds a machine that is
    /// behind by its commit; others look at the store. So do those that are for another run than the one in memory, because the
    /// name may be a later execution's by now.
    fn warm(&self, id: &ExecutionId, message: &Message) -> Option<Meta> {
        let warm = if message.facts.is_empty() { None } else { self.remembered(id) };
        warm.filter(|it| it.run == message.run)
    }

    /// Gives an execution a secret that was started before there were tokens.
    async fn give_secret(&self, meta: &mut Meta) -> Result<(), Fault> {
        if meta.secret.is_empty() && !meta.status.is_closed() {
            meta.secret = Secret::random(&*self.ports.clock);
            self.ports.store.set_status(meta).await?;
        }
        Ok(())
    }

    /// What the store knows of an execution.
    async fn known(&self, id: &ExecutionId) -> Result<Meta, AdvanceError> {
        self.ports.store.meta(id).await?.ok_or_else(|| AdvanceError::Unknown(id.clone()))
    }

    /// Handles a message to an execution that has ended: whoever ended it may not have told so.
    async fn told_closed(&self, meta: &Meta, facts: &[Fact]) -> Result<(), AdvanceError> {
        Box::pin(self.finish_delivery(meta, facts, facts.is_empty())).await?;
        Ok(())
    }

    /// Performs what an execution waits for after `turn`, and what is to be performed right here.
    async fn perform_pending(
        &self,
        meta: &Meta,
        turn: &Turn,
        mut pending: Pending,
    ) -> Result<Vec<Fact>, Fault> {
        let operations = mem::take(&mut pending.operations);
        let asked_now = |seq: &Seq| turn.calls.iter().any(|(it, _)| it == seq);
        let before: BTreeSet<Seq> =
            operations.iter().map(|(seq, _)| *seq).filter(|it| !asked_now(it)).collect();
        if !before.is_empty() {
            // Whoever took the turns that asked for them may not have started the children that they are meant for.
            Box::pin(self.deliver_turns_of(meta, &before)).await?;
        }
        let mut facts = Box::pin(self.operate_all(meta, operations)).await?;
        facts.extend(self.perform_inline(meta, pending).await?);
        Ok(facts)
    }

    /// Takes one turn, commits and delivers it; answers it too, or an empty one when there was nothing to take. Without
    /// `look`, a machine in memory is taken to be as new as the store.
    async fn turn(&self, meta: &mut Meta, facts: Vec<Fact>, look: bool) -> Result<(Next, Turn), TurnError> {
        let id = meta.id.clone();
        // To end an execution, its history alone is asked: its code may keep its thread, or not go with it.
        let terminated = terminated(&facts);
        let version = if terminated.is_some() { 0 } else { self.workflows.version(meta) };
        let mut committed = match version {
            1.. if !look => Vec::new(),
            0 => self.ports.store.turns(&id, meta.superseded()).await?,
            _ => self.ports.store.turns(&id, version).await?,
        };
        let lost =
            if version == 0 { Box::pin(self.complete_fork(meta, &mut committed)).await? } else { None };
        let last = committed.last().map_or(version, |it| it.number);
        let mut behind = meta.learn(&committed);
        if last == 0 {
            // What it was started with is not written by its starter, who may die before that.
            behind.attributes.extend(meta.attributes.keys().cloned());
        }
        self.keep_attributes(meta, behind).await?;
        if let Some(end) = committed.last().and_then(|it| it.end.clone()) {
            // It was closed, but whoever closed it died before it said so.
            Box::pin(self.close(meta, end)).await?;
            return Ok((Next::Closed, Turn::default()));
        }
        let forked = meta.forked_at(&committed, last, lost.is_some());
        if let Some(end) = terminated {
            let facts = forked.into_iter().chain(facts).collect();
            let turn = last_turn(&committed, facts, self.ports.clock.now(), end.clone());
            return Box::pin(self.end(meta, turn, &end, &Pending::default())).await;
        }
        let reply = match lost {
            Some(reason) => {
                let fresh = not_recorded(&committed, &facts);
                let facts = if fresh.is_empty() { fresh } else { forked.into_iter().chain(fresh).collect() };
                TurnReply::Blocked { reason, facts }
            }
            None => self.take(meta, version, committed, forked.into_iter().chain(facts).collect()).await,
        };
        self.conclude(meta, last, reply).await
    }

    /// Commits and delivers what came of a turn after turn `last`.
    async fn conclude(
        &self,
        meta: &mut Meta,
        last: u64,
        reply: TurnReply,
    ) -> Result<(Next, Turn), TurnError> {
        let id = meta.id.clone();
        match reply {
            TurnReply::Nothing(pending) => {
                meta.base = meta.base.max(pending.base);
                self.unpark(meta, u64::MAX).await?;
                Ok((Next::Waits(pending), Turn::default()))
            }
            TurnReply::Taken { turn, pending, committed } => {
                if let Some(end) = turn.end.clone() {
                    return Box::pin(self.end(meta, *turn, &end, &pending)).await;
                }
                if turn.continued.is_none() {
                    meta.base = meta.base.max(pending.base);
                }
                match committed {
                    Some(answer) => self.committed(&id, answer)?,
                    None => self.commit(&id, &turn).await?,
                }
                let changed = meta.learn([&*turn]);
                self.keep_attributes(meta, changed).await?;
                self.deliver(meta, &turn, &pending).await?;
                self.unpark(meta, turn.number).await?;
                if turn.continued.is_some() {
                    Box::pin(self.rebase(meta, turn.number)).await?;
                    return Ok((Next::Continued, *turn));
                }
                Ok((Next::Waits(pending), *turn))
            }
            TurnReply::Blocked { reason, facts } => {
                tracing::error!(execution = %meta.id, %reason, "execution is parked");
                Box::pin(self.park(meta, last + 1, Status::Parked, reason, facts)).await
            }
            TurnReply::Paused { reason, facts } => {
                Box::pin(self.park(meta, last + 1, Status::Paused, reason, facts)).await
            }
            TurnReply::Stale => Err(TurnError::Taken),
            TurnReply::Busy => {
                let waited = "another execution's code keeps the thread of workflow code; the message is handled again";
                Err(TurnError::Fault(Fault::new(format!("turn of {id}"), waited)))
            }
        }
    }

    /// Has the code take a turn, if this is the code that may.
    async fn take(&self, meta: &Meta, version: u64, committed: Vec<Turn>, facts: Vec<Fact>) -> TurnReply {
        if let Some((reason, facts)) = self.pinned_elsewhere(meta, &committed, &facts) {
            return TurnReply::Blocked { reason, facts };
        }
        let (id, run) = (meta.id.clone(), meta.run);
        let (now, store) = (self.ports.clock.now(), self.ports.store.clone());
        let meta = (version == 0).then(|| meta.clone());
        self.workflows.turn(TurnRequest { id, run, meta, version, committed, facts, now, store }).await
    }

    /// Notes that the code continued as new in turn `base`. The turns before the last time that it did are dropped; those
    /// between stay for a while, because a message that caused one of them may not be handled to its end.
    async fn rebase(&self, meta: &mut Meta, base: u64) -> Result<(), Fault> {
        let before = meta.base;
        meta.base = base;
        self.ports.store.set_status(meta).await?;
        if before > 0 { self.ports.store.retire(&meta.id, before).await } else { Ok(()) }
    }

    /// The code of a parked or paused execution goes on; what it took before the turn `own` is delivered, or else the execution
    /// would not look as if it stood still.
    async fn unpark(&self, meta: &mut Meta, own: u64) -> Result<(), Fault> {
        if !stands(meta) {
            return Ok(());
        }
        Box::pin(self.deliver_since_parked(meta, own)).await?;
        meta.status = Status::Running;
        meta.parked = None;
        self.ports.store.set_status(meta).await
    }

    /// Commits the turn that ends an execution, delivers it, and tells the execution that waits for it.
    async fn end(
        &self,
        meta: &mut Meta,
        turn: Turn,
        end: &Outcome,
        pending: &Pending,
    ) -> Result<(Next, Turn), TurnError> {
        if stands(meta) {
            Box::pin(self.deliver_since_parked(meta, turn.number)).await?;
        }
        let mut closed = self.closed(meta, end.clone());
        closed.learn([&turn]);
        self.committed(&meta.id, self.ports.store.finish(&closed, &turn).await)?;
        self.forget(&meta.id);
        *meta = closed;
        self.deliver(meta, &turn, pending).await?;
        self.tell_parent(meta, end.clone()).await?;
        Ok((Next::Ended, turn))
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<(), TurnError> {
        self.committed(id, self.ports.store.commit(id, turn).await)
    }

    fn committed(&self, id: &ExecutionId, answer: Result<Commit, Fault>) -> Result<(), TurnError> {
        match answer {
            Ok(Commit::Written) => Ok(()),
            refused => {
                // The machine in memory took a turn that is not history: only the store knows what is.
                self.forget(id);
                refused?;
                Err(TurnError::Taken)
            }
        }
    }

    /// Keeps what the execution was told, and says why its code does not go on.
    async fn park(
        &self,
        meta: &mut Meta,
        number: u64,
        status: Status,
        reason: String,
        facts: Vec<Fact>,
    ) -> Result<(Next, Turn), TurnError> {
        let mut turn = Turn::default();
        if facts.is_empty() && meta.status == status && meta.parked.as_ref() == Some(&reason) {
            self.forget(&meta.id);
            return Ok((Next::Parked, turn));
        }
        if !facts.is_empty() {
            let time = self.ports.clock.now();
            turn = Turn { number, time, facts, parked: Some(reason.clone()), ..Turn::default() };
            self.commit(&meta.id, &turn).await?;
        }
        self.forget(&meta.id);
        meta.status = status;
        meta.parked = Some(reason);
        self.ports.store.set_status(meta).await?;
        Ok((Next::Parked, turn))
    }

    /// Writes the end of an execution where it is looked up, and tells the execution that waits for it.
    pub(crate) async fn close(&self, meta: &mut Meta, end: Outcome) -> Result<(), Fault> {
        self.forget(&meta.id);
        *meta = self.closed(meta, end.clone());
        self.ports.store.set_status(meta).await?;
        self.tell_parent(meta, end).await
    }

    /// What is known of an execution that ends now.
    fn closed(&self, meta: &Meta, end: Outcome) -> Meta {
        let (status, closed) = (Status::of(&end), Some(self.ports.clock.now()));
        Meta { status, closed, end: Some(end), parked: None, ..meta.clone() }
    }
}

/// An execution that is being advanced: what is in memory may be ahead of what was written down of it. Where that fails, or whoever
/// waits for it goes away, only the store knows.
struct Unsure<'a> {
    engine: &'a Engine,
    id: Option<&'a ExecutionId>,
}

impl Unsure<'_> {
    fn settled(mut self) {
        self.id = None;
    }
}

impl Drop for Unsure<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.engine.forget(id);
        }
    }
}

/// Notes a message to another run than the one that has the name now. It is dropped: what it answers was asked by nobody who is
/// still there.
fn log_late(meta: &Meta, message: &Message) {
    let about: Vec<FactKey> = message.facts.iter().map(Fact::key).collect();
    let [run, addressee] = [meta.run, message.run].map(|it| it.map(|it| it.to_string()).unwrap_or_default());
    tracing::warn!(
        execution = %meta.id, run, addressee, ?about,
        "message dropped: it is for another execution, which had the same name"
    );
}

/// Whether its code stands still.
const fn stands(meta: &Meta) -> bool {
    matches!(meta.status, Status::Parked | Status::Paused)
}

/// The end of an execution that learns `facts`, if they end it without its code.
fn terminated(facts: &[Fact]) -> Option<Outcome> {
    facts.iter().find_map(|it| match it {
        Fact::Terminated { reason } => Some(Outcome::Terminated(reason.clone())),
        _ => None,
    })
}

/// The turn in which an execution ends without its code.
fn last_turn(committed: &[Turn], facts: Vec<Fact>, now: Millis, end: Outcome) -> Turn {
    let (number, time) = committed.last().map_or((0, now), |it| (it.number, now.max(it.time)));
    let Left { facts, stops, dropped, answers } = left_behind(committed, facts);
    Turn { number: number + 1, time, facts, stops, dropped, answers, end: Some(end), ..Turn::default() }
}

/// How it goes on after a turn.
pub(crate) enum Next {
    /// It had ended before; what its last turn asked for may not be delivered.
    Closed,
    /// Its code begins anew.
    Continued,
    Ended,
    Parked,
    Waits(Pending),
}

enum TurnError {
    Fault(Fault),
    Taken,
}

impl From<Fault> for TurnError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
