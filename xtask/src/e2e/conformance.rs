//! The conformance suite on AWS: its service is deployed once, and all of its cases run on it side by side. Deliberately holds no
//! case: those are in `runtime/conformance/tests`, the same for every host.

use serde_json::json;

use super::stand::Stand;
use super::versions;
use crate::emulator::REGION;
use crate::failure::{Context, Failure, Result, require};
use crate::process::{self, Terms};

const CONFIGURATION: &str = "runtime/conformance/terraform";

/// Builds included; the cases themselves take a minute.
const LIMIT: Terms = Terms::seconds(1_200);

/// Deploys the service, runs the cases, deploys other code under open executions, looks for what was given up, destroys it.
pub(super) fn cases_pass(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.site.terraform("conformance", CONFIGURATION)?;
    terraform.variables(&json!({ "artifact": stand.site.artifact("conformance")? }))?;
    terraform.apply()?;
    let state = terraform.state("eventual_service.conformance")?;
    let url = state["url"].as_str().context("the service has no URL")?;
    let ran = run(stand, url);
    let ran = ran.and_then(|()| versions::pinned(stand, &terraform)).and_then(|()| nothing_given_up(stand));
    terraform.destroy()?;
    ran
}

/// An ordinary cargo test, told where the service is.
fn run(stand: &Stand<'_>, url: &str) -> Result<()> {
    let mut cargo = stand.site.places.cargo();
    cargo.args(["test", "--package", "conformance", "--test", "aws", "--", "--nocapture"]);
    cargo.env("EVENTUAL_TEST_ENDPOINT", stand.site.emulator.endpoint()).env("AWS_REGION", REGION);
    cargo.env("EVENTUAL_TEST_URL", url).env("EVENTUAL_TEST_SYSTEM", "conformance-system:live");
    cargo.env("RUST_BACKTRACE", "0");
    let done = process::run(&mut cargo, LIMIT)?;
    for line in done.stdout.lines().filter(|line| line.contains("::")) {
        println!("          {line}");
    }
    if done.status.success() {
        return Ok(());
    }
    let mut words = done.all;
    for function in ["orchestrator", "timers", "relay", "system"] {
        let group = format!("/aws/lambda/conformance-{function}");
        let lines = stand.cloud().logs(&group).unwrap_or_default();
        let told: Vec<_> =
            lines.iter().filter(|it| it.contains("WARN") || it.contains("ERROR")).cloned().collect();
        let last = told[told.len().saturating_sub(20)..].join("\n    ");
        words.push_str(&format!("\n{group}:\n    {last}"));
    }
    Err(Failure::new(words))
}

/// Whatever the cases did on purpose, nothing of it is a message that nobody could handle.
fn nothing_given_up(stand: &Stand<'_>) -> Result<()> {
    let queues = stand.cloud().queues("conformance")?;
    let dead: Vec<_> =
        queues.iter().filter(|it| it["name"].as_str().is_some_and(|name| name.contains("dead"))).collect();
    require(!dead.is_empty(), || format!("no dead-letter queue among {queues:?}"))?;
    require(dead.iter().all(|it| it["waiting"] == 0 && it["in_flight"] == 0), || {
        format!("given up: {dead:?}")
    })
}
