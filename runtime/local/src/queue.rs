//! What is on its way, in the order in which it is due: all of it in the store's queue table, the nearest of it in memory.
//!
//! The window in memory has at most [`WINDOW_MAX`] deliveries, whatever waits on the disk. Whoever takes a delivery
//! removes its place from the table when it is done with it; until then a restart finds it again.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eventual_core::{ExecutionId, Millis};
use eventual_engine::Fault;
use eventual_engine::ports::{Clock, Message};
use tokio::sync::Notify;

use crate::clock::SystemClock;
use crate::delivery::Delivery;
use crate::store::group::{Change, Group, Tables};
use crate::store::keys::{Place, Table};

/// Most deliveries in memory that nobody has taken.
const WINDOW_MAX: usize = 4_096;
/// A delivery of more bytes is read again when it is due.
const KEPT_BYTES: usize = 1_024;
/// Longest sleep before the clock is looked at again; it may have been set.
const NAP: Duration = Duration::from_secs(30);
/// Bits of an order that count within one opening of the store.
const ORDER_BITS: u32 = 40;

/// A delivery that somebody took.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) delivery: Delivery,
    /// Removed from the table when it is done; absent for what only memory knows.
    pub(crate) place: Option<Place>,
    /// Whether an earlier process may have begun with it.
    pub(crate) redelivered: bool,
}

struct State {
    /// What is nearest. Its delivery is read from the table where it is absent.
    window: BTreeMap<Place, Option<Delivery>>,
    /// From here on only the table knows what there is; without, the window has everything.
    horizon: Option<Place>,
    /// What is being written by somebody who then makes it known: not to be found before.
    coming: HashSet<Place>,
    /// What came beyond the horizon while the table is being read.
    meanwhile: Option<Vec<Place>>,
    /// What can be made at once and need not be found after a crash.
    fresh: VecDeque<Item>,
    /// Executions with a wake-up without facts among the fresh.
    looks: HashSet<ExecutionId>,
}

/// The queue of one open store.
pub(crate) struct Queue {
    group: Arc<Group>,
    tables: Tables,
    /// The first order of this opening; what has a lower one is left from an earlier process.
    first: u64,
    order: AtomicU64,
    state: Mutex<State>,
    changed: Notify,
}

impl Queue {
    pub(crate) fn new(group: Arc<Group>, tables: Tables, epoch: u64) -> Self {
        let first = epoch << ORDER_BITS;
        let state = State {
            window: BTreeMap::new(),
            horizon: Some(Place { due: 0, order: 0 }),
            coming: HashSet::new(),
            meanwhile: None,
            fresh: VecDeque::new(),
            looks: HashSet::new(),
        };
        let (order, state) = (AtomicU64::new(first), Mutex::new(state));
        Self { group, tables, first, order, state, changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment for what is due at once.
    pub(crate) fn soon(&self) -> Millis {
        SystemClock.now()
    }

    /// A place for a delivery that is due then, and the change that writes it there.
    pub(crate) fn placed(&self, due: Millis, delivery: &Delivery) -> (Place, Change) {
        let place = Place { due, order: self.order.fetch_add(1, Ordering::Relaxed) };
        (place, Change::Put(Table::Queue, place.key(), delivery.encode()))
    }

    /// Makes known what was written to its place.
    pub(crate) fn offer(&self, place: Place, delivery: Delivery) {
        self.came(place, small(delivery));
    }

    fn came(&self, place: Place, delivery: Option<Delivery>) {
        let mut state = self.state();
        state.coming.remove(&place);
        state.insert(place, delivery);
        drop(state);
        self.changed.notify_one();
    }

    /// Writes deliveries and returns when they are durable.
    pub(crate) async fn push(&self, due: Millis, deliveries: Vec<Delivery>) -> Result<(), Fault> {
        let (places, changes): (Vec<_>, Vec<_>) = deliveries.iter().map(|it| self.placed(due, it)).unzip();
        self.state().coming.extend(&places);
        let mut coming = Coming { queue: self, places };
        self.group.write(|| "keep of a delivery".to_owned(), None, changes).await?;
        for (place, delivery) in coming.places.drain(..).zip(deliveries) {
            self.offer(place, delivery);
        }
        Ok(())
    }

    /// Has a delivery written with the next group; what caused it is found after a crash, and causes it again.
    pub(crate) fn note(&self, due: Millis, delivery: Delivery) {
        self.replace(None, due, delivery);
    }

    /// The same, in place of one that was taken.
    pub(crate) fn replace(&self, old: Option<Place>, due: Millis, delivery: Delivery) {
        let (place, put) = self.placed(due, &delivery);
        let mut changes = vec![put];
        changes.extend(old.map(|it| Change::Remove(Table::Queue, it.key())));
        // Under the lock, so that whoever reads the table knows that everything before was asked for.
        let mut state = self.state();
        self.group.note(changes);
        state.insert(place, small(delivery));
        drop(state);
        self.changed.notify_one();
    }

    /// Has something made at once that need not be found after a crash.
    pub(crate) fn fresh(&self, item: Item) {
        self.state().fresh.push_back(item);
        self.changed.notify_one();
    }

    /// Has an execution look at its history, which the store's mark causes again after a crash. Who was asked to and has
    /// not begun is not asked twice.
    pub(crate) fn look(&self, id: &ExecutionId) {
        let mut state = self.state();
        if !state.looks.insert(id.clone()) {
            return;
        }
        let delivery = Delivery::Wake(id.clone(), Message::default());
        state.fresh.push_back(Item { delivery, place: None, redelivered: false });
        drop(state);
        self.changed.notify_one();
    }

    /// Removes the places of what was done.
    pub(crate) fn done(&self, places: impl IntoIterator<Item = Place>) {
        let changes: Vec<_> = places.into_iter().map(|it| Change::Remove(Table::Queue, it.key())).collect();
        if !changes.is_empty() {
            self.group.note(changes);
        }
    }

    /// Waits for the next delivery that is due. Cancelling loses nothing.
    pub(crate) async fn next(&self) -> Result<Item, Fault> {
        loop {
            let now = SystemClock.now();
            let wait = match self.take(now) {
                Taken::Item(item) => return Ok(*item),
                Taken::Place(place) => match self.read(place).await? {
                    Some(delivery) => return Ok(self.item(place, delivery)),
                    None => continue,
                },
                Taken::Nothing(due) => due.map_or(NAP, |due| Duration::from_millis(due - now).min(NAP)),
                Taken::Exhausted => {
                    self.reload().await?;
                    continue;
                }
            };
            let _ = tokio::time::timeout(wait, self.changed.notified()).await;
        }
    }

    fn take(&self, now: Millis) -> Taken {
        let mut state = self.state();
        if let Some(item) = state.fresh.pop_front() {
            if let Delivery::Wake(id, message) = &item.delivery
                && message.facts.is_empty()
            {
                state.looks.remove(id);
            }
            return Taken::Item(Box::new(item));
        }
        let Some(first) = state.window.first_entry() else {
            return if state.horizon.is_some() { Taken::Exhausted } else { Taken::Nothing(None) };
        };
        let place = *first.key();
        if place.due > now {
            return Taken::Nothing(Some(place.due));
        }
        match first.remove() {
            Some(delivery) => Taken::Item(Box::new(self.item(place, delivery))),
            None => Taken::Place(place),
        }
    }

    fn item(&self, place: Place, delivery: Delivery) -> Item {
        Item { delivery, place: Some(place), redelivered: place.order < self.first }
    }

    /// Reads a delivery; nothing when it was done under another mention of its place.
    async fn read(&self, place: Place) -> Result<Option<Delivery>, Fault> {
        let failed = |reason: String| Fault::new("read of a delivery", reason);
        let look = || self.tables[Table::Queue as usize].get(place.key());
        let mut value = look().map_err(|error| failed(error.to_string()))?;
        if value.is_none() {
            // It may have been asked for and not be written yet.
            self.group.barrier().await?;
            value = look().map_err(|error| failed(error.to_string()))?;
        }
        Ok(value.and_then(|it| match Delivery::decode(&it) {
            Ok(delivery) => Some(delivery),
            Err(problem) => {
                self.bury_unread(place, &it, &problem);
                None
            }
        }))
    }

    /// Gives a delivery up that nobody can read, so that the others go on.
    fn bury_unread(&self, place: Place, value: &[u8], problem: &str) {
        tracing::error!(problem, "a delivery that nobody can read is among the dead letters");
        let text = format!("{}\n{problem}", String::from_utf8_lossy(value));
        self.group.note(vec![
            Change::Put(Table::Dead, place.key(), text.into_bytes()),
            Change::Remove(Table::Queue, place.key()),
        ]);
    }

    /// Fills the window from the table.
    async fn reload(&self) -> Result<(), Fault> {
        let from = {
            let mut state = self.state();
            let Some(from) = state.horizon else { return Ok(()) };
            state.meanwhile = Some(Vec::new());
            from
        };
        // Everything that was asked for before is in the table after this.
        self.group.barrier().await?;
        let mut found = Vec::new();
        let mut complete = true;
        for entry in self.tables[Table::Queue as usize].range(from.key()..) {
            let key = entry.key().map_err(|error| Fault::new("read of the queue", error))?;
            let place = Place::parse(&key)
                .ok_or_else(|| Fault::new("read of the queue", "a key of another length"))?;
            if found.len() == WINDOW_MAX / 2 {
                complete = false;
                break;
            }
            found.push(place);
        }
        let mut state = self.state();
        let came = state.meanwhile.take().unwrap_or_default();
        let last = found.last().copied().filter(|_| !complete);
        found.retain(|it| !state.coming.contains(it));
        state.horizon = last.map(|it| Place { due: it.due, order: it.order + 1 });
        for place in found.into_iter().chain(came) {
            state.insert(place, None);
        }
        Ok(())
    }
}

/// What is being written. Whoever does may give up when it is asked for: then it may be there all the same.
struct Coming<'a> {
    queue: &'a Queue,
    places: Vec<Place>,
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        for place in self.places.drain(..) {
            self.queue.came(place, None);
        }
    }
}

enum Taken {
    Item(Box<Item>),
    /// This is due; it has to be read.
    Place(Place),
    /// Nothing is due; the next is then.
    Nothing(Option<Millis>),
    /// The window is empty, the table perhaps not.
    Exhausted,
}

impl State {
    fn insert(&mut self, place: Place, delivery: Option<Delivery>) {
        if self.horizon.is_some_and(|it| place >= it) {
            if let Some(meanwhile) = &mut self.meanwhile {
                meanwhile.push(place);
            }
            return;
        }
        self.window.entry(place).or_insert(delivery);
        if self.window.len() > WINDOW_MAX
            && let Some((last, _)) = self.window.pop_last()
        {
            self.horizon = Some(last);
        }
    }
}

/// A delivery that is small enough to be kept in memory.
fn small(delivery: Delivery) -> Option<Delivery> {
    let is_small = match &delivery {
        Delivery::Event { event, .. } => event.payload.as_bytes().len() <= KEPT_BYTES,
        Delivery::Expire(_) => true,
        Delivery::Task(request) => request.input.as_bytes().len() <= KEPT_BYTES,
        Delivery::Wake(_, message) => message.facts.is_empty() || delivery.encode().len() <= KEPT_BYTES,
    };
    is_small.then_some(delivery)
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("window", &self.state().window.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
