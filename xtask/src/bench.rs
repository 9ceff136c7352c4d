//! `cargo xtask bench`: the figures that the project promises, measured on this machine with release builds. Deliberately judges:
//! a figure over its limit is a failure, so that it cannot grow without anybody noticing.

mod artifact;
mod calls;
mod deploy;
mod engine;
mod handshake;
mod meter;
mod peers;
mod plan;
mod step;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::builds::{self, Client};
use crate::failure::{Context, Failure, Result, require};
use crate::places::Places;
use crate::prerequisites;
use crate::site::{Site, Wish};

/// Where results are kept, and what stands before and after the part that is written by `--record`.
const RECORD: &str = "benches/README.md";
const BEGIN: &str = "<!-- written by `cargo xtask bench --record` -->\n";
const END: &str = "<!-- end -->\n";

/// The options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs only the figures whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Writes the results into benches/README.md.
    #[arg(long)]
    record: bool,
    /// Takes what is deployed, and the provider, as the last build left them; for `step` and `aws-calls`.
    #[arg(long)]
    no_build: bool,
    /// Prints what builds print, as it comes.
    #[arg(long, short)]
    verbose: bool,
}

/// One figure.
#[derive(Debug)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// `us`, `ms`, `MB`, `bytes`, `calls`, `USD`, `/s` or `times`.
    pub(crate) unit: &'static str,
    /// What was measured, one value a run.
    pub(crate) values: Vec<f64>,
    /// The median may not be more (of a rate: not less); absent for figures that only explain others.
    pub(crate) limit: Option<f64>,
}

impl Figure {
    fn at(&self, share: f64) -> f64 {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into a handful of values"
        )]
        let place = ((values.len().saturating_sub(1)) as f64 * share).round() as usize;
        values.get(place).copied().unwrap_or(f64::NAN)
    }

    /// Whether more is better.
    fn is_rate(&self) -> bool {
        matches!(self.unit, "/s" | "times")
    }

    fn holds(&self) -> bool {
        self.limit
            .is_none_or(|limit| if self.is_rate() { self.at(0.5) >= limit } else { self.at(0.5) <= limit })
    }

    fn row(&self) -> String {
        let limit = self.limit.map_or_else(String::new, |limit| format!("{limit:.0} {}", self.unit));
        let (median, worst) = (self.at(0.5), self.at(if self.is_rate() { 0.0 } else { 1.0 }));
        let unit = self.unit;
        // What is counted or paid for is told to the hundredth.
        let digits = if matches!(unit, "calls" | "USD") { 2 } else { 1 };
        format!(
            "| {} | {median:.digits$} {unit} | {worst:.digits$} {unit} | {} | {limit} |",
            self.what,
            self.values.len()
        )
    }
}

/// Milliseconds, with what is smaller as decimals.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Measures, prints, judges.
pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let wanted = |name: &str| name.contains(&options.only);
    let mut figures = Vec::new();
    if wanted("artifact") || wanted("start") {
        figures.extend(artifact::figures(places, options.verbose)?);
    }
    if wanted("engine") {
        figures.extend(engine::figures(places, &engine::MEMORY, options.verbose)?);
    }
    if wanted("local") {
        figures.extend(engine::figures(places, &engine::DISK, options.verbose)?);
    }
    if wanted("calls") {
        figures.extend(calls::in_memory(places, options.verbose)?);
    }
    if wanted("aws-calls") {
        figures.extend(calls::on_aws(places, options.no_build, options.verbose)?);
    }
    if wanted("peers") {
        figures.extend(peers::figures(places, options.verbose)?);
    }
    // Minutes of waiting for a slowed-down cloud are only for who asks for them.
    if options.only == "deploy" {
        figures.extend(deploy::figures(places, options.verbose)?);
    }
    if wanted("handshake") {
        figures.extend(handshake::figures(places, options.verbose)?);
    }
    if wanted("plan") || wanted("step") {
        prerequisites::for_emulator()?;
        let wish = Wish {
            client: Client::Terraform,
            services: &["orders"],
            outlives: false,
            echo: options.verbose,
            built: options.no_build,
        };
        let site = Site::open(places, wish, |step| eprintln!("{step}"))?;
        // Which build of the provider deployed it makes no difference to a step.
        let build = if wanted("plan") { builds::release_provider } else { builds::provider };
        let provider =
            if options.no_build { builds::provider_file(places) } else { build(places, options.verbose)? };
        let deployed = plan::Deployed::new(&site, &provider)?;
        if wanted("plan") {
            figures.extend(deployed.figures()?);
        }
        if wanted("step") {
            figures.extend(step::figures(&site, &deployed)?);
        }
        deployed.destroy()?;
    }
    require(!figures.is_empty(), || {
        format!(
            "no figure is named {:?}: there are artifact, start, calls, aws-calls, deploy, engine, local, peers, handshake, plan, step",
            options.only
        )
    })?;
    let table = table(&figures);
    println!("{table}");
    if options.record {
        record(&places.root, &table)?;
    }
    let over: Vec<&str> = figures.iter().filter(|it| !it.holds()).map(|it| it.what.as_str()).collect();
    if over.is_empty() { Ok(()) } else { Err(Failure::new(format!("over the limit: {}", over.join(", ")))) }
}

fn table(figures: &[Figure]) -> String {
    let mut table = String::from("| figure | median | worst | runs | limit |\n|---|---|---|---|---|\n");
    for figure in figures {
        let _ = writeln!(table, "{}", figure.row());
    }
    table
}

fn record(root: &Path, table: &str) -> Result<()> {
    let file = root.join(RECORD);
    let text = fs::read_to_string(&file).context(RECORD)?;
    let (before, rest) = text.split_once(BEGIN).context(format!("{RECORD} has no line {BEGIN}"))?;
    let (_, after) = rest.split_once(END).context(format!("{RECORD} has no line {END}"))?;
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let machine = format!("On {cores} cores, {}, release builds.\n", std::env::consts::ARCH);
    fs::write(&file, format!("{before}{BEGIN}\n{machine}\n{table}\n{END}{after}")).context(RECORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[f64], limit: f64) -> Figure {
        Figure { what: "start".into(), unit: "ms", values: values.to_vec(), limit: Some(limit) }
    }

    #[test]
    fn the_median_is_judged_and_the_worst_is_shown() {
        let good = figure(&[9.0, 1.0, 2.0], 2.0);
        assert!(good.holds() && !figure(&[3.0, 3.0, 1.0], 2.0).holds());
        assert_eq!(good.row(), "| start | 2.0 ms | 9.0 ms | 3 | 2 ms |");
    }

    #[test]
    fn of_a_rate_less_is_worse() {
        let rate = Figure { unit: "/s", ..figure(&[9.0, 1.0, 2.0], 2.0) };
        assert!(rate.holds() && !Figure { limit: Some(3.0), ..figure(&[9.0, 2.0, 1.0], 0.0) }.is_rate());
        assert_eq!(rate.row(), "| start | 2.0 /s | 1.0 /s | 3 | 2 /s |");
    }

    #[test]
    fn a_record_replaces_only_its_part() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("benches")).unwrap();
        let file = folder.path().join(RECORD);
        fs::write(&file, format!("above\n{BEGIN}old\n{END}below\n")).unwrap();
        record(folder.path(), "new\n").unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("above\n") && text.ends_with("below\n") && text.contains("\nnew\n"));
        assert!(!text.contains("old"));
    }
}
