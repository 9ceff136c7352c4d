//! The emulator's own tests: what AWS refuses, it must refuse too, or our end-to-end tests would prove nothing.

use std::process::Command;

use crate::emulator::{Emulator, Settings};
use crate::failure::Result;
use crate::places::Places;
use crate::process::{self, Terms};
use crate::suite::{Options, Outcome};
use crate::venv;

/// It takes 35 s on an idle machine.
const LIMIT: Terms = Terms::seconds(300);

/// Runs `emulator/tests/refusals.py` with the default delays, then its checks of throttling, each against an emulator of its
/// own.
pub(super) fn run(places: &Places, options: &Options) -> Result<Outcome> {
    let mut outcome = checks(places, options, &[], &[])?;
    let throttled = checks(places, options, &[("MS_THROTTLE", "1")], &["--throttle"])?;
    outcome.text.push_str(&throttled.text);
    outcome.passed += throttled.passed;
    outcome.failed += throttled.failed;
    models(places, options, &mut outcome)?;
    Ok(outcome)
}

/// What holds requests against the models of AWS finds what is planted.
fn models(places: &Places, options: &Options, outcome: &mut Outcome) -> Result<()> {
    let mut script =
        Command::new(venv::python(places, "emulator-venv", "emulator/requirements.txt", options.verbose)?);
    script.arg(places.root.join("emulator/tests/models.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = process::run(&mut script, Terms { echo: options.verbose, ..LIMIT })?;
    outcome.passed += done.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    if !done.status.success() {
        outcome.failed += 1;
        outcome.text.push_str(&done.all);
    }
    Ok(())
}

fn checks(places: &Places, options: &Options, knobs: &[(&str, &str)], more: &[&str]) -> Result<Outcome> {
    let emulator = Emulator::start(places, Settings { knobs, echo: options.verbose, ..Settings::default() })?;
    let mut script = emulator.script("tests/refusals.py");
    script.args(["--endpoint", &emulator.endpoint()]).args(more);
    let done = process::run(&mut script, Terms { echo: options.verbose, ..LIMIT })?;
    let misses: Vec<_> = done.stdout.lines().filter(|line| line.starts_with("MISS ")).collect();
    let failed = if done.status.success() { 0 } else { misses.len().max(1) };
    let passed = done.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    let text = if misses.is_empty() { done.all.clone() } else { misses.join("\n") };
    Ok(Outcome { passed, failed, text, ..Outcome::default() })
}
