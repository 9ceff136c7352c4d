//! What deploying a service of twenty functions costs: the benchmark is `provider/tests/deployment/bench.rs`, this starts the
//! emulated AWS for it, once as quick as it is and once with delays like AWS's.

use super::Figure;
use crate::emulator::{Emulator, Settings, WITHOUT_DELAYS};
use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Terms};
use crate::suite::cloud::deployments;

/// Added to every call.
const LATENCY_MS: &str = "150";
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
        for line in done.stdout.lines().filter_map(|line| line.strip_prefix("FIGURE|")) {
            figures.push(figure(name, line)?);
        }
    }
    Ok(figures)
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
