//! One process of the testing host: takes what is due from the world and calls one engine verb for it.

use std::fmt;
use std::sync::Arc;

use eventual_engine::core::Outcome;
use eventual_engine::ports::{Clock, Dispatch, Fault, TaskRequest, Timer};
use eventual_engine::{AdvanceError, Engine, Ports, Registry, States};

use crate::faults::Faults;
use crate::render::describe;
use crate::stand_in::StandIns;
use crate::world::{Delivery, World};

/// How often an event is given to a subscription before it becomes a dead letter, as on AWS.
const EVENT_ATTEMPTS: u32 = 3;
/// Hash of the code of a process, when nobody says another.
const CODE: &str = "test";
/// Pause before a delivery that failed is made again.
const PAUSE_MS: u64 = 1_000;

/// A process: an engine with its memory, over a world that outlives it.
pub struct Host {
    world: Arc<World>,
    ports: Ports,
    registry: Arc<Registry>,
    states: Arc<States>,
    engine: Arc<Engine>,
    instances: u32,
    stand_ins: Option<Arc<StandIns>>,
    faults: Option<Arc<Faults>>,
}

impl Host {
    /// A process over `ports`, which lead to `world` (perhaps through faults). All its verbs are called on one thread.
    #[must_use]
    pub fn new(world: Arc<World>, ports: Ports, registry: Arc<Registry>, states: Arc<States>) -> Self {
        Self::with(world, ports, registry, states, (CODE, 1))
    }

    /// A process of the same world that runs other code, of that hash.
    #[must_use]
    pub fn running(&self, registry: Registry, code: &str) -> Self {
        let (ports, states) = (self.ports.clone(), self.states.clone());
        Self::with(self.world.clone(), ports, Arc::new(registry), states, (code, self.instances))
    }

    fn with(
        world: Arc<World>,
        ports: Ports,
        registry: Arc<Registry>,
        states: Arc<States>,
        (code, instances): (&str, u32),
    ) -> Self {
        let engine = Engine::on_this_thread(ports.clone(), registry.clone(), states.clone(), code);
        let engine = Arc::new(engine.twins(instances));
        Self { world, ports, registry, states, engine, instances, stand_ins: None, faults: None }
    }

    /// The same process after a crash: all memory is gone.
    #[must_use]
    pub fn restarted(&self) -> Self {
        self.over(self.ports.clone(), self.instances)
    }

    fn over(&self, ports: Ports, instances: u32) -> Self {
        let (registry, states) = (self.registry.clone(), self.states.clone());
        let host = Self::with(self.world.clone(), ports, registry, states, (self.engine.code(), instances));
        Self { stand_ins: self.stand_ins.clone(), faults: self.faults.clone(), ..host }
    }

    /// A process whose turns are taken by so many instances of the code, see [`Engine::twins`].
    #[must_use]
    pub fn twins(&self, instances: u32) -> Self {
        self.over(self.ports.clone(), instances)
    }

    /// A process that dies where `faults` say.
    #[must_use]
    pub fn dying(&self, faults: &Arc<Faults>) -> Self {
        let host = self.over(faults.ports(), self.instances);
        Self { faults: Some(faults.clone()), ..host }
    }

    /// A process whose handlers are stood in for.
    #[must_use]
    pub fn standing_in(self, stand_ins: Arc<StandIns>) -> Self {
        Self { stand_ins: Some(stand_ins), ..self }
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Whether it has died where its faults said.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.faults.as_ref().is_some_and(|it| it.is_dead())
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
                if self.is_dead() {
                    // Whatever its handler said, nobody was left to acknowledge the event.
                    Fault::new(format!("subscription `{subscription}`"), "the process died here")
                } else {
                    if !matches!(outcome, Outcome::Succeeded(_)) {
                        self.retry_event(delivery, taken + 1, &outcome);
                    }
                    return Ok(true);
                }
            }
            Delivery::Task(request) => {
                if let Err(fault) = self.perform(request).await {
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

    /// Has a worker perform an attempt, or lets it stand where a test wants that.
    async fn perform(&self, request: &TaskRequest) -> Result<(), Fault> {
        if self.stand_ins.as_ref().and_then(|it| it.withholds(request)).is_none() {
            return self.engine.perform(request.clone()).await;
        }
        // What Lambda does to a worker that does not answer.
        let fact = request.id().lost(true, format!("no answer within {} ms", request.timeout_ms));
        let due = self.world.now().saturating_add(request.timeout_ms);
        let (execution, run) = (request.execution.clone(), request.run);
        self.world.timer(&Timer { execution, run, due, fact }).await
    }

    fn retry_event(&self, delivery: Delivery, taken: u32, outcome: &Outcome) {
        if taken < EVENT_ATTEMPTS {
            self.world.redeliver(delivery, taken, PAUSE_MS);
        } else {
            self.world.bury(delivery, describe(outcome));
        }
    }

    /// What Lambda's failure destination does for a worker that is lost.
    async fn report_lost(&self, request: &TaskRequest, fault: &Fault) {
        let id = request.id();
        let message = id.message(id.lost(false, fault.to_string()));
        // Memory cannot fail, and the faults of a test are between the engine and the world, not here.
        let _ = self.world.wake(&id.execution, &message).await;
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("engine", &self.engine).finish_non_exhaustive()
    }
}
