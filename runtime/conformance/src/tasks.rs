//! Tasks that do as they are told, attempt by attempt, and the workflows that call them.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use eventual::{CallError, Completion, Ctx, Failure, Result, Retry, TaskToken};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a task did not work.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize, JsonSchema, Failure)]
pub enum WorkError {
    /// It never will.
    #[error("part {part} is broken")]
    #[failure(final, status = 422)]
    Broken {
        /// What is broken.
        part: String,
        /// The attempt that found out.
        attempt: u32,
    },
    /// It says when to come again.
    #[error("too much to do")]
    #[failure(retry_after = wait_s)]
    Busy {
        /// Seconds.
        wait_s: u64,
    },
    /// It may, later.
    #[error("not now")]
    NotNow,
    /// Something that it called failed.
    #[error(transparent)]
    #[failure(call)]
    Call(eventual::Error),
}

/// An attempt that worked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Worked {
    /// Which one.
    pub attempt: u32,
    /// Its idempotency key.
    pub key: String,
}

/// What a workflow has a task do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// A letter for each attempt: `b`roken, b`u`sy for a second, for an `h`our, `n`ot now, `p`anic, `s`talled; anything else works.
    pub script: String,
    /// Whether the inline twin does it.
    #[serde(default)]
    pub here: bool,
    /// Most attempts, with pauses of 300 milliseconds, errors included; what the task says without.
    #[serde(default)]
    pub attempts: Option<u32>,
    /// Longest attempt, in milliseconds.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Longest time for all of them.
    #[serde(default)]
    pub total_ms: Option<u64>,
    /// Errors that are final.
    #[serde(default)]
    pub final_errors: Vec<String>,
}

async fn perform(script: &str, ctx: &Ctx) -> Result<Worked, WorkError> {
    let attempt = ctx.attempt();
    let letter = usize::try_from(attempt - 1).ok().and_then(|it| script.as_bytes().get(it));
    match letter {
        Some(b'b') => Err(WorkError::Broken { part: "wheel".to_owned(), attempt }),
        Some(b'u') => Err(WorkError::Busy { wait_s: 1 }),
        Some(b'h') => Err(WorkError::Busy { wait_s: 3_600 }),
        Some(b'n') => Err(WorkError::NotNow),
        Some(b'p') => panic!("on purpose"),
        Some(b's') => pending().await,
        _ => Ok(Worked { attempt, key: ctx.idempotency_key().to_owned() }),
    }
}

/// Does as it is told in a worker of its own.
#[eventual::task(timeout = "10s", retry(attempts = 4, initial = "200ms", backoff = 2.0, errors))]
pub async fn work(script: String, ctx: Ctx) -> Result<Worked, WorkError> {
    perform(&script, &ctx).await
}

/// Does as it is told where the turn is taken.
#[eventual::task(inline, timeout = "5s", retry(attempts = 4, initial = "200ms", backoff = 2.0, errors))]
pub async fn work_here(script: String, ctx: Ctx) -> Result<Worked, WorkError> {
    perform(&script, &ctx).await
}

fn called(job: Job) -> eventual::Call<Worked, WorkError> {
    let mut call = if job.here { work_here(job.script) } else { work(job.script) };
    if let Some(attempts) = job.attempts {
        let pause = Duration::from_millis(300);
        call = call.retry(Retry::attempts(attempts).errors().initial(pause).backoff(1.0));
    }
    if let Some(limit) = job.timeout_ms {
        call = call.timeout(Duration::from_millis(limit));
    }
    if let Some(limit) = job.total_ms {
        call = call.total_timeout(Duration::from_millis(limit));
    }
    if job.final_errors.is_empty() { call } else { call.final_errors(job.final_errors) }
}

/// Has a task work, and ends as it did.
#[eventual::workflow]
pub async fn works(job: Job) -> Result<Worked, WorkError> {
    match called(job).await {
        Ok(worked) => Ok(worked),
        Err(CallError::Failed(error)) => Err(error),
        Err(other) => Err(WorkError::Call(other.into())),
    }
}

/// Has a task work, and says how it ended.
#[eventual::workflow]
pub async fn tells(job: Job) -> String {
    match called(job).await {
        Ok(worked) => format!("attempt {}", worked.attempt),
        Err(CallError::Failed(error)) => error.class(),
        Err(CallError::Crashed(_)) => "crashed".to_owned(),
        Err(other) => format!("{other:?}"),
    }
}

/// Answers what it is given.
#[eventual::task]
pub async fn echo(text: String) -> String {
    text
}

/// The same, where the turn is taken.
#[eventual::task(inline)]
pub async fn echo_here(text: String) -> String {
    text
}

/// Passes texts through both kinds of tasks, one after the other.
#[eventual::workflow]
pub async fn echoes(texts: Vec<String>) -> Result<Vec<String>> {
    let mut back = Vec::new();
    for text in texts {
        back.push(echo_here(echo(text).await?).await?);
    }
    Ok(back)
}

/// A task saw that nobody waits for it.
#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// What it saw.
    pub what: String,
}

/// Beats as it is told: `resume` beats once and fails, `silent` falls silent, both on their first attempt; `watch` beats until
/// it is told that nobody waits.
#[eventual::task(heartbeat = "5s", timeout = "20s", uses(Seen))]
pub async fn import(how: String, ctx: Ctx) -> Result<String, WorkError> {
    let last = ctx.last_heartbeat::<u32>().await.map_err(WorkError::Call)?;
    if how == "watch" {
        let ended = eventual::beating(pending::<()>()).await;
        let what = format!("{ended:?}");
        if let Some(execution) = ctx.execution() {
            Seen { what: what.clone() }.send(&execution).await?;
        }
        return Ok(what);
    }
    if ctx.attempt() > 1 {
        return Ok(format!("attempt {} goes on at {}", ctx.attempt(), last.unwrap_or_default()));
    }
    eventual::heartbeat(7_u32).await?;
    if how == "resume" { Err(WorkError::NotNow) } else { pending().await }
}

/// Has a task beat, which must do so every second when it is to fall `silent`.
#[eventual::workflow]
pub async fn imports(how: String) -> String {
    let silent = how == "silent";
    let call = import(how).retry(Retry::attempts(2).errors().initial(Duration::from_millis(100)));
    let call = if silent { call.heartbeat(Duration::from_secs(1)) } else { call };
    match call.await {
        Ok(said) => said,
        Err(error) => format!("{error:?}"),
    }
}

/// Gives its task no second attempt.
#[eventual::workflow]
pub async fn imports_once() -> String {
    let call = import("silent".to_owned()).heartbeat(Duration::from_secs(1)).retry(Retry::attempts(1));
    format!("{:?}", call.await)
}

/// Drops a task that beats, and says what that saw.
#[eventual::workflow]
pub async fn drops_an_import() -> Result<String> {
    use futures_util::future::{Either, select};
    let call = import("watch".to_owned());
    match select(call, eventual::sleep(Duration::from_millis(1_500))).await {
        Either::Left(_) => return Ok("it ended by itself".to_owned()),
        Either::Right((_, call)) => drop(call),
    }
    Ok(Seen::next().await?.what)
}

/// The token of a task.
#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Handed {
    /// Who has it may answer.
    pub token: TaskToken,
}

/// Hands its token to the execution that called it, for whoever asks that.
#[eventual::task(timeout = "10s", uses(Handed))]
pub async fn ask(question: String, completion: Completion, ctx: Ctx) -> Result<String, WorkError> {
    if let Some(execution) = ctx.execution() {
        Handed { token: completion.token() }.send(&execution).await?;
    }
    let within = if question == "soon?" { Duration::from_millis(700) } else { Duration::from_secs(3_600) };
    completion.later(within).await
}

/// Waits for the answer of somebody else, two attempts long. Its query `tokens` tells the tokens.
#[eventual::workflow]
pub async fn asks(question: String) -> String {
    let tokens = Rc::new(RefCell::new(Vec::new()));
    let (told, taken) = (tokens.clone(), tokens);
    eventual::on_query("tokens", move |(): ()| told.borrow().clone());
    let _handler = eventual::on_signal(move |it: Handed| taken.borrow_mut().push(it.token));
    let retry = Retry::attempts(2).errors().initial(Duration::from_millis(100));
    match ask(question).retry(retry).await {
        Ok(answer) => answer,
        Err(CallError::Failed(error)) => format!("{}: {error}", error.class()),
        Err(other) => format!("{other:?}"),
    }
}

/// An answer with its token.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Of the task.
    pub token: TaskToken,
    /// The answer.
    pub text: String,
}

/// Answers for a task.
#[eventual::command(uses(ask))]
pub async fn answer(answer: Answer) -> Result<()> {
    Ok(ask::complete(answer.token).succeed(&answer.text).await?)
}
