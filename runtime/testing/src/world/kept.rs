//! The executions of a test: those that are known, and those that were forgotten after their retention. Deliberately nothing is
//! ever lost to a test that looks.

use std::collections::{BTreeMap, BTreeSet};

use eventual_engine::core::{ExecutionId, Millis, Turn};
use eventual_engine::ports::Meta;

/// What is kept of an execution.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) meta: Meta,
    pub(super) turns: Vec<Turn>,
}

#[derive(Debug, Default)]
pub(super) struct Executions {
    known: BTreeMap<ExecutionId, Kept>,
    /// Of each name, those that were forgotten, in the order in which they were started.
    forgotten: BTreeMap<ExecutionId, Vec<Kept>>,
    /// All that were ever started, in order: the name, and how many of that name were started before.
    started: Vec<(ExecutionId, usize)>,
    retention_ms: Option<u64>,
    /// Those that have ended, by the time.
    closed: BTreeSet<(Millis, ExecutionId)>,
}

impl Executions {
    pub(super) fn insert(&mut self, meta: Meta) {
        let before = self.forgotten.get(&meta.id).map_or(0, Vec::len);
        self.started.push((meta.id.clone(), before));
        self.known.insert(meta.id.clone(), Kept { meta, turns: Vec::new() });
    }

    pub(super) fn get(&self, id: &ExecutionId) -> Option<&Kept> {
        self.known.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &ExecutionId) -> Option<&mut Kept> {
        self.known.get_mut(id)
    }

    /// The last of a name, forgotten or not.
    pub(super) fn last(&self, id: &ExecutionId) -> Option<&Kept> {
        self.known.get(id).or_else(|| self.forgotten.get(id)?.last())
    }

    /// Those that are known, by id.
    pub(super) fn known(&self) -> impl Iterator<Item = &Kept> {
        self.known.values()
    }

    /// All that were ever started, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Kept> {
        let one = |(id, before): &(ExecutionId, usize)| {
            self.forgotten.get(id).and_then(|it| it.get(*before)).or_else(|| self.known.get(id))
        };
        self.started.iter().filter_map(one)
    }

    pub(super) fn started(&self) -> Vec<ExecutionId> {
        self.started.iter().map(|(id, _)| id.clone()).collect()
    }

    /// Writes what is known of an execution, unless it is closed or was written as of a later turn.
    pub(super) fn set_status(&mut self, meta: &Meta) {
        let Some(Kept { meta: known, .. }) = self.known.get_mut(&meta.id) else { return };
        if known.status.is_closed() || known.as_of > meta.as_of {
            return;
        }
        *known = meta.clone();
        if let Some(closed) = meta.closed.filter(|_| meta.status.is_closed()) {
            self.closed.insert((closed, meta.id.clone()));
        }
    }

    pub(super) const fn set_retention(&mut self, retention_ms: Option<u64>) {
        self.retention_ms = retention_ms;
    }

    /// Forgets those whose retention is over: which.
    pub(super) fn forget(&mut self, now: Millis) -> Vec<ExecutionId> {
        let mut gone = Vec::new();
        let Some(retention) = self.retention_ms else { return gone };
        while let Some((closed, _)) = self.closed.first()
            && closed.saturating_add(retention) < now
        {
            let Some((_, id)) = self.closed.pop_first() else { return gone };
            if let Some(kept) = self.known.remove(&id) {
                self.forgotten.entry(id.clone()).or_default().push(kept);
                gone.push(id);
            }
        }
        gone
    }
}
