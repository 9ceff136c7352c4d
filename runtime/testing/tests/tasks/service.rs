//! The service on the stage.

use std::time::Duration;

use eventual::{CallError, Completion, Ctx, Retry, State, TaskToken};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stage::Floor;

/// Why an import does not work.
#[derive(
    Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize, JsonSchema, eventual::Failure,
)]
pub(crate) enum ImportError {
    #[error("the file {name} is broken")]
    #[failure(final, status = 422)]
    Broken { name: String },
    #[error("too many requests")]
    #[failure(retry_after = wait)]
    Busy { wait: u64 },
    #[error("not now")]
    NotNow,
    #[error("twenty seconds")]
    #[failure(retry_after = "20s")]
    Constant,
    #[error(transparent)]
    #[failure(call)]
    Call(eventual::Error),
}

/// Reports as many steps as it is told, waits, and goes on where the attempt before was.
#[eventual::task(heartbeat = "30s", timeout = "15m")]
pub(crate) async fn import(steps: u32, ctx: Ctx, floor: State<Floor>) -> Result<u32, ImportError> {
    let done = ctx.last_heartbeat::<u32>().await?.unwrap_or(0);
    floor.note(format!("attempt {} begins at {done}", ctx.attempt()));
    for step in done..steps {
        if let Err(error) = eventual::heartbeat(step + 1).await {
            floor.note(format!("attempt {} ends: {error}", ctx.attempt()));
            return Err(error.into());
        }
        floor.wait().await;
    }
    Ok(steps)
}

#[eventual::workflow]
pub(crate) async fn imports(steps: u32) -> eventual::Result<u32> {
    Ok(import(steps).await?)
}

/// Says how its task ended.
#[eventual::workflow]
pub(crate) async fn imports_once(steps: u32) -> String {
    match import(steps).retry(Retry::attempts(1)).await {
        Ok(done) => done.to_string(),
        Err(CallError::HeartbeatLost) => "heartbeat lost".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[eventual::signal]
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Stop;

/// Stops waiting when it is told to: the call is dropped, and the workflow goes on.
#[eventual::workflow]
pub(crate) async fn gives_up(steps: u32) -> eventual::Result<String> {
    tokio::select! {
        done = import(steps) => { done?; }
        stopped = Stop::next() => { stopped?; }
    }
    eventual::sleep(Duration::from_secs(3_600)).await?;
    Ok("gave up".to_owned())
}

/// Ends while its task runs.
#[eventual::workflow]
pub(crate) async fn ends_early(steps: u32) -> eventual::Result<()> {
    tokio::select! {
        done = import(steps) => { done?; }
        stopped = Stop::next() => { stopped?; }
    }
    Ok(())
}

#[eventual::workflow]
pub(crate) async fn limited(steps: u32) -> String {
    format!("{:?}", import(steps).total_timeout(Duration::from_secs(100)).await)
}

#[eventual::task]
pub(crate) async fn silent() -> String {
    format!("{:?}", eventual::heartbeat(1_u8).await)
}

#[eventual::workflow]
pub(crate) async fn beats_without_declaring() -> eventual::Result<String> {
    Ok(silent().await?)
}

#[eventual::workflow]
pub(crate) async fn expects_of_the_silent() -> String {
    format!("{:?}", silent().heartbeat(Duration::from_secs(1)).await)
}

/// Waits for long without progress.
#[eventual::task(heartbeat = "30ms")]
pub(crate) async fn beats_meanwhile(floor: State<Floor>) -> eventual::Result<()> {
    let ended = eventual::beating(floor.wait()).await;
    floor.note(format!("{ended:?}"));
    Ok(ended?)
}

#[eventual::workflow]
pub(crate) async fn waits_for_the_beating() -> eventual::Result<()> {
    tokio::select! {
        done = beats_meanwhile() => Ok(done?),
        stopped = Stop::next() => { stopped?; Ok(()) }
    }
}

/// Of a boss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Decision {
    pub(crate) yes: bool,
}

#[eventual::task]
pub(crate) async fn ask_boss(
    question: String,
    c: Completion,
    floor: State<Floor>,
) -> Result<Decision, ImportError> {
    floor.tokens.lock().unwrap().push(c.token());
    floor.note(format!("asked at {}: {question} {:?}", floor.seconds(), c.token()));
    match question.as_str() {
        "obvious?" => Ok(Decision { yes: true }),
        "slowly?" => {
            floor.wait().await;
            c.later(Duration::from_secs(86_400)).await
        }
        _ => c.later(Duration::from_secs(86_400)).await,
    }
}

/// Deferred in a turn, and watched.
#[eventual::task(inline)]
pub(crate) async fn ask_inline(c: Completion, floor: State<Floor>) -> eventual::Result<u8> {
    floor.tokens.lock().unwrap().push(c.token());
    floor.note("asked inline");
    c.later(Duration::from_secs(60)).await
}

#[eventual::task(heartbeat = "60s")]
pub(crate) async fn ask_far_away(c: Completion, floor: State<Floor>) -> eventual::Result<u8> {
    floor.tokens.lock().unwrap().push(c.token());
    floor.note(format!("far at {}", floor.seconds()));
    c.later(Duration::from_secs(86_400)).await
}

#[eventual::workflow]
pub(crate) async fn decides(question: String) -> String {
    match ask_boss(question).await {
        Ok(decision) => format!("{decision:?}"),
        Err(error) => format!("{error:?}"),
    }
}

#[eventual::workflow]
pub(crate) async fn decides_twice(question: String) -> String {
    let retry = Retry::attempts(2).errors().initial(Duration::from_secs(5));
    match ask_boss(question).retry(retry).await {
        Ok(decision) => format!("{decision:?}"),
        Err(error) => format!("{error:?}"),
    }
}

#[eventual::workflow]
pub(crate) async fn decides_or_stops(question: String) -> eventual::Result<()> {
    tokio::select! {
        decision = ask_boss(question) => drop(decision),
        stopped = Stop::next() => { stopped?; }
    }
    eventual::sleep(Duration::from_secs(3_600)).await?;
    Ok(())
}

#[eventual::workflow]
pub(crate) async fn decides_inline() -> String {
    format!("{:?}", ask_inline().retry(Retry::attempts(2)).await)
}

#[eventual::workflow]
pub(crate) async fn decides_far_away() -> String {
    format!("{:?}", ask_far_away().await)
}

/// An answer with its token.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Answer {
    pub(crate) token: TaskToken,
    pub(crate) yes: bool,
}

#[eventual::command(uses(ask_boss))]
pub(crate) async fn decide(answer: Answer) -> eventual::Result<()> {
    Ok(ask_boss::complete(answer.token).succeed(&Decision { yes: answer.yes }).await?)
}

#[eventual::command(uses(ask_boss))]
pub(crate) async fn refuse(token: TaskToken) -> eventual::Result<()> {
    Ok(eventual::complete(token).fail(ImportError::Broken { name: "contract".to_owned() }).await?)
}

#[eventual::command]
pub(crate) async fn decide_undeclared(answer: Answer) -> eventual::Result<()> {
    Ok(ask_boss::complete(answer.token).succeed(&Decision { yes: answer.yes }).await?)
}

#[eventual::command(uses(ask_boss, ask_inline))]
pub(crate) async fn decide_mixed_up(token: TaskToken) -> eventual::Result<()> {
    Ok(ask_inline::complete(token).succeed(&1).await?)
}

/// Fails as its input says, one letter an attempt.
#[eventual::task(retry(
    attempts = 5,
    initial = "10s",
    backoff = 1.0,
    errors,
    final_errors(ImportError::NotNow)
))]
pub(crate) async fn fails(how: String, ctx: Ctx, floor: State<Floor>) -> Result<u32, ImportError> {
    floor.note(format!("{} at {}", ctx.attempt(), floor.seconds()));
    match how.as_bytes().get(ctx.attempt() as usize - 1) {
        Some(b'b') => Err(ImportError::Broken { name: "a.csv".to_owned() }),
        Some(b'w') => Err(ImportError::Busy { wait: 7 }),
        Some(b'n') => Err(ImportError::NotNow),
        Some(b'c') => Err(ImportError::Constant),
        Some(b'e') => {
            Err(eventual::Error::new("Call", "x").with_retry_after(Duration::from_millis(1_500)).into())
        }
        Some(b'f') => Err(eventual::Error::new("Call", "x").finally().into()),
        Some(b'p') => panic!("on purpose"),
        _ => Ok(ctx.attempt()),
    }
}

#[eventual::workflow]
pub(crate) async fn fails_as(how: String) -> Result<u32, ImportError> {
    match fails(how).await {
        Ok(attempt) => Ok(attempt),
        Err(CallError::Failed(error)) => Err(error),
        Err(other) => Err(ImportError::Call(other.into())),
    }
}

#[eventual::workflow]
pub(crate) async fn fails_within(how: String) -> String {
    let call = fails(how).total_timeout(Duration::from_secs(25));
    format!("{:?}", call.await)
}

#[eventual::command(uses(fails_as))]
pub(crate) async fn read_end(name: String) -> Result<Option<u32>, ImportError> {
    match fails_as::execution(name).map_err(eventual::Error::from)?.result().await {
        Ok(end) => Ok(end),
        Err(CallError::Failed(error)) => Err(eventual::Failure::from_error(error)?),
        Err(other) => Err(ImportError::Call(other.into())),
    }
}

/// May be performed once, and its process dies.
#[eventual::task(inline, at_most_once)]
pub(crate) async fn once_inline(floor: State<Floor>) -> u8 {
    floor.note("once");
    1
}

#[eventual::task(inline, timeout = "20ms")]
pub(crate) async fn hangs_inline() -> u8 {
    std::future::pending().await
}

#[eventual::workflow]
pub(crate) async fn hangs() -> String {
    format!("{:?}", hangs_inline().retry(Retry::attempts(2)).await)
}

#[eventual::workflow]
pub(crate) async fn too_long_inline() -> String {
    format!("{:?}", hangs_inline().timeout(Duration::from_secs(46)).await)
}

#[eventual::workflow]
pub(crate) async fn once() -> String {
    format!("{:?}", once_inline().await)
}
