//! Tasks that somebody else answers: the task hands out a token and ends its code, and whoever has the token answers.

use std::fmt;
use std::future::pending;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use eventual_core::{Outcome, Payload};
use eventual_engine::{HandlerContext, Worker};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codec::Data;
use crate::error::{CallError, Failure, error_of};
use crate::execution::{ClientError, client};
use crate::extract::Extract;
use crate::function::Task;
use crate::retry::millis;

/// Lets a task be answered later and elsewhere: a person approves, a provider calls back.
///
/// A task that takes it may hand out its [`token`](Self::token) and then return what [`later`](Self::later) does. Whoever
/// has the token gives the answer: a handler with `ask_boss::complete(token)` (declaring `uses(ask_boss)`) or
/// [`complete`], anybody else with the system operations `completeTask`, `failTask` and `heartbeatTask`.
///
/// ```
/// use std::time::Duration;
/// use eventual::{Completion, Result, TaskToken};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # struct Decision { token: TaskToken, yes: bool }
///
/// #[eventual::task]
/// async fn ask_boss(question: String, completion: Completion) -> Result<bool> {
///     println!("mail {question} with a link that has {}", completion.token().as_str().len());
///     completion.later(Duration::from_secs(7 * 86_400)).await
/// }
///
/// #[eventual::command(uses(ask_boss))]
/// async fn decide(decision: Decision) -> Result<()> {
///     Ok(ask_boss::complete(decision.token).succeed(&decision.yes).await?)
/// }
/// # fn main() {}
/// ```
pub struct Completion {
    worker: Arc<Worker>,
    token: TaskToken,
}

impl Completion {
    /// The token of this attempt. Another attempt has another one.
    #[must_use]
    pub fn token(&self) -> TaskToken {
        self.token.clone()
    }

    /// Ends the code of the task here, without an answer: it never returns, and what the code holds is dropped. An attempt
    /// that nobody answers `within` that time has run out of time, and the retry policy decides, as for `timeout`, which
    /// limits only the code. With `heartbeat`, whoever has the token must beat.
    pub async fn later<T>(self, within: Duration) -> T {
        self.worker.put_off(millis(within)).await;
        pending().await
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completion")
    }
}

impl Extract for Completion {
    fn extract(context: &HandlerContext) -> Result<Self, Outcome> {
        let worker = context.worker.as_ref();
        let token = worker.and_then(|it| Some((it.clone(), it.token()?.to_owned())));
        token.map(|(worker, token)| Self { worker, token: TaskToken(token) }).ok_or_else(|| {
            let message =
                "only an execution can wait for a task that is completed later: call it from a workflow";
            Outcome::Crashed(message.to_owned())
        })
    }
}

/// Who has it may answer for one attempt of a task: a password, never shown by `Debug`. On the wire it is a text of ASCII
/// letters, digits, `-`, `_` and `.` that goes into URLs as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskToken(String);

impl TaskToken {
    /// The token's text. Whoever sees it can answer for the task: keep it out of logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for TaskToken {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for TaskToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskToken")
    }
}

impl JsonSchema for TaskToken {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TaskToken".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "A secret: who has it may answer for a task" })
    }
}

/// Answers for the task that a token is for, in a handler that declares `uses(<the task>)`. `ask_boss::complete(token)`
/// is the same with the task's types.
pub const fn complete(token: TaskToken) -> Completing {
    Completing { token }
}

/// `ask_boss::complete(token)`.
#[doc(hidden)]
pub const fn complete_task<F: Task>(token: TaskToken) -> CompletingTask<F> {
    CompletingTask { any: complete(token), types: PhantomData }
}

/// A token on its way to its answer. See [`complete`].
#[must_use = "nothing is answered until one of its methods is called"]
pub struct Completing {
    token: TaskToken,
}

impl Completing {
    /// The task returned `value`, which is of the task's result type. When this returns, the answer counts; the same
    /// answer again is no error.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the token is forged or the task was not declared, [`ClientError::Conflict`] when nobody
    /// waits for this attempt any more or it was answered otherwise.
    pub async fn succeed(&self, value: &impl Data) -> Result<(), ClientError> {
        let value = value.to_payload().map_err(ClientError::Refused)?;
        self.answer(Outcome::Succeeded(value)).await
    }

    /// The task returned `error`, which is of the task's error type. The call's retry policy may make another attempt.
    ///
    /// # Errors
    /// As of [`succeed`](Self::succeed).
    pub async fn fail(&self, error: impl Failure) -> Result<(), ClientError> {
        self.answer(error_of(error).into_outcome()).await
    }

    /// The attempt is alive and, unless `details` is `()`, this far. See [`heartbeat`](fn@crate::heartbeat). Each is
    /// written.
    ///
    /// # Errors
    /// [`CallError::Cancelled`] when nobody waits for the attempt any more, [`CallError::Invalid`] for the rest.
    pub async fn heartbeat(&self, details: &impl Data) -> Result<(), CallError> {
        let invalid = |error: ClientError| CallError::Invalid(error.to_error());
        let details = details.to_payload().map_err(|problem| invalid(ClientError::Refused(problem)))?;
        let details = Some(&details).filter(|it| **it != Payload::null());
        let beaten = client().map_err(invalid)?.beat(self.token.as_str(), details).await;
        let (_, cancelled) = beaten.map_err(|error| invalid(error.into()))?;
        if cancelled { Err(CallError::Cancelled) } else { Ok(()) }
    }

    async fn answer(&self, outcome: Outcome) -> Result<(), ClientError> {
        client()?.complete(self.token.as_str(), outcome).await?;
        Ok(())
    }
}

impl fmt::Debug for Completing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completing")
    }
}

/// The same as [`Completing`], with the types of the task.
#[must_use = "nothing is answered until one of its methods is called"]
pub struct CompletingTask<F: Task> {
    any: Completing,
    types: PhantomData<fn() -> F>,
}

impl<F: Task> CompletingTask<F> {
    /// As of [`Completing::succeed`].
    ///
    /// # Errors
    /// As there; [`ClientError::Refused`] also for a token of another task.
    pub async fn succeed(&self, value: &F::Output) -> Result<(), ClientError> {
        self.check()?;
        self.any.succeed(value).await
    }

    /// As of [`Completing::fail`].
    ///
    /// # Errors
    /// As there; [`ClientError::Refused`] also for a token of another task.
    pub async fn fail(&self, error: F::Error) -> Result<(), ClientError> {
        self.check()?;
        self.any.fail(error).await
    }

    /// As of [`Completing::heartbeat`].
    ///
    /// # Errors
    /// As there.
    pub async fn heartbeat(&self, details: &impl Data) -> Result<(), CallError> {
        self.check().map_err(|error| CallError::Invalid(error.to_error()))?;
        self.any.heartbeat(details).await
    }

    fn check(&self) -> Result<(), ClientError> {
        match eventual_engine::task_of_token(self.any.token.as_str()) {
            Some(task) if task != F::NAME => {
                let message = format!("the token is for task `{task}`, and not for `{}`", F::NAME);
                Err(ClientError::Refused(message))
            }
            _ => Ok(()),
        }
    }
}

impl<F: Task> fmt::Debug for CompletingTask<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CompletingTask").field(&F::NAME).finish()
    }
}
