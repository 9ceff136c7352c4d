//! The command line: parses it, dispatches, and turns the outcome into an exit code. Deliberately holds no work of its own.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::emulator::{Emulator, Settings};
use crate::failure::{Failure, Result};
use crate::places::Places;
use crate::{bench, demo, faults, payments, process, release, simulate, suite};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "What developers of eventual run.")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Measures the figures that the project promises, on release builds, and fails when one is over its limit.
    Bench(bench::Options),
    /// Deploys the order service on the emulated AWS, drives an order through it, changes it and destroys it.
    Demo(demo::Options),
    /// Builds the providers as they are released and packs them for the registries, with checksums.
    Release(release::Options),
    /// Runs the engine through random schedules of everything that may go wrong, many more than the test suite does.
    Simulate(simulate::Options),
    /// Lets every AWS request of a creation, an update and a destruction go wrong in every way, on the emulated AWS.
    Faults(faults::Options),
    /// Runs the whole test suite: style, unit tests, and services end to end on the emulated AWS.
    Test(suite::Options),
    /// Starts the emulated AWS, prints how to use it, and keeps it until Ctrl-C.
    Emulator,
    /// Serves the payments gateway that the order service charges.
    #[command(hide = true)]
    Payments {
        /// The port of the loopback to listen on.
        port: u16,
    },
}

/// Runs what the command line asks for.
pub(crate) fn run() -> ExitCode {
    let outcome = process::end_all_on_interrupt().and_then(|()| dispatch(Arguments::parse().command));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if process::interrupted() => {
            eprintln!("interrupted: everything that was started is ended and removed");
            ExitCode::from(130)
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: Task) -> Result<()> {
    match task {
        Task::Bench(options) => bench::run(&Places::find()?, &options),
        Task::Demo(options) => demo::run(&Places::find()?, &options),
        Task::Release(options) => release::run(&Places::find()?, &options),
        Task::Simulate(options) => simulate::run(&Places::find()?, &options),
        Task::Faults(options) => faults::run(&Places::find()?, &options),
        Task::Test(options) => suite::run(&Places::find()?, &options),
        Task::Emulator => emulator(&Places::find()?),
        Task::Payments { port } => payments::serve(port),
    }
}

fn emulator(places: &Places) -> Result<()> {
    let emulator = Emulator::start(places, Settings { echo: true, ..Settings::default() })?;
    for (name, value) in emulator.credentials() {
        println!("export {name}={value}");
    }
    println!("export EVENTUAL_TEST_ENDPOINT={}", emulator.endpoint());
    println!("export EVENTUAL_TEST_CALLS={}", emulator.calls().display());
    println!("# running; Ctrl-C ends it");
    process::wait_for("the emulator", Duration::MAX, || Ok(None::<()>)).map_err(|_| Failure::new("ended"))
}
