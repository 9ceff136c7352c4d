//! The stages that are cargo commands over the whole workspace.

use std::process::Command;

use crate::failure::Result;
use crate::places::Places;
use crate::process::{self, Terms};
use crate::suite::{Options, Outcome};

/// Generous: the first build from nothing on two cores is the longest.
const LIMIT: Terms = Terms::seconds(2400);

fn once(command: &mut Command, options: &Options) -> Result<Outcome> {
    let done = process::run(command, Terms { echo: options.verbose, ..LIMIT })?;
    Ok(if done.status.success() { Outcome::success() } else { Outcome::failure(&done.all) })
}

/// `cargo fmt --check`; names the files that differ.
pub(super) fn fmt(places: &Places, options: &Options) -> Result<Outcome> {
    once(places.cargo().args(["fmt", "--all", "--check", "--", "--files-with-diff"]), options)
}

/// `cargo clippy` with warnings as errors.
pub(super) fn clippy(places: &Places, options: &Options) -> Result<Outcome> {
    once(
        places.cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--keep-going",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]),
        options,
    )
}

/// `cargo doc` with warnings as errors.
pub(super) fn doc(places: &Places, options: &Options) -> Result<Outcome> {
    let mut cargo = places.cargo();
    once(
        cargo
            .args(["doc", "--workspace", "--no-deps", "--keep-going", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"),
        options,
    )
}

/// `cargo test` of the whole workspace, each test counted.
pub(super) fn test(places: &Places, options: &Options) -> Result<Outcome> {
    tests(places.cargo().args(["test", "--workspace", "--no-fail-fast"]), options.verbose)
}

/// Runs a `cargo test` command and counts its tests.
pub(crate) fn tests(command: &mut Command, verbose: bool) -> Result<Outcome> {
    let done = process::run(command, Terms { echo: verbose, ..LIMIT })?;
    let mut outcome = count(&done.all);
    if !done.status.success() && outcome.failed == 0 {
        outcome.failed = 1; // It did not compile, or a test binary died.
    }
    outcome.text = done.all;
    Ok(outcome)
}

/// Adds up lines like `test result: ok. 12 passed; 0 failed; 1 ignored; ...` and remembers the names of `test NAME ... FAILED`.
fn count(output: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let mut ignored = 0;
    for line in output.lines() {
        if let Some(result) = line.strip_prefix("test result: ") {
            outcome.passed += before(result, " passed");
            outcome.failed += before(result, " failed");
            ignored += before(result, " ignored");
        } else if let Some(name) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            outcome.failures.push(name.to_owned());
        }
    }
    if ignored > 0 {
        outcome.notes.push(format!("{ignored} tests are marked #[ignore] and did not run with `cargo test`"));
    }
    outcome
}

/// The number in front of `word`.
fn before(text: &str, word: &str) -> usize {
    let number = text.split(word).next().and_then(|front| front.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn results_of_several_test_binaries_are_added_up() {
        let outcome = count(
            "test a::b ... ok\ntest c ... FAILED\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured\n\
             test result: ok. 20 passed; 0 failed; 3 ignored; 0 measured\n",
        );
        assert_eq!((outcome.passed, outcome.failed), (21, 1));
        assert_eq!(outcome.failures, ["c"]);
        assert!(outcome.notes[0].starts_with("3 tests"));
    }
}
