//! Makes a plan true: everything at once that does not wait for something else, retried until a deadline.
//!
//! It decides order, concurrency, retries and when to stop; what a call does is the cloud's. It never stops a call that
//! is under way.

mod claim;
mod graph;
mod persist;
mod standing;
mod tally;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use claim::unverified;
pub use claim::{Children, Claim, Held, claim, found, put_back, release};
pub(crate) use graph::expected;
pub use graph::{Failure, Outcome, delete, ensure};
pub(crate) use persist::{Effort, persist};
pub use standing::{Holder, Refused};
pub use tally::Tally;
pub(crate) use tally::to_value;

use crate::cloud::{Cloud, Owner};
use crate::control::Control;
use crate::plan::{Change, Plan};
use crate::progress::{Action, ProgressEvent, Stage, Summary};
use crate::resource::{Kind, Resource};
use crate::state::{Recorded, State};

/// One run of apply: the cloud, whose resources, and when to stop.
pub struct Run<'a> {
    /// The cloud.
    pub cloud: &'a dyn Cloud,
    /// Whose resources.
    pub owner: Owner,
    /// Cancellation and progress.
    pub control: &'a Control,
    /// When to begin nothing new, by the cloud's clock.
    pub deadline_ms: u64,
    /// Set when another run took the deployment over.
    pub lost: AtomicBool,
    /// What it has done.
    pub tally: Tally,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("owner", &self.owner)
            .field("deadline_ms", &self.deadline_ms)
            .finish_non_exhaustive()
    }
}

impl Run<'_> {
    /// Why nothing new is begun, if that is so.
    #[must_use]
    pub fn stopped(&self) -> Option<&'static str> {
        if self.lost.load(Ordering::Relaxed) {
            Some("another run took this deployment over")
        } else if self.control.is_cancelled() {
            Some("it was cancelled")
        } else if self.cloud.now_ms() >= self.deadline_ms {
            Some("its time is over (`timeouts`)")
        } else {
            None
        }
    }

    pub(crate) fn report(&self, key: &str, action: Action, stage: Stage, since_ms: u64) {
        let elapsed_ms = self.cloud.now_ms().saturating_sub(since_ms);
        let so_far = self.tally.note(key, action, &stage, elapsed_ms);
        let event = ProgressEvent { key: key.to_owned(), action, stage, elapsed_ms, so_far };
        self.control.progress.report(&event);
    }

    /// What it came to, which whoever watches is told too.
    pub(crate) fn ended(&self) -> Summary {
        let summary = self.tally.summary(self.cloud.now_ms());
        if summary.done() > 0 {
            self.control.progress.ended(&summary);
        }
        summary
    }
}

/// Whether the plan changes roles, so that missing permissions may be ones that are not seen yet.
fn touches_roles(plan: &Plan) -> bool {
    plan.changes.values().any(|change| match change {
        Change::Create(resource) | Change::Update(resource, _) => resource.kind() == Kind::Role,
        Change::Delete(_) => false,
    })
}

/// The creations and updates of a plan.
fn ensures(plan: &Plan) -> BTreeMap<String, (Resource, Option<Recorded>)> {
    let pick = |(key, change): (&String, &Change)| match change {
        Change::Create(resource) => Some((key.clone(), (resource.clone(), None))),
        Change::Update(resource, recorded) => Some((key.clone(), (resource.clone(), Some(recorded.clone())))),
        Change::Delete(_) => None,
    };
    plan.changes.iter().filter_map(pick).collect()
}

/// What there may be while the plan is applied: what is, and what is about to be made. What is about to change is not
/// what it was.
pub(crate) fn inventory(state: &State, plan: &Plan) -> Children {
    let mut children = state.children.clone();
    for (key, change) in &plan.changes {
        match change {
            Change::Create(resource) => {
                children.insert(key.clone(), expected(resource));
            }
            Change::Update(..) | Change::Delete(_) => {
                if let Some(child) = children.get_mut(key) {
                    child.fingerprint.clear();
                }
            }
        }
    }
    children
}

/// The deletions of a plan.
fn deletions(plan: &Plan) -> BTreeMap<String, Recorded> {
    let pick = |(key, change): (&String, &Change)| match change {
        Change::Delete(recorded) => Some((key.clone(), recorded.clone())),
        _ => None,
    };
    plan.changes.iter().filter_map(pick).collect()
}

#[cfg(test)]
mod drift;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod steering;
#[cfg(test)]
mod tests;
