//! `cargo xtask simulate`: random schedules of everything that may go wrong, in numbers that no test command has time for.
//! Deliberately only starts the test that does it, so that both forms are the same.

use std::time::Duration;

use clap::Args;

use crate::failure::Result;
use crate::places::Places;
use crate::process::{self, Terms};

/// Longest run. A hundred thousand seeds take a small part of it.
const LIMIT: Duration = Duration::from_hours(8);

/// The options of `cargo xtask simulate`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
}

/// Runs the seeds; a promise that is broken is shown with the command that repeats it.
pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let mut command = places.cargo();
    command.args(["test", "--release", "--package", "eventual-testing", "--test", "simulation", "--"]);
    command.args(["nothing_is_lost", "--nocapture"]);
    command.env("EVENTUAL_SEEDS", options.seeds.to_string());
    command.env("EVENTUAL_FIRST_SEED", options.first.to_string());
    process::run(&mut command, Terms { limit: LIMIT, echo: true })?.success("the simulation")?;
    Ok(())
}
