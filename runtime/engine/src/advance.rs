//! A wake-up: load, take turns, commit each, deliver each, until the execution waits for somebody else.

use eventual_core::{ExecutionId, Fact, Outcome, Status, Turn};

use crate::engine::Engine;
use crate::ports::{Commit, Fault, Message, Meta};
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
        if redelivered {
            self.finish_delivery(&meta).await?;
        }
        if meta.status.is_closed() {
            return Ok(());
        }
        let mut facts = message.facts;
        let mut conflicts = 0;
        loop {
            match self.turn(&mut meta, facts.clone(), look).await {
                Ok(Some(pending)) if pending.inline.is_empty() => {
                    self.remember(&meta);
                    return Ok(());
                }
                Ok(Some(pending)) => {
                    facts = self.perform_inline(id, pending).await;
                    look = false;
                }
                Ok(None) => return Ok(()),
                Err(TurnError::Taken) if conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    look = true;
                }
                Err(TurnError::Taken) => return Err(AdvanceError::Contended(id.clone())),
                Err(TurnError::Fault(fault)) => return Err(fault.into()),
            }
        }
    }

    /// Takes one turn, commits and delivers it. `None` when the execution has ended or is parked. Without `look`, a
    /// machine in memory is taken to be as new as the store.
    async fn turn(
        &self,
        meta: &mut Meta,
        facts: Vec<Fact>,
        look: bool,
    ) -> Result<Option<Pending>, TurnError> {
        let id = meta.id.clone();
        let version = self.workflows.version(&id).await;
        let committed = match version {
            1.. if !look => Vec::new(),
            _ => self.ports.store.turns(&id, version).await?,
        };
        let last = committed.last().map_or(version, |it| it.number);
        if let Some(end) = committed.last().and_then(|it| it.end.clone()) {
            // It was closed, but whoever closed it died before it said so.
            self.close(meta, end).await?;
            return Ok(None);
        }
        let request = TurnRequest { meta: meta.clone(), committed, facts, now: self.ports.clock.now() };
        match self.workflows.turn(request).await {
            TurnReply::Nothing(pending) => Ok(Some(pending)),
            TurnReply::Taken { turn, pending } => {
                self.commit(&id, &turn).await?;
                if meta.status == Status::Parked {
                    meta.status = Status::Running;
                    meta.parked = None;
                    self.ports.store.set_status(meta).await?;
                }
                self.deliver(&id, &turn, &pending).await?;
                match turn.end {
                    None => Ok(Some(pending)),
                    Some(end) => {
                        self.close(meta, end).await?;
                        Ok(None)
                    }
                }
            }
            TurnReply::Blocked { reason, facts } => {
                self.park(meta, last + 1, reason, facts).await?;
                Ok(None)
            }
        }
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<(), TurnError> {
        match self.ports.store.commit(id, turn).await {
            Ok(Commit::Written) => Ok(()),
            refused => {
                // The machine in memory took a turn that is not history: only the store knows what is.
                self.forget(id);
                refused?;
                Err(TurnError::Taken)
            }
        }
    }

    /// Keeps what the execution was told, and says why its code cannot go on.
    async fn park(
        &self,
        meta: &mut Meta,
        number: u64,
        reason: String,
        facts: Vec<Fact>,
    ) -> Result<(), TurnError> {
        tracing::error!(execution = %meta.id, %reason, "execution is parked");
        if !facts.is_empty() {
            let time = self.ports.clock.now();
            let (calls, attempts) = (Vec::new(), Vec::new());
            let turn = Turn { number, time, facts, calls, attempts, end: None, parked: Some(reason.clone()) };
            self.commit(&meta.id, &turn).await?;
        }
        self.forget(&meta.id);
        meta.status = Status::Parked;
        meta.parked = Some(reason);
        Ok(self.ports.store.set_status(meta).await?)
    }

    /// Writes the end of an execution where it is looked up, and tells the execution that waits for it.
    pub(crate) async fn close(&self, meta: &mut Meta, end: Outcome) -> Result<(), Fault> {
        self.forget(&meta.id);
        meta.status = Status::of(&end);
        meta.closed = Some(self.ports.clock.now());
        meta.end = Some(end.clone());
        meta.parked = None;
        self.ports.store.set_status(meta).await?;
        self.tell_parent(meta, end).await
    }

    /// Delivers what the last turn asked for: its process may have died between commit and delivery. Earlier turns
    /// were delivered before a later one was taken.
    async fn finish_delivery(&self, meta: &Meta) -> Result<(), Fault> {
        let turns = self.ports.store.turns(&meta.id, 0).await?;
        let Some(last) = turns.last() else { return Ok(()) };
        let pending = Pending::of_history(&turns);
        self.deliver(&meta.id, last, &pending).await?;
        match &meta.end {
            Some(end) if meta.status.is_closed() => self.tell_parent(meta, end.clone()).await,
            _ => Ok(()),
        }
    }
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
