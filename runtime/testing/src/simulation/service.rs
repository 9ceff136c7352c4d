//! The service of a simulation: workflows that use every kind of call, and what each may end with.
//!
//! Deliberately raw, without the facade's types: the engine is what is tested here.

mod children;
mod dialogue;
mod versions;
mod workers;

use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use eventual_engine::core::{
    Call, Emitted, ExecutionId, Failure, Millis, Outcome, ParentClose, Payload, RetryPolicy, TaskCall,
};
use eventual_engine::{HandlerRequest, Registry, TaskEntry, WorkflowFn, ambient};
use futures_util::future::{Either, join, join_all, select};

use super::shared::Shared;
pub(super) use versions::CODES;

/// Attempt of a flaky task that succeeds.
const FLAKY_UNTIL: u32 = 3;

/// Those that are started from outside, and last those that only others start.
const WORKFLOWS: [(&str, WorkflowFn); 15] = [
    ("asks", |input| Box::pin(dialogue::asks(input))),
    ("beats", |input| Box::pin(workers::beats(input))),
    ("cancels", |input| Box::pin(workers::cancels(input))),
    ("collect", |input| Box::pin(collect(input))),
    ("drops", |input| Box::pin(children::drops(input))),
    ("fan", |input| Box::pin(fan(input))),
    ("later", |input| Box::pin(workers::later(input))),
    ("long", |input| Box::pin(long(input))),
    ("parent", |input| Box::pin(parent(input))),
    ("race", |input| Box::pin(race(input))),
    ("renews", |input| Box::pin(dialogue::renews(input))),
    ("retries", |input| Box::pin(retries(input))),
    ("steps", |input| Box::pin(steps(input))),
    ("counter", |input| Box::pin(dialogue::counter(input))),
    ("waits", |input| Box::pin(children::waits(input))),
];
/// How many of them only others start.
const OF_OTHERS: usize = 2;
/// Those that are another code's otherwise.
const VERSIONED: [&str; 2] = ["changes", "pinned"];

/// The handlers of a code, by its place in [`CODES`].
pub(super) fn registry(code: usize) -> Arc<Registry> {
    let mut registry = Registry::default();
    for (name, code) in WORKFLOWS {
        registry.workflows.insert(name.into(), code);
    }
    let (_, pinned, changes) = CODES[code];
    registry.workflows.extend([("pinned".to_owned(), pinned), ("changes".to_owned(), changes)]);
    registry.pinned.insert("pinned".into());
    for (name, inline) in [("echo", false), ("note", true)] {
        registry.tasks.insert(name.into(), TaskEntry::new(echo, inline));
    }
    registry.tasks.insert("flaky".into(), TaskEntry::new(flaky, false));
    workers::register(&mut registry);
    Arc::new(registry)
}

/// A workflow by chance, how large it is, and how many signals of which name it needs from outside.
pub(super) fn pick(shared: &Shared) -> (&'static str, u64, Option<&'static str>) {
    let size = 1 + shared.below(4);
    let own = WORKFLOWS.into_iter().take(WORKFLOWS.len() - OF_OTHERS).map(|(name, _)| name);
    let all: Vec<&str> = own.chain(VERSIONED).collect();
    let workflow = all[usize::try_from(shared.below(all.len() as u64)).unwrap_or(0)];
    match workflow {
        "collect" => (workflow, size, Some("item")),
        "race" => (workflow, size, Some("go")),
        "long" => (workflow, 10 + size * 5, None),
        "asks" => (workflow, 1 + size * 2, None),
        "renews" => (workflow, size * 2, None),
        _ => (workflow, size, None),
    }
}

/// Whether somebody outside may end such an execution without its code, and nobody waits for it in vain then.
pub(super) fn may_be_terminated(workflow: &str) -> bool {
    workflow != "asks"
}

/// Whether an execution may end so, whatever goes wrong on the way.
pub(super) fn may_end(workflow: &str, size: u64, code: &str, end: &Outcome) -> bool {
    let Outcome::Succeeded(value) = end else { return false };
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let sum = |n: u64| (0..n).sum::<u64>().to_string();
    match workflow {
        "asks" => text == size.to_string(),
        "collect" => sorted(&text) == (0..size).collect::<Vec<_>>(),
        "fan" => text == sum(size * 2),
        "pinned" => text == versions::sum_of_pinned(size, code).to_string(),
        "parent" => sorted(&text) == (0..=size).collect::<Vec<_>>(),
        // A race ends in any way; its replay says whether history decides it.
        "cancels" | "race" => {
            let letters = text.trim_matches('"');
            letters.len() as u64 == size && letters.chars().all(|it| it == 's' || it == 't')
        }
        _ => text == sum(size),
    }
}

fn sorted(list: &str) -> Vec<u64> {
    let mut items: Vec<u64> =
        list.trim_matches(['[', ']']).split(',').filter_map(|it| it.parse().ok()).collect();
    items.sort_unstable();
    items
}

async fn steps(input: Payload) -> Outcome {
    let mut sum = 0;
    for number in 0..size(&input) {
        let name = if number % 3 == 2 { "note" } else { "echo" };
        sum += value(ask(|_| task(name, number)).await);
        ask(|_| {
            Call::Emit(vec![Emitted { name: "Stepped".into(), payload: number.to_string().as_str().into() }])
        })
        .await;
        // The last one is set in the turn that ends.
        let _set = ambient::set_attribute("step", Some(i64::try_from(number).unwrap_or(i64::MAX).into()));
    }
    done(sum)
}

async fn fan(input: Payload) -> Outcome {
    let all =
        (0..size(&input) * 2).map(|it| ask(move |_| task(if it % 2 == 0 { "echo" } else { "note" }, it)));
    done(join_all(all).await.into_iter().map(value).sum())
}

async fn long(input: Payload) -> Outcome {
    let mut sum = 0;
    for number in 0..size(&input) {
        sum += value(ask(|_| task("note", number)).await);
        if number % 7 == 3 {
            ask(|now| Call::Timer { due: now + 3_600_000 }).await;
        }
    }
    done(sum)
}

/// Starts a `collect` and sends it its signals, one before, one after the answer of a task.
async fn parent(input: Payload) -> Outcome {
    let size = size(&input);
    // The execution's own name makes its child's.
    let Some(own) = ambient::workflow().map(|it| it.execution) else {
        return Outcome::Crashed("outside of an execution".to_owned());
    };
    let Ok(child) = ExecutionId::new("collect", &format!("of-{}", own.name())) else {
        return Outcome::Crashed("no name for the child".to_owned());
    };
    let input = Payload::from((size + 1).to_string().as_str());
    let call = Call::Workflow {
        execution: child.clone(),
        input,
        detached: false,
        answered: true,
        close: ParentClose::default(),
        attributes: std::collections::BTreeMap::new(),
    };
    let sending = async {
        for number in 0..=size {
            let (execution, payload) = (child.clone(), number.to_string().as_str().into());
            ask(|_| Call::Send { execution, signal: "item".into(), payload, answered: true }).await;
            ask(|_| task("echo", number)).await;
        }
    };
    join(ask(|_| call), sending).await.0
}

async fn race(input: Payload) -> Outcome {
    let mut letters = String::new();
    for _ in 0..size(&input) {
        let signal = ask(|_| Call::Signal { name: "go".into() });
        let timer = ask(|now| Call::Timer { due: now + 30_000 });
        letters.push(match select(Box::pin(signal), Box::pin(timer)).await {
            Either::Left(_) => 's',
            Either::Right(_) => 't',
        });
        ask(|_| task("echo", 0)).await;
    }
    Outcome::Succeeded(format!("\"{letters}\"").as_str().into())
}

async fn collect(input: Payload) -> Outcome {
    let mut items = Vec::new();
    for number in 0..size(&input) {
        items.push(value(ask(|_| Call::Signal { name: "item".into() }).await).to_string());
        if number == 1 {
            ask(|_| task("note", 0)).await;
        }
    }
    Outcome::Succeeded(format!("[{}]", items.join(",")).as_str().into())
}

async fn retries(input: Payload) -> Outcome {
    let mut sum = 0;
    for number in 0..size(&input) {
        let retry = RetryPolicy { errors: true, initial_ms: 1_000, ..patient() };
        sum += value(ask(|_| task_with("flaky", number, retry)).await);
    }
    done(sum)
}

fn echo(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        note(&request);
        Outcome::Succeeded(request.input)
    })
}

fn flaky(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        note(&request);
        if request.context.attempt >= FLAKY_UNTIL {
            return Outcome::Succeeded(request.input);
        }
        let message = "not yet".to_owned();
        Outcome::Failed(Failure::new("Flaky", message, 500))
    })
}

fn note(request: &HandlerRequest) {
    let context = &request.context;
    if let (Some(shared), Some(id)) = (context.states.get::<Shared>(), &context.execution) {
        shared.effect(id, context.seq, context.attempt, &context.idempotency_key);
    }
}

/// More attempts than a run can lose.
fn patient() -> RetryPolicy {
    RetryPolicy { attempts: 100, ..RetryPolicy::default() }
}

fn task(name: &str, input: u64) -> Call {
    task_with(name, input, patient())
}

fn task_with(name: &str, input: u64, retry: RetryPolicy) -> Call {
    let inline = name == "note";
    Call::Task(TaskCall { inline, retry, ..TaskCall::new(name, input.to_string().as_str().into()) })
}

#[track_caller]
fn ask(make: impl FnOnce(Millis) -> Call) -> impl Future<Output = Outcome> {
    let mut slot = ambient::new_call(Location::caller());
    let mut make = Some(make);
    poll_fn(move |cx| {
        let Some(slot) = &mut slot else {
            return std::task::Poll::Ready(Outcome::Crashed("outside of an execution".to_owned()));
        };
        slot.poll(cx, |now| make.take().map_or(Call::Timer { due: now }, |make| make(now)))
    })
}

fn size(input: &Payload) -> u64 {
    std::str::from_utf8(input.as_bytes()).ok().and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// The number that a call answered. An outcome that is none makes a sum that nothing else makes.
fn value(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Succeeded(value) => size(&value),
        _ => 1_000_000,
    }
}

fn done(sum: u64) -> Outcome {
    Outcome::Succeeded(sum.to_string().as_str().into())
}
