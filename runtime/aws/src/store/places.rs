//! What a process remembers of where executions' last turns are. Deliberately no cache of turns, and nothing depends on what
//! it still knows: `place.rs` says why a memory may be believed, and for how long.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use eventual_core::{ExecutionId, Millis};

use super::META_LIVES_LONGER_S;
use super::place::Place;

/// Executions that are remembered at least, and half of those at most.
const REMEMBERED: usize = 1_000;
/// How long a memory is believed, in milliseconds: not as long as it takes until the execution's name can be another's.
const BELIEVED_MS: Millis = META_LIVES_LONGER_S * 1_000 / 2;

/// The places of executions' last turns.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    /// What was learnt last.
    young: HashMap<ExecutionId, Known>,
    /// What was learnt before that, and is forgotten when there is as much anew.
    old: HashMap<ExecutionId, Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    place: Place,
    /// When the question was asked whose answer it is.
    asked: Millis,
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where turn `turn` of an execution is, if it is known to be the last of its item.
    pub(super) fn of(&self, id: &ExecutionId, turn: u64, now: Millis) -> Option<Place> {
        let known = self.lock();
        let known = known.young.get(id).or_else(|| known.old.get(id))?;
        let believed = now.checked_sub(known.asked).is_some_and(|age| age < BELIEVED_MS);
        (believed && known.place.last == turn).then_some(known.place)
    }

    /// Notes what an answer said to a question that was asked at `asked`.
    pub(super) fn learn(&self, id: &ExecutionId, place: Place, asked: Millis) {
        let mut known = self.lock();
        if known.young.len() >= REMEMBERED && !known.young.contains_key(id) {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(id.clone(), Known { place, asked });
    }

    /// Forgets an execution.
    pub(super) fn forget(&self, id: &ExecutionId) {
        let mut known = self.lock();
        known.young.remove(id);
        known.old.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spill::Kept;

    fn id(name: usize) -> ExecutionId {
        ExecutionId::new("w", &name.to_string()).unwrap()
    }

    fn place(turn: u64) -> Place {
        Place::beginning(&id(0), turn, &Kept::Inline("{}".into()), false)
    }

    #[test]
    fn the_last_turn_is_known_for_a_while() {
        let places = Places::default();
        assert_eq!(places.of(&id(0), 3, 100), None);
        places.learn(&id(0), place(3), 100);
        assert_eq!(places.of(&id(0), 3, 100 + BELIEVED_MS - 1), Some(place(3)));
        assert_eq!(places.of(&id(0), 3, 100 + BELIEVED_MS), None, "the name may be another's");
        assert_eq!(places.of(&id(0), 3, 99), None, "the clock was set back by who knows how much");
        assert_eq!((places.of(&id(0), 2, 100), places.of(&id(0), 4, 100)), (None, None));
        places.learn(&id(0), place(4), 100);
        assert_eq!((places.of(&id(0), 3, 100), places.of(&id(0), 4, 100)), (None, Some(place(4))));
        places.forget(&id(0));
        assert_eq!(places.of(&id(0), 4, 100), None);
    }

    #[test]
    fn it_is_bounded_and_keeps_what_was_learnt_last() {
        let places = Places::default();
        for name in 0..5 * REMEMBERED {
            places.learn(&id(name), place(1), 0);
        }
        let kept = places.lock();
        assert!(kept.young.len() + kept.old.len() <= 2 * REMEMBERED);
        drop(kept);
        assert!((4 * REMEMBERED..5 * REMEMBERED).all(|name| places.of(&id(name), 1, 0).is_some()));
    }
}
