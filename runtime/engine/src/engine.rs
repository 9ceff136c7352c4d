//! The engine of one process: the ports of its host, the handlers of its service, the executions in its memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use eventual_core::limits::REMEMBERED_MAX_MS;
use eventual_core::{ExecutionId, Millis};

use crate::client::Client;
use crate::ports::{Meta, Ports};
use crate::registry::{Registry, States};
use crate::schedule::{self, Declared, with_schedules};
use crate::workflows::Workflows;

/// Most metas in memory; above it all are dropped, which costs one read each. About as many as there are machines, without
/// which they are of little use.
const METAS_MAX: usize = 1_024;

/// One process's engine. Its verbs are `advance`, `perform`, `react`, `command` and `system`, each in a file of its own.
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) registry: Arc<Registry>,
    pub(crate) states: Arc<States>,
    pub(crate) client: Client,
    pub(crate) workflows: Arc<Workflows>,
    pub(crate) code: Arc<str>,
    /// The schedules that stand in the code, where the host said which.
    pub(crate) declared: OnceLock<Declared>,
    /// Metas of the executions whose machines are in memory, and when they were seen last, so that a warm turn reads nothing. One
    /// that is behind is found out by its commit.
    metas: Mutex<HashMap<ExecutionId, (Millis, Meta)>>,
    /// One turn at a time for each execution of this process; across processes the conditional commit decides.
    turns: Mutex<HashMap<ExecutionId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Engine {
    /// An engine over a host's ports. `code` is the hash of the code that runs, recorded with every execution that is
    /// started here.
    #[must_use]
    pub fn new(ports: Ports, registry: Arc<Registry>, states: Arc<States>, code: &str) -> Self {
        let registry = with_schedules(registry);
        let workflows = Workflows::new(registry.clone());
        Self::with(ports, registry, states, code, workflows)
    }

    /// The same, but workflow code is polled on the thread that asks, so that a simulation alone decides what happens
    /// when. Its verbs must all be called on one thread, inside of an async runtime that has time.
    #[must_use]
    pub fn on_this_thread(ports: Ports, registry: Arc<Registry>, states: Arc<States>, code: &str) -> Self {
        let registry = with_schedules(registry);
        let workflows = Workflows::here(registry.clone());
        Self::with(ports, registry, states, code, workflows)
    }

    /// Has every turn be taken by `instances` of the code instead of one, which must ask for the same: an execution whose
    /// code is not deterministic is parked at once. For development and tests: it costs that many times as much.
    #[must_use]
    pub fn twins(self, instances: u32) -> Self {
        self.set_twins(instances);
        self
    }

    /// The same for an engine that others hold already: executions that are not in memory yet get so many instances.
    pub fn set_twins(&self, instances: u32) {
        self.workflows.set_instances(instances);
    }

    fn with(
        ports: Ports,
        registry: Arc<Registry>,
        states: Arc<States>,
        code: &str,
        workflows: Workflows,
    ) -> Self {
        let of_service = registry.workflows.keys().filter(|it| *it != schedule::WORKFLOW);
        let pinned = of_service.map(|it| (it.clone(), registry.pinned.contains(it)));
        let names = Arc::new(pinned.collect());
        let code: Arc<str> = code.into();
        let workflows = Arc::new(workflows);
        let client = Client::new(ports.clone(), names, workflows.clone(), code.clone());
        Self {
            ports,
            registry,
            states,
            client,
            workflows,
            code,
            declared: OnceLock::new(),
            metas: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// A client without limits, for the host's own needs and for tests.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Hash of the code that runs.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Keeps what is known of an execution for its next turn; `seen` says that it is what the store said just now, or that a turn was
    /// committed. Memory alone does not make memory younger.
    pub(crate) fn remember(&self, meta: &Meta, seen: bool) {
        if !seen {
            return;
        }
        let mut metas = self.metas.lock().unwrap_or_else(PoisonError::into_inner);
        if metas.len() >= METAS_MAX {
            metas.clear();
        }
        metas.insert(meta.id.clone(), (self.ports.clock.now(), meta.clone()));
    }

    /// What is remembered of an execution, if that is so young that the execution cannot have ended elsewhere and be forgotten.
    pub(crate) fn remembered(&self, id: &ExecutionId) -> Option<Meta> {
        let oldest = self.ports.clock.now().saturating_sub(REMEMBERED_MAX_MS);
        let metas = self.metas.lock().unwrap_or_else(PoisonError::into_inner);
        metas.get(id).filter(|(since, _)| *since >= oldest).map(|(_, meta)| meta.clone())
    }

    /// Drops an execution from memory: only the store knows where it stands.
    pub(crate) fn forget(&self, id: &ExecutionId) {
        self.metas.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.workflows.forget(id);
    }

    /// Takes the lock of an execution's turns.
    pub(crate) async fn lock(&self, id: &ExecutionId) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds any more are dropped here, so that the map stays as small as the load.
            if turns.len() > 4_096 {
                turns.retain(|_, it| Arc::strong_count(it) > 1);
            }
            turns.entry(id.clone()).or_default().clone()
        };
        lock.lock_owned().await
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("code", &self.code).finish_non_exhaustive()
    }
}
