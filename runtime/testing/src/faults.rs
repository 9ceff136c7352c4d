//! Ports that fail where a test wants: the process dies at its n-th port call, before or after the call took effect.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use eventual_engine::Ports;
use eventual_engine::core::{Emitted, ExecutionId, Millis, Outcome, Payload, Turn};
use eventual_engine::ports::{
    AttemptId, AttemptRecord, Awaited, Beat, BoxFuture, Commit, Completed, Dispatch, Fault, Insert,
    ListQuery, Message, Meta, Page, Store, TaskRequest, Timer,
};

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// Number of the port call, from 0.
    pub call: u64,
    /// Whether the call takes effect and only its answer is lost.
    pub after_effect: bool,
}

/// Ports over other ports, in a process that dies at one point.
pub struct Faults {
    inner: Ports,
    point: CrashPoint,
    calls: AtomicU64,
    dead: AtomicBool,
    /// What was asked at the point.
    reached: Mutex<Option<String>>,
}

impl Faults {
    /// `inner`, but the process dies at `point`. Every call after it fails until [`Faults::revive`].
    #[must_use]
    pub fn new(inner: Ports, point: CrashPoint) -> Arc<Self> {
        Arc::new(Self {
            inner,
            point,
            calls: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            reached: Mutex::default(),
        })
    }

    /// These ports, for an engine.
    #[must_use]
    pub fn ports(self: &Arc<Self>) -> Ports {
        Ports { store: self.clone(), dispatch: self.clone(), clock: self.inner.clock.clone() }
    }

    /// Whether the process has died.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Number of port calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Whether the point was ever reached.
    pub fn was_reached(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.point.call
    }

    /// A new process takes over; it does not die again.
    pub fn revive(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }

    /// What was asked at the point, for people, once it was reached.
    pub fn reached(&self) -> Option<String> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn through<T>(
        &self,
        what: impl FnOnce() -> String,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let here = number == self.point.call;
        if here {
            *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(what());
            self.dead.store(true, Ordering::SeqCst);
        }
        let takes_effect = !self.is_dead() || (here && self.point.after_effect);
        let answer = if takes_effect { Some(call.await) } else { None };
        match answer {
            Some(answer) if !self.is_dead() => answer,
            _ => Err(Fault::new(format!("port call {number}"), "the process died here")),
        }
    }
}

#[async_trait]
impl Store for Faults {
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault> {
        self.through(|| format!("insertion of {}", meta.id), self.inner.store.insert(meta)).await
    }

    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault> {
        self.through(|| format!("reading of {id}"), self.inner.store.meta(id)).await
    }

    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        self.through(|| format!("reading of the turns of {id}"), self.inner.store.turns(id, after)).await
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        self.through(|| format!("commit of turn {} of {id}", turn.number), self.inner.store.commit(id, turn))
            .await
    }

    async fn set_status(&self, meta: &Meta) -> Result<(), Fault> {
        self.through(|| format!("status of {}", meta.id), self.inner.store.set_status(meta)).await
    }

    async fn claim(&self, attempt: &AttemptId, lease_ms: u64) -> Result<bool, Fault> {
        self.through(|| format!("claim of {attempt}"), self.inner.store.claim(attempt, lease_ms)).await
    }

    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault> {
        self.through(|| format!("answer to an update of {id}"), self.inner.store.answer(id, update, outcome))
            .await
    }

    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        self.through(|| format!("answer of an update of {id}"), self.inner.store.answered(id, update)).await
    }

    async fn heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        let what = || format!("heartbeat of {attempt}");
        self.through(what, self.inner.store.heartbeat(attempt, now, details)).await
    }

    async fn attempt_of(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        self.through(|| format!("reading of {attempt}"), self.inner.store.attempt_of(attempt)).await
    }

    async fn cancel_attempt(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault> {
        self.through(|| format!("cancellation of {attempt}"), self.inner.store.cancel_attempt(attempt)).await
    }

    async fn complete_attempt(&self, attempt: &AttemptId, outcome: &Outcome) -> Result<Completed, Fault> {
        let what = || format!("completion of {attempt}");
        self.through(what, self.inner.store.complete_attempt(attempt, outcome)).await
    }

    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        self.through(|| format!("retirement of turns of {id}"), self.inner.store.retire(id, before)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, Fault> {
        self.through(|| "list of executions".to_owned(), self.inner.store.list(query)).await
    }
}

#[async_trait]
impl Dispatch for Faults {
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault> {
        self.through(|| format!("message to {id}"), self.inner.dispatch.wake(id, message)).await
    }

    async fn task(&self, request: &TaskRequest) -> Result<(), Fault> {
        self.through(
            || format!("task `{}` of {}", request.task, request.execution),
            self.inner.dispatch.task(request),
        )
        .await
    }

    async fn timer(&self, timer: &Timer) -> Result<(), Fault> {
        self.through(|| format!("timer of {}", timer.execution), self.inner.dispatch.timer(timer)).await
    }

    async fn emit(&self, key: &str, events: &[Emitted]) -> Result<(), Fault> {
        self.through(|| format!("events of {key}"), self.inner.dispatch.emit(key, events)).await
    }

    fn progress(&self, id: &ExecutionId, awaited: Awaited) -> BoxFuture<'static, ()> {
        self.inner.dispatch.progress(id, awaited)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("point", &self.point).finish_non_exhaustive()
    }
}
