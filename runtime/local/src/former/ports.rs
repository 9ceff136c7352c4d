//! The ports of a former program's engine: every call is asked of the program that serves, over the line. Deliberately without a
//! store, a queue or a decision of its own. The clock is this machine's, which both programs have.
//!
//! What the ports' traits do by themselves stays: a commit is one call, so is a [`Store::finish`], and whoever waits for another
//! execution looks again after a moment.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use eventual_core::{Emitted, ExecutionId, Millis, Outcome, Payload, Turn};
use eventual_engine::codec::ForwardMessage;
use eventual_engine::ports::{
    AttemptId, AttemptRecord, Beat, Commit, Completed, Dispatch, Fault, Forward, Forwarded, Insert,
    ListQuery, Message, Meta, Page, Store, TaskRequest, Timer,
};
use tokio::sync::oneshot;

use super::ask::{Ask, Reply};
use super::line::Line;
use super::talk::Up;

tokio::task_local! {
    /// The forward that is being handled: its calls are made where the other program waits for it.
    pub(super) static FORWARD: u64;
}

type Waiting = HashMap<u64, oneshot::Sender<Result<Reply, Fault>>>;

/// The program that serves, as the former sees it.
#[derive(Debug)]
pub(super) struct Server {
    line: Line,
    waiting: Mutex<Waiting>,
    calls: AtomicU64,
}

impl Server {
    pub(super) fn new(line: Line) -> Arc<Self> {
        Arc::new(Self { line, waiting: Mutex::default(), calls: AtomicU64::new(0) })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something. What is too long to be read is not said; the answer is how long it is.
    pub(super) fn say(&self, up: &Up) -> Result<(), usize> {
        self.line.send(up.encode()?);
        Ok(())
    }

    /// An answer has come. Nobody may wait for it any more.
    pub(super) fn answered(&self, call: u64, reply: Result<Reply, Fault>) {
        if let Some(asked) = self.waiting().remove(&call) {
            let _ = asked.send(reply);
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Reply, Fault> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let (sender, reply) = oneshot::channel();
        self.waiting().insert(call, sender);
        let _asked = Asked { server: self, call };
        let forward = FORWARD.try_with(|it| *it).unwrap_or_default();
        self.say(&Up::Ask { forward, call, ask }).map_err(|length| {
            Fault::new("call of the program that serves", format!("{length} bytes are too many for a frame"))
        })?;
        // Never an error: this process ends with the other one.
        reply.await.map_err(|error| Fault::new("call of the program that serves", error))?
    }
}

/// A call, until it is answered or nobody waits for it.
struct Asked<'a> {
    server: &'a Server,
    call: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.server.waiting().remove(&self.call);
    }
}

/// The ports.
#[derive(Clone, Debug)]
pub(super) struct Asking(pub(super) Arc<Server>);

/// Asks, and takes the kind of answer that the call has.
macro_rules! ask {
    ($asking:expr, $ask:expr, $answer:pat => $value:expr) => {
        match $asking.0.ask($ask).await? {
            $answer => Ok($value),
            other => Err(Fault::new("call of the program that serves", format!("it answered {other:?}"))),
        }
    };
}

#[async_trait]
impl Store for Asking {
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault> {
        ask!(self, Ask::Insert(Box::new(meta.clone())), Reply::Inserted(it) => it)
    }

    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault> {
        ask!(self, Ask::Meta(id.clone()), Reply::Meta(it) => it.map(|it| *it))
    }

    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        ask!(self, Ask::Turns(id.clone(), after), Reply::Turns(it) => it)
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        ask!(self, Ask::Commit(id.clone(), Box::new(turn.clone())), Reply::Committed(it) => it)
    }

    async fn finish(&self, meta: &Meta, turn: &Turn) -> Result<Commit, Fault> {
        let ask = Ask::Finish(Box::new(meta.clone()), Box::new(turn.clone()));
        ask!(self, ask, Reply::Committed(it) => it)
    }

    async fn set_status(&self, meta: &Meta) -> Result<(), Fault> {
        ask!(self, Ask::SetStatus(Box::new(meta.clone())), Reply::Done => ())
    }

    async fn claim(&self, attempt: &AttemptId, lease_ms: u64) -> Result<bool, Fault> {
        ask!(self, Ask::Claim(attempt.clone(), lease_ms), Reply::Claimed(it) => it)
    }

    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault> {
        ask!(self, Ask::Answer(id.clone(), update.to_owned(), outcome.clone()), Reply::Done => ())
    }

    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        ask!(self, Ask::Answered(id.clone(), update.to_owned()), Reply::Outcome(it) => it)
    }

    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        ask!(self, Ask::Retire(id.clone(), before), Reply::Done => ())
    }

    async fn heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        ask!(self, Ask::Heartbeat(attempt.clone(), now, details.cloned()), Reply::Beat(it) => it)
    }

    async fn attempt_of(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        ask!(self, Ask::AttemptOf(attempt.clone()), Reply::Attempt(it) => it)
    }

    async fn cancel_attempt(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault> {
        ask!(self, Ask::CancelAttempt(attempt.clone()), Reply::Outcome(it) => it)
    }

    async fn complete_attempt(&self, attempt: &AttemptId, outcome: &Outcome) -> Result<Completed, Fault> {
        ask!(self, Ask::CompleteAttempt(attempt.clone(), outcome.clone()), Reply::Completed(it) => it)
    }

    async fn set_attributes(&self, meta: &Meta, changed: &[String]) -> Result<(), Fault> {
        ask!(self, Ask::SetAttributes(Box::new(meta.clone()), changed.to_vec()), Reply::Done => ())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, Fault> {
        ask!(self, Ask::List(Box::new(query.clone())), Reply::Page(it) => it)
    }
}

#[async_trait]
impl Dispatch for Asking {
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault> {
        ask!(self, Ask::Wake(id.clone(), message.clone()), Reply::Done => ())
    }

    async fn task(&self, request: &TaskRequest) -> Result<(), Fault> {
        ask!(self, Ask::Task(Box::new(request.clone())), Reply::Done => ())
    }

    async fn timer(&self, timer: &Timer) -> Result<(), Fault> {
        ask!(self, Ask::Timer(Box::new(timer.clone())), Reply::Done => ())
    }

    async fn emit(&self, key: &str, events: &[Emitted]) -> Result<(), Fault> {
        ask!(self, Ask::Emit(key.to_owned(), events.to_vec()), Reply::Done => ())
    }

    async fn forward(&self, code: &str, id: &ExecutionId, forward: &Forward) -> Result<Forwarded, Fault> {
        let (execution, code, forward) = (id.clone(), code.to_owned(), forward.clone());
        let ask = Ask::Forward(Box::new(ForwardMessage { execution, code, forward }));
        ask!(self, ask, Reply::Forwarded(it) => it)
    }
}
