//! A wake-up: load, take turns, commit each, deliver each, until the execution waits for somebody else.

use std::collections::BTreeSet;
use std::mem;

use eventual_core::{Call, ExecutionId, Fact, Left, Millis, Outcome, Seq, Status, Turn, left_behind};

use crate::engine::Engine;
use crate::ports::{Commit, Fault, Message, Meta, Secret};
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
        let _turns = self.lock(id).await;
        // A message that brings something new finds a machine that is behind by its commit; others look at the store.
        let warm = if redelivered || message.facts.is_empty() { None } else { self.remembered(id) };
        let mut look = warm.is_none();
        let mut meta = match warm {
            Some(meta) => meta,
            None => self.ports.store.meta(id).await?.ok_or_else(|| AdvanceError::Unknown(id.clone()))?,
        };
        if !meta.status.is_closed() && self.forward(&meta, &message, redelivered).await? {
            return Ok(());
        }
        if redelivered {
            self.finish_delivery(&meta, &message.facts, true).await?;
        }
        if meta.secret.is_empty() && !meta.status.is_closed() {
            // It was started before there were tokens.
            meta.secret = Secret::random(&*self.ports.clock);
            self.ports.store.set_status(&meta).await?;
        }
        if meta.status.is_closed() {
            if !redelivered && !message.facts.is_empty() {
                self.finish_delivery(&meta, &message.facts, false).await?;
            }
            return Ok(());
        }
        // Facts that somebody else has recorded may be of a turn that nobody has delivered: their message was redriven
        // from the dead-letter queue, or its first handler died after another one overtook it.
        let mut doubtful = !redelivered && !message.facts.is_empty();
        let told = message.facts.clone();
        let mut facts = self.watch(id, message.facts).await?;
        if facts.is_empty() && !told.is_empty() {
            // Whatever it was about goes on as it did.
            return Ok(());
        }
        self.tell_declared(&meta, &mut facts);
        let mut conflicts = 0;
        loop {
            match self.turn(&mut meta, facts.clone(), look).await {
                Ok(next) => {
                    if doubtful && !matches!(next, Next::Took(_) | Next::Ended) {
                        self.finish_delivery(&meta, &told, false).await?;
                    }
                    doubtful = false;
                    match next {
                        Next::Closed | Next::Ended | Next::Parked => return Ok(()),
                        Next::Continued => {
                            facts = Vec::new();
                            look = false;
                        }
                        Next::Nothing(pending) | Next::Took(pending) if !pending.is_ours() => {
                            self.remember(&meta);
                            return Ok(());
                        }
                        Next::Nothing(mut pending) | Next::Took(mut pending) => {
                            facts = self.operate_all(id, mem::take(&mut pending.operations)).await?;
                            facts.extend(self.perform_inline(id, pending).await?);
                            look = false;
                        }
                    }
                }
                Err(TurnError::Taken) if conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    look = true;
                }
                Err(TurnError::Taken) => return Err(AdvanceError::Contended(id.clone())),
                Err(TurnError::Fault(fault)) => return Err(fault.into()),
            }
        }
    }

    /// Takes one turn, commits and delivers it. Without `look`, a machine in memory is taken to be as new as the store.
    async fn turn(&self, meta: &mut Meta, facts: Vec<Fact>, look: bool) -> Result<Next, TurnError> {
        let id = meta.id.clone();
        // To end an execution, its history alone is asked: its code may keep its thread, or not go with it.
        let terminated = terminated(&facts);
        let version = if terminated.is_some() { 0 } else { self.workflows.version(&id).await };
        let mut committed = match version {
            1.. if !look => Vec::new(),
            0 => self.ports.store.turns(&id, meta.superseded()).await?,
            _ => self.ports.store.turns(&id, version).await?,
        };
        if version == 0 {
            self.complete_fork(meta, &mut committed).await?;
        }
        let last = committed.last().map_or(version, |it| it.number);
        let mut behind = meta.learn(&committed);
        if last == 0 {
            // What it was started with is not written by its starter, who may die before that.
            behind.attributes.extend(meta.attributes.keys().cloned());
        }
        self.keep_attributes(meta, behind).await?;
        if let Some(end) = committed.last().and_then(|it| it.end.clone()) {
            // It was closed, but whoever closed it died before it said so.
            self.close(meta, end).await?;
            return Ok(Next::Closed);
        }
        if let Some(end) = terminated {
            let facts = meta.forked_at(last).into_iter().chain(facts).collect();
            let turn = last_turn(&committed, facts, self.ports.clock.now(), end.clone());
            return self.end(meta, &turn, &end, &Pending::default()).await;
        }
        match self.take(meta, version, committed, facts).await {
            TurnReply::Nothing(pending) => {
                meta.base = meta.base.max(pending.base);
                self.unpark(meta).await?;
                Ok(Next::Nothing(pending))
            }
            TurnReply::Taken { turn, pending } => {
                if let Some(end) = &turn.end {
                    return self.end(meta, &turn, end, &pending).await;
                }
                if turn.continued.is_none() {
                    meta.base = meta.base.max(pending.base);
                }
                self.commit(&id, &turn).await?;
                let changed = meta.learn([&*turn]);
                self.keep_attributes(meta, changed).await?;
                self.unpark(meta).await?;
                self.deliver(&id, &turn, &pending).await?;
                if turn.continued.is_some() {
                    self.rebase(meta, turn.number).await?;
                    return Ok(Next::Continued);
                }
                Ok(Next::Took(pending))
            }
            TurnReply::Blocked { reason, facts } => {
                tracing::error!(execution = %meta.id, %reason, "execution is parked");
                self.park(meta, last + 1, Status::Parked, reason, facts).await?;
                Ok(Next::Parked)
            }
            TurnReply::Paused { reason, facts } => {
                self.park(meta, last + 1, Status::Paused, reason, facts).await?;
                Ok(Next::Parked)
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
        let last = committed.last().map_or(version, |it| it.number);
        let (meta, now) = (meta.clone(), self.ports.clock.now());
        let facts = meta.forked_at(last).into_iter().chain(facts).collect();
        self.workflows.turn(TurnRequest { meta, version, committed, facts, now }).await
    }

    /// Notes that the code continued as new in turn `base`. The turns before the last time that it did are dropped; those
    /// between stay for a while, because a message that caused one of them may not be handled to its end.
    async fn rebase(&self, meta: &mut Meta, base: u64) -> Result<(), Fault> {
        let before = meta.base;
        meta.base = base;
        self.ports.store.set_status(meta).await?;
        if before > 0 { self.ports.store.retire(&meta.id, before).await } else { Ok(()) }
    }

    /// The code of a parked or paused execution goes on.
    async fn unpark(&self, meta: &mut Meta) -> Result<(), Fault> {
        if !matches!(meta.status, Status::Parked | Status::Paused) {
            return Ok(());
        }
        meta.status = Status::Running;
        meta.parked = None;
        self.ports.store.set_status(meta).await
    }

    /// Commits the turn that ends an execution, delivers it, and tells the execution that waits for it.
    async fn end(
        &self,
        meta: &mut Meta,
        turn: &Turn,
        end: &Outcome,
        pending: &Pending,
    ) -> Result<Next, TurnError> {
        let closed = self.closed(meta, end.clone());
        self.committed(&meta.id, self.ports.store.finish(&closed, turn).await)?;
        self.forget(&meta.id);
        *meta = closed;
        self.deliver(&meta.id, turn, pending).await?;
        self.tell_parent(meta, end.clone()).await?;
        Ok(Next::Ended)
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
    ) -> Result<(), TurnError> {
        if facts.is_empty() && meta.status == status && meta.parked.as_ref() == Some(&reason) {
            self.forget(&meta.id);
            return Ok(());
        }
        if !facts.is_empty() {
            let time = self.ports.clock.now();
            let turn = Turn { number, time, facts, parked: Some(reason.clone()), ..Turn::default() };
            self.commit(&meta.id, &turn).await?;
        }
        self.forget(&meta.id);
        meta.status = status;
        meta.parked = Some(reason);
        Ok(self.ports.store.set_status(meta).await?)
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

    /// Delivers what a message with `facts` caused, because its process may have died between commit and delivery: the turns
    /// that recorded them, and those that followed without another message. When none recorded them, the last turn alone,
    /// if `last_anyway`; for a message without facts also all turns that such a message causes.
    async fn finish_delivery(&self, meta: &Meta, facts: &[Fact], last_anyway: bool) -> Result<(), Fault> {
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
        if caused.is_empty() {
            return Ok(());
        }
        let pending = Pending::of_history(&turns);
        let learnt = learnt_outcomes(&turns);
        for (index, turn) in turns.iter().enumerate() {
            if meta.is_copied(turn) {
                continue;
            }
            if caused.contains(&index) || (facts.is_empty() && last_anyway && is_untold(turn, &inline)) {
                let mut turn = turn.clone();
                turn.calls.retain(|(seq, _)| !learnt.contains(seq));
                self.deliver(&meta.id, &turn, &pending).await?;
            }
        }
        match &meta.end {
            Some(end) if meta.status.is_closed() => self.tell_parent(meta, end.clone()).await,
            _ => Ok(()),
        }
    }
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

/// The calls of others (children, updates, operations) whose outcome is recorded, so that they were delivered. To deliver
/// them once more would make the others answer once more, and that answer deliver them again, without end.
fn learnt_outcomes(turns: &[Turn]) -> BTreeSet<Seq> {
    let facts = turns.iter().flat_map(|it| &it.facts);
    facts
        .filter_map(|fact| match fact {
            Fact::ChildDone { seq, .. } | Fact::OperationDone { seq, .. } | Fact::UpdateDone { seq, .. } => {
                Some(*seq)
            }
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
enum Next {
    /// It had ended before; what its last turn asked for may not be delivered.
    Closed,
    /// Its code begins anew.
    Continued,
    Ended,
    /// There was nothing new.
    Nothing(Pending),
    Parked,
    Took(Pending),
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
