//! Rust tests that need the emulated AWS: the ports of the AWS host, the core with the cloud, the Pulumi wire over the life of a service. They are
//! ordinary cargo tests; this starts what they need and says where it is.

use crate::builds;
use crate::emulator::{Emulator, Settings};
use crate::failure::Result;
use crate::places::Places;
use crate::suite::{Options, Outcome, cargo};

/// Runs the tests with an emulator and an artifact of the order service.
pub(super) fn run(places: &Places, options: &Options) -> Result<Outcome> {
    let built = builds::artifact_file(places, "orders");
    let artifact =
        if options.no_build { built } else { builds::artifact(places, "orders", options.verbose)? };
    let emulator = Emulator::start(places, Settings { echo: options.verbose, ..Settings::default() })?;
    let mut cargo = places.cargo();
    cargo.args(["test", "--no-fail-fast", "--package", "eventual-aws", "--package", "eventual-provider"]);
    cargo.args(["--test", "emulator", "--test", "cloud", "--test", "pulumi_cloud", "--test", "pulumi_cli"]);
    cargo.args(["--test", "terraform_cloud"]);
    // Each test of the Pulumi wire deploys a whole service; more at once only wait for each other on two cores.
    cargo.args(["--", "--test-threads", "4"]);
    cargo.envs(emulator.credentials()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    cargo.env("EVENTUAL_TEST_ENDPOINT", emulator.endpoint()).env("EVENTUAL_TEST_ARTIFACT", artifact);
    cargo::tests(&mut cargo, options)
}
