//! Cancellation: a tree of scopes, and what becomes of the calls in a scope that is cancelled.
//!
//! Scopes are known to the code of one process only; history has the requests that cancel, and the code follows from it.

use alloc::vec::Vec;

use super::Machine;
use crate::call::{Call, ParentClose, Stop};
use crate::fact::Outcome;
use crate::id::Seq;

/// Names a scope of cancellation within an execution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScopeId(u32);

/// The scope of the whole execution: what a request from outside cancels.
pub(super) const ROOT: ScopeId = ScopeId(0);

#[derive(Debug)]
struct Scope {
    /// Whose cancellation is this one's too; absent for a shielded scope.
    parent: Option<ScopeId>,
    cancelled: bool,
}

/// The scopes of an execution: the root, and the others by their numbers, which begin at 1.
#[derive(Debug)]
pub(super) struct Scopes {
    root_cancelled: bool,
    others: Vec<Scope>,
}

impl Scopes {
    pub(super) const fn new() -> Self {
        Self { root_cancelled: false, others: Vec::new() }
    }

    pub(super) const fn root_cancelled(&self) -> bool {
        self.root_cancelled
    }

    /// Whether the scope, or one around it without a shield between, is cancelled.
    pub(super) fn is_cancelled(&self, scope: ScopeId) -> bool {
        let mut at = Some(scope);
        while let Some(id) = at {
            let Some(index) = id.0.checked_sub(1) else { return self.root_cancelled };
            let Some(scope) = self.others.get(index as usize) else { return false };
            if scope.cancelled {
                return true;
            }
            at = scope.parent;
        }
        false
    }

    fn open(&mut self, parent: Option<ScopeId>) -> ScopeId {
        self.others.push(Scope { parent, cancelled: false });
        ScopeId(u32::try_from(self.others.len()).unwrap_or(u32::MAX))
    }

    fn cancel(&mut self, scope: ScopeId) {
        match scope.0.checked_sub(1) {
            None => self.root_cancelled = true,
            Some(index) => {
                if let Some(scope) = self.others.get_mut(index as usize) {
                    scope.cancelled = true;
                }
            }
        }
    }
}

impl Machine {
    /// A new scope within `around`; a shielded one is not cancelled with it.
    pub fn open_scope(&mut self, around: ScopeId, shielded: bool) -> ScopeId {
        self.scopes.open((!shielded).then_some(around))
    }

    /// Whether a scope is cancelled, by itself or from around it.
    #[must_use]
    pub fn is_cancelled(&self, scope: ScopeId) -> bool {
        self.scopes.is_cancelled(scope)
    }

    /// Cancels a scope: its open calls are cancelled, oldest first, and so is what is asked for in it from here on.
    /// Children are asked to cancel themselves, and waited for, because they may have something to clean up.
    pub fn cancel(&mut self, scope: ScopeId) {
        self.scopes.cancel(scope);
        let scopes = &self.scopes;
        let hit: Vec<Seq> = self
            .open
            .iter()
            .filter(|(_, it)| !it.complete && scopes.is_cancelled(it.scope))
            .map(|(seq, _)| *seq)
            .collect();
        for seq in hit {
            let waits_for_child = matches!(
                self.open.get(&seq).map(|it| &it.call),
                Some(Call::Workflow { close: ParentClose::Cancel | ParentClose::Terminate, .. })
            );
            self.stop(seq);
            if !waits_for_child {
                self.complete(seq, Outcome::Cancelled);
            }
        }
    }

    /// Stops the child of a call, whatever its policy says; the call goes on waiting for its end.
    pub fn stop_child(&mut self, code: Seq, terminate: bool) {
        let seq = self.bound.get(&code).copied().unwrap_or(code);
        let Some(open) = self.open.get(&seq).filter(|it| !it.complete) else { return };
        if let Call::Workflow { execution, detached: false, .. } = &open.call {
            self.output.stops.push(Stop { execution: execution.clone(), terminate });
        }
    }

    /// Stops what performs any open call: the code that waits for them has ended.
    pub(super) fn stop_all(&mut self) {
        let open: Vec<Seq> = self.open.keys().copied().collect();
        for seq in open {
            self.stop(seq);
        }
    }

    /// Stops what performs a call that has not ended, once: a task's worker, or a child as its policy says.
    pub(super) fn stop(&mut self, seq: Seq) {
        self.drop_attempt(seq);
        let Some(open) = self.open.get_mut(&seq).filter(|it| !it.complete && !it.stopped) else { return };
        let Call::Workflow { execution, detached: false, close, .. } = &open.call else { return };
        let stop = match close {
            ParentClose::Abandon => return,
            ParentClose::Cancel => Stop { execution: execution.clone(), terminate: false },
            ParentClose::Terminate => Stop { execution: execution.clone(), terminate: true },
        };
        open.stopped = true;
        self.output.stops.push(stop);
    }
}
