//! The side of an attempt of a task that its own code sees: heartbeats, the progress of the attempt before, its token,
//! and putting off its answer.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eventual_core::limits::HEARTBEAT_DETAILS_MAX as DETAILS_MAX;
use eventual_core::{Millis, Payload};
use tokio::sync::Notify;

use crate::ports::{AttemptId, Fault, Ports};

/// A heartbeat is written when the last one is this part of the period old: what comes sooner waits for the next.
const WRITTEN_PER_PERIOD: u64 = 3;

tokio::task_local! {
    static WORKER: Arc<Worker>;
}

/// Why a heartbeat was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BeatError {
    /// Nobody waits for this attempt any more: the call or its execution was cancelled, or another attempt was made.
    #[error("nobody waits for this attempt of the task any more")]
    Cancelled,
    /// The details are too large.
    #[error(
        "the details of a heartbeat have {0} bytes and may have {DETAILS_MAX}; keep large things elsewhere and report where"
    )]
    TooLarge(usize),
    /// The task did not say that it beats.
    #[error(
        "the task beats without declaring it: write `heartbeat = \"30s\"` in its attribute, the longest time between two heartbeats"
    )]
    Undeclared,
}

/// One attempt, for the code that performs it.
pub struct Worker {
    /// Absent for a task that a test runs by itself.
    at: Option<At>,
    /// What the code may hand to whoever gives the answer.
    token: Option<String>,
    state: Mutex<State>,
    put_off: Notify,
}

/// Which attempt it is.
struct At {
    ports: Ports,
    id: AttemptId,
    inline: bool,
    period_ms: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// When a heartbeat was last written.
    written: Option<Millis>,
    /// Details that wait for the next one.
    unwritten: Option<Payload>,
    cancelled: bool,
    /// How long somebody else may take for the answer.
    within: Option<u64>,
}

impl Worker {
    /// Of an attempt that an execution waits for.
    pub(crate) fn new(
        ports: Ports,
        id: AttemptId,
        inline: bool,
        period_ms: Option<u64>,
        token: Option<String>,
    ) -> Arc<Self> {
        let at = Some(At { ports, id, inline, period_ms });
        Arc::new(Self { at, token, state: Mutex::default(), put_off: Notify::new() })
    }

    /// Of a task that a test runs by itself: it beats in vain, and nothing is remembered of it.
    pub(crate) fn alone() -> Arc<Self> {
        Arc::new(Self { at: None, token: None, state: Mutex::default(), put_off: Notify::new() })
    }

    /// The worker whose code runs in this tokio task.
    #[must_use]
    pub fn current() -> Option<Arc<Self>> {
        WORKER.try_with(Clone::clone).ok()
    }

    /// Runs the code of an attempt.
    pub(crate) async fn run<F: Future>(self: Arc<Self>, code: F) -> F::Output {
        WORKER.scope(self, code).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token with which somebody else may answer for this attempt, if the task takes one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Says that the attempt is alive and, with details, how far it is. Most heartbeats are not written: one in a third of
    /// the task's period is enough.
    ///
    /// # Errors
    /// When nobody waits for the attempt any more, the details are too large, or the task does not declare that it beats.
    /// A store that fails is no error: if it goes on failing, the heartbeat counts as lost.
    pub async fn beat(&self, details: Option<Payload>) -> Result<(), BeatError> {
        if let Some(size) = details.as_ref().map(|it| it.as_bytes().len()).filter(|it| *it > DETAILS_MAX) {
            return Err(BeatError::TooLarge(size));
        }
        let Some(at) = self.at.as_ref().filter(|it| !it.inline) else { return Ok(()) };
        let Some(period) = at.period_ms else { return Err(BeatError::Undeclared) };
        let now = at.ports.clock.now();
        let details = {
            let mut state = self.state();
            if state.cancelled {
                return Err(BeatError::Cancelled);
            }
            let details = details.or_else(|| state.unwritten.take());
            if state.written.is_some_and(|it| now < it.saturating_add(period / WRITTEN_PER_PERIOD)) {
                state.unwritten = details;
                return Ok(());
            }
            details
        };
        let written = at.ports.store.heartbeat(&at.id, now, details.as_ref()).await;
        let mut state = self.state();
        match written {
            Ok(beat) => {
                state.written = Some(now);
                state.cancelled = beat.cancelled;
            }
            Err(fault) => {
                tracing::warn!(execution = %at.id.execution, seq = at.id.seq, %fault, "heartbeat not written");
                state.unwritten = state.unwritten.take().or(details);
            }
        }
        if state.cancelled { Err(BeatError::Cancelled) } else { Ok(()) }
    }

    /// Runs code and beats meanwhile.
    ///
    /// # Errors
    /// As of [`Worker::beat`]; the code is dropped then.
    pub async fn beating<F: Future>(&self, code: F) -> Result<F::Output, BeatError> {
        let mut code = pin!(code);
        let period_ms = self.at.as_ref().and_then(|it| it.period_ms).unwrap_or(WRITTEN_PER_PERIOD);
        let pause = Duration::from_millis((period_ms / WRITTEN_PER_PERIOD).max(1));
        loop {
            self.beat(None).await?;
            tokio::select! {
                biased;
                value = code.as_mut() => return Ok(value),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// The details that an earlier attempt reported last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_details(&self) -> Result<Option<Payload>, Fault> {
        let Some(at) = &self.at else { return Ok(None) };
        for attempt in (1..at.id.attempt).rev() {
            let record = at.ports.store.attempt_of(&AttemptId { attempt, ..at.id.clone() }).await;
            let record = record.inspect_err(|fault| {
                tracing::error!(%fault, "the details of the last heartbeat cannot be read");
            })?;
            if let Some(details) = record.and_then(|it| it.details) {
                return Ok(Some(details));
            }
        }
        Ok(None)
    }

    /// Ends the code of the attempt without an answer, which somebody with its token gives within so many milliseconds.
    pub async fn put_off(&self, within_ms: u64) {
        self.state().within = Some(within_ms);
        self.put_off.notify_one();
        std::future::pending::<()>().await;
    }

    /// Whether the code was told that nobody waits for it.
    pub(crate) fn was_told(&self) -> bool {
        self.state().cancelled
    }

    /// Waits until the code has put its answer off: how long somebody else may take for it.
    pub(crate) async fn is_put_off(&self) -> u64 {
        loop {
            if let Some(within) = self.state().within {
                return within;
            }
            self.put_off.notified().await;
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}
