//! The difference between what is and what should be, child by child.
//!
//! Deliberately without order: that follows from the dependencies when the plan is applied.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Desired;
use crate::progress::{Action, ChildChange};
use crate::resource::Resource;
use crate::state::{Recorded, State};

/// What happens to one child.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It is made.
    Create(Resource),
    /// It is changed from the recorded one.
    Update(Resource, Recorded),
    /// It is deleted.
    Delete(Recorded),
}

impl Change {
    /// The action.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Create(_) => Action::Create,
            Self::Update(..) => Action::Update,
            Self::Delete(_) => Action::Delete,
        }
    }
}

/// Changes by key; empty when what is is what should be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// What changes.
    pub changes: BTreeMap<String, Change>,
}

impl Plan {
    /// What happens to which child.
    #[must_use]
    pub fn summary(&self) -> Vec<ChildChange> {
        self.changes
            .iter()
            .map(|(key, change)| ChildChange { key: key.clone(), action: change.action() })
            .collect()
    }
}

/// Plans the way from `state` to `desired`. A child whose fingerprint is not known yet may change, so it is planned to.
#[must_use]
pub fn plan(state: &State, desired: &Desired) -> Plan {
    let mut changes = BTreeMap::new();
    for (key, resource) in &desired.resources {
        match state.children.get(key) {
            None => {
                changes.insert(key.clone(), Change::Create(resource.clone()));
            }
            // To make it is also how to find out whose it is.
            Some(recorded) if recorded.is_unverified() => {
                changes.insert(key.clone(), Change::Create(resource.clone()));
            }
            Some(recorded) if resource.fingerprint().as_ref() != Some(&recorded.fingerprint) => {
                changes.insert(key.clone(), Change::Update(resource.clone(), recorded.clone()));
            }
            Some(_) => {}
        }
    }
    let new: BTreeSet<String> = changes
        .iter()
        .filter(|(_, change)| change.action() == Action::Create)
        .map(|(key, _)| key.clone())
        .collect();
    for (key, resource) in &desired.resources {
        // What refers to a child that is made anew, or that lost what is referred to, gets other values, whatever its own
        // fingerprint says.
        let refers = resource.spec.references().iter().any(|(other, attribute)| {
            new.contains(other)
                || (state.children.contains_key(other) && state.lookup(other, attribute).is_none())
        });
        if let (true, false, Some(recorded)) = (refers, changes.contains_key(key), state.children.get(key)) {
            changes.insert(key.clone(), Change::Update(resource.clone(), recorded.clone()));
        }
    }
    for (key, recorded) in &state.children {
        if !desired.resources.contains_key(key) {
            changes.insert(key.clone(), Change::Delete(recorded.clone()));
        }
    }
    Plan { changes }
}

/// The plan that deletes everything.
#[must_use]
pub fn removal(state: &State) -> Plan {
    let delete = |(key, recorded): (&String, &Recorded)| (key.clone(), Change::Delete(recorded.clone()));
    Plan { changes: state.children.iter().map(delete).collect() }
}
