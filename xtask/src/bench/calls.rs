//! What a step asks of AWS and what that costs: counted over memory (`benches/engine/src/calls.rs`), and on the emulated AWS in the
//! requests that arrive there. Executions of different lengths are compared, so that what they have in common is not the steps'.
//! Deliberately holds the only list of prices.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::Figure;
use super::engine::readings;
use crate::builds::{self, Client};
use crate::counts::Counts;
use crate::failure::{Context, Result, require};
use crate::places::Places;
use crate::process;
use crate::site::{Site, Wish};

/// List prices of us-east-1 in dollars per million, November 2026: a write of up to 1 KB to DynamoDB on demand.
const WRITE: f64 = 0.625;
/// A read of up to 4 KB that sees every write before it.
const READ: f64 = 0.125;
/// A request to SQS FIFO, of the service or of the mapping that feeds a function. A message is sent, received and deleted.
const QUEUE: f64 = 0.5;
/// An invocation of a Lambda function.
const INVOCATION: f64 = 0.2;
/// Ten milliseconds of 256 MB on arm64: what we take a turn, or a task that does next to nothing, for.
const WORK: f64 = 0.01 * 0.25 * 13.3334;
/// A byte of logs.
const LOGGED: f64 = 0.5 / 1_000.0;
/// What we promise: dollars of a million steps.
const LIMITS: [(&str, f64); 2] = [("inline", 1.0), ("remote", 4.0)];

/// Lengths of executions that are compared with the shortest.
const SHORT: u32 = 10;
const LONG: [u32; 3] = [100, 1_000, 10_000];
/// What is counted on the emulated AWS: the kind of step, the workflow, its lengths, and how many executions at once, whose messages
/// share what is asked of a queue.
const COUNTED: [(&str, &str, &[u32], u32); 3] =
    [("inline", "manyHere", &LONG, 1), ("remote", "many", &[100, 1_000], 1), ("remote", "many", &[100], 20)];
/// Longest execution: 10,000 steps, each written by an emulator that shares two cores with the function.
const LONGEST: Duration = Duration::from_secs(900);
/// For so long nothing is counted when an execution has left nothing behind.
const QUIET: Duration = Duration::from_secs(2);

const CONFIGURATION: &str = "runtime/conformance/terraform";
const SERVICE: &str = "conformance";

/// What one step takes.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Step {
    /// Capacity units of DynamoDB.
    writes: f64,
    reads: f64,
    /// Requests to queues.
    queue: f64,
    /// Invocations of functions.
    invocations: f64,
    /// Bytes that functions log.
    logged: f64,
}

impl Step {
    /// Dollars of a million. An inline step is some time of an invocation that others share.
    fn dollars(&self) -> f64 {
        let working = self.invocations.max(1.0);
        self.writes * WRITE
            + self.reads * READ
            + self.queue * QUEUE
            + self.invocations * INVOCATION
            + working * WORK
            + self.logged * LOGGED
    }
}

fn figure(what: String, unit: &'static str, value: f64) -> Figure {
    Figure { what, unit, values: vec![value], limit: None }
}

fn dollars(what: &str, kind: &str, step: Step) -> Figure {
    let limit = LIMITS.iter().find(|(of, _)| *of == kind).map(|(_, limit)| *limit);
    Figure { what: format!("{what}: a million"), unit: "USD", values: vec![step.dollars()], limit }
}

/// Counted over memory.
pub(super) fn in_memory(places: &Places, echo: bool) -> Result<Vec<Figure>> {
    let program = builds::engine_bench(places, echo)?;
    let readings = readings(&program, &["calls"])?;
    let of = |kind: &str, steps: u32, what: &str| {
        let name = format!("{kind} {steps} {what}");
        readings.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).context(name)
    };
    let mut figures = Vec::new();
    for (kind, _) in LIMITS {
        for steps in LONG {
            let tasks = of(kind, steps, "tasks")?;
            let step = Step {
                writes: of(kind, steps, "writes")?,
                reads: of(kind, steps, "reads")?,
                queue: 3.0 * tasks,
                invocations: 2.0 * tasks,
                logged: 0.0,
            };
            let what = format!("calls: over memory: {kind} step of {steps}");
            figures.push(figure(format!("{what}: ports"), "calls", of(kind, steps, "calls")?));
            figures.push(dollars(&what, kind, step));
        }
    }
    Ok(figures)
}

/// Counted on the emulated AWS, by a service that is deployed for it.
pub(super) fn on_aws(places: &Places, built: bool, echo: bool) -> Result<Vec<Figure>> {
    let wish = Wish { client: Client::Terraform, services: &[SERVICE], outlives: false, echo, built };
    let site = Site::open(places, wish, |step| eprintln!("{step}"))?;
    let terraform = site.terraform("calls", CONFIGURATION)?;
    terraform.variables(&json!({ "artifact": site.artifact(SERVICE)? }))?;
    terraform.apply()?;
    let mut figures = Vec::new();
    for (kind, workflow, long, at_once) in COUNTED {
        // Whoever is invoked first starts, and reads what is declared.
        executions(&site, workflow, SHORT, at_once, "warm")?;
        let short = executions(&site, workflow, SHORT, at_once, "short")?;
        for steps in long {
            let counted = executions(&site, workflow, *steps, at_once, "long")?;
            let step = counted.since(&short).per(f64::from((steps - SHORT) * at_once));
            let what = if at_once > 1 { format!("{steps}, {at_once} at once") } else { steps.to_string() };
            tell(&format!("{kind} step of {what}:"), &step);
            figures.extend(judged(kind, &what, &step));
        }
    }
    terraform.destroy()?;
    Ok(figures)
}

/// Runs executions: what they made the emulator count. The starter's and the onlooker's part is left out.
fn executions(site: &Site, workflow: &str, steps: u32, at_once: u32, name: &str) -> Result<Counts> {
    let ours =
        |who: &str| who.starts_with(&format!("{SERVICE}-")) && !who.starts_with(&format!("{SERVICE}-system"));
    let count = || Counts::of(&site.emulator, ours);
    let system = |request: Value| site.cloud().invoke(&format!("{SERVICE}-system:live"), &request);
    let names: Vec<String> = (0..at_once).map(|it| format!("{name}-{steps}-{at_once}-{it}")).collect();
    let before = count()?;
    for name in &names {
        system(json!({ "op": "start", "workflow": workflow, "name": name, "input": steps }))?;
    }
    process::wait_for(&format!("{steps} steps of {workflow} did not end"), LONGEST, || {
        let last = count()?;
        thread::sleep(QUIET);
        if count()? != last {
            return Ok(None);
        }
        for name in &names {
            let known = system(json!({ "op": "get", "execution": format!("{workflow}/{name}") }))?;
            if known["status"] != "succeeded" {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })?;
    let counted = count()?.since(&before);
    // A turn begins an item or is appended to one.
    let is_write = |it: &str| it.ends_with("PutItem calls") || it.ends_with("UpdateItem calls");
    require(counted.sum(is_write) >= f64::from(steps * at_once), || {
        format!("{steps} steps are at least as many writes: {counted:?}")
    })?;
    Ok(counted)
}

fn judged(kind: &str, steps: &str, counted: &Counts) -> Vec<Figure> {
    let units = |operations: &[&str]| {
        counted.sum(|it| operations.iter().any(|operation| it.ends_with(&format!("{operation} units"))))
    };
    let step = Step {
        writes: units(&["PutItem", "UpdateItem", "DeleteItem"]),
        reads: units(&["GetItem", "dynamodb:Query"]),
        queue: units(&["sqs:SendMessage"])
            + counted.sum(|it| it.ends_with(" received") || it.ends_with(" deleted")),
        invocations: counted.sum(|it| it.ends_with(" invocations")),
        logged: counted.sum(|it| it.ends_with(" log_bytes")),
    };
    let requests = counted.sum(|it| it.ends_with(" calls"));
    let what = format!("aws calls: {kind} step of {steps}");
    vec![
        figure(format!("{what}: requests of functions"), "calls", requests),
        figure(format!("{what}: requests of mappings"), "calls", step.queue - units(&["sqs:SendMessage"])),
        figure(
            format!("{what}: functions ran, on this machine"),
            "ms",
            counted.sum(|it| it.ends_with(" ms")),
        ),
        figure(format!("{what}: logged"), "bytes", step.logged),
        dollars(&what, kind, step),
    ]
}

/// What is in the sums.
fn tell(what: &str, counted: &Counts) {
    eprintln!("{what}");
    for (name, count) in counted.0.iter().filter(|(_, count)| count.abs() > 0.000_5) {
        eprintln!("    {count:>10.3}  {name}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_priced_by_what_was_counted() {
        let counted = [
            ("s-orchestrator dynamodb:PutItem calls", 1.0),
            ("s-orchestrator dynamodb:PutItem units", 2.0),
            ("s-orchestrator dynamodb:Query calls", 0.5),
            ("s-orchestrator dynamodb:Query units", 4.0),
            ("s-task sqs:SendMessage calls", 1.0),
            ("s-task sqs:SendMessage units", 1.0),
            ("s-orchestrator invocations", 1.0),
            ("s-orchestrator log_bytes", 100.0),
            ("s-workflow.fifo received", 1.0),
            ("s-workflow.fifo deleted", 1.0),
            ("s-workflow.fifo messages", 1.0),
        ];
        let counted = Counts(counted.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect());
        let figures = judged("remote", "100", &counted);
        let [requests, mappings, .., dollars] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!((requests.values[0], mappings.values[0]), (2.5, 2.0));
        let expected = 2.0 * WRITE + 4.0 * READ + 3.0 * QUEUE + INVOCATION + WORK + 100.0 * LOGGED;
        assert!((dollars.values[0] - expected).abs() < 1e-9, "{dollars:?}");
        assert_eq!(dollars.limit, Some(4.0));
    }
}
