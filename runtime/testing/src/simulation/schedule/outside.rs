//! What people and other services do to executions: signals, pauses, terminations, and resuming what stands still, on code that
//! may have to be run again for that.

use eventual_engine::core::{ExecutionId, Fact, Status};
use eventual_engine::ports::Clock;

use super::super::{check, service};
use super::{Outside, Schedule};

/// How many executions are paused, and terminated, in per mille.
const PAUSED: u64 = 100;
const TERMINATED: u64 = 100;

impl Schedule {
    pub(super) fn send_signals(&mut self, id: &ExecutionId, size: u64, name: Option<&str>) {
        let Some(name) = name else { return };
        for number in 0..size {
            let payload = number.to_string().as_str().into();
            let fact = Fact::Signal { id: format!("{id}-{number}"), name: name.to_owned(), payload };
            let due = self.world.now() + self.shared.below(90_000);
            self.outside.push((due, Outside::Signal(id.clone(), fact)));
        }
    }

    /// Has some executions paused, and some terminated, at any moment.
    pub(super) fn control(&mut self, id: &ExecutionId) {
        let now = self.world.now();
        if self.shared.chance(PAUSED) {
            let paused = Fact::Paused { id: format!("{id}-pause"), reason: "a look at it".to_owned() };
            let due = now + self.shared.below(120_000);
            self.outside.push((due, Outside::Signal(id.clone(), paused)));
        }
        if service::may_be_terminated(id.workflow()) && self.shared.chance(TERMINATED) {
            let terminated = Fact::Terminated { reason: check::TERMINATED.to_owned() };
            let due = now + self.shared.below(120_000);
            self.outside.push((due, Outside::Signal(id.clone(), terminated)));
        }
    }

    /// Resumes what is paused or parked: somebody who looks, when nothing else happens. `false` when nothing is.
    pub(super) fn resume(&mut self) -> bool {
        let stands = |it: &ExecutionId| {
            let status = self.world.peek(it, |meta, _| meta.status);
            matches!(status, Some(Status::Parked | Status::Paused))
        };
        let standing: Vec<_> = self.world.ids().into_iter().filter(stands).collect();
        if !standing.is_empty() {
            self.keep_all();
        }
        for id in &standing {
            self.resumed += 1;
            self.tell(id, Fact::Resumed { id: format!("{id}-{}", self.resumed) });
        }
        !standing.is_empty()
    }
}
