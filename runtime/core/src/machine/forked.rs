//! A history that goes on as another execution's: what was under way for the first one is begun anew for the second.

use alloc::vec::Vec;

use super::Machine;
use crate::call::{Attempt, Call};
use crate::fact::Outcome;
use crate::id::Seq;

impl Machine {
    /// Open tasks get another attempt. Children and updates answer to the execution that made their calls, so that here they
    /// end with an error; nobody is told of updates that came to that one.
    pub(super) fn fork(&mut self) {
        let open: Vec<Seq> = self.open.iter().filter(|(_, it)| !it.complete).map(|(seq, _)| *seq).collect();
        let now = self.now;
        for seq in open {
            let Some(open) = self.open.get_mut(&seq) else { continue };
            match &open.call {
                Call::Task(_) => {
                    open.attempt += 1;
                    open.at = now;
                    self.output.attempts.push(Attempt { seq, attempt: open.attempt, at: now });
                }
                Call::Update { .. } | Call::Workflow { detached: false, .. } => {
                    let message =
                        "what this call waits for answers to the execution that this one was forked from";
                    self.complete(seq, Outcome::refused("Forked", message.into(), 409));
                }
                _ => {}
            }
        }
        self.forget_askers();
    }
}
