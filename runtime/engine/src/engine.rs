//! The engine of one process: the ports of its host, the handlers of its service, the executions in its memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use eventual_core::ExecutionId;

use crate::client::Client;
use crate::ports::Ports;
use crate::registry::{Registry, States};
use crate::workflows::Workflows;

/// One process's engine. Its verbs are `advance`, `perform`, `react`, `command` and `system`, each in a file of its own.
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) registry: Arc<Registry>,
    pub(crate) states: Arc<States>,
    pub(crate) client: Client,
    pub(crate) workflows: Workflows,
    pub(crate) code: Arc<str>,
    /// One turn at a time for each execution of this process; across processes the conditional commit decides.
    turns: Mutex<BTreeMap<ExecutionId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Engine {
    /// An engine over a host's ports. `code` is the hash of the code that runs, recorded with every execution that is
    /// started here.
    #[must_use]
    pub fn new(ports: Ports, registry: Arc<Registry>, states: Arc<States>, code: &str) -> Self {
        let names = Arc::new(registry.workflows.keys().cloned().collect());
        let code: Arc<str> = code.into();
        let client = Client::new(ports.clone(), names, code.clone());
        let workflows = Workflows::new(registry.clone());
        Self { ports, registry, states, client, workflows, code, turns: Mutex::default() }
    }

    /// A client without limits, for the host's own needs and for tests.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
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
