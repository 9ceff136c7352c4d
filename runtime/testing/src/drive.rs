//! Drives the testing host from a test that knows nothing of async: makes what is due, moves the clock, waits for ends.
//!
//! What the test asks (a start, a signal, a command) goes by an engine of its own, so that only the service's process dies
//! where a test wants it to.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use eventual_engine::core::{Emitted, ExecutionId, Millis, Outcome, Payload, TaskCall, Turn};
use eventual_engine::http::{Answer, Asked, Found};
use eventual_engine::ports::{Clock, Meta, Store};
use eventual_engine::{
    Client, ClientError, Ports, Registry, States, SystemError, SystemRequest, SystemResponse, User,
};
use eventual_schema::Schedule;
use eventual_schema::shape::Schemas;
use tokio::runtime::{Builder, Runtime};

use crate::driving;
use crate::faults::{CrashPoint, Faults};
use crate::host::Host;
use crate::stand_in::StandIns;
use crate::world::{DeadLetter, World};

/// Most deliveries between two moves of the clock; more means that the service feeds itself without end.
const DELIVERIES_MAX: u32 = 1_000_000;
/// Longest time that a test waits for an end, on its own clock: a hundred years.
pub(crate) const PATIENCE: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A service in a test, without its types.
pub struct Drive {
    runtime: Runtime,
    world: Arc<World>,
    stand_ins: Arc<StandIns>,
    /// What the test itself asks.
    outside: Host,
    /// What takes deliveries.
    process: RefCell<Rc<Host>>,
    faults: Option<Arc<Faults>>,
    schedules: Vec<Schedule>,
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
        let stand_ins = StandIns::new(registry, &world);
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let registry = Arc::new(stand_ins.registry());
        let outside = Host::new(world.clone(), ports, registry, Arc::new(states));
        let outside = outside.standing_in(stand_ins.clone());
        let process = RefCell::new(Rc::new(outside.restarted()));
        Self { runtime, world, stand_ins, outside, process, faults: None, schedules: Vec::new() }
    }

    /// The same, but every turn is taken by so many instances of the code, which must agree.
    #[must_use]
    pub fn twins(self, instances: u32) -> Self {
        let process = self.process().twins(instances);
        self.process.replace(Rc::new(process));
        self
    }

    /// The same, but the process dies at a point, and another takes over.
    pub(crate) fn dying(mut self, point: CrashPoint) -> Self {
        let ports =
            Ports { store: self.world.clone(), dispatch: self.world.clone(), clock: self.world.clone() };
        let faults = Faults::new(ports, point);
        let process = self.process().dying(&faults);
        self.process.replace(Rc::new(process));
        self.faults = Some(faults);
        self
    }

    /// Where and whether the process died, if it was to.
    pub(crate) const fn faults(&self) -> Option<&Arc<Faults>> {
        self.faults.as_ref()
    }

    fn process(&self) -> Rc<Host> {
        self.process.borrow().clone()
    }

    /// A client without limits.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.outside.engine().client()
    }

    /// What stands in for the handlers.
    #[must_use]
    pub const fn stand_ins(&self) -> &Arc<StandIns> {
        &self.stand_ins
    }

    /// Runs a future on the test's runtime, and makes the deliveries that it waits for.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _stood_in = self.stand_ins.on_this_thread();
        // Boxed, because a runtime moves what it drives several times, and this is large.
        self.runtime.block_on(Box::pin(driving::drive(|| self.step(), &self.world, future)))
    }

    /// Forgets everything that a process keeps in memory, as a crash or a deploy does.
    pub fn restart(&mut self) {
        self.start_anew();
        if !self.schedules.is_empty()
            && let Err(error) = self.block_on(self.process().engine().declare(&self.schedules))
        {
            panic!("the schedules of the service are not declared again: {error}");
        }
    }

    fn start_anew(&self) {
        let process = self.process().restarted();
        self.process.replace(Rc::new(process));
    }

    /// Deploys code that declares these schedules: forgets what a process keeps in memory, and starts anew with them.
    ///
    /// # Errors
    /// When one of them is no schedule.
    pub fn deploy(&mut self, schedules: Vec<Schedule>) -> Result<(), ClientError> {
        let process = self.process().restarted();
        self.block_on(process.engine().declare(&schedules))?;
        self.process.replace(Rc::new(process));
        self.schedules = schedules;
        self.settle();
        Ok(())
    }

    /// Makes all deliveries that are due now, and those that they cause now.
    pub fn settle(&self) {
        self.block_on(self.settling());
    }

    async fn settling(&self) {
        for _ in 0..DELIVERIES_MAX {
            if !self.step().await {
                return;
            }
        }
        panic!(
            "the service made {DELIVERIES_MAX} deliveries without time passing: does it call itself without end?"
        );
    }

    /// Makes one delivery that is due now. `false` when none is. A process that dies in it is followed by another.
    async fn step(&self) -> bool {
        let process = self.process();
        match process.step().await {
            Ok(made) => made,
            Err(fault) => {
                let faults = self.faults.as_ref().filter(|it| it.is_dead());
                let Some(faults) = faults else {
                    panic!("the testing host failed, which is a bug of eventual: {fault}")
                };
                self.start_anew();
                faults.revive();
                true
            }
        }
    }

    /// Moves the clock by `duration`, stopping at everything that is due on the way.
    pub fn advance(&self, duration: Duration) {
        self.advance_to(later(self.now(), duration));
    }

    /// Moves the clock to a moment, stopping at everything that is due on the way; never back.
    pub fn advance_to(&self, to: Millis) {
        self.block_on(async {
            self.settling().await;
            while let Some(due) = self.world.next_due().filter(|due| *due <= to) {
                self.world.set_now(due);
                self.settling().await;
            }
        });
        self.world.set_now(to);
    }

    /// Moves the clock from one due delivery to the next until `done` holds. `false` when nothing is left to happen.
    pub fn run_until(&self, done: impl FnMut(&Self) -> bool) -> bool {
        self.run_within(PATIENCE, done)
    }

    /// The same, but no further than `limit` from now. `false` also when it did not hold by then.
    pub fn run_within(&self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let until = later(self.now(), limit);
        self.settle();
        while !done(self) {
            let Some(due) = self.world.next_due() else { return false };
            if due > until {
                self.world.set_now(until);
                return false;
            }
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
        self.world.peek(id, |meta, _| meta.clone()).ok_or_else(|| ClientError::NotFound(id.clone()))
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
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.world.dead_letters()
    }

    /// Runs a command on an input that was checked.
    pub fn command(&self, command: &str, input: Payload, user: Option<User>) -> Outcome {
        self.block_on(self.outside.engine().command(command, input, user))
    }

    /// Answers an HTTP request to a command.
    pub fn answer(&self, schemas: &Schemas, found: Found<'_>, asked: Asked<'_>) -> Answer {
        self.block_on(self.outside.engine().answer(schemas, found, asked))
    }

    /// Answers an operator or an outside client.
    ///
    /// # Errors
    /// When the request names what does not exist, or cannot be done.
    pub fn system(&self, request: SystemRequest) -> Result<SystemResponse, SystemError> {
        self.block_on(self.outside.engine().system(request))
    }

    /// Runs a task by itself, once.
    pub fn task(&self, task: &TaskCall) -> Outcome {
        self.block_on(self.outside.engine().task(task))
    }

    /// Runs a subscription on an event.
    pub fn react(&self, subscription: &str, event: Payload) -> Outcome {
        self.block_on(self.outside.engine().react(subscription, event))
    }
}

fn later(now: Millis, duration: Duration) -> Millis {
    now.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("process", &self.process).finish_non_exhaustive()
    }
}
