//! One process over one store: takes what is due and calls one engine verb for it. What a verb means is the engine's matter.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use eventual_core::limits::FACTS_MAX;
use eventual_core::{Emitted, ExecutionId, Fact, Outcome, Run};
use eventual_engine::codec::ForwardMessage;
use eventual_engine::ports::{Fault, Forwarded, Message, Ports, TaskRequest};
use eventual_engine::{AdvanceError, ClientError, Engine, Registry, States};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::SystemClock;
use crate::delivery::Delivery;
use crate::dispatch::{COVER, Cover, LocalDispatch, TaskPlace};
use crate::former::{Formers, Limits};
use crate::queue::Item;
use crate::store::LocalStore;
use crate::store::group::Change;
use crate::store::keys::{Place, Table};

/// Most executions that are advanced, and most tasks and subscriptions that run, at the same time.
const LANES_MAX: usize = 1_024;
const HANDLERS_MAX: usize = 4_096;
/// How often an event is given to a subscription before it becomes a dead letter, as on AWS.
const EVENT_ATTEMPTS: u32 = 3;
/// How often an execution is given a message that only fails before it becomes a dead letter.
const WAKE_ATTEMPTS: u32 = 10;
/// The first pause before another attempt, and the longest.
const PAUSE_MS: u64 = 200;
const PAUSE_MAX_MS: u64 = 30_000;

/// A process: an engine over a store.
pub struct Host {
    store: Arc<LocalStore>,
    engine: Engine,
    /// What the engine was made with, for former programs.
    ports: Ports,
    formers: Formers,
    /// The executions that are being advanced, with what came for them meanwhile.
    lanes: Mutex<HashMap<ExecutionId, Vec<Item>>>,
    lanes_free: Arc<Semaphore>,
    handlers_free: Arc<Semaphore>,
}

impl Host {
    /// The handlers of a service over a store. `subscriptions` are pairs of event and subscription; `code` is the hash
    /// of the code that runs.
    #[must_use]
    pub fn new(
        store: LocalStore,
        registry: Arc<Registry>,
        states: Arc<States>,
        subscriptions: impl IntoIterator<Item = (String, String)>,
        code: &str,
    ) -> Arc<Self> {
        Self::with(store, registry, states, subscriptions, code, Limits::default())
    }

    /// The same, with other limits for former programs.
    pub(crate) fn with(
        store: LocalStore,
        registry: Arc<Registry>,
        states: Arc<States>,
        subscriptions: impl IntoIterator<Item = (String, String)>,
        code: &str,
        limits: Limits,
    ) -> Arc<Self> {
        let store = Arc::new(store);
        Arc::new_cyclic(|host: &Weak<Self>| {
            let dispatch = Arc::new(LocalDispatch::new(store.clone(), subscriptions, host.clone()));
            let ports = Ports { store: store.clone(), dispatch, clock: Arc::new(SystemClock) };
            let engine = Engine::new(ports.clone(), registry, states, code);
            let formers = Formers::new(store.programs.clone(), limits, host.clone());
            Self {
                store,
                engine,
                ports,
                formers,
                lanes: Mutex::default(),
                lanes_free: Arc::new(Semaphore::new(LANES_MAX)),
                handlers_free: Arc::new(Semaphore::new(HANDLERS_MAX)),
            }
        })
    }

    /// Has every turn be taken by `instances` of the code, which must agree; by former programs too, that are not started yet.
    pub fn set_twins(&self, instances: u32) {
        self.engine.set_twins(instances);
        self.formers.set_twins(instances);
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What the engine was made with.
    #[cfg(test)]
    pub(crate) const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &LocalStore {
        &self.store
    }

    /// Makes what is due, until it is dropped. What is under way then goes on by itself; [`Host::settle`] waits for it.
    ///
    /// # Errors
    /// When the store failed: the process must be started again.
    pub async fn run(self: &Arc<Self>) -> Result<(), Fault> {
        for id in self.store.undelivered()? {
            let delivery = Delivery::Wake(id, Message::default());
            self.store.queue.fresh(Item { delivery, place: None, redelivered: true });
        }
        loop {
            let item = tokio::select! {
                biased;
                reason = self.store.group.failed() => {
                    return Err(Fault::new("write to the store", reason.to_string()));
                }
                item = self.store.queue.next() => item?,
            };
            self.begin(item).await;
        }
    }

    /// Waits until nothing is under way, but no longer than `longest`. Nothing is lost either way.
    pub async fn settle(&self, longest: Duration) {
        let all = |free: &Arc<Semaphore>, count: usize| {
            let free = free.clone();
            async move { free.acquire_many_owned(u32::try_from(count).unwrap_or(u32::MAX)).await.is_ok() }
        };
        let idle =
            async { all(&self.handlers_free, HANDLERS_MAX).await && all(&self.lanes_free, LANES_MAX).await };
        if tokio::time::timeout(longest, idle).await.is_err() {
            tracing::warn!("stopped while handlers still run; their attempts count as lost");
        }
    }

    /// Ends the processes of former programs. What they have not committed is done by whoever serves next.
    pub async fn stop_formers(&self) {
        self.formers.stop().await;
    }

    /// Lets executions go on that were parked because nobody ran their code, which this process runs, or a former one whose
    /// program is kept. Programs that no open execution needs are deleted meanwhile.
    ///
    /// # Errors
    /// When the store cannot be read, or written.
    pub async fn resume_pinned(self: &Arc<Self>) -> Result<(), ClientError> {
        self.store.programs.sweep();
        let kept = self.store.programs.all();
        self.engine.resume_pinned(&kept).await?;
        let host = self.clone();
        tokio::spawn(async move { host.tidy(kept).await });
        Ok(())
    }

    /// Deletes those of the programs that nobody needs, and sees to it that the one that runs is kept if it is needed.
    async fn tidy(&self, kept: Vec<String>) {
        let (programs, own) = (&self.store.programs, self.engine.code());
        if programs.is_own(own) && self.engine.is_needed(own).await.unwrap_or_default() {
            // Executions were started when it could not be kept, or by a release that kept none; or it is damaged by now.
            programs.keep(own).await;
        }
        for code in kept {
            self.let_go(&code).await;
        }
    }

    /// Deletes a former program, unless an open execution needs it.
    pub(crate) async fn let_go(&self, code: &str) {
        match self.engine.is_needed(code).await {
            Ok(true) => {}
            Ok(false) => self.formers.delete(code).await,
            Err(fault) => tracing::warn!(code, %fault, "whether a former program is needed is not known"),
        }
    }

    /// Has the code that an execution is pinned to do something: this one, where a former program asks, or a former one.
    pub(crate) async fn forward(&self, message: ForwardMessage) -> Result<Forwarded, Fault> {
        if message.code != self.engine.code() {
            return self.formers.forward(&self.ports, &message).await;
        }
        let ForwardMessage { execution, code, forward } = message;
        let forwarded = self.engine.forwarded(&code, &execution, forward, None).await;
        forwarded.map_err(|error| Fault::new(format!("forward for {execution}"), error))
    }

    async fn begin(self: &Arc<Self>, item: Item) {
        let Item { delivery, place, redelivered } = item;
        match delivery {
            Delivery::Wake(..) => self.wake(Item { delivery, place, redelivered }).await,
            Delivery::Task(request) => self.task(*request, place, redelivered).await,
            Delivery::Event { subscription, event, tried } => {
                let (host, permit) = (self.clone(), free(&self.handlers_free).await);
                tokio::spawn(async move {
                    host.event(subscription, event, tried, place).await;
                    drop(permit);
                });
            }
            Delivery::Expire(id) => {
                let and = place.map(|it| Change::Remove(Table::Queue, it.key()));
                let Some(and) = and else { return };
                if let Err(fault) = self.store.forget(&id, and).await {
                    tracing::error!(execution = %id, %fault, "not forgotten; tried again at the next start");
                }
            }
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<ExecutionId, Vec<Item>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages to one execution are handled one at a time, in order; those that wait are handled together.
    async fn wake(self: &Arc<Self>, item: Item) {
        let Delivery::Wake(id, _) = &item.delivery else { return };
        let id = id.clone();
        if let Some(waiting) = self.lanes().get_mut(&id) {
            waiting.push(item);
            return;
        }
        let permit = free(&self.lanes_free).await;
        // Only the loop of `run` opens lanes, so there is still none.
        self.lanes().insert(id.clone(), vec![item]);
        let host = self.clone();
        tokio::spawn(async move {
            host.lane(id).await;
            drop(permit);
        });
    }

    async fn lane(&self, id: ExecutionId) {
        let (mut tries, mut held) = (0, Vec::new());
        loop {
            if held.is_empty() {
                held = self.take(&id);
            }
            if held.is_empty() {
                return;
            }
            let redelivered = tries > 0 || held.iter().any(|it| it.redelivered);
            let facts = held.iter().flat_map(|it| facts(&it.delivery)).cloned().collect();
            let run = held.iter().find_map(|it| run(&it.delivery));
            let message = Message { facts, run, ..Message::default() };
            let advancing = self.engine.advance(&id, message, redelivered);
            let failed = match COVER.scope(Cover::Turn, advancing).await {
                Ok(()) => None,
                Err(AdvanceError::Unknown(_)) => {
                    tracing::warn!(execution = %id, "a message to an execution that was never started, or was forgotten, is dropped");
                    None
                }
                Err(error) => Some(error),
            };
            let places = held.iter().filter_map(|it| it.place);
            match failed {
                None => self.store.queue.done(places),
                Some(error) if tries + 1 >= WAKE_ATTEMPTS => {
                    for item in &held {
                        self.bury(&item.delivery, item.place, &error.to_string());
                    }
                }
                Some(error) => {
                    tries += 1;
                    tracing::warn!(execution = %id, %error, tries, "wake-up failed; it is tried again");
                    tokio::time::sleep(pause(tries)).await;
                    continue;
                }
            }
            tries = 0;
            held.clear();
        }
    }

    /// What waits for an execution; with nothing, its lane is closed.
    fn take(&self, id: &ExecutionId) -> Vec<Item> {
        let mut lanes = self.lanes();
        let Some(waiting) = lanes.get_mut(id) else { return Vec::new() };
        // Messages that are for one run are one message. One without facts goes with any.
        let (mut count, mut first) = (0, None);
        let fits = |it: &&Item| {
            count += facts(&it.delivery).len();
            let is_first = facts(&it.delivery).is_empty()
                || *first.get_or_insert(run(&it.delivery)) == run(&it.delivery);
            is_first && count <= FACTS_MAX
        };
        let some = waiting.iter().take_while(fits).count().max(waiting.len().min(1));
        let taken: Vec<_> = waiting.drain(..some).collect();
        if taken.is_empty() {
            // Before the next lane of this execution can write another turn.
            self.store.unmark(id);
            lanes.remove(id);
        }
        taken
    }

    async fn task(self: &Arc<Self>, request: TaskRequest, place: Option<Place>, redelivered: bool) {
        // An attempt that an earlier process has begun died with it.
        let begun = redelivered && self.store.claimed(&request.id()).unwrap_or(true);
        if begun {
            self.lost(&request, place, "its process ended while it was performed");
            return;
        }
        let (host, permit) = (self.clone(), free(&self.handlers_free).await);
        tokio::spawn(async move {
            let cell = TaskPlace::new(Mutex::new(place));
            let performing = host.engine.perform(request.clone());
            let performed = COVER.scope(Cover::Task(cell.clone()), performing).await;
            // Left only where no outcome is on its way.
            let place = cell.lock().unwrap_or_else(PoisonError::into_inner).take();
            match performed {
                Ok(()) => host.store.queue.done(place),
                Err(fault) => host.lost(&request, place, &fault.to_string()),
            }
            drop(permit);
        });
    }

    fn lost(&self, request: &TaskRequest, place: Option<Place>, reason: &str) {
        let id = request.id();
        let message = id.message(id.lost(false, reason));
        let delivery = Delivery::Wake(id.execution, message);
        self.store.queue.fresh(Item { delivery, place, redelivered: false });
    }

    async fn event(&self, subscription: String, event: Emitted, tried: u32, place: Option<Place>) {
        let outcome = self.engine.react(&subscription, event.payload.clone()).await;
        if matches!(outcome, Outcome::Succeeded(_)) {
            self.store.queue.done(place);
            return;
        }
        let tried = tried + 1;
        tracing::warn!(subscription, event = event.name, tried, ?outcome, "subscription failed");
        let delivery = Delivery::Event { subscription, event, tried };
        if tried >= EVENT_ATTEMPTS {
            self.bury(&delivery, place, &format!("{outcome:?}"));
            return;
        }
        let due = self.store.queue.soon() + u64::try_from(pause(tried).as_millis()).unwrap_or(PAUSE_MAX_MS);
        self.store.queue.replace(place, due, delivery);
    }

    /// Gives a delivery up: it is kept where people find it.
    fn bury(&self, delivery: &Delivery, place: Option<Place>, reason: &str) {
        tracing::error!(?delivery, reason, "given up; it is among the dead letters");
        let (dead, _) = self.store.queue.placed(self.store.queue.soon(), delivery);
        let text = format!("{}\n{reason}", String::from_utf8_lossy(&delivery.encode()));
        let mut changes = vec![Change::Put(Table::Dead, dead.key(), text.into_bytes())];
        changes.extend(place.map(|it| Change::Remove(Table::Queue, it.key())));
        self.store.group.note(changes);
    }
}

fn facts(delivery: &Delivery) -> &[Fact] {
    if let Delivery::Wake(_, message) = delivery { &message.facts } else { &[] }
}

fn run(delivery: &Delivery) -> Option<Run> {
    if let Delivery::Wake(_, message) = delivery { message.run } else { None }
}

fn pause(tries: u32) -> Duration {
    Duration::from_millis((PAUSE_MS << tries.min(16)).min(PAUSE_MAX_MS))
}

async fn free(semaphore: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    // They are never closed.
    semaphore.clone().acquire_owned().await.ok()
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("engine", &self.engine).finish_non_exhaustive()
    }
}
