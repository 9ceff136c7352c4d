//! What is on its way, in the order in which it is due. As in a FIFO queue of AWS, messages to one execution come one after
//! the other: while one of them waits to be made again, none overtakes it.

use std::collections::BTreeMap;

use eventual_engine::core::{ExecutionId, Millis};

use super::Delivery;

/// Deliveries with how often each was taken, by when they are due and in which order they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    items: BTreeMap<(Millis, u64), (Delivery, u32)>,
    /// Executions whose messages wait for one that is made again, and until when.
    held: BTreeMap<ExecutionId, Millis>,
    order: u64,
    /// Deliveries that were taken.
    taken: u64,
    /// The one of them that comes twice.
    twice: Option<u64>,
}

impl Queue {
    pub(super) fn push(&mut self, due: Millis, delivery: Delivery) {
        self.insert(due, delivery, 0);
    }

    fn insert(&mut self, due: Millis, delivery: Delivery, taken: u32) {
        let held = to(&delivery).and_then(|id| self.held.get(id)).copied().unwrap_or_default();
        let order = self.order;
        self.order += 1;
        self.items.insert((due.max(held), order), (delivery, taken));
    }

    /// Takes the first delivery that is due by `now`, with how often it was taken before.
    pub(super) fn next(&mut self, now: Millis) -> Option<(Delivery, u32)> {
        let first = self.items.first_entry().filter(|it| it.key().0 <= now)?;
        let (delivery, taken) = first.remove();
        self.held.retain(|_, until| *until > now);
        if self.twice == Some(self.taken) {
            self.push(now, delivery.clone());
        }
        self.taken += 1;
        Some((delivery, taken))
    }

    /// Puts a delivery back, for when it is due again. What goes to the same execution waits behind it.
    pub(super) fn put_back(&mut self, due: Millis, delivery: Delivery, taken: u32) {
        let behind = to(&delivery).cloned().map(|id| self.hold(id, due)).unwrap_or_default();
        self.insert(due, delivery, taken);
        for (delivery, taken) in behind {
            self.insert(due, delivery, taken);
        }
    }

    /// Holds the messages to an execution; answers those that would come before it is over.
    fn hold(&mut self, id: ExecutionId, until: Millis) -> Vec<(Delivery, u32)> {
        let before = self.items.range(..=(until, u64::MAX));
        let before: Vec<_> = before.filter(|(_, (it, _))| to(it) == Some(&id)).map(|(key, _)| *key).collect();
        self.held.insert(id, until);
        before.iter().filter_map(|key| self.items.remove(key)).collect()
    }

    /// Whether the same delivery is due at the same moment already.
    pub(super) fn has(&self, due: Millis, delivery: &Delivery) -> bool {
        self.items.range((due, 0)..=(due, u64::MAX)).any(|(_, (it, _))| it == delivery)
    }

    /// All of it, with when it is due.
    pub(super) fn all(&self) -> impl Iterator<Item = (Millis, &Delivery)> {
        self.items.iter().map(|((due, _), (delivery, _))| (*due, delivery))
    }

    /// Lets messages with facts look as if they were never taken.
    pub(super) fn redrive(&mut self) {
        for (delivery, taken) in self.items.values_mut() {
            if matches!(delivery, Delivery::Wake(_, message) if !message.facts.is_empty()) {
                *taken = 0;
            }
        }
    }

    /// Lets the delivery of this number come twice.
    pub(super) fn repeat(&mut self, delivery: u64) {
        self.twice = Some(delivery);
    }

    /// How many deliveries were taken.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }
}

/// The execution that a message goes to.
const fn to(delivery: &Delivery) -> Option<&ExecutionId> {
    match delivery {
        Delivery::Wake(id, _) => Some(id),
        Delivery::Event { .. } | Delivery::Task(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use eventual_engine::ports::Message;

    use super::*;

    fn wake(name: &str) -> Delivery {
        let id = ExecutionId::new("w", name).unwrap_or_else(|problem| panic!("{problem}"));
        Delivery::Wake(id, Message::default())
    }

    #[test]
    fn nothing_overtakes_what_is_made_again_for_the_same_execution() {
        let mut queue = Queue::default();
        queue.push(1, wake("a"));
        queue.push(2, wake("b"));
        queue.push(3, wake("a"));
        let (first, taken) = queue.next(10).unwrap_or_else(|| panic!("one is due"));
        queue.put_back(1_010, first, taken + 1);
        queue.push(10, wake("a"));
        assert_eq!(queue.next(10), Some((wake("b"), 0)), "others go on");
        assert_eq!(queue.next(1_009), None);
        let then: Vec<u32> = std::iter::from_fn(|| queue.next(1_010)).map(|(_, taken)| taken).collect();
        assert_eq!(then, [1, 0, 0], "it comes first");
        queue.push(1_011, wake("a"));
        assert!(queue.next(1_011).is_some(), "and holds nobody any more");
    }
}
