//! The handlers of a service without their types: name to function.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use eventual_core::{ExecutionId, Millis, Outcome, Payload, Seq};
use eventual_schema::Need;

use crate::worker::Worker;

/// A workflow: its input in, its future out. Polled on a thread of ours with no async runtime entered.
pub type WorkflowFn = fn(Payload) -> Pin<Box<dyn Future<Output = Outcome>>>;

/// A command, task or subscription.
pub type HandlerFn = fn(HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What a handler is run with.
#[derive(Debug)]
pub struct HandlerRequest {
    /// Its one input.
    pub input: Payload,
    /// What its extractors read.
    pub context: HandlerContext,
}

/// What a handler may know of the call that it serves.
#[derive(Clone, Debug)]
pub struct HandlerContext {
    /// Name of the handler that runs.
    pub handler: String,
    /// The execution that called a task; absent elsewhere.
    pub execution: Option<ExecutionId>,
    /// Its call.
    pub seq: Seq,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The same for every attempt of a call, and for no other call, also not for one of a later execution of that name. Empty where
    /// there is none.
    pub idempotency_key: String,
    /// When the call was made.
    pub scheduled: Millis,
    /// Who called a command, as its authorizer found out.
    pub user: Option<User>,
    /// What the service's `init` built.
    pub states: Arc<States>,
    /// The attempt, for the code that performs a task; absent elsewhere.
    pub worker: Option<Arc<Worker>>,
}

impl HandlerContext {
    /// The context of a handler that no execution called.
    #[must_use]
    pub fn outside(handler: &str, states: Arc<States>, user: Option<User>, now: Millis) -> Self {
        Self {
            handler: handler.to_owned(),
            execution: None,
            seq: 0,
            attempt: 1,
            idempotency_key: String::new(),
            scheduled: now,
            user,
            states,
            worker: None,
        }
    }
}

/// Who called a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `sub` of the token, or the ARN of the signer.
    pub subject: String,
    /// All claims that the authorizer vouches for, as a JSON object.
    pub claims_json: String,
}

/// Values by type: what the service's `init` built.
#[derive(Default)]
pub struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    /// Keeps a value. A second one of its type replaces the first.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), value);
    }

    /// The value of that type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.get(&TypeId::of::<T>()).and_then(|it| it.clone().downcast().ok())
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states", self.0.len())
    }
}

/// A command or subscription.
#[derive(Clone, Debug)]
pub struct HandlerEntry {
    /// Its code.
    pub run: HandlerFn,
    /// What it may touch.
    pub needs: BTreeSet<Need>,
}

/// A task.
#[derive(Clone, Debug)]
pub struct TaskEntry {
    /// Its code.
    pub run: HandlerFn,
    /// Whether it runs in the orchestrator.
    pub inline: bool,
    /// What it may touch.
    pub needs: BTreeSet<Need>,
    /// Longest run of one attempt, in milliseconds.
    pub timeout_ms: u64,
    /// Whether its code takes a token, with which somebody else may answer for it.
    pub takes_token: bool,
}

impl TaskEntry {
    /// A task that needs nothing, may run for a minute, and answers for itself.
    #[must_use]
    pub const fn new(run: HandlerFn, inline: bool) -> Self {
        Self { run, inline, needs: BTreeSet::new(), timeout_ms: 60_000, takes_token: false }
    }
}

/// The handlers of a service, by name.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// Commands.
    pub commands: BTreeMap<String, HandlerEntry>,
    /// Subscriptions.
    pub subscriptions: BTreeMap<String, HandlerEntry>,
    /// Tasks.
    pub tasks: BTreeMap<String, TaskEntry>,
    /// Workflows.
    pub workflows: BTreeMap<String, WorkflowFn>,
    /// Those workflows whose executions stay on the code that they were started on.
    pub pinned: BTreeSet<String>,
}
