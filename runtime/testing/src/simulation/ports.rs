//! The ports of one simulated process: those of the world, with trouble on the way.
//!
//! Deliberately without a plan of its own: chance is [`super::shared`]'s.

use std::sync::Arc;

use async_trait::async_trait;
use eventual_engine::Ports;
use eventual_engine::core::{Call, Emitted, ExecutionId, Millis, Outcome, Payload, Turn};
use eventual_engine::ports::{
    AttemptId, AttemptRecord, Beat, Clock, Commit, Completed, Dispatch, Fault, Forward, Forwarded, Insert,
    ListQuery, Message, Meta, Page, Store, TaskRequest, Timer,
};

use super::Mutant;
use super::shared::{Shared, Trouble};

pub(super) struct SimulatedPorts {
    shared: Arc<Shared>,
    process: usize,
}

impl SimulatedPorts {
    pub(super) fn ports(shared: Arc<Shared>, process: usize) -> Ports {
        let clock = shared.world.clone();
        let ports = Arc::new(Self { shared, process });
        Ports { store: ports.clone(), dispatch: ports, clock }
    }

    async fn through<T: Send>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        let now = self.shared.world.now();
        let (trouble, yields) = self.shared.draw(name);
        if yields {
            self.shared.wait_until(now).await;
        }
        match trouble {
            Trouble::Crash { after: false } => return self.die().await,
            Trouble::Fault { after: false } => return Err(Fault::new(name, "it failed and had no effect")),
            Trouble::Stall { after: false, ms } => self.shared.wait_until(now + ms).await,
            _ => {}
        }
        let answer = call.await;
        match trouble {
            Trouble::Crash { after: true } => self.die().await,
            Trouble::Fault { after: true } => Err(Fault::new(name, "it took effect and its answer was lost")),
            Trouble::Stall { after: true, ms } => {
                self.shared.wait_until(now + ms).await;
                answer
            }
            _ => answer,
        }
    }

    /// The schedule drops the process, and this call with it.
    async fn die<T>(&self) -> T {
        self.shared.state().crashed = Some(self.process);
        std::future::pending().await
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.shared.mutant == Some(mutant)
    }
}

/// The tasks that a turn asks for, as its delivery would request them.
fn requests(meta: &Meta, turn: &Turn) -> Vec<TaskRequest> {
    let requests = turn.calls.iter().filter_map(|(seq, call)| {
        let Call::Task(task) = call else { return None };
        (!task.inline).then(|| TaskRequest {
            execution: meta.id.clone(),
            run: meta.run,
            seq: *seq,
            attempt: 1,
            task: task.name.clone(),
            input: task.input.clone(),
            idempotency_key: meta.key_of(*seq),
            timeout_ms: task.timeout_ms,
            scheduled: turn.time,
            heartbeat_ms: task.heartbeat_ms,
        })
    });
    requests.collect()
}

#[async_trait]
impl Store for SimulatedPorts {
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault> {
        self.through("insert", self.shared.world.insert(meta)).await
    }

    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault> {
        let meta = self.through("meta", self.shared.world.meta(id)).await?;
        let unread = self.is(Mutant::IgnoredPins);
        Ok(meta.map(|it| Meta { pinned: it.pinned && !unread, ..it }))
    }

    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        self.through("turns", self.shared.world.turns(id, after)).await
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        if self.is(Mutant::DeliverBeforeCommit) {
            let requests = self.shared.world.peek(id, |meta, _| requests(meta, turn));
            for request in requests.unwrap_or_default() {
                self.shared.world.task(&request).await?;
            }
        }
        let unconditional = self.is(Mutant::UnconditionalCommit);
        let write = async {
            if unconditional {
                self.shared.world.overwrite(id, turn);
                return Ok(Commit::Written);
            }
            self.shared.world.commit(id, turn).await
        };
        self.through("commit", write).await
    }

    async fn set_status(&self, meta: &Meta) -> Result<(), Fault> {
        self.through("set_status", self.shared.world.set_status(meta)).await
    }

    async fn claim(&self, attempt: &AttemptId, lease_ms: u64) -> Result<bool, Fault> {
        let taken = self.through("claim", self.shared.world.claim(attempt, lease_ms)).await?;
        Ok(taken || self.is(Mutant::ForgetfulClaims))
    }

    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault> {
        self.through("answer", self.shared.world.answer(id, update, outcome)).await
    }

    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        self.through("answered", self.shared.world.answered(id, update)).await
    }

    async fn heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        self.through("heartbeat", self.shared.world.heartbeat(attempt, now, details)).await
    }

    async fn attempt_of(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        self.through("attempt_of", self.shared.world.attempt_of(attempt)).await
    }

    async fn cancel_attempt(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault> {
        if self.is(Mutant::UnheardCancellations) {
            return Ok(None);
        }
        self.through("cancel_attempt", self.shared.world.cancel_attempt(attempt)).await
    }

    async fn complete_attempt(&self, attempt: &AttemptId, outcome: &Outcome) -> Result<Completed, Fault> {
        if self.is(Mutant::ForgottenAnswers) {
            return Ok(Completed::Kept);
        }
        self.through("complete_attempt", self.shared.world.complete_attempt(attempt, outcome)).await
    }

    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        let retire = async {
            self.shared.keep_retired(id, before);
            self.shared.world.retire(id, before).await
        };
        self.through("retire", retire).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, Fault> {
        self.through("list", self.shared.world.list(query)).await
    }
}

#[async_trait]
impl Dispatch for SimulatedPorts {
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault> {
        self.through("wake", self.shared.world.wake(id, message)).await
    }

    async fn task(&self, request: &TaskRequest) -> Result<(), Fault> {
        self.through("task", self.shared.world.task(request)).await
    }

    async fn timer(&self, timer: &Timer) -> Result<(), Fault> {
        self.through("timer", self.shared.world.timer(timer)).await
    }

    async fn forward(&self, code: &str, id: &ExecutionId, forward: &Forward) -> Result<Forwarded, Fault> {
        self.through("forward", self.shared.forward(code, id, forward)).await
    }

    async fn emit(&self, key: &str, events: &[Emitted]) -> Result<(), Fault> {
        let publish = async {
            self.shared.state().published.insert(key.to_owned());
            self.shared.world.emit(key, events).await
        };
        self.through("emit", publish).await
    }
}
