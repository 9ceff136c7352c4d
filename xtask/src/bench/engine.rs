//! What the engine itself costs, without a cloud: runs `benches/engine` several times over, so that a busy moment of the machine
//! is one value of many. Deliberately measures nothing here: a process of its own starts cold, as a user's does.

use std::path::Path;
use std::process::Command;

use super::Figure;
use crate::builds;
use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Terms};

/// Parts that are run, and which of their readings have a limit.
pub(super) struct Parts {
    name: &'static str,
    /// Runs of each; the parts take turns.
    rounds: usize,
    parts: &'static [&'static [&'static str]],
    limits: &'static [(&'static str, f64)],
}

/// The engine over memory.
pub(super) const MEMORY: Parts = Parts {
    name: "engine",
    rounds: 5,
    parts: &[&["nine", "5000"], &["replay", "10000"], &["replay", "100000"]],
    // Both happen on one thread, so that its processor time is what they take on a machine of their own.
    limits: &[
        ("nine inline steps, workflows in a second of processor time, /s", 10_000.0),
        ("10000 steps: replay, processor time, ms", 50.0),
    ],
};

/// The local host over a disk.
pub(super) const DISK: Parts = Parts {
    name: "local",
    rounds: 3,
    parts: &[&["speed", "5"], &["sleepers", "100000"]],
    limits: &[
        ("inline nine steps, p50, ms", 4.0),
        ("inline steps durable, /s", 25_000.0),
        ("100000 sleepers: memory, MB", 50.0),
        ("100000 sleepers: killed, first resumed step after, ms", 500.0),
    ],
};

pub(super) fn figures(places: &Places, what: &Parts, echo: bool) -> Result<Vec<Figure>> {
    let program = builds::engine_bench(places, echo)?;
    let mut figures = Vec::new();
    for _ in 0..what.rounds {
        for arguments in what.parts {
            for (reading, value) in readings(&program, arguments)? {
                add(&mut figures, what, &reading, value);
            }
        }
    }
    Ok(figures)
}

/// Runs one part: its readings, by their names.
pub(super) fn readings(program: &Path, arguments: &[&str]) -> Result<Vec<(String, f64)>> {
    let done = process::run(Command::new(program).args(arguments), Terms::seconds(300))?
        .success(format!("the engine bench {}", arguments.join(" ")))?;
    done.stdout.lines().map(|line| reading(line).context(format!("not a reading: {line}"))).collect()
}

fn reading(line: &str) -> Option<(String, f64)> {
    let (what, value) = line.split_once('\t')?;
    Some((what.to_owned(), value.parse().ok()?))
}

/// Adds a value to the figure of its name. The unit is what the name ends with.
fn add(figures: &mut Vec<Figure>, parts: &Parts, what: &str, value: f64) {
    let what_in_table = format!("{}: {what}", parts.name);
    if let Some(known) = figures.iter_mut().find(|it| it.what == what_in_table) {
        known.values.push(value);
        return;
    }
    let unit = match what.rsplit(' ').next() {
        Some("MB") => "MB",
        Some("ms") => "ms",
        Some("us") => "us",
        _ => "/s",
    };
    let limit = parts.limits.iter().find(|(name, _)| *name == what).map(|(_, limit)| *limit);
    figures.push(Figure { what: what_in_table, unit, values: vec![value], limit });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_of_several_runs_become_one_figure_with_its_unit_and_limit() {
        let mut figures = Vec::new();
        let replay = |value| format!("10000 steps: replay, processor time, ms\t{value}");
        for line in [&replay(2.5), "nine, workflows/s\t100", &replay(3.0)] {
            let (what, value) = reading(line).unwrap();
            add(&mut figures, &MEMORY, &what, value);
        }
        let [replay, nine] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!((replay.unit, &replay.values, replay.limit), ("ms", &vec![2.5, 3.0], Some(50.0)));
        assert_eq!((nine.unit, nine.limit), ("/s", None));
        assert_eq!(reading("no value"), None);
    }
}
