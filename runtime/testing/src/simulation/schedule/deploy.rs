//! Processes: which code they run, deployments of other code while executions are open, and deaths.
//!
//! A deployment replaces the processes that take messages, one after the other. The code before it may be kept in a process that
//! is asked for what only that code can do, or be gone until somebody who looks at what stands still runs it again.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use eventual_engine::Engine;
use eventual_engine::ports::Clock;

use super::super::ports::SimulatedPorts;
use super::super::service::{CODES, registry};
use super::{End, Flight, Outside, Schedule};

/// How often code is kept when the next is deployed, in per mille.
const KEPT: u64 = 600;
/// Time in which deployments begin, and that one takes, in milliseconds.
const DEPLOYED_MS: u64 = 90_000;
const ROLLED_OUT_MS: u64 = 30_000;

/// A process and the code that it runs, by its place in [`CODES`].
pub(super) struct Process {
    pub(super) engine: Arc<Engine>,
    pub(super) code: usize,
    /// Whether it takes messages. One that does not is asked by others.
    pub(super) works: bool,
}

impl Schedule {
    pub(super) fn plan_deployments(&mut self) {
        for _ in 0..self.shared.below(CODES.len() as u64) {
            let due = self.world.now() + self.shared.below(DEPLOYED_MS);
            self.outside.push((due, Outside::Deploy));
        }
    }

    pub(super) fn add_process(&mut self, code: usize, works: bool) -> usize {
        let process = self.processes.len();
        let engine = self.engine(process, code);
        self.processes.push(Process { engine, code, works });
        process
    }

    fn engine(&self, process: usize, code: usize) -> Arc<Engine> {
        let ports = SimulatedPorts::ports(self.shared.clone(), process);
        let (registry, states) = (registry(code), self.states.clone());
        Arc::new(Engine::on_this_thread(ports, registry, states, CODES[code].0))
    }

    /// A process that takes messages.
    pub(super) fn draw_process(&self) -> usize {
        let working: Vec<usize> = (0..self.processes.len()).filter(|it| self.processes[*it].works).collect();
        working[usize::try_from(self.shared.below(working.len() as u64)).unwrap_or(0)]
    }

    /// The next code is deployed.
    pub(super) fn deploy(&mut self) {
        let before = self.newest;
        self.newest = (before + 1).min(CODES.len() - 1);
        if self.newest == before {
            return;
        }
        self.shared.state().figures.deployments += 1;
        if self.shared.chance(KEPT) {
            self.keep(before);
        }
        for process in (0..self.processes.len()).filter(|it| self.processes[*it].works) {
            let due = self.world.now() + self.shared.below(ROLLED_OUT_MS);
            self.outside.push((due, Outside::Replace(process)));
        }
    }

    /// A process makes place for one that runs the newest code.
    pub(super) fn replace(&mut self, process: usize) {
        self.processes[process].code = self.newest;
        self.crash(process);
    }

    /// Runs all codes that there ever were.
    pub(super) fn keep_all(&mut self) {
        for code in 0..self.newest {
            self.keep(code);
        }
    }

    /// Runs former code beside the newest.
    fn keep(&mut self, code: usize) {
        if self.processes.iter().any(|it| !it.works && it.code == code) {
            return;
        }
        let process = self.add_process(code, false);
        self.shared.keep(CODES[code].0, process, &self.processes[process].engine);
    }

    /// A process is gone, with its memory and all that it was doing; another takes its place.
    pub(super) fn crash(&mut self, process: usize) {
        let (gone, stay): (Vec<_>, Vec<_>) =
            mem::take(&mut self.flights).into_iter().partition(|it| it.process == process);
        self.flights = stay;
        for Flight { work, late, future, .. } in gone {
            drop(future);
            if !late {
                self.end(work, &End::Again("the process died".to_owned()));
            }
        }
        let Process { code, works, .. } = self.processes[process];
        self.processes[process].engine = self.engine(process, code);
        if !works {
            self.shared.keep(CODES[code].0, process, &self.processes[process].engine);
            // Whoever has asked it learns that it is gone.
            self.flights.iter().for_each(|it| it.flag.0.store(true, Ordering::Relaxed));
        }
    }
}
