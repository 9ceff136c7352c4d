//! `cargo xtask test`: everything that tells whether the project is sound, stage by stage. A stage is quiet while it passes;
//! the last line of the summary is `N passed, N failed`. Deliberately stops at nothing: a stage that fails is reported and
//! the next one runs.

pub(crate) mod cargo;
pub(crate) mod cloud;
mod outcome;
mod refusals;
mod sdk;
mod tofu;

use std::time::Instant;

use clap::Args;

use crate::builds::Client;
use crate::failure::{Failure, Result};
use crate::places::Places;
use crate::process;
use crate::{e2e, failure, prerequisites};

pub(crate) use outcome::Outcome;

/// The options of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs only these stages (comma separated).
    #[arg(long, value_delimiter = ',', value_name = "STAGE")]
    only: Vec<String>,
    /// Runs only scenarios whose name contains this text (end-to-end stages).
    #[arg(long, default_value = "")]
    pub(crate) scenario: String,
    /// Takes provider and artifacts as the last build left them.
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Prints what the stages print, as it comes.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// One part of the suite.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn(&Places, &Options) -> Result<Outcome>,
}

const STAGES: &[Stage] = &[
    Stage { name: "fmt", about: "formatting", run: cargo::fmt },
    Stage { name: "clippy", about: "lints of the whole workspace", run: cargo::clippy },
    Stage { name: "doc", about: "documentation without warnings", run: cargo::doc },
    Stage { name: "unit", about: "unit, ui, conformance and tidy tests", run: cargo::test },
    Stage { name: "sdk", about: "generated clients compile and call running services", run: sdk::run },
    Stage { name: "refusals", about: "the emulator refuses what AWS refuses", run: refusals::run },
    Stage { name: "e2e", about: "services end to end, by Terraform on the emulated AWS", run: e2e::run },
    Stage { name: "cloud", about: "the AWS host and the Pulumi wire on the emulated AWS", run: cloud::run },
    Stage { name: "tofu", about: "OpenTofu drives the provider", run: tofu::run },
];

/// Runs the stages; fails if anything failed.
pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    for name in &options.only {
        failure::require(STAGES.iter().any(|stage| stage.name == name), || {
            let known: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
            format!("there is no stage `{name}`; the stages are {}", known.join(", "))
        })?;
    }
    let wanted =
        |stage: &&Stage| options.only.is_empty() || options.only.iter().any(|name| name == stage.name);
    // Found out now, not half an hour later.
    prerequisites::for_emulator()?;
    prerequisites::curl()?;
    if STAGES.iter().filter(wanted).any(|stage| stage.name == "sdk") {
        prerequisites::for_clients()?;
        Client::Terraform.check(places)?;
    }
    if STAGES.iter().filter(wanted).any(|stage| stage.name == "e2e") {
        Client::Terraform.check(places)?;
    }
    if STAGES.iter().filter(wanted).any(|stage| stage.name == "tofu") {
        Client::Tofu.check(places)?;
    }
    let started = Instant::now();
    let mut total = Outcome::default();
    for stage in STAGES.iter().filter(wanted) {
        println!("{:<9} {} ...", stage.name, stage.about);
        let began = Instant::now();
        let outcome = (stage.run)(places, options).unwrap_or_else(|failure| Outcome::failure(&failure));
        process::go_on()?;
        if outcome.failed > 0 && !options.verbose {
            println!("{}", outcome.text.trim_end());
        }
        let verdict = if outcome.failed > 0 { "FAILED" } else { "ok" };
        let count = format!("{} passed, {} failed", outcome.passed, outcome.failed);
        println!("{:<9} {verdict}: {count} in {:.1} s", stage.name, began.elapsed().as_secs_f64());
        total.add(stage.name, outcome);
    }
    summary(&total, started);
    if total.failed == 0 {
        Ok(())
    } else {
        Err(Failure::new(format!("{} failed", total.failures.join(", "))))
    }
}

fn summary(total: &Outcome, started: Instant) {
    println!();
    for note in &total.notes {
        println!("note: {note}");
    }
    // Said every time, because nothing else in the output tells it.
    if prerequisites::on_path("pulumi").is_none() {
        println!("note: the Pulumi wire was driven by our own engine; no suite ran on the real pulumi CLI");
    }
    println!("all of it took {:.0} s", started.elapsed().as_secs_f64());
    println!("{} passed, {} failed", total.passed, total.failed);
}
