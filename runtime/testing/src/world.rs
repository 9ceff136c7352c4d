//! The testing host: the engine's ports over memory and a clock that only tests move.
//!
//! It keeps the promises of a production host in the simplest way: one map of executions, one queue ordered by time.

mod queue;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use eventual_engine::Engine;
use eventual_engine::core::{Emitted, ExecutionId, Fact, Machine, Millis, Outcome, Payload, Seq, Turn};
use eventual_engine::ports::{
    AttemptRecord, Awaited, Beat, BoxFuture, Clock, Commit, Completed, Dispatch, Fault, Forward, Forwarded,
    Insert, ListQuery, Message, Meta, Page, Store, TaskRequest,
};
use tokio::sync::watch;

use crate::driving::{Waiting, Waits};
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
    /// The same when the same event was published again: `<execution>#<call>` for events of workflows.
    pub key: String,
}

#[derive(Debug)]
struct State {
    now: Millis,
    random: Machine,
    executions: BTreeMap<ExecutionId, (Meta, Vec<Turn>)>,
    /// In the order in which they were started.
    started: Vec<ExecutionId>,
    attempts: BTreeMap<(ExecutionId, Seq, u32), AttemptRecord>,
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
            executions: BTreeMap::new(),
            started: Vec::new(),
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
        self.state().started.clone()
    }

    /// The turns of an execution.
    pub fn history(&self, id: &ExecutionId) -> Vec<Turn> {
        self.state().executions.get(id).map(|(_, turns)| turns.clone()).unwrap_or_default()
    }
}

impl World {
    /// Looks at an execution without copying it.
    pub fn peek<T>(&self, id: &ExecutionId, look: impl FnOnce(&Meta, &[Turn]) -> T) -> Option<T> {
        self.state().executions.get(id).map(|(meta, turns)| look(meta, turns))
    }

    /// What is kept of an attempt.
    pub fn attempt(&self, id: &ExecutionId, seq: Seq, attempt: u32) -> Option<AttemptRecord> {
        self.state().attempts.get(&(id.clone(), seq, attempt)).cloned()
    }

    /// The ids of all executions, sorted.
    pub fn ids(&self) -> Vec<ExecutionId> {
        self.state().executions.keys().cloned().collect()
    }

    /// Writes a turn whether its number is free or not: what a store does that forgot its condition.
    pub fn overwrite(&self, id: &ExecutionId, turn: &Turn) {
        let mut state = self.state();
        let Some((_, turns)) = state.executions.get_mut(id) else { return };
        match turns.iter_mut().find(|it| it.number == turn.number) {
            Some(before) => *before = turn.clone(),
            None => turns.push(turn.clone()),
        }
    }
}

#[async_trait]
impl Store for World {
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault> {
        let mut state = self.state();
        if let Some((before, _)) = state.executions.get(&meta.id) {
            return Ok(Insert::Exists(Box::new(before.clone())));
        }
        state.executions.insert(meta.id.clone(), (meta.clone(), Vec::new()));
        state.started.push(meta.id.clone());
        // The promise of `insert`: the execution is woken even if its starter dies now.
        let now = state.now;
        state.queue.push(now, Delivery::Wake(meta.id.clone(), Message::default()));
        Ok(Insert::Inserted)
    }

    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault> {
        Ok(self.state().executions.get(id).map(|(meta, _)| meta.clone()))
    }

    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        let state = self.state();
        let turns = state.executions.get(id).map(|(_, turns)| turns.as_slice()).unwrap_or_default();
        Ok(turns.iter().filter(|it| it.number > after).cloned().collect())
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        let mut state = self.state();
        let Some((_, turns)) = state.executions.get_mut(id) else {
            return Err(Fault::new(format!("commit of {id}"), "there is no such execution"));
        };
        // A fork of an execution whose first turns are gone begins with a later one.
        if turns.last().is_some_and(|last| last.number + 1 != turn.number) {
            return Ok(Commit::Taken);
        }
        turns.push(turn.clone());
        drop(state);
        self.tell();
        Ok(Commit::Written)
    }

    async fn set_status(&self, meta: &Meta) -> Result<(), Fault> {
        let mut state = self.state();
        if let Some((known, _)) = state.executions.get_mut(&meta.id)
            && !known.status.is_closed()
            && known.as_of <= meta.as_of
        {
            *known = meta.clone();
        }
        drop(state);
        self.tell();
        Ok(())
    }

    async fn claim(&self, id: &ExecutionId, seq: Seq, attempt: u32, _lease_ms: u64) -> Result<bool, Fault> {
        let mut state = self.state();
        let now = state.now;
        match state.attempts.entry((id.clone(), seq, attempt)) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(free) => {
                free.insert(AttemptRecord::taken(now));
                Ok(true)
            }
        }
    }

    async fn heartbeat(
        &self,
        id: &ExecutionId,
        seq: Seq,
        attempt: u32,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        Ok(self.state().attempts.entry((id.clone(), seq, attempt)).or_default().beat(now, details))
    }

    async fn attempt_of(
        &self,
        id: &ExecutionId,
        seq: Seq,
        attempt: u32,
    ) -> Result<Option<AttemptRecord>, Fault> {
        Ok(self.state().attempts.get(&(id.clone(), seq, attempt)).cloned())
    }

    async fn cancel_attempt(
        &self,
        id: &ExecutionId,
        seq: Seq,
        attempt: u32,
    ) -> Result<Option<Outcome>, Fault> {
        Ok(self.state().attempts.entry((id.clone(), seq, attempt)).or_default().cancel())
    }

    async fn complete_attempt(
        &self,
        id: &ExecutionId,
        seq: Seq,
        attempt: u32,
        outcome: &Outcome,
    ) -> Result<Completed, Fault> {
        Ok(self.state().attempts.entry((id.clone(), seq, attempt)).or_default().complete(outcome))
    }

    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault> {
        let mut state = self.state();
        state.answers.entry((id.clone(), update.to_owned())).or_insert_with(|| outcome.clone());
        drop(state);
        self.tell();
        Ok(())
    }

    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        Ok(self.state().answers.get(&(id.clone(), update.to_owned())).cloned())
    }

    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        if let Some((_, turns)) = self.state().executions.get_mut(id) {
            turns.retain(|it| it.number >= before);
        }
        Ok(())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, Fault> {
        let state = self.state();
        let mut found: Vec<&Meta> =
            state.executions.values().map(|(meta, _)| meta).filter(|it| query.matches(it)).collect();
        let key = |it: &Meta| format!("{:015}#{}", it.started, it.id);
        found.sort_by_key(|it| std::cmp::Reverse(key(it)));
        let from =
            query.after.as_ref().map_or(0, |after| found.iter().take_while(|it| key(it) >= *after).count());
        let page: Vec<Meta> = found.iter().skip(from).take(query.limit).map(|it| (*it).clone()).collect();
        let next = (from + page.len() < found.len()).then(|| page.last().map(key)).flatten();
        Ok(Page { executions: page, next })
    }
}

#[async_trait]
impl Dispatch for World {
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault> {
        let mut state = self.state();
        let now = state.now;
        state.queue.push(now, Delivery::Wake(id.clone(), message.clone()));
        Ok(())
    }

    async fn task(&self, request: &TaskRequest) -> Result<(), Fault> {
        let mut state = self.state();
        let now = state.now;
        state.queue.push(now, Delivery::Task(request.clone()));
        Ok(())
    }

    async fn timer(&self, id: &ExecutionId, due: Millis, fact: &Fact) -> Result<(), Fault> {
        let delivery = Delivery::Wake(id.clone(), Message { facts: vec![fact.clone()] });
        let mut state = self.state();
        // The same fact at the same moment is one message, as in a queue that drops what it has seen.
        if !state.queue.has(due, &delivery) {
            state.queue.push(due, delivery);
        }
        Ok(())
    }

    async fn emit(&self, key: &str, events: &[Emitted]) -> Result<(), Fault> {
        let mut state = self.state();
        let now = state.now;
        for event in events {
            state.published.push(Published { event: event.clone(), at: now, key: key.to_owned() });
            let subscriptions = self.subscriptions.get(&event.name).filter(|_| !state.deaf);
            for subscription in subscriptions.into_iter().flatten() {
                let delivery = Delivery::Event { subscription: subscription.clone(), event: event.clone() };
                state.queue.push(now, delivery);
            }
        }
        Ok(())
    }

    async fn forward(&self, code: &str, id: &ExecutionId, forward: &Forward) -> Result<Forwarded, Fault> {
        let process = self.state().kept.get(code).and_then(Weak::upgrade);
        match process {
            Some(process) => {
                let answer = process.forwarded(code, id, forward.clone()).await;
                answer.map_err(|error| Fault::new(format!("forward of {id} to {code}"), error))
            }
            None => Ok(Forwarded::NoSuchCode),
        }
    }

    fn progress(&self, _id: &ExecutionId, _awaited: Awaited) -> BoxFuture<'static, ()> {
        let (mut written, waiting) = (self.written.subscribe(), self.waiting.clone());
        Box::pin(async move {
            let _waits = Waits::begin(waiting);
            // An error is as good: the world is gone, and whoever waits looks again.
            let _ = written.changed().await;
        })
    }
}

impl Clock for World {
    fn now(&self) -> Millis {
        self.state().now
    }

    fn entropy(&self) -> u64 {
        self.state().random.random()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}
