//! Running handlers that are not workflows: tasks, remote and inline, commands and subscriptions.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use eventual_core::{ExecutionId, Fact, Failure, Outcome, Payload, TaskCall};
use eventual_schema::Need;
use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::ambient;
use crate::deliver::task_request;
use crate::engine::Engine;
use crate::ports::{Fault, Message, TaskRequest};
use crate::registry::{HandlerContext, HandlerFn, HandlerRequest, User};
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
        let TaskRequest { execution, seq, attempt, .. } = request.clone();
        let lease_ms = request.timeout_ms.saturating_add(LEASE_MARGIN_MS);
        if !self.ports.store.claim(&execution, seq, attempt, lease_ms).await? {
            tracing::info!(%execution, seq, attempt, "attempt is claimed by another worker");
            return Ok(());
        }
        let fact = self.attempt(request).await;
        self.ports.dispatch.wake(&execution, &Message { facts: vec![fact] }).await
    }

    /// Performs the inline tasks that an execution waits for.
    pub(crate) async fn perform_inline(&self, id: &ExecutionId, pending: Pending) -> Vec<Fact> {
        let now = self.ports.clock.now();
        let requests =
            pending.inline.iter().map(|(seq, attempt, task)| task_request(id, *seq, *attempt, task, now));
        join_all(requests.map(|it| self.attempt(it))).await
    }

    /// Performs a task by itself, for no execution and once: what a test of the task wants.
    pub async fn task(&self, task: &TaskCall) -> Outcome {
        let Some(entry) = self.registry.tasks.get(&task.name) else {
            return unknown("task", &task.name);
        };
        let mut context =
            HandlerContext::outside(&task.name, self.states.clone(), None, self.ports.clock.now());
        context.idempotency_key = task.key.clone().unwrap_or_else(|| task.name.clone());
        self.run(entry.run, format!("task `{}`", task.name), entry.needs.clone(), task.input.clone(), context)
            .await
    }

    /// Runs one attempt to its end, whatever that is.
    async fn attempt(&self, request: TaskRequest) -> Fact {
        let TaskRequest { execution, seq, attempt, .. } = request;
        let Some(task) = self.registry.tasks.get(&request.task) else {
            let reason = format!("this version of the service has no task `{}`", request.task);
            return Fact::TaskLost { seq, attempt, timed_out: false, reason };
        };
        let who = format!("task `{}`", request.task);
        let context = HandlerContext {
            handler: request.task,
            execution: Some(execution),
            seq,
            attempt,
            idempotency_key: request.idempotency_key,
            scheduled: request.scheduled,
            user: None,
            states: self.states.clone(),
        };
        let running = self.run(task.run, who, task.needs.clone(), request.input, context);
        match tokio::time::timeout(Duration::from_millis(request.timeout_ms), running).await {
            Ok(outcome) if outcome != Outcome::TimedOut => Fact::TaskDone { seq, attempt, outcome },
            // No handler says of itself that it ran out of time; what stands in for one in a test does.
            _ => {
                let reason = format!("no answer within {} ms", request.timeout_ms);
                Fact::TaskLost { seq, attempt, timed_out: true, reason }
            }
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

fn unknown(kind: &str, name: &str) -> Outcome {
    let message = format!("this version of the service has no {kind} `{name}`");
    Outcome::Failed(Failure { class: "NotFound".into(), message, data: Payload::null(), status: 404 })
}
