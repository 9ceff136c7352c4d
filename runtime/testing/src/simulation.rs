//! Random simulation: from one seed, a schedule of everything that may go wrong between processes that share a world, over
//! the production engine. [`run`] says what broke, if anything did.
//!
//! A seed chooses executions of several workflows, processes with memories of their own, and how often messages come
//! twice, late or (across executions) in another order, port calls fail, stall for minutes or kill their process, before
//! or after their effect, dead letters are redriven, and other code is deployed, while former code is kept or is not. Some
//! go on with executions of the same names, after those before were forgotten, to which late messages come. Everything
//! runs on one thread in virtual time, so the same seed does the same again. At the end every execution must have ended as it does when nothing goes wrong.
//!
//! Deliberately not a test of user code: that is what [`crate::TestEnvironment`] is for.

mod check;
mod ports;
mod schedule;
mod service;
mod shared;

use std::fmt;

/// A bug that is planted into the world, so that the simulation proves that it would find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// What a turn asks for is delivered before the turn is committed.
    DeliverBeforeCommit,
    /// A message is deleted when it is taken, not when it was handled.
    EarlyDelete,
    /// An answer that was given by token is accepted and not kept.
    ForgottenAnswers,
    /// Every worker that asks for an attempt gets it.
    ForgetfulClaims,
    /// A redelivered message looks like a new one.
    ForgottenRedelivery,
    /// Nobody reads that an execution is pinned to its code.
    IgnoredPins,
    /// Nobody reads which run of an execution's name a message is for.
    IgnoredRuns,
    /// A signal that comes twice looks like two signals.
    RepeatedSignals,
    /// A turn is written whether its number is free or not.
    UnconditionalCommit,
    /// Workers are not told that nobody waits for them.
    UnheardCancellations,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::DeliverBeforeCommit,
        Self::EarlyDelete,
        Self::ForgottenAnswers,
        Self::ForgetfulClaims,
        Self::ForgottenRedelivery,
        Self::IgnoredPins,
        Self::IgnoredRuns,
        Self::RepeatedSignals,
        Self::UnconditionalCommit,
        Self::UnheardCancellations,
    ];
}

/// What happened in a run, so that a test can tell that something did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Executions that ended.
    pub executions: u64,
    /// Turns that were committed.
    pub turns: u64,
    /// Port calls.
    pub calls: u64,
    /// Processes that were killed.
    pub crashes: u64,
    /// Port calls that failed and left their process alive.
    pub faults: u64,
    /// Port calls that took minutes.
    pub stalls: u64,
    /// Messages that came twice without need.
    pub duplicates: u64,
    /// Dead letters that were redriven.
    pub redrives: u64,
    /// Deployments of other code.
    pub deployments: u64,
    /// Times that a process asked another one, which runs former code.
    pub forwards: u64,
    /// Names that were used again after their executions had been forgotten.
    pub reused: u64,
    /// Turns at which an execution stood still, paused or parked.
    pub stood: u64,
    /// A digest of all port calls in their order: the same for the same seed.
    pub digest: u64,
}

impl Figures {
    /// Adds those of another run.
    pub const fn add(&mut self, other: &Self) {
        self.executions += other.executions;
        self.turns += other.turns;
        self.calls += other.calls;
        self.crashes += other.crashes;
        self.faults += other.faults;
        self.stalls += other.stalls;
        self.duplicates += other.duplicates;
        self.redrives += other.redrives;
        self.deployments += other.deployments;
        self.forwards += other.forwards;
        self.reused += other.reused;
        self.stood += other.stood;
        self.digest = self.digest.rotate_left(7) ^ other.digest;
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// What was broken, and where.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, what } = self;
        write!(
            f,
            "seed {seed}: {what}\nrepeat it with: EVENTUAL_SEED={seed} cargo test -p eventual-testing --test simulation"
        )
    }
}

impl std::error::Error for Violation {}

/// Runs what `seed` says, with a planted bug or without.
///
/// # Errors
/// The first promise that was found broken.
///
/// # Panics
/// When no async runtime can be made, which is a lack of the machine.
pub fn run(seed: u64, mutant: Option<Mutant>) -> Result<Figures, Violation> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("the async runtime does not start: {error}"));
    let _entered = runtime.enter();
    schedule::Schedule::new(seed, mutant).run().map_err(|what| Violation { seed, what })
}
