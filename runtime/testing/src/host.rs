//! One process of the testing host: takes what is due from the world and calls one engine verb for it.

use std::fmt;
use std::sync::Arc;

use eventual_engine::core::{Fact, Outcome};
use eventual_engine::ports::{Dispatch, Fault, Message, TaskRequest};
use eventual_engine::{AdvanceError, Engine, Ports, Registry, States};

use crate::world::{Delivery, World};

/// How often an event is given to a subscription before it becomes a dead letter, as on AWS.
const EVENT_ATTEMPTS: u32 = 3;
/// Pause before a delivery that failed is made again.
const PAUSE_MS: u64 = 1_000;

/// A process: an engine with its memory, over a world that outlives it.
pub struct Host {
    world: Arc<World>,
    ports: Ports,
    registry: Arc<Registry>,
    states: Arc<States>,
    engine: Engine,
}

impl Host {
    /// A process over `ports`, which lead to `world` (perhaps through faults).
    #[must_use]
    pub fn new(world: Arc<World>, ports: Ports, registry: Arc<Registry>, states: Arc<States>) -> Self {
        let engine = Engine::new(ports.clone(), registry.clone(), states.clone(), "test");
        Self { world, ports, registry, states, engine }
    }

    /// The same process after a crash: all memory is gone.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self::new(self.world.clone(), self.ports.clone(), self.registry.clone(), self.states.clone())
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Makes one delivery that is due now. `false` when none is.
    ///
    /// # Errors
    /// When the world failed under it; the delivery will be made again.
    pub async fn step(&self) -> Result<bool, Fault> {
        let Some((delivery, taken)) = self.world.next() else { return Ok(false) };
        let failed = match &delivery {
            Delivery::Event { subscription, event } => {
                let outcome = self.engine.react(subscription, event.payload.clone()).await;
                if !matches!(outcome, Outcome::Succeeded(_)) {
                    self.retry_event(delivery, taken + 1);
                }
                return Ok(true);
            }
            Delivery::Task(request) => {
                let performed = self.engine.perform(request.clone()).await;
                if let Err(fault) = performed {
                    self.report_lost(request, &fault).await;
                    return Err(fault);
                }
                return Ok(true);
            }
            Delivery::Wake(id, message) => match self.engine.advance(id, message.clone(), taken > 0).await {
                Ok(()) | Err(AdvanceError::Unknown(_)) => return Ok(true),
                Err(AdvanceError::Fault(fault)) => fault,
                Err(contended @ AdvanceError::Contended(_)) => Fault::new(format!("advance {id}"), contended),
            },
        };
        self.world.redeliver(delivery, taken + 1, PAUSE_MS);
        Err(failed)
    }

    fn retry_event(&self, delivery: Delivery, taken: u32) {
        if taken < EVENT_ATTEMPTS {
            self.world.redeliver(delivery, taken, PAUSE_MS);
        } else {
            self.world.bury(delivery);
        }
    }

    /// What Lambda's failure destination does for a worker that is lost.
    async fn report_lost(&self, request: &TaskRequest, fault: &Fault) {
        let TaskRequest { seq, attempt, execution, .. } = request;
        let fact =
            Fact::TaskLost { seq: *seq, attempt: *attempt, timed_out: false, reason: fault.to_string() };
        // Memory cannot fail, and the faults of a test are between the engine and the world, not here.
        let _ = self.world.wake(execution, &Message { facts: vec![fact] }).await;
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("engine", &self.engine).finish_non_exhaustive()
    }
}
