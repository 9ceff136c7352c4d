//! Workflows whose tasks beat, run in vain, or are answered by somebody else.

use std::pin::Pin;

use eventual_engine::core::{Call, Outcome, Payload, TaskCall};
use eventual_engine::ports::Clock;
use eventual_engine::{HandlerRequest, Registry, TaskEntry};
use futures_util::future::{Either, join_all, select};

use super::super::shared::{Shared, Token};
use super::{ask, done, note, patient, size, value};

/// Longest time between two heartbeats, and the time that one step of a task takes.
const PERIOD_MS: u64 = 20_000;
const STEP_MS: u64 = 5_000;
/// Steps of a task.
const STEPS: u64 = 4;
/// How long a worker that falls silent does: until its lease is over, and another is at work.
const SILENCE_MS: u64 = 100_000;
/// Time for whoever has a token.
const LATER_MS: u64 = 3_600_000;

pub(super) fn register(registry: &mut Registry) {
    registry.tasks.insert("beat".into(), TaskEntry::new(beat, false));
    for (name, inline) in [("later", false), ("laterInline", true)] {
        registry
            .tasks
            .insert(name.into(), TaskEntry { takes_token: true, ..TaskEntry::new(put_off, inline) });
    }
}

fn watched(input: u64) -> Call {
    let input = input.to_string().as_str().into();
    let heartbeat_ms = Some(PERIOD_MS);
    Call::Task(TaskCall { retry: patient(), heartbeat_ms, ..TaskCall::new("beat", input) })
}

pub(super) async fn beats(input: Payload) -> Outcome {
    let all = (0..size(&input)).map(|it| ask(move |_| watched(it)));
    done(join_all(all).await.into_iter().map(value).sum())
}

/// Drops tasks that are still at work, or not, and goes on.
pub(super) async fn cancels(input: Payload) -> Outcome {
    let mut letters = String::new();
    for number in 0..size(&input) {
        let work = ask(|_| watched(number));
        let timer = ask(|now| Call::Timer { due: now + STEP_MS * (1 + number % STEPS) + 1_000 });
        letters.push(match select(Box::pin(work), Box::pin(timer)).await {
            // A worker that is told to stop although its answer is wanted would answer otherwise.
            Either::Left((Outcome::Succeeded(_), _)) => 's',
            Either::Left(_) => 'x',
            Either::Right(_) => 't',
        });
    }
    Outcome::Succeeded(format!("\"{letters}\"").as_str().into())
}

pub(super) async fn later(input: Payload) -> Outcome {
    let all = (0..size(&input)).map(|number| {
        let name = if number % 2 == 0 { "later" } else { "laterInline" };
        let input = number.to_string().as_str().into();
        let task = TaskCall { inline: number % 2 == 1, retry: patient(), ..TaskCall::new(name, input) };
        ask(move |_| Call::Task(task))
    });
    done(join_all(all).await.into_iter().map(value).sum())
}

fn beat(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        note(&request);
        let (shared, worker) = (request.context.states.get::<Shared>(), request.context.worker);
        let (Some(shared), Some(worker)) = (shared, worker) else {
            return Outcome::Crashed("outside of a simulation".to_owned());
        };
        for step in 0..STEPS {
            if worker.beat(Some(step.to_string().as_str().into())).await.is_err() {
                return Outcome::Cancelled;
            }
            let pause = if shared.falls_silent() { SILENCE_MS } else { STEP_MS };
            let until = shared.world.now() + pause;
            shared.wait_until(until).await;
        }
        Outcome::Succeeded(request.input)
    })
}

fn put_off(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        note(&request);
        let context = request.context;
        let (shared, worker) = (context.states.get::<Shared>(), context.worker);
        let (Some(shared), Some(worker), Some(id)) = (shared, worker, context.execution) else {
            return Outcome::Crashed("outside of a simulation".to_owned());
        };
        let Some(text) = worker.token().map(str::to_owned) else {
            return Outcome::Crashed("without a token".to_owned());
        };
        let attempt = (id, context.seq, context.attempt);
        shared.state().tokens.push(Token { attempt, text, answer: request.input.clone() });
        worker.put_off(LATER_MS).await;
        Outcome::Crashed("went on after it was put off".to_owned())
    })
}
