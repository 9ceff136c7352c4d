//! How an operation is steered from outside: cancelling, time, who asks, and what a failed creation leaves.
//!
//! It does nothing by itself; applying asks it between two steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::progress::{ProgressSink, Silent};

/// What to do with what was made when a creation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCreateFailure {
    /// Delete it. What an engine wants that would take a failed creation for something to destroy (Terraform).
    #[default]
    RollBack,
    /// Keep it in the state, so that the next update finishes it. What an engine wants that resumes (Pulumi).
    Keep,
    /// Leave it out of the state, so that the next creation finds and finishes it: how Terraform resumes.
    Leave,
}

/// How an operation is steered while it runs.
#[derive(Clone)]
pub struct Control {
    cancelled: Arc<AtomicBool>,
    /// Most milliseconds that the operation may take; `None` for the configuration's `timeouts`, or 10 minutes.
    /// When they are over, nothing new is begun and what is under way is finished, as when cancelled.
    pub timeout_ms: Option<u64>,
    /// What a failed creation leaves when the configuration's `on_create_failure` does not say.
    pub on_create_failure: OnCreateFailure,
    /// Who is asking, the same for every operation of one resource of one state and different for everything else:
    /// Pulumi's URN; for Terraform a random id in the resource's private state. It is stored hashed. A deployment that
    /// some engine may know of is adopted only by the same claimant.
    pub claimant: String,
    /// Who that is, in words for people: what somebody else is told who finds the deployment taken.
    pub holder: String,
    /// Who hears of progress.
    pub progress: Arc<dyn ProgressSink>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("timeout_ms", &self.timeout_ms)
            .field("on_create_failure", &self.on_create_failure)
            .finish_non_exhaustive()
    }
}

impl Control {
    /// Rolls back, reports to nobody, and asks in this claimant's name.
    pub fn new(claimant: impl Into<String>) -> Self {
        let claimant = claimant.into();
        Self {
            cancelled: Arc::default(),
            timeout_ms: None,
            on_create_failure: OnCreateFailure::default(),
            holder: claimant.clone(),
            claimant,
            progress: Arc::new(Silent),
        }
    }

    /// Begins nothing new from now on. Every clone of this value is the same switch.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// What a failed creation leaves, with what the configuration says.
    #[must_use]
    pub const fn leaves(&self, resume: Option<bool>) -> OnCreateFailure {
        match (resume, self.on_create_failure) {
            (Some(false), _) => OnCreateFailure::RollBack,
            // An engine that wants a roll-back destroys what a failed creation leaves in its state.
            (Some(true), OnCreateFailure::RollBack) => OnCreateFailure::Leave,
            (_, wanted) => wanted,
        }
    }

    /// Whether [`Control::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
