//! The service that the child processes serve. The tests' own binary is the service's binary: it runs itself again,
//! with the one test below selected.

use std::collections::HashSet;
use std::io::Write;
use std::time::Duration;

use eventual::Ctx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Set for a child process: the arguments after `serve`.
pub(crate) const SERVE: &str = "EVENTUAL_TEST_SERVE";
/// A file to which every performance of a task appends a line.
pub(crate) const EFFECTS: &str = "EVENTUAL_TEST_EFFECTS";

#[eventual::task]
async fn step(number: u32, ctx: Ctx) -> u32 {
    let execution = ctx.execution().map(|it| it.to_string()).unwrap_or_default();
    if let Ok(path) = std::env::var(EFFECTS) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        // One write, so that lines of several tasks do not mix.
        file.write_all(format!("{execution} {number} {}\n", ctx.attempt()).as_bytes()).unwrap();
    }
    number
}

/// Nine steps, one after another.
#[eventual::workflow]
async fn nine() -> eventual::Result<u32> {
    let mut sum = 0;
    for number in 1..=9 {
        sum += step(number).await?;
    }
    Ok(sum)
}

/// The same in the order of a set, which is another one in every set.
#[eventual::workflow]
async fn shuffled() -> eventual::Result<u32> {
    let mut sum = 0;
    for number in shuffle() {
        sum += step(number).await?;
    }
    Ok(sum)
}

/// Out of the sight of the scan, which looks at workflows alone.
fn shuffle() -> Vec<u32> {
    HashSet::<u32>::from_iter(1..=9).into_iter().collect()
}

/// Sleeps, then makes a step.
#[eventual::workflow]
async fn nap(ms: u64) -> eventual::Result<u32> {
    eventual::sleep(Duration::from_millis(ms)).await?;
    Ok(step(7).await?)
}

/// What waiting workflows wait for.
#[eventual::signal]
#[derive(Serialize, Deserialize, JsonSchema)]
struct Go(u32);

async fn wait() -> eventual::Result<u32> {
    Ok(Go::next().await?.0)
}

/// Waits, on whatever code is the newest.
#[eventual::workflow]
async fn waits() -> eventual::Result<u32> {
    wait().await
}

/// Waits, on the code that it was started on.
#[eventual::workflow(pinned)]
async fn waits_pinned() -> eventual::Result<u32> {
    wait().await
}

/// Does nothing with a large input.
#[eventual::workflow]
async fn keep(text: String) -> eventual::Result<usize> {
    Ok(text.len())
}

/// Something that nobody takes.
#[eventual::event]
#[derive(Serialize, Deserialize, JsonSchema)]
struct Told {
    number: u32,
}

#[eventual::command(uses(Told))]
async fn tell(number: u32) -> eventual::Result<()> {
    Ok(Told { number }.emit().await?)
}

#[eventual::subscription]
async fn refuses(told: Told) -> eventual::Result<()> {
    Err(eventual::Error::new("Refused", format!("{} is never taken", told.number)))
}

#[eventual::command(method = GET, path = "/double/{number}")]
async fn double(number: u32) -> u32 {
    number * 2
}

#[eventual::command(auth = iam)]
async fn secret(user: Option<eventual::User>) -> String {
    user.map(|it| it.subject().to_owned()).unwrap_or_default()
}

#[eventual::command]
async fn broken() -> eventual::Result<u32> {
    panic!("broken on purpose")
}

#[test]
fn child_process() {
    let Ok(arguments) = std::env::var(SERVE) else { return };
    if let Some(arguments) = arguments.strip_prefix("check ") {
        let code = eventual_local::check(arguments.split(' ').map(str::to_owned));
        std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
    }
    let service = eventual::service!(name = "local-test", auth = none);
    let (registry, manifest) = (service.registry().clone(), service.manifest().clone());
    let program = eventual_local::Program { registry, manifest, init: None };
    let code = eventual_local::run(program, arguments.split(' ').map(str::to_owned));
    std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
}
