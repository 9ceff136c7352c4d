//! Rust tests that need the emulated AWS: the ports of the AWS host, the core with the cloud, the Pulumi wire over the life of a service. They are
//! ordinary cargo tests; this starts what they need and says where it is.

use std::path::Path;
use std::process::Command;

use crate::builds;
use crate::emulator::{Emulator, Settings, WITHOUT_DELAYS};
use crate::failure::Result;
use crate::places::Places;
use crate::second::Second;
use crate::suite::{Options, Outcome, cargo};
use crate::{npm, venv};

/// Where it is written down what programs for Pulumi need.
const LANGUAGES: &str = "provider/tests/pulumi/languages";

/// Cases of faults that are drawn: each of the five faults twice.
const FAULTS: &str = "10";

/// Runs the tests with an emulator and an artifact of the order service.
pub(super) fn run(places: &Places, options: &Options) -> Result<Outcome> {
    let built = builds::artifact_file(places, "orders");
    let artifact =
        if options.no_build { built } else { builds::artifact(places, "orders", options.verbose)? };
    // Whatever one of them cannot begin, the others are told of.
    let parts = [
        with_delays(places, options, &artifact),
        throttled(places, options.verbose),
        faults(places, FAULTS, options.verbose),
        second_opinion(places, options.verbose),
    ];
    let mut outcome = Outcome::default();
    for more in parts.map(|it| it.unwrap_or_else(|failure| Outcome::failure(&failure))) {
        outcome.text.push_str(&more.text);
        outcome.passed += more.passed;
        outcome.failed += more.failed;
        outcome.failures.extend(more.failures);
        outcome.notes.extend(more.notes);
    }
    Ok(outcome)
}

/// Everything but the faults, on an AWS with its delays.
fn with_delays(places: &Places, options: &Options, artifact: &Path) -> Result<Outcome> {
    let modules = npm::modules(places, "pulumi-npm", LANGUAGES, options.verbose)?;
    let requirements = format!("{LANGUAGES}/requirements.txt");
    let python = venv::python(places, "pulumi-venv", &requirements, options.verbose)?;
    let emulator = Emulator::start(places, Settings { echo: options.verbose, ..Settings::default() })?;
    let mut cargo = places.cargo();
    cargo.args(["test", "--no-fail-fast", "--package", "eventual-aws", "--package", "eventual-provider"]);
    cargo.args(["--test", "emulator", "--test", "cloud", "--test", "pulumi_cloud", "--test", "pulumi_cli"]);
    cargo.args(["--test", "terraform_cloud", "--test", "pulumi_programs"]);
    // Each test of the Pulumi wire deploys a whole service; more at once only wait for each other on two cores.
    cargo.args([
        "--",
        "--test-threads",
        "4",
        "--skip",
        "faults::",
        "--skip",
        "bench::",
        "--skip",
        "a_life_at_the_pace",
        "--skip",
        "second_opinion",
    ]);
    environment(&mut cargo, &emulator).env("EVENTUAL_TEST_ARTIFACT", artifact);
    cargo.env("EVENTUAL_TEST_NODE_MODULES", modules).env("EVENTUAL_TEST_PYTHON", python);
    let mut outcome = cargo::tests(&mut cargo, options.verbose)?;
    judge(&emulator, &mut outcome)?;
    Ok(outcome)
}

/// What the tests need to find the emulator.
fn environment<'a>(cargo: &'a mut Command, emulator: &Emulator) -> &'a mut Command {
    cargo.envs(emulator.credentials()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    cargo.env("EVENTUAL_TEST_CALLS", emulator.calls());
    cargo.env("EVENTUAL_TEST_ENDPOINT", emulator.endpoint())
}

/// Counts as one more test: every request was what the models of AWS allow.
pub(crate) fn judge(emulator: &Emulator, outcome: &mut Outcome) -> Result<()> {
    let (wrong, operations) = emulator.judged()?;
    if wrong.is_empty() && operations > 0 {
        outcome.passed += 1;
        outcome.notes.push(format!("requests of {operations} operations fit the models of their services"));
        return Ok(());
    }
    outcome.failed += 1;
    outcome.failures.push("requests that the models of AWS do not allow".to_owned());
    outcome.text.push_str(&format!("requests that do not fit the models:\n{}\n", wrong.join("\n")));
    Ok(())
}

/// Lives of services on an AWS that answers too frequent calls as AWS does: one that finds out, and one that knows before. One
/// after the other, or each would be refused for what the other calls.
fn throttled(places: &Places, verbose: bool) -> Result<Outcome> {
    let settings = Settings { knobs: &[("MS_THROTTLE", "1")], echo: verbose, ..Settings::default() };
    let emulator = Emulator::start(places, settings)?;
    let mut cargo = deployments(places, &emulator, "a_life_at_the_pace");
    cargo::tests(cargo.args(["a_service_lives", "--test-threads", "1"]), verbose)
}

/// Lives of services on moto: all is made, changed, read and deleted, and nothing is called.
fn second_opinion(places: &Places, verbose: bool) -> Result<Outcome> {
    let moto = Second::start(places, verbose)?;
    let mut cargo = places.cargo();
    cargo.args(["test", "--package", "eventual-provider", "--test", "cloud", "--", "life::"]);
    cargo.envs(moto.environment()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    let mut outcome = cargo::tests(&mut cargo, verbose)?;
    let mended = moto.mended()?.into_iter().map(|it| format!("no second opinion, moto was mended: {it}"));
    outcome.notes.extend(mended);
    Ok(outcome)
}

/// Something goes wrong at so many AWS requests of a creation, an update or a destruction, drawn by chance.
fn faults(places: &Places, cases: &str, verbose: bool) -> Result<Outcome> {
    let settings = Settings { knobs: &WITHOUT_DELAYS, echo: verbose, ..Settings::default() };
    let emulator = Emulator::start(places, settings)?;
    cargo::tests(deployments(places, &emulator, "faults::").env("EVENTUAL_FAULTS", cases), verbose)
}

/// The tests of the core with the cloud whose names contain `filter`; they print what they do.
pub(crate) fn deployments(places: &Places, emulator: &Emulator, filter: &str) -> Command {
    let mut cargo = places.cargo();
    cargo.args(["test", "--package", "eventual-provider", "--test", "cloud", "--", filter, "--nocapture"]);
    environment(&mut cargo, emulator);
    cargo
}
