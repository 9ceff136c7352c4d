//! A stage on which tasks run while the world goes on: each worker is a tokio task of its own, waits where the test says
//! so, and dies without a word when the test kills it. Time is virtual.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use eventual::{Call, Data, Failure};
use eventual_engine::core::{ExecutionId, Fact, Millis, Outcome, Turn};
use eventual_engine::ports::{Clock, Message, Meta, Store, TaskRequest};
use eventual_engine::{AdvanceError, Engine, Ports, States, SystemRequest, SystemResponse};
use eventual_testing::world::{Delivery, START, World};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Turns of the async runtime that let every worker go on until it waits.
const YIELDS: usize = 64;

/// What tasks and tests share.
#[derive(Debug)]
pub(crate) struct Floor {
    /// Tasks that wait go on one by one as the test adds permits.
    pub(crate) gate: Semaphore,
    /// What tasks saw.
    pub(crate) seen: Mutex<Vec<String>>,
    /// Tokens that tasks handed out.
    pub(crate) tokens: Mutex<Vec<eventual::TaskToken>>,
    clock: Arc<World>,
}

impl Floor {
    pub(crate) fn new(clock: Arc<World>) -> Arc<Self> {
        let (gate, seen, tokens) = (Semaphore::new(0), Mutex::default(), Mutex::default());
        Arc::new(Self { gate, seen, tokens, clock })
    }

    /// Waits until the test lets it go on.
    pub(crate) async fn wait(&self) {
        self.gate.acquire().await.unwrap().forget();
    }

    pub(crate) fn note(&self, what: impl Into<String>) {
        self.seen.lock().unwrap().push(what.into());
    }

    /// Seconds since the test began.
    pub(crate) fn seconds(&self) -> u64 {
        (self.clock.now() - START) / 1_000
    }
}

pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) world: Arc<World>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) floor: Arc<Floor>,
    service: eventual::Service,
    workers: BTreeMap<(u32, u32), JoinHandle<()>>,
    /// How often an attempt was looked at.
    pub(crate) looks: usize,
}

impl Stage {
    pub(crate) fn new(service: eventual::Service) -> Self {
        let world = Arc::new(World::new([], 7));
        let floor = Floor::new(world.clone());
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let engine = Self::engine(&service, &world, &floor);
        Self { runtime, world, engine, floor, service, workers: BTreeMap::new(), looks: 0 }
    }

    fn engine(service: &eventual::Service, world: &Arc<World>, floor: &Arc<Floor>) -> Arc<Engine> {
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let mut states = States::default();
        states.insert(floor.clone());
        Arc::new(Engine::new(ports, service.registry().clone(), Arc::new(states), "test"))
    }

    /// The process of the orchestrator loses its memory; workers are others.
    pub(crate) fn forget(&mut self) {
        self.engine = Self::engine(&self.service, &self.world, &self.floor);
    }

    pub(crate) fn start<T: Data, E: Failure>(&mut self, call: Call<T, E>) -> ExecutionId {
        let (ask, _) = call.into_parts();
        let eventual::__private::Ask::Workflow { name, input, .. } = ask else { panic!("{ask:?}") };
        let id = self.runtime.block_on(self.engine.client().start(name, Some("1"), input)).unwrap();
        self.settle();
        id
    }

    /// Makes everything that is due now. Each look at an attempt happens in a process without memory, the hardest case.
    pub(crate) fn settle(&mut self) {
        let yields = async {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        };
        self.runtime.block_on(yields);
        while let Some((delivery, taken)) = self.world.next() {
            match delivery {
                Delivery::Event { .. } => {}
                Delivery::Task(request) => self.work(request),
                Delivery::Wake(id, message) => {
                    if message.facts.iter().any(|it| matches!(it, Fact::HeartbeatDue { .. })) {
                        self.looks += 1;
                        self.forget();
                    }
                    match self.runtime.block_on(self.engine.advance(&id, message, taken > 0)) {
                        Ok(()) | Err(AdvanceError::Unknown(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            self.runtime.block_on(async {
                for _ in 0..YIELDS {
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    fn work(&mut self, request: TaskRequest) {
        let engine = self.engine.clone();
        let key = (request.seq, request.attempt);
        let work = async move { engine.perform(request).await.unwrap() };
        self.workers.insert(key, self.runtime.spawn(work));
    }

    /// A worker dies, and nobody tells.
    pub(crate) fn kill(&mut self, seq: u32, attempt: u32) {
        self.workers.remove(&(seq, attempt)).unwrap().abort();
        self.settle();
    }

    /// Moves the clock, stopping at everything that is due on the way.
    pub(crate) fn advance(&mut self, ms: Millis) {
        let to = self.world.now() + ms;
        self.settle();
        while let Some(due) = self.world.next_due().filter(|due| *due <= to) {
            self.world.set_now(due);
            self.settle();
        }
        self.world.set_now(to);
    }

    /// Lets one task that waits go on.
    pub(crate) fn pass(&mut self) {
        self.floor.gate.add_permits(1);
        self.settle();
    }

    pub(crate) fn meta(&self, id: &ExecutionId) -> Meta {
        self.runtime.block_on(Store::meta(&*self.world, id)).unwrap().unwrap()
    }

    pub(crate) fn end(&self, id: &ExecutionId) -> Option<Outcome> {
        self.meta(id).end
    }

    pub(crate) fn history(&self, id: &ExecutionId) -> Vec<Turn> {
        self.world.history(id)
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.floor.seen.lock().unwrap().clone()
    }

    pub(crate) fn token(&self) -> String {
        self.floor.tokens.lock().unwrap().last().unwrap().as_str().to_owned()
    }

    /// Runs a command and makes what it causes.
    pub(crate) fn command<T: Data, E: Failure>(&mut self, call: Call<T, E>) -> Outcome {
        let (ask, _) = call.into_parts();
        let eventual::__private::Ask::Command { name, input } = ask else { panic!("{ask:?}") };
        let outcome = self.runtime.block_on(self.engine.command(name, input, None));
        self.settle();
        outcome
    }

    /// What somebody outside asks.
    pub(crate) fn system(&mut self, request: &str) -> Result<String, String> {
        let request: SystemRequest = serde_json::from_str(request).unwrap();
        let answer = self.runtime.block_on(self.engine.system(request));
        self.settle();
        answer
            .map(|it: SystemResponse| serde_json::to_string(&it).unwrap())
            .map_err(|error| error.to_string())
    }

    /// Sends a fact as the host would.
    pub(crate) fn tell(&mut self, id: &ExecutionId, fact: Fact) {
        let message = Message { facts: vec![fact], ..Message::default() };
        self.runtime.block_on(eventual_engine::ports::Dispatch::wake(&*self.world, id, &message)).unwrap();
        self.settle();
    }
}

pub(crate) fn text(outcome: Option<Outcome>) -> String {
    match outcome {
        Some(Outcome::Succeeded(value)) => String::from_utf8(value.as_bytes().to_vec()).unwrap(),
        other => format!("{other:?}"),
    }
}
