//! The service that is measured: tasks that do next to nothing, so that what is left is the engine. Its peers run the same
//! nine steps (`peers/`).

use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Steps of the sequential workflow.
pub(crate) const STEPS: u32 = 9;
/// A file to which every [`mark`] appends when it was performed, in microseconds since 1970.
pub(crate) const MARKS: &str = "EVENTUAL_BENCH_MARKS";
/// Longest wait of a command for its workflow.
const LONGEST: Duration = Duration::from_secs(25);

/// What a step gets: its number, and what the steps before it came to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Step {
    /// Number of the step, from 0.
    pub(crate) number: u32,
    /// Sum of the steps before.
    pub(crate) sum: u64,
}

/// What a peer's HTTP handler gets, too.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Order {
    /// What the sum begins with.
    pub(crate) number: u64,
}

/// One step, performed where the turn is taken.
#[eventual::task(inline)]
pub(crate) async fn add(step: Step) -> u64 {
    step.sum + u64::from(step.number)
}

/// One step, performed by a worker of its own.
#[eventual::task]
pub(crate) async fn add_remotely(step: Step) -> u64 {
    step.sum + u64::from(step.number)
}

/// Says when it was performed.
#[eventual::task]
pub(crate) async fn mark() -> eventual::Result<()> {
    let Some(path) = std::env::var_os(MARKS) else { return Ok(()) };
    let failed = |error: std::io::Error| eventual::Error::new("Unmarked", error.to_string());
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    file.write_all(format!("{}\n", now.as_micros()).as_bytes()).map_err(failed)
}

/// Lets [`many`] end.
#[eventual::signal]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Finish {}

/// Nine inline steps, one after the other.
#[eventual::workflow]
pub(crate) async fn nine(order: u64) -> eventual::Result<u64> {
    let mut sum = order;
    for number in 0..STEPS {
        sum = add(Step { number, sum }).await?;
    }
    Ok(sum)
}

/// Nine remote steps, one after the other.
#[eventual::workflow]
pub(crate) async fn nine_remote(order: u64) -> eventual::Result<u64> {
    let mut sum = order;
    for number in 0..STEPS {
        sum = add_remotely(Step { number, sum }).await?;
    }
    Ok(sum)
}

/// Any number of inline steps, then a wait for [`Finish`].
#[eventual::workflow]
pub(crate) async fn many(steps: u32) -> eventual::Result<u64> {
    let mut sum = 0;
    for number in 0..steps {
        sum = add(Step { number, sum }).await?;
    }
    Finish::next().await?;
    Ok(sum)
}

/// Any number of remote steps, then a wait for [`Finish`].
#[eventual::workflow]
pub(crate) async fn many_remotely(steps: u32) -> eventual::Result<u64> {
    let mut sum = 0;
    for number in 0..steps {
        sum = add_remotely(Step { number, sum }).await?;
    }
    Finish::next().await?;
    Ok(sum)
}

/// Any number of steps that say when they were performed.
#[eventual::workflow]
pub(crate) async fn marks(steps: u32) -> eventual::Result<()> {
    for _ in 0..steps {
        mark().await?;
    }
    Ok(())
}

/// Sleeps for so many milliseconds.
#[eventual::workflow]
pub(crate) async fn nap(ms: u64) -> eventual::Result<()> {
    Ok(eventual::sleep(Duration::from_millis(ms)).await?)
}

/// Runs [`nine`] and answers with its sum.
#[eventual::command(uses(nine))]
pub(crate) async fn run_nine(order: Order) -> eventual::Result<u64> {
    let execution = nine(order.number).start().await?;
    execution.wait(LONGEST).await?.ok_or_else(late)
}

/// Runs [`nine_remote`] and answers with its sum.
#[eventual::command(uses(nine_remote))]
pub(crate) async fn run_nine_remote(order: Order) -> eventual::Result<u64> {
    let execution = nine_remote(order.number).start().await?;
    execution.wait(LONGEST).await?.ok_or_else(late)
}

fn late() -> eventual::Error {
    eventual::Error::new("Late", "the workflow did not end in time")
}

/// Serves it on this machine, as `<binary> serve` of a user's service does.
pub(crate) fn serve(arguments: impl Iterator<Item = String>) -> ExitCode {
    let service = eventual::service!(name = "bench", auth = none);
    let (registry, manifest) = (service.registry().clone(), service.manifest().clone());
    eventual_local::run(eventual_local::Program { registry, manifest, init: None }, arguments)
}
