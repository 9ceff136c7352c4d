//! Former programs: executions that are pinned to one go on with it while another program serves the store. Its file is
//! [kept](crate::programs), and started as `<program> former` when something is to be done for such an execution.
//!
//! One process runs one former program, for all its executions at once; it is stopped when nothing was asked of it for a minute,
//! and ends with the program that serves. It has no store: its engine's calls come back over a line ([`talk`] says what goes over
//! it) and are made here, where the message to the execution is handled, so that the same covers its deliveries that covers those
//! of a turn that is taken here. Remote tasks are performed by the program that serves, as on AWS.
//!
//! What goes wrong, and what comes of it:
//!
//! | | |
//! |---|---|
//! | no file is kept, or it is damaged, or it cannot be executed | [`Forwarded::NoSuchCode`]: the execution is parked |
//! | it ends before it is ready, says what nobody understands, or speaks another version | the same |
//! | it is killed while it starts, is not ready in time, or its `init` fails | a fault, so that the message is handled again; the third time in a row as above |
//! | it crashes, is killed, says what nobody understands, or does not answer within two minutes while it is asked something | a fault for what it was asked, which a new process then handles; after five processes in a row that answered nothing as above |
//!
//! Whatever it is, a program that was found unfit is not started again for a minute. Nothing is lost by any of it: what the
//! former has not committed did not happen, what it has is delivered when the message is handled again. A message that fails ten times
//! all the same, because others are answered between its failures, is among the dead letters, as any other.

mod ask;
mod child;
mod frames;
mod line;
mod ports;
mod process;
mod talk;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use eventual_engine::codec::ForwardMessage;
use eventual_engine::ports::{Fault, Forwarded, Ports};
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use crate::host::Host;
use crate::programs::Programs;
pub use child::former;
use process::{Process, Refused};

/// How a program is told that it is a former one: its first argument.
const COMMAND: &str = "former";
/// How often in a row a program may fail to start before it is unfit.
const STARTS_MAX: u32 = 3;
/// How many processes in a row may end without having answered anything before the program is unfit: before a message is given up.
const CRASHES_MAX: u32 = 5;
/// How often a forward is given to a process that ended at that moment.
const PROCESSES_MAX: u32 = 3;
/// How long a stop waits for the processes.
const STOP: Duration = Duration::from_secs(4);

/// How long things may take.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Until a process has said that it is one: what a slow machine takes to load a large program.
    pub(crate) hello: Duration,
    /// Until it has built its states.
    pub(crate) ready: Duration,
    /// Until it has done what it was asked, as on AWS.
    pub(crate) answer: Duration,
    /// After which it begins nothing more for that: less than that by the longest inline task.
    pub(crate) begin: Duration,
    /// How long it stays without being asked.
    pub(crate) rest: Duration,
    /// How long a program that is unfit is left alone.
    pub(crate) unfit: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let [hello, ready, answer, begin] = [30, 120, 120, 60].map(Duration::from_secs);
        let [rest, unfit] = [Duration::from_secs(60); 2];
        Self { hello, ready, answer, begin, rest, unfit }
    }
}

/// What is known of one former program.
#[derive(Debug, Default)]
struct Slot {
    process: Option<Arc<Process>>,
    /// How often in a row it did not start.
    failures: u32,
    /// How many processes in a row ended without having answered anything.
    crashes: u32,
    /// Until when it is left alone.
    unfit: Option<Instant>,
}

type Shared = Arc<tokio::sync::Mutex<Slot>>;

/// The former programs of one store.
#[derive(Debug)]
pub(crate) struct Formers {
    programs: Arc<Programs>,
    limits: Limits,
    twins: AtomicU32,
    slots: Mutex<HashMap<String, Shared>>,
    /// Who is told when one is not needed any more.
    host: Weak<Host>,
}

impl Formers {
    pub(crate) fn new(programs: Arc<Programs>, limits: Limits, host: Weak<Host>) -> Self {
        Self { programs, limits, twins: AtomicU32::new(1), slots: Mutex::default(), host }
    }

    /// Has those that are started from now on take every turn with so many instances of the code.
    pub(crate) fn set_twins(&self, instances: u32) {
        self.twins.store(instances, Ordering::Relaxed);
    }

    fn slot(&self, code: &str) -> Shared {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(code.to_owned()).or_default().clone()
    }

    /// Has a former program do something. Its calls are made in this future.
    pub(crate) async fn forward(&self, ports: &Ports, message: &ForwardMessage) -> Result<Forwarded, Fault> {
        for _ in 0..PROCESSES_MAX {
            let Some(process) = self.running(ports, &message.code).await? else {
                return Ok(Forwarded::NoSuchCode);
            };
            if let Some(answer) = process.forward(ports, message, &self.limits).await {
                return answer;
            }
        }
        let operation = format!("forward for {} to the former program {}", message.execution, message.code);
        Err(Fault::new(operation, "its processes end as soon as they have begun"))
    }

    /// The process of a program, which is started if there is none; `None` when there can be none. Whoever else wants it waits.
    async fn running(&self, ports: &Ports, code: &str) -> Result<Option<Arc<Process>>, Fault> {
        let Some(program) = self.programs.find(code) else { return Ok(None) };
        let slot = self.slot(code);
        let mut slot = slot.lock().await;
        if let Some(ended) = slot.process.take_if(|it| it.has_ended()) {
            slot.crashes = if ended.was_of_use() { 0 } else { slot.crashes + 1 };
        }
        if let Some(process) = &slot.process {
            return Ok(Some(process.clone()));
        }
        if slot.unfit.is_some_and(|it| it > Instant::now()) {
            return Ok(None);
        }
        slot.unfit = None;
        let started = if slot.crashes < CRASHES_MAX {
            self.start(ports, code, &program).await
        } else {
            slot.crashes = 0;
            Err(Refused::Unfit(format!("{CRASHES_MAX} processes in a row ended without an answer")))
        };
        match started {
            Ok(process) => {
                tracing::info!(code, "a former program runs, for the executions that are pinned to it");
                slot.failures = 0;
                slot.process = Some(process.clone());
                Ok(Some(process))
            }
            Err(Refused::Now(why)) if slot.failures + 1 < STARTS_MAX => {
                slot.failures += 1;
                Err(Fault::new(format!("start of the former program {}", program.display()), why))
            }
            Err(Refused::Now(why) | Refused::Unfit(why)) => {
                tracing::error!(
                    program = %program.display(), why, again_in = ?self.limits.unfit,
                    "a former program cannot run: executions that are pinned to it are parked"
                );
                slot.failures = 0;
                slot.unfit = Some(Instant::now() + self.limits.unfit);
                Ok(None)
            }
        }
    }

    async fn start(&self, ports: &Ports, code: &str, program: &Path) -> Result<Arc<Process>, Refused> {
        match self.programs.is_whole(code).await {
            Ok(true) => {}
            Ok(false) => {
                let why = "the file is damaged: it is not the program that it was when it was kept";
                return Err(Refused::Unfit(why.to_owned()));
            }
            Err(error) => return Err(Refused::Now(error.to_string())),
        }
        let (host, of) = (self.host.clone(), code.to_owned());
        let ended = move |rested| {
            tracing::debug!(code = of, rested, "a former program has ended");
            if let Some(host) = host.upgrade().filter(|_| rested) {
                tokio::spawn(async move { host.let_go(&of).await });
            }
        };
        Process::start(program, code, self.twins.load(Ordering::Relaxed), &self.limits, ports, ended).await
    }

    /// Deletes a program that nobody needs, unless it runs.
    pub(crate) async fn delete(&self, code: &str) {
        let slot = self.slot(code);
        let slot = slot.lock().await;
        if slot.process.as_ref().is_none_or(|it| it.has_ended()) {
            self.programs.delete(code);
        }
    }

    /// Ends all processes, whatever they do, and waits until they are gone.
    pub(crate) async fn stop(&self) {
        let slots: Vec<Shared> = {
            let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.values().cloned().collect()
        };
        let stops = slots.into_iter().map(|slot| async move {
            let process = slot.lock().await.process.take();
            if let Some(process) = process {
                process.stop().await;
            }
        });
        // Those that are still there then are killed with this process's runtime, or end with their line.
        let _ = timeout(STOP, join_all(stops)).await;
    }
}

#[cfg(test)]
mod tests;
