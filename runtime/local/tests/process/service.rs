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

/// The folder of the program that runs this: by its name, one that is kept is told from one that serves.
fn place() -> String {
    let program = std::env::current_exe().unwrap();
    program.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

/// Where a remote task is performed.
#[eventual::task]
async fn remote_place() -> String {
    place()
}

/// Where an inline task is performed, and whether `init` was run there.
#[eventual::task(inline)]
async fn inline_place(greeting: eventual::State<Greeting>) -> String {
    format!("{}: {}", place(), greeting.0)
}

/// What `init` builds.
pub(crate) struct Greeting(String);

/// What the log of a program shows that it prints, as user code may.
#[expect(clippy::print_stdout, reason = "it is what the task is for")]
#[eventual::task(inline)]
async fn prints() {
    println!("user code prints something");
}

/// Goes on when it is let, and ends the first process that it is in only after it has said so.
#[eventual::task(inline, timeout = "45s")]
async fn stays(file: String) -> String {
    if std::fs::File::create_new(&file).is_ok() {
        tokio::time::sleep(Duration::from_secs(40)).await;
    }
    place()
}

/// A way through everything that a pinned execution may need: steps, a timer, signals, a child, and a query that says where it is.
#[eventual::workflow(pinned)]
async fn tour() -> eventual::Result<Vec<String>> {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let told = seen.clone();
    eventual::on_query("seen", move |(): ()| (place(), told.borrow().clone()));
    for _ in 0..2 {
        Go::next().await?;
        prints().await?;
        let here = inline_place().await?;
        seen.borrow_mut().push(here);
        eventual::sleep(Duration::from_millis(20)).await?;
        let there = remote_place().await?;
        seen.borrow_mut().push(there);
        let below = child_place().await?;
        seen.borrow_mut().push(below);
    }
    let seen = seen.borrow().clone();
    Ok(seen)
}

/// A child on the same code as its parent, because it is pinned too.
#[eventual::workflow(pinned)]
async fn child_place() -> eventual::Result<String> {
    eventual::sleep(Duration::from_millis(1)).await?;
    Ok(inline_place().await?)
}

/// Stays in the middle of an inline task.
#[eventual::workflow(pinned)]
async fn middle(file: String) -> eventual::Result<(u32, String)> {
    let first = Go::next().await?.0;
    let place = stays(file).await?;
    Ok((first + step(1).await?, place))
}

/// Nine steps once it is let, with a moment between them, on the code that it was started on.
#[eventual::workflow(pinned)]
async fn nine_pinned() -> eventual::Result<u32> {
    let mut sum = Go::next().await?.0;
    for number in 1..=9 {
        sum += step(number).await?;
        eventual::sleep(Duration::from_millis(5)).await?;
    }
    Ok(sum)
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
    let code = eventual_local::run(program(), arguments.split(' ').map(str::to_owned));
    std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
}

/// What a program that serves starts with the argument `former`, which selects this test: no other one may have that word in its
/// name.
#[test]
fn former() {
    if std::env::var_os(SERVE).is_none() {
        return;
    }
    let code = eventual_local::former(program());
    std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS));
}

fn program() -> eventual_local::Program {
    let service = eventual::service!(name = "local-test", auth = none);
    let (registry, manifest) = (service.registry().clone(), service.manifest().clone());
    let init: eventual_local::Init = || {
        Box::pin(async {
            let mut states = eventual_engine::States::default();
            states.insert(std::sync::Arc::new(Greeting("hello".to_owned())));
            Ok(states)
        })
    };
    eventual_local::Program { registry, manifest, init: Some(init) }
}
