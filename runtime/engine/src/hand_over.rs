//! Handing an execution over to its next message, where the host lets no message be handled for longer.
//!
//! Code that performs one inline task after the other never waits for anybody, so that one message would bring it all the way; a
//! host that ends a process after a minute would end it in the middle of a task, and deliver the message again only so often. What
//! was done is committed and delivered, so that a message without facts is all that the rest needs; it comes behind what was sent
//! to the execution meanwhile, which a long chain of steps no longer keeps waiting.

use std::mem;

use eventual_core::Millis;

use crate::advance::Next;
use crate::engine::Engine;
use crate::ports::{Fault, Message, Meta};
use crate::workflows::Pending;

/// The turns that one message brings about.
#[derive(Debug)]
pub(crate) struct Chain {
    /// When its host wants to be done.
    until: Option<Millis>,
    /// Whether it has got anywhere.
    begun: bool,
}

impl Chain {
    pub(crate) const fn new(until: Option<Millis>) -> Self {
        Self { until, begun: false }
    }

    /// Whether what comes `next` is for another message, because it might take until after the end. The first thing is done if
    /// there is time at all: however little time a host has for a message, each gets somewhere.
    pub(crate) fn ends_before(&mut self, next: &Next, now: Millis) -> bool {
        let Some(until) = self.until else { return false };
        let longest = match next {
            Next::Waits(pending) if mem::replace(&mut self.begun, true) => longest_ms(pending),
            _ => 0,
        };
        now.saturating_add(longest) >= until
    }
}

/// How long what is to be performed here may take.
fn longest_ms(pending: &Pending) -> u64 {
    pending.inline.iter().map(|(_, _, task)| task.timeout_ms).max().unwrap_or_default()
}

impl Engine {
    /// Lets another message go on where this one stops. `seen` as for [`remember`](Self::remember).
    pub(crate) async fn hand_over(&self, meta: &Meta, seen: bool) -> Result<(), Fault> {
        self.remember(meta, seen);
        let message = Message { goes_on: true, ..meta.message(Vec::new()) };
        self.ports.dispatch.wake(&meta.id, &message).await
    }
}
