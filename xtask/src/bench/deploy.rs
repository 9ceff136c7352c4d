//! What deploying a service of twenty functions costs: the benchmark is `provider/tests/deployment/bench.rs`, this starts the
//! emulated AWS for it, once as quick as it is and once with delays like AWS's. The same resources through CloudFormation of the
//! same emulator are beside it (`provider/tests/deployment/stacks.rs`, `emulator/tools/stack.py`).

use tempfile::TempDir;

use super::Figure;
use crate::emulator::{Emulator, Settings, WITHOUT_DELAYS};
use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Terms};
use crate::suite::cloud::deployments;

/// Added to every call.
const LATENCY_MS: &str = "150";
/// The same for every resource that CloudFormation makes, changes or deletes: as if one call were enough for each.
const LATENCY_S: &str = "0.15";
/// Delays in seconds, in the middle of what `emulator/README.md` says of AWS.
const LIKE_AWS: [(&str, &str); 4] =
    [("MS_IAM_DELAY", "10"), ("MS_LAMBDA_DELAY", "5"), ("MS_DDB_DELAY", "8"), ("MS_THROTTLE", "1")];
const LIMIT: Terms = Terms::seconds(1800);

pub(super) fn figures(places: &Places, verbose: bool) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, knobs) in [("no delays", &WITHOUT_DELAYS[..]), ("delays and quotas like AWS", &LIKE_AWS[..])] {
        let emulator = Emulator::start(places, Settings { knobs, echo: verbose, ..Settings::default() })?;
        let mut cargo = deployments(places, &emulator, "bench::");
        cargo.env("EVENTUAL_BENCH_LATENCY_MS", LATENCY_MS);
        let done = process::run(&mut cargo, Terms { echo: verbose, ..LIMIT })?.success("the benchmark")?;
        add(&mut figures, name, &done.stdout)?;
    }
    for (name, latency) in
        [("CloudFormation, no latency", "0"), ("CloudFormation, latency for each resource", LATENCY_S)]
    {
        formation(places, (name, latency), verbose, &mut figures)?;
    }
    Ok(figures)
}

/// The same through CloudFormation.
fn formation(
    places: &Places,
    (name, latency): (&str, &str),
    verbose: bool,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let knobs: Vec<_> = WITHOUT_DELAYS.into_iter().chain([("MS_FORMATION_DELAY", latency)]).collect();
    let emulator = Emulator::start(places, Settings { knobs: &knobs, echo: verbose, ..Settings::default() })?;
    let folder = TempDir::with_prefix("eventual-formation-").context("cannot make a temporary folder")?;
    let mut cargo = deployments(places, &emulator, "stacks::");
    cargo.env("EVENTUAL_BENCH_FOLDER", folder.path());
    process::run(&mut cargo, Terms { echo: verbose, ..LIMIT })?.success("writing the templates")?;
    let mut steps = emulator.script("tools/stack.py");
    let done = process::run(steps.arg(folder.path()), Terms { echo: verbose, ..LIMIT })?;
    add(figures, name, &done.success("the stack of CloudFormation")?.stdout)
}

fn add(figures: &mut Vec<Figure>, name: &str, printed: &str) -> Result<()> {
    for line in printed.lines().filter_map(|line| line.strip_prefix("FIGURE|")) {
        figures.push(figure(name, line)?);
    }
    Ok(())
}

/// `what|unit|value`.
fn figure(name: &str, line: &str) -> Result<Figure> {
    let mut parts = line.split('|');
    let mut next = || parts.next().context(format!("a figure of the benchmark: {line}"));
    let (what, unit, value) = (next()?, next()?, next()?);
    let unit = if unit == "ms" { "ms" } else { "calls" };
    let value: f64 = value.parse().context(line)?;
    Ok(Figure { what: format!("{name}: {what}"), unit, values: vec![value], limit: None })
}
