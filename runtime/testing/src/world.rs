//! The testing host: the engine's ports over memory and a clock that only tests move.
//!
//! It keeps the promises of a production host in the simplest way: one map of executions, one queue ordered by time. What the
//! ports mean here is in `world/ports.rs`.

mod kept;
mod ports;
mod queue;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use eventual_engine::Engine;
use eventual_engine::core::{Emitted, ExecutionId, Machine, Millis, Outcome, Turn};
use eventual_engine::ports::{AttemptId, AttemptRecord, Message, Meta, TaskRequest};
use tokio::sync::watch;

use crate::driving::Waiting;
use kept::{Executions, Kept};
use queue::Queue;

/// When a test begins: 2030-01-01T00:00:00Z, in milliseconds since 1970.
pub const START: Millis = 1_893_456_000_000;

/// Something that is on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// An event to one subscription.
    Event {
        /// The subscription.
        subscription: String,
        /// The event.
        event: Emitted,
    },
    /// An attempt to a worker.
    Task(TaskRequest),
    /// A message to an execution.
    Wake(ExecutionId, Message),
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// What could not be delivered.
    pub delivery: Delivery,
    /// When it was given up.
    pub at: Millis,
    /// How its last attempt ended, for people.
    pub reason: String,
}

/// An event that was published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The event.
    pub event: Emitted,
    /// When.
    pub at: Millis,
    /// The same when the same event was published again: `<execution>#<call>@<run>` for events of workflows.
    pub key: String,
}

#[derive(Debug)]
struct State {
    now: Millis,
    random: Machine,
    executions: Executions,
    attempts: BTreeMap<AttemptId, AttemptRecord>,
    answers: BTreeMap<(ExecutionId, String), Outcome>,
    queue: Queue,
    dead: Vec<DeadLetter>,
    published: Vec<Published>,
    /// Whether the service's own subscriptions get no events.
    deaf: bool,
    /// Processes that run former code, by its hash.
    kept: BTreeMap<String, Weak<Engine>>,
}

/// Memory, queue and clock of one test.
pub struct World {
    state: Mutex<State>,
    /// Names of the subscriptions of each event.
    subscriptions: BTreeMap<String, Vec<String>>,
    /// Counts what was written about executions.
    written: watch::Sender<u64>,
    /// Who waits for that.
    waiting: Waiting,
}

impl World {
    /// An empty world at [`START`]. `subscriptions` are pairs of event and subscription; the same `seed` gives the same
    /// random numbers.
    #[must_use]
    pub fn new(subscriptions: impl IntoIterator<Item = (String, String)>, seed: u64) -> Self {
        let mut by_event: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (event, subscription) in subscriptions {
            by_event.entry(event).or_default().push(subscription);
        }
        let state = State {
            now: START,
            random: Machine::new(seed),
            executions: Executions::default(),
            attempts: BTreeMap::new(),
            answers: BTreeMap::new(),
            queue: Queue::default(),
            dead: Vec::new(),
            published: Vec::new(),
            deaf: false,
            kept: BTreeMap::new(),
        };
        Self {
            state: Mutex::new(state),
            subscriptions: by_event,
            written: watch::Sender::new(0),
            waiting: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next delivery that is due now, with how often it was taken before.
    pub fn next(&self) -> Option<(Delivery, u32)> {
        let mut state = self.state();
        let now = state.now;
        state.queue.next(now)
    }

    /// Lets the delivery of this number, from 0 in the order in which they are taken, come twice.
    pub fn repeat(&self, delivery: u64) {
        self.state().queue.repeat(delivery);
    }

    /// How many deliveries were taken.
    pub fn taken(&self) -> u64 {
        self.state().queue.taken()
    }

    /// What is on its way, in the order in which it is due.
    pub fn queue(&self) -> Vec<(Millis, Delivery)> {
        self.state().queue.all().map(|(due, it)| (due, it.clone())).collect()
    }

    /// Keeps events from the service's own subscriptions, or no longer.
    pub fn set_deaf(&self, deaf: bool) {
        self.state().deaf = deaf;
    }

    /// Keeps a process that runs the code `code` for executions that are pinned to it, as long as somebody holds it.
    pub fn keep(&self, code: &str, process: &Arc<Engine>) {
        self.state().kept.insert(code.to_owned(), Arc::downgrade(process));
    }

    /// How many wait for something to be written about an execution.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn tell(&self) {
        self.written.send_modify(|it| *it += 1);
    }

    /// When the next delivery is due, if anything is on its way.
    pub fn next_due(&self) -> Option<Millis> {
        self.state().queue.all().next().map(|(due, _)| due)
    }

    /// Puts a delivery back, to be made again after `pause_ms`. `taken` is how often it was taken by now. Messages to the same
    /// execution wait behind it.
    pub fn redeliver(&self, delivery: Delivery, taken: u32, pause_ms: u64) {
        let mut state = self.state();
        let due = state.now + pause_ms;
        state.queue.put_back(due, delivery, taken);
    }

    /// What a redrive from a dead-letter queue does: messages with facts look as if they were never taken before.
    pub fn redrive(&self) {
        self.state().queue.redrive();
    }

    /// Gives a delivery up.
    pub fn bury(&self, delivery: Delivery, reason: String) {
        let mut state = self.state();
        let at = state.now;
        state.dead.push(DeadLetter { delivery, at, reason });
    }

    /// What was given up: the dead-letter queue.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.state().dead.clone()
    }

    /// Moves the clock, never back.
    pub fn set_now(&self, now: Millis) {
        let mut state = self.state();
        state.now = state.now.max(now);
        state.forget();
    }

    /// All events that were published, in order.
    pub fn emitted(&self) -> Vec<Emitted> {
        self.state().published.iter().map(|it| it.event.clone()).collect()
    }

    /// The same, with when and by whom.
    pub fn published(&self) -> Vec<Published> {
        self.state().published.clone()
    }

    /// The ids of all executions in the order in which they were started.
    pub fn started(&self) -> Vec<ExecutionId> {
        self.state().executions.started()
    }

    /// The turns of an execution.
    pub fn history(&self, id: &ExecutionId) -> Vec<Turn> {
        self.peek(id, |_, turns| turns.to_vec()).unwrap_or_default()
    }

    /// All executions that were ever started, in that order, those that were forgotten since included.
    pub fn all<T>(&self, mut look: impl FnMut(&Meta, &[Turn]) -> T) -> Vec<T> {
        self.state().executions.all().map(|it| look(&it.meta, &it.turns)).collect()
    }

    /// Forgets executions so many milliseconds after their end; never, unless this is said.
    pub fn set_retention(&self, retention_ms: Option<u64>) {
        let mut state = self.state();
        state.executions.set_retention(retention_ms);
        state.forget();
    }
}

impl World {
    /// Looks at an execution without copying it, also at one that was forgotten: the last of that name.
    pub fn peek<T>(&self, id: &ExecutionId, look: impl FnOnce(&Meta, &[Turn]) -> T) -> Option<T> {
        self.state().executions.last(id).map(|it| look(&it.meta, &it.turns))
    }

    /// What is kept of an attempt.
    pub fn attempt(&self, attempt: &AttemptId) -> Option<AttemptRecord> {
        self.state().attempts.get(attempt).cloned()
    }

    /// The ids of all executions that are known, sorted.
    pub fn ids(&self) -> Vec<ExecutionId> {
        self.state().executions.known().map(|it| it.meta.id.clone()).collect()
    }

    /// Writes a turn whether its number is free or not: what a store does that forgot its condition.
    pub fn overwrite(&self, id: &ExecutionId, turn: &Turn) {
        let mut state = self.state();
        let Some(Kept { turns, .. }) = state.executions.get_mut(id) else { return };
        match turns.iter_mut().find(|it| it.number == turn.number) {
            Some(before) => *before = turn.clone(),
            None => turns.push(turn.clone()),
        }
    }
}

impl State {
    /// Forgets the executions whose time is over, with what is kept for them.
    fn forget(&mut self) {
        for gone in self.executions.forget(self.now) {
            let first = AttemptId { execution: gone.clone(), run: None, seq: 0, attempt: 0 };
            let of = |it: &AttemptId| it.execution == gone;
            let attempts = self.attempts.range(first..).map(|(it, _)| it).take_while(|it| of(it));
            for attempt in attempts.cloned().collect::<Vec<_>>() {
                self.attempts.remove(&attempt);
            }
            self.answers.retain(|(id, _), _| *id != gone);
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}
