//! Drives the testing host from a test that knows nothing of async: makes what is due, moves the clock, waits for ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use eventual_engine::core::{Emitted, ExecutionId, Millis, Outcome, Payload, TaskCall, Turn};
use eventual_engine::ports::{Clock, Meta, Store};
use eventual_engine::{Client, ClientError, Ports, Registry, States, User};
use tokio::runtime::{Builder, Runtime};

use crate::driving;
use crate::host::Host;
use crate::world::{Delivery, World};

/// Most deliveries between two moves of the clock; more means that the service feeds itself without end.
const DELIVERIES_MAX: u32 = 1_000_000;

/// A service in a test, without its types.
pub struct Drive {
    runtime: Runtime,
    world: Arc<World>,
    host: Host,
}

impl Drive {
    /// The handlers of `registry` in an empty world. `subscriptions` are pairs of event and subscription.
    ///
    /// # Panics
    /// Inside of another async runtime: a test of a service is an ordinary `#[test]` function.
    #[must_use]
    pub fn new(
        registry: Registry,
        states: States,
        subscriptions: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.unwrap_or_else(|error| panic!("the test's async runtime does not start: {error}"));
        let world = Arc::new(World::new(subscriptions, 1));
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let host = Host::new(world.clone(), ports, Arc::new(registry), Arc::new(states));
        Self { runtime, world, host }
    }

    /// A client without limits.
    #[must_use]
    pub const fn client(&self) -> &Client {
        self.host.engine().client()
    }

    /// Runs a future on the test's runtime, and makes the deliveries that it waits for.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(driving::drive(&self.host, &self.world, future))
    }

    /// Forgets everything that a process keeps in memory, as a crash or a deploy does.
    pub fn restart(&mut self) {
        self.host = self.host.restarted();
    }

    /// Makes all deliveries that are due now, and those that they cause now.
    pub fn settle(&self) {
        for _ in 0..DELIVERIES_MAX {
            match self.block_on(self.host.step()) {
                Ok(true) => {}
                Ok(false) => return,
                Err(fault) => panic!("the testing host failed, which is a bug of eventual: {fault}"),
            }
        }
        panic!(
            "the service made {DELIVERIES_MAX} deliveries without time passing: does it call itself without end?"
        );
    }

    /// Moves the clock by `duration`, stopping at everything that is due on the way.
    pub fn advance(&self, duration: Duration) {
        let to = self.world.now() + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4);
        self.settle();
        while let Some(due) = self.world.next_due().filter(|due| *due <= to) {
            self.world.set_now(due);
            self.settle();
        }
        self.world.set_now(to);
    }

    /// Moves the clock from one due delivery to the next until `done` holds. `false` when nothing is left to happen.
    pub fn run_until(&self, mut done: impl FnMut(&Self) -> bool) -> bool {
        self.settle();
        while !done(self) {
            let Some(due) = self.world.next_due() else { return false };
            self.world.set_now(due);
            self.settle();
        }
        true
    }

    /// Now, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.world.now()
    }

    /// What is known of an execution.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn meta(&self, id: &ExecutionId) -> Result<Meta, ClientError> {
        self.block_on(self.client().get(id))
    }

    /// The turns of an execution.
    #[must_use]
    pub fn history(&self, id: &ExecutionId) -> Vec<Turn> {
        self.world.history(id)
    }

    /// All executions.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.world
    }

    /// Memory, queue and clock.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// All events that were published, in order.
    #[must_use]
    pub fn emitted(&self) -> Vec<Emitted> {
        self.world.emitted()
    }

    /// Deliveries that were given up.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Delivery> {
        self.world.dead_letters()
    }

    /// Runs a command on an input that was checked.
    pub fn command(&self, command: &str, input: Payload, user: Option<User>) -> Outcome {
        self.block_on(self.host.engine().command(command, input, user))
    }

    /// Runs a task by itself, once.
    pub fn task(&self, task: &TaskCall) -> Outcome {
        self.block_on(self.host.engine().task(task))
    }

    /// Runs a subscription on an event.
    pub fn react(&self, subscription: &str, event: Payload) -> Outcome {
        self.block_on(self.host.engine().react(subscription, event))
    }
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("host", &self.host).finish_non_exhaustive()
    }
}
