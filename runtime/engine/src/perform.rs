//! Running handlers that are not workflows: tasks, remote and inline, commands and subscriptions.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use eventual_core::{Fact, Failure, Outcome, Payload, Run, TaskCall};
use eventual_schema::Need;
use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::ambient;
use crate::deliver::task_request;
use crate::engine::Engine;
use crate::ports::{AttemptId, Completed, Fault, Meta, TaskRequest};
use crate::registry::{HandlerContext, HandlerFn, HandlerRequest, TaskEntry, User};
use crate::token::Token;
use crate::worker::Worker;
use crate::workflows::{Pending, panic_text};

/// How much longer than the task itself its claim lasts, so that a worker that is just about to answer keeps it.
const LEASE_MARGIN_MS: u64 = 5_000;

impl Engine {
    /// Performs one attempt of a remote task and sends its outcome to the execution. An attempt that another worker
    /// has claimed is left to it.
    ///
    /// # Errors
    /// When the world failed before the outcome was sent. The host then reports the attempt as lost.
    pub async fn perform(&self, request: TaskRequest) -> Result<(), Fault> {
        let id = request.id();
        let lease_ms = request.timeout_ms.saturating_add(LEASE_MARGIN_MS);
        if !self.ports.store.claim(&id, lease_ms).await? {
            let AttemptId { execution, seq, attempt, .. } = id;
            tracing::info!(%execution, seq, attempt, "attempt is claimed by another worker");
            return Ok(());
        }
        let fact = self.attempt(request).await?;
        self.ports.dispatch.wake(&id.execution, &id.message(fact)).await
    }

    /// Performs the inline tasks that an execution waits for.
    pub(crate) async fn perform_inline(&self, meta: &Meta, pending: Pending) -> Result<Vec<Fact>, Fault> {
        let now = self.ports.clock.now();
        let mut attempts = pending.inline.iter().map(|(seq, attempt, task)| {
            let request = task_request(meta, *seq, *attempt, task, now);
            // Boxed, because futures of this size are moved several times.
            Box::pin(self.attempt_inline(request, task.retry.attempts))
        });
        match (attempts.next(), attempts.len()) {
            (Some(only), 0) => Ok(vec![only.await?]),
            (first, _) => join_all(first.into_iter().chain(attempts)).await.into_iter().collect(),
        }
    }

    /// Performs one inline attempt. One that may not be made again is claimed, so that a message that comes again after
    /// its process died finds that out; others are simply performed again.
    async fn attempt_inline(&self, request: TaskRequest, attempts: u32) -> Result<Fact, Fault> {
        let lease_ms = request.timeout_ms.saturating_add(LEASE_MARGIN_MS);
        if attempts <= 1 && !self.ports.store.claim(&request.id(), lease_ms).await? {
            return Ok(request.id().lost(false, "its process ended while it was performed"));
        }
        self.attempt(request).await
    }

    /// Performs a task by itself, for no execution and once: what a test of the task wants.
    pub async fn task(&self, task: &TaskCall) -> Outcome {
        let Some(entry) = self.registry.tasks.get(&task.name) else {
            return unknown("task", &task.name);
        };
        let mut context =
            HandlerContext::outside(&task.name, self.states.clone(), None, self.ports.clock.now());
        let worker = Worker::alone();
        context.worker = Some(worker.clone());
        context.idempotency_key = task.key.clone().unwrap_or_else(|| task.name.clone());
        let who = format!("task `{}`", task.name);
        worker.run(self.run(entry.run, who, entry.needs.clone(), task.input.clone(), context)).await
    }

    /// Runs one attempt to its end, whatever that is.
    async fn attempt(&self, request: TaskRequest) -> Result<Fact, Fault> {
        let id = request.id();
        let (seq, attempt) = (id.seq, id.attempt);
        let Some(task) = self.registry.tasks.get(&request.task) else {
            return Ok(id.lost(false, format!("this version of the service has no task `{}`", request.task)));
        };
        let worker = self.worker(&request, task).await?;
        let who = format!("task `{}`", request.task);
        let context = HandlerContext {
            handler: request.task,
            execution: Some(id.execution.clone()),
            seq,
            attempt,
            idempotency_key: request.idempotency_key,
            scheduled: request.scheduled,
            user: None,
            states: self.states.clone(),
            worker: Some(worker.clone()),
        };
        // Boxed, because it is wrapped several times, and would be moved each time.
        let code = Box::pin(self.run(task.run, who, task.needs.clone(), request.input, context));
        let running = worker.clone().run(code);
        let ended = tokio::time::timeout(Duration::from_millis(request.timeout_ms), async {
            tokio::select! {
                biased;
                outcome = running => Ended::Answered(outcome),
                within = worker.is_put_off() => Ended::PutOff(within),
            }
        });
        Ok(match ended.await {
            // It was told that nobody waits for it: whatever it says then is not the call's outcome. If its loss is not history
            // yet, this is it. No handler says of itself that it was lost; what stands in for one in a test does, and its record
            // is looked at when it is due.
            Ok(Ended::Answered(outcome)) if worker.was_told() || outcome == Outcome::HeartbeatLost => {
                let (period_ms, due) = (request.heartbeat_ms.unwrap_or_default(), self.ports.clock.now());
                Fact::HeartbeatDue { seq, attempt, period_ms, due }
            }
            Ok(Ended::Answered(outcome)) if outcome != Outcome::TimedOut => {
                let outcome = self.first_answer(&worker, &id, outcome).await?;
                Fact::TaskDone { seq, attempt, outcome }
            }
            Ok(Ended::PutOff(within)) => {
                Fact::TaskDeferred { seq, attempt, due: self.ports.clock.now().saturating_add(within) }
            }
            // No handler says of itself that it ran out of time; what stands in for one in a test does.
            Ok(Ended::Answered(_)) | Err(_) => {
                id.lost(true, format!("no answer within {} ms", request.timeout_ms))
            }
        })
    }

    /// What an attempt's code sees of it, with a token when the task takes one.
    async fn worker(&self, request: &TaskRequest, task: &TaskEntry) -> Result<Arc<Worker>, Fault> {
        let id = request.id();
        let token = if task.takes_token {
            let meta = self.ports.store.meta(&id.execution).await?;
            let meta = meta.filter(|it| !Run::differ(it.run, id.run));
            let secret = meta.map(|it| it.secret).unwrap_or_default();
            Token::sign(&secret, &id.execution, id.seq, id.attempt, &request.task)
        } else {
            None
        };
        Ok(Worker::new(self.ports.clone(), id, task.inline, request.heartbeat_ms, token))
    }

    /// The answer of an attempt whose code has answered: another one, if somebody gave it with the attempt's token before.
    async fn first_answer(
        &self,
        worker: &Worker,
        id: &AttemptId,
        outcome: Outcome,
    ) -> Result<Outcome, Fault> {
        if worker.token().is_none() {
            return Ok(outcome);
        }
        match self.ports.store.complete_attempt(id, &outcome).await? {
            Completed::Before(other) => Ok(other),
            Completed::Cancelled | Completed::Kept => Ok(outcome),
        }
    }

    /// Runs a subscription on an event.
    pub async fn react(&self, subscription: &str, event: Payload) -> Outcome {
        let Some(entry) = self.registry.subscriptions.get(subscription) else {
            return unknown("subscription", subscription);
        };
        let context =
            HandlerContext::outside(subscription, self.states.clone(), None, self.ports.clock.now());
        let who = format!("subscription `{subscription}`");
        self.run(entry.run, who, entry.needs.clone(), event, context).await
    }

    /// Runs a command on its input, which was checked against its schema.
    pub async fn command(&self, command: &str, input: Payload, user: Option<User>) -> Outcome {
        let Some(entry) = self.registry.commands.get(command) else {
            return unknown("command", command);
        };
        let context = HandlerContext::outside(command, self.states.clone(), user, self.ports.clock.now());
        let who = format!("command `{command}`");
        self.run(entry.run, who, entry.needs.clone(), input, context).await
    }

    /// Runs a handler so that a panic fails its call and nothing else.
    async fn run(
        &self,
        run: HandlerFn,
        who: String,
        needs: BTreeSet<Need>,
        input: Payload,
        context: HandlerContext,
    ) -> Outcome {
        let client = self.client.limited(who.clone(), needs);
        let running = async move { run(HandlerRequest { input, context }).await };
        match AssertUnwindSafe(ambient::with_client(client, running)).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(panic) => {
                let said = panic_text(&*panic);
                tracing::error!(%who, %said, "handler panicked");
                Outcome::Crashed(format!("{who} {said}"))
            }
        }
    }
}

/// How the code of an attempt ended.
enum Ended {
    Answered(Outcome),
    PutOff(u64),
}

fn unknown(kind: &str, name: &str) -> Outcome {
    let message = format!("this version of the service has no {kind} `{name}`");
    Outcome::Failed(Failure::new("NotFound", message, 404))
}
