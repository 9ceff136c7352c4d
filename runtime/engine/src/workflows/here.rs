//! Executions in the memory of the thread that asks, for engines of simulations: without hand-offs between threads, what
//! happens depends on the caller alone, and a turn costs no context switch.
//!
//! Deliberately not for production: user code that blocks would block whoever asks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use eventual_core::ExecutionId;

use super::running::Running;

type Kept = HashMap<ExecutionId, Running>;

thread_local! {
    /// By memory. Running code is bound to its thread, engines are not: so it lives here and not in them.
    static KEPT: RefCell<HashMap<u64, Kept>> = RefCell::default();
}

/// One engine's executions in this thread. Asked on another thread, it is empty there.
pub(super) struct Memory(u64);

impl Memory {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Lends the executions out. Nothing is borrowed meanwhile, so user code may ask another engine.
    pub(super) fn with<T>(&self, job: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = KEPT.with_borrow_mut(|all| all.remove(&self.0)).unwrap_or_default();
        let answer = job(&mut kept);
        KEPT.with_borrow_mut(|all| all.insert(self.0, kept));
        answer
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // Fails only while the thread ends, which drops it too. Code is dropped when nothing is borrowed.
        let kept = KEPT.try_with(|all| all.borrow_mut().remove(&self.0));
        drop(kept);
    }
}
