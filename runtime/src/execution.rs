//! Executions seen from outside: what commands, tasks and subscriptions do with them.

use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use eventual_core::{ExecutionId, Outcome};
use eventual_engine::{Client, ambient};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask::Ask;
use crate::call::Call;
use crate::codec::Data;
use crate::error::{CallError, Error, result_of};
use crate::signal::Signal;

/// One run of a workflow, by its id `<workflow>/<name>`. On the wire it is that text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Execution {
    id: ExecutionId,
}

impl Execution {
    /// The execution `name` of `workflow` (its wire name); it need not exist. `process_order::execution(name)` is the
    /// same for the workflow `process_order`.
    ///
    /// # Errors
    /// When the name is empty, longer than 200 bytes, or has characters other than ASCII letters, digits and
    /// `-_.:@+=`.
    pub fn new(workflow: &str, name: &str) -> Result<Self, ClientError> {
        ExecutionId::new(workflow, name)
            .map(Self::from_id)
            .map_err(|error| ClientError::Refused(error.into()))
    }

    /// Parses `<workflow>/<name>`.
    ///
    /// # Errors
    /// When the text is no id.
    pub fn parse(id: &str) -> Result<Self, ClientError> {
        ExecutionId::parse(id).map(Self::from_id).map_err(|error| ClientError::Refused(error.into()))
    }

    pub(crate) const fn from_id(id: ExecutionId) -> Self {
        Self { id }
    }

    pub(crate) fn into_id(self) -> ExecutionId {
        self.id
    }

    /// `<workflow>/<name>`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// The name within its workflow.
    #[must_use]
    pub fn name(&self) -> &str {
        self.id.name()
    }

    /// Where it stands. For commands, tasks and subscriptions that declare `uses(<its workflow>)`.
    ///
    /// # Errors
    /// When there is no such execution, or it cannot be read.
    pub async fn status(&self) -> Result<Status, ClientError> {
        Ok(Status::of(client()?.get(&self.id).await?.status))
    }

    /// Where it stands and how it ended, read at once. For commands, tasks and subscriptions that declare
    /// `uses(<its workflow>)`.
    ///
    /// # Errors
    /// When there is no such execution, or it cannot be read.
    pub async fn describe(&self) -> Result<Description, ClientError> {
        let meta = client()?.get(&self.id).await?;
        Ok(Description { status: Status::of(meta.status), end: meta.end })
    }

    /// What it returned; `None` while it has not ended.
    ///
    /// # Errors
    /// How it ended, if not with a result; or why that cannot be read, as [`CallError::Invalid`].
    pub async fn result<T: Data>(&self) -> Result<Option<T>, CallError<Error>> {
        self.describe().await.map_err(|error| CallError::Invalid(error.to_error()))?.result()
    }

    /// Waits for its end, for `longest` at most: what it returned, or `None` when it goes on even then. For commands, tasks
    /// and subscriptions that declare `uses(<its workflow>)`; workflows call the workflow instead, and wait for free.
    ///
    /// # Errors
    /// As of [`result`](Self::result).
    pub async fn wait<T: Data>(&self, longest: Duration) -> Result<Option<T>, CallError<Error>> {
        let invalid = |error: ClientError| CallError::Invalid(error.to_error());
        let meta = client().map_err(invalid)?.wait(&self.id, longest).await;
        meta.map_err(|error| invalid(error.into()))?.end.map(result_of).transpose()
    }

    /// Asks it to cancel itself: what its code waits for answers [`CallError::Cancelled`], and the code may clean up in a
    /// [`shield`](crate::shield). Answered when the request is kept; it may end otherwise nevertheless. In a handler that
    /// declares `uses(<its workflow>)`, and in workflows.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<String>) -> Call<(), Infallible> {
        let (execution, reason) = (self.id.clone(), reason.into());
        Call::new(Ask::Cancel { execution, reason }, Location::caller())
    }

    /// Ends it at once, without its code, so that nothing is cleaned up. Children of it are treated as its calls say
    /// ([`Call::on_parent_close`]). For commands, tasks and subscriptions that declare `uses(<its workflow>)`.
    ///
    /// # Errors
    /// When there is no such execution, or it has ended.
    pub async fn terminate(&self, reason: &str) -> Result<(), ClientError> {
        Ok(client()?.terminate(&self.id, reason).await?)
    }

    /// Lets its code stand still until [`resume`](Self::resume); signals and results that come meanwhile are kept. For
    /// commands, tasks and subscriptions that declare `uses(<its workflow>)`.
    ///
    /// # Errors
    /// When there is no such execution, or it has ended.
    pub async fn pause(&self, reason: &str) -> Result<(), ClientError> {
        Ok(client()?.pause(&self.id, reason).await?)
    }

    /// Lets it go on after [`pause`](Self::pause), and has one that is parked tried again.
    ///
    /// # Errors
    /// When there is no such execution, or it has ended.
    pub async fn resume(&self) -> Result<(), ClientError> {
        Ok(client()?.resume(&self.id).await?)
    }

    /// Asks its code, which answers with [`on_query`](crate::on_query), open or closed. Its history is replayed for that.
    /// For commands, tasks and subscriptions that declare `uses(<its workflow>)`.
    ///
    /// # Errors
    /// What its code answered; [`CallError::Invalid`] when it answers no query of that name, or cannot be asked.
    pub async fn query<A: Data>(&self, query: &str, input: &impl Data) -> Result<A, CallError<Error>> {
        let invalid = |error: ClientError| CallError::Invalid(error.to_error());
        let refused = |problem| invalid(ClientError::Refused(problem));
        let input = input.to_payload().map_err(refused)?;
        let answer = client().map_err(invalid)?.query(&self.id, query, input).await;
        result_of(answer.map_err(|error| invalid(error.into()))?)
    }

    /// Starts an execution that has its first turns, up to `turn` (as the system operation `history` numbers them), and goes
    /// on by itself: to try a fix on what happened, or to go on from before a mistake. Open or closed. What came later is
    /// not known to the new one; tasks that were under way are performed anew, children and updates that were under
    /// way end with an error of class `Forked`. For commands, tasks and subscriptions that declare `uses(<its workflow>)`.
    ///
    /// # Errors
    /// When there is no such execution or turn, or the name is taken.
    pub async fn fork(&self, turn: u64, name: &str) -> Result<Self, ClientError> {
        Ok(Self::from_id(client()?.fork(&self.id, turn, Some(name)).await?))
    }

    /// [Forks](Self::fork) it and terminates it.
    ///
    /// # Errors
    /// As of `fork`; when it has ended.
    pub async fn reset(&self, turn: u64, name: &str) -> Result<Self, ClientError> {
        Ok(Self::from_id(client()?.reset(&self.id, turn, Some(name)).await?))
    }

    /// Asks it for a change, which its code answers with [`on_update`](crate::on_update). In a handler that declares
    /// `uses(<its workflow>)`, and in workflows; a handler waits for 20 seconds, a workflow as long as it takes.
    ///
    /// Answers the error of the update's code as [`CallError::Failed`]; its class is `UnknownUpdate` when nothing there
    /// takes such an update, `ExecutionClosed` when the execution ended first.
    #[track_caller]
    pub fn update<A: Data>(&self, name: &str, input: &impl Data) -> Call<A, Error> {
        let ask = Ask::with(input.to_payload(), |input| {
            let (execution, name) = (self.id.clone(), name.to_owned());
            Ask::Update { execution, name, input, start: None }
        });
        Call::new(ask, Location::caller())
    }

    /// Sends it a signal: `signal.send(&execution)`.
    #[track_caller]
    pub fn signal<S: Signal>(&self, signal: S) -> Call<(), Infallible> {
        signal.send(self)
    }
}

impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl TryFrom<String> for Execution {
    type Error = ClientError;

    fn try_from(text: String) -> Result<Self, ClientError> {
        Self::parse(&text)
    }
}

impl From<Execution> for String {
    fn from(execution: Execution) -> Self {
        execution.id.to_string()
    }
}

impl JsonSchema for Execution {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Execution".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An execution: <workflow>/<name>",
            "pattern": "^[A-Za-z][A-Za-z0-9]*/[A-Za-z0-9_.:@+=-]{1,200}$",
        })
    }
}

/// An execution as it was when it was read.
#[derive(Clone, Debug)]
pub struct Description {
    status: Status,
    end: Option<Outcome>,
}

impl Description {
    /// Where it stood, by its name on the wire: `running`, `succeeded`, ...
    #[must_use]
    pub const fn status(&self) -> &'static str {
        self.status.as_str()
    }

    /// Whether it had ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.status.is_closed()
    }

    /// What it had returned; `None` while it had not ended.
    ///
    /// # Errors
    /// How it ended, if not with a result; [`CallError::Invalid`] when the result is no `T`.
    pub fn result<T: Data>(&self) -> Result<Option<T>, CallError<Error>> {
        self.end.clone().map(result_of).transpose()
    }
}

/// Where an execution stands. On the wire: `running`, `succeeded`, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It was cancelled.
    Cancelled,
    /// It ended with an error, or crashed.
    Failed,
    /// Its code cannot go on with its history; it waits for a fix.
    Parked,
    /// Somebody paused it.
    Paused,
    /// It has not ended.
    Running,
    /// It ended with a result.
    Succeeded,
    /// Somebody ended it without its code.
    Terminated,
    /// It ran out of time.
    TimedOut,
}

impl Status {
    pub(crate) const fn of(status: eventual_core::Status) -> Self {
        use eventual_core::Status as Core;
        match status {
            Core::Cancelled => Self::Cancelled,
            Core::Failed => Self::Failed,
            Core::Parked => Self::Parked,
            Core::Paused => Self::Paused,
            Core::Running => Self::Running,
            Core::Succeeded => Self::Succeeded,
            Core::Terminated => Self::Terminated,
            Core::TimedOut => Self::TimedOut,
        }
    }

    pub(crate) const fn to_core(self) -> eventual_core::Status {
        use eventual_core::Status as Core;
        match self {
            Self::Cancelled => Core::Cancelled,
            Self::Failed => Core::Failed,
            Self::Parked => Core::Parked,
            Self::Paused => Core::Paused,
            Self::Running => Core::Running,
            Self::Succeeded => Core::Succeeded,
            Self::Terminated => Core::Terminated,
            Self::TimedOut => Core::TimedOut,
        }
    }

    /// The status by its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Parked => "parked",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Terminated => "terminated",
            Self::TimedOut => "timedOut",
        }
    }

    /// Whether nothing more happens to such an execution.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        !matches!(self, Self::Parked | Self::Paused | Self::Running)
    }
}

/// Why a handler could not start, read or signal an execution, or publish an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// An execution of this name was started before with another input. Status 409.
    #[error("{0}")]
    Conflict(String),
    /// The world failed; trying again is safe. Status 500.
    #[error("{0}")]
    Fault(String),
    /// There is no such execution. Status 404.
    #[error("{0}")]
    NotFound(String),
    /// Nothing here can do that: the code does not run in a handler.
    #[error("{0}")]
    Outside(String),
    /// It was not declared with `uses(...)`, is no valid name, or cannot be encoded. Says which. Status 500.
    #[error("{0}")]
    Refused(String),
}

impl ClientError {
    pub(crate) fn to_error(&self) -> Error {
        let (class, status) = match self {
            Self::Conflict(_) => ("ClientError::Conflict", 409),
            Self::Fault(_) => ("ClientError::Fault", 500),
            Self::NotFound(_) => ("ClientError::NotFound", 404),
            Self::Outside(_) => ("ClientError::Outside", 500),
            Self::Refused(_) => ("ClientError::Refused", 500),
        };
        Error::new(class, self.to_string()).with_status(status)
    }
}

impl From<eventual_engine::ClientError> for ClientError {
    fn from(error: eventual_engine::ClientError) -> Self {
        use eventual_engine::ClientError as Engine;
        let message = error.to_string();
        match error {
            Engine::AlreadyExists(_) | Engine::Closed(..) | Engine::Completed(_) | Engine::StaleToken(_) => {
                Self::Conflict(message)
            }
            // What the world said names accounts, roles and tables: it is for the log, not for whoever called a command.
            Engine::Fault(_) => {
                Self::Fault("the service cannot do this now; try again (its log says why)".to_owned())
            }
            Engine::NoSchedule(_) | Engine::NotFound(_) | Engine::Unanswered(_) => Self::NotFound(message),
            Engine::ForgedToken
            | Engine::Name(_)
            | Engine::Undeclared { .. }
            | Engine::UnknownWorkflow(_) => Self::Refused(message),
        }
    }
}

/// The client of the handler that runs here.
pub(crate) fn client() -> Result<Client, ClientError> {
    ambient::client().ok_or_else(|| ClientError::Outside(outside("executions can be used")))
}

/// What to say where there is no engine. `what` as in "what can be done only within a service".
pub(crate) fn outside(what: &str) -> String {
    let inside = if ambient::workflow().is_some() { "in a workflow only calls can be awaited: " } else { "" };
    format!(
        "{inside}{what} only in a handler of a running service. In a test, let eventual_testing::TestEnvironment run \
         the service, and call it there"
    )
}
