//! `cargo xtask faults`: every fault at every AWS request of a creation, an update and a destruction. Far too much for the
//! suite, which draws a few; here they run in slices, each on an emulator of its own, and go on where they were stopped.
//! Deliberately knows nothing of the cases: those are the test's, `provider/tests/deployment/faults.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::emulator::{Emulator, Settings, WITHOUT_DELAYS};
use crate::failure::{Context, Failure, Result};
use crate::places::Places;
use crate::suite::{cargo, cloud};

/// The options of `cargo xtask faults`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many of the cases, drawn with the variable `EVENTUAL_SEED`; all of them take hours.
    #[arg(long, default_value = "all")]
    cases: String,
    /// The file that remembers which cases were run: with the same file, a run that was stopped goes on, and what failed is
    /// tried again. Default: `faults.txt` in cargo's target folder, begun anew.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Cases in a row on one emulator.
    #[arg(long, default_value_t = 60)]
    slice: usize,
}

/// How the cases of a file ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    ok: usize,
    /// There were fewer requests than when they were counted, so the fault met none.
    unmet: usize,
    failed: Vec<String>,
}

impl Tally {
    fn of(text: &str) -> Self {
        let mut tally = Self::default();
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("ok", _)) => tally.ok += 1,
                Some(("unmet", _)) => tally.unmet += 1,
                Some(("FAILED", case)) => tally.failed.push(case.to_owned()),
                _ => {}
            }
        }
        tally
    }

    fn ended(&self) -> usize {
        self.ok + self.unmet + self.failed.len()
    }
}

/// Runs the cases, slice after slice.
pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let file = match &options.resume {
        Some(file) => std::path::absolute(file).context(file.display())?,
        None => places.target.join("faults.txt"),
    };
    fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).context(file.display())?;
    let before = fs::read_to_string(&file).unwrap_or_default();
    let again = if options.resume.is_some() { without_failures(&before) } else { String::new() };
    fs::write(&file, again).context(file.display())?;
    loop {
        let text = fs::read_to_string(&file).context(file.display())?;
        let ended = Tally::of(&text).ended();
        slice(places, options, &file)?;
        let tally = Tally::of(&fs::read_to_string(&file).context(file.display())?);
        println!(
            "faults: {} as they should be, {} met no request, {} failed ({})",
            tally.ok,
            tally.unmet,
            tally.failed.len(),
            file.display()
        );
        // A slice that ran nothing found nothing left to run.
        if tally.ended() == ended {
            return if tally.failed.is_empty() { Ok(()) } else { Err(Failure::new(tally.failed.join(", "))) };
        }
    }
}

/// Runs so many of the cases that the file does not have yet. What fails is in the file.
fn slice(places: &Places, options: &Options, file: &Path) -> Result<()> {
    let emulator =
        Emulator::start(places, Settings { knobs: &WITHOUT_DELAYS, echo: true, ..Settings::default() })?;
    let mut tests = cloud::deployments(places, &emulator, "faults::");
    tests.env("EVENTUAL_FAULTS", &options.cases).env("EVENTUAL_FAULTS_DONE", file);
    tests.env("EVENTUAL_FAULTS_SLICE", options.slice.to_string());
    let before = fs::read_to_string(file).context(file.display())?;
    let outcome = cargo::tests(&mut tests, true)?;
    let after = fs::read_to_string(file).context(file.display())?;
    let noted = Tally::of(&after).failed.len() > Tally::of(&before).failed.len();
    if outcome.failed == 0 || noted { Ok(()) } else { Err(Failure::new(outcome.failures.join(", "))) }
}

fn without_failures(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("FAILED: ")).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_counted_and_tried_again() {
        let text =
            "requests 124 70 94\nok: Create 0 Denied\nFAILED: Update 3 Killed\nunmet: Create 123 Failed\n";
        let tally = Tally::of(text);
        assert_eq!((tally.ok, tally.unmet, tally.ended()), (1, 1, 3));
        assert_eq!(tally.failed, ["Update 3 Killed"]);
        let again = without_failures(text);
        assert_eq!(again, "requests 124 70 94\nok: Create 0 Denied\nunmet: Create 123 Failed\n");
    }
}
