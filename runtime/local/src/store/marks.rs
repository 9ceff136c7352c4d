//! The executions that are marked as undelivered in the store, as this process knows them: deliberately no more than that, the
//! store has the marks themselves.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventual_core::ExecutionId;

/// What is known of an execution that is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// It is being inserted, unless it is there: perhaps it is not marked.
    Inserting,
    /// It was inserted by this process, which has written no turn of it: so it has none.
    New,
    /// It may have turns.
    Begun,
}

/// Marks, by execution.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Arc<Mutex<HashMap<ExecutionId, Mark>>>);

impl Marks {
    fn all(&self) -> MutexGuard<'_, HashMap<ExecutionId, Mark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is marked in the store.
    pub(super) fn found(&self, ids: &[ExecutionId]) {
        self.all().extend(ids.iter().map(|id| (id.clone(), Mark::Begun)));
    }

    /// An insertion begins, which marks what it inserts. `false` when the execution is known: then nothing is noted.
    pub(super) fn inserting(&self, id: &ExecutionId) -> bool {
        match self.all().entry(id.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(Mark::Inserting);
                true
            }
        }
    }

    /// That insertion has ended. Others may have gone on with the execution, and even be done with it.
    pub(super) fn inserted(&self, id: &ExecutionId, is_new: bool) {
        if let Entry::Occupied(mut known) = self.all().entry(id.clone())
            && *known.get() == Mark::Inserting
        {
            if is_new {
                known.insert(Mark::New);
            } else {
                known.remove();
            }
        }
    }

    /// Whether it is known that no turn of an execution was written.
    pub(super) fn is_new(&self, id: &ExecutionId) -> bool {
        self.all().get(id) == Some(&Mark::New)
    }

    /// A turn is about to be written. Answers whether it has to be written with a mark.
    pub(super) fn begin(&self, id: &ExecutionId) -> bool {
        let before = self.all().insert(id.clone(), Mark::Begun);
        matches!(before, None | Some(Mark::Inserting))
    }

    /// The mark of a turn that was to be written is not there.
    pub(super) fn failed(&self, id: &ExecutionId) {
        self.all().remove(id);
    }

    /// Everything of an execution is delivered. Answers whether there is a mark in the store to be removed.
    pub(super) fn end(&self, id: &ExecutionId) -> bool {
        let mut all = self.all();
        let is_marked = matches!(all.get(id), Some(Mark::New | Mark::Begun));
        is_marked && all.remove(id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insertion_says_nothing_of_an_execution_that_others_go_on_with() {
        let marks = Marks::default();
        let id = ExecutionId::new("w", "n").unwrap();
        assert!(marks.inserting(&id) && !marks.inserting(&id), "the second of two leaves it to the first");
        assert!(!marks.is_new(&id) && !marks.end(&id), "perhaps it was there before");
        marks.inserted(&id, true);
        assert!(marks.is_new(&id));
        assert!(!marks.begin(&id), "its insertion has marked it");
        assert!(!marks.is_new(&id) && marks.end(&id) && !marks.end(&id));

        assert!(marks.inserting(&id) && marks.begin(&id), "whoever writes a turn meanwhile marks it");
        assert!(marks.end(&id));
        marks.inserted(&id, true);
        assert!(!marks.is_new(&id), "it has turns by now");

        assert!(marks.inserting(&id));
        marks.inserted(&id, false);
        assert!(marks.begin(&id), "it is idle, as it was before");
    }
}
