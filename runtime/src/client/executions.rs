//! Executions, from outside of the service: start them, wait for them, send to them, ask them.
//!
//! A deployed service has a system function for that, which whoever may invoke it calls directly; there is no HTTP route to
//! it. So how a request gets there is a [`Transport`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use eventual_core::{Failure as CoreFailure, Outcome, Payload};
use eventual_engine::SystemRequest;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::attempts::{Answer, Asking};
use super::{Client, RemoteError};
use crate::ask::Ask;
use crate::call::{Call, Decode};
use crate::codec::{self, Data};
use crate::error::{CallError, Error, Failure, result_of};
use crate::execution::Execution;
use crate::signal::Signal;

/// What a [`Transport`] answers: the response as JSON, or why there is none.
pub type Transported = Result<String, SystemRefusal>;

/// Carries a request to a service's system function. Async functions from [`String`] to [`Transported`] are transports.
pub trait Transport: Send + Sync + 'static {
    /// Carries one request, JSON in and JSON out.
    fn ask(&self, request: String) -> Pin<Box<dyn Future<Output = Transported> + Send>>;
}

impl<S, F> Transport for S
where
    S: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Transported> + Send + 'static,
{
    fn ask(&self, request: String) -> Pin<Box<dyn Future<Output = Transported> + Send>> {
        Box::pin(self(request))
    }
}

/// Why the system function did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {message}")]
pub struct SystemRefusal {
    /// `NotFound`, `AlreadyExists`, `Closed`, `Invalid`, `Unanswered`, or `Fault` for what the world did.
    pub class: String,
    /// The same for people.
    pub message: String,
}

/// Why an operation on an execution was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// The call, its input or the answer is not what it should be.
    #[error("{0}")]
    Invalid(Error),
    /// The service said no.
    #[error(transparent)]
    Refused(#[from] SystemRefusal),
}

/// The executions of a service.
#[derive(Clone)]
pub struct Executions {
    transport: Arc<dyn Transport>,
}

impl Executions {
    /// Those of a deployed service, by whatever invokes its system function (`<deployment>-system`, alias `live`). With the
    /// feature `sigv4`, `Executions::deployed` does; with aws-sdk-lambda, `lambda.invoke().function_name(..).payload(..)`; an answer with `function_error` is a
    /// [`SystemRefusal`] whose class is `errorType` and whose message is `errorMessage`.
    pub fn new(transport: impl Transport) -> Self {
        Self { transport: Arc::new(transport) }
    }

    pub(super) fn of_local_host(client: Client) -> Self {
        Self::new(move |request: String| {
            let client = client.clone();
            async move { client.system("/_eventual/system".to_owned(), request, of_system).await }
        })
    }

    /// Starts a workflow under a random name: `executions.start(orders::process_order(order)).await`.
    ///
    /// # Errors
    /// When it is no call of a workflow, or the service says no.
    pub async fn start<T: Data, E: Failure>(
        &self,
        call: Call<T, E>,
    ) -> Result<RemoteExecution<T, E>, ExecutionError> {
        self.begin(call, None).await
    }

    /// Starts a workflow under a name. The same name with the same input finds the execution that is there.
    ///
    /// # Errors
    /// As [`start`](Self::start); `AlreadyExists` when the name was started with another input.
    pub async fn start_as<T: Data, E: Failure>(
        &self,
        call: Call<T, E>,
        name: impl Into<String>,
    ) -> Result<RemoteExecution<T, E>, ExecutionError> {
        self.begin(call, Some(name.into())).await
    }

    /// An execution that is there, or may be, with the types that its workflow has.
    #[must_use]
    pub fn of<T: Data, E: Failure>(&self, execution: Execution) -> RemoteExecution<T, E> {
        RemoteExecution { executions: self.clone(), execution, decode: result_of, types: PhantomData }
    }

    async fn begin<T: Data, E: Failure>(
        &self,
        call: Call<T, E>,
        name: Option<String>,
    ) -> Result<RemoteExecution<T, E>, ExecutionError> {
        let (workflow, input, name, attributes, decode) = match call.into_parts() {
            (Ask::Workflow { name: workflow, input, key, attributes, .. }, decode) => {
                (workflow, input, name.or(key), attributes, decode)
            }
            (Ask::Broken(error), _) => return Err(ExecutionError::Invalid(error)),
            _ => {
                let message = "only workflows are started; commands are called with `client.call(...)`";
                return Err(ExecutionError::Invalid(Error::new("NotAWorkflow", message)));
            }
        };
        let request = SystemRequest::Start {
            workflow: workflow.to_owned(),
            name,
            input: codec::value_of(&input),
            attributes: attributes.iter().map(|(name, it)| (name.clone(), it.into())).collect(),
        };
        let done: Done = self.ask(&request).await?;
        let execution =
            Execution::parse(&done.execution).map_err(|error| ExecutionError::Invalid(error.to_error()))?;
        Ok(RemoteExecution { executions: self.clone(), execution, decode, types: PhantomData })
    }

    async fn ask<A: for<'de> Deserialize<'de>>(&self, request: &SystemRequest) -> Result<A, ExecutionError> {
        let request = codec::to_value(request).to_string();
        let answer = self.transport.ask(request).await?;
        serde_json::from_str(&answer).map_err(|error| {
            let message = format!("the system function answered what is unknown here ({error}): {answer}");
            ExecutionError::Invalid(Error::new("UnexpectedAnswer", message))
        })
    }
}

impl fmt::Debug for Executions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Executions")
    }
}

#[derive(Deserialize)]
struct Done {
    execution: String,
}

#[derive(Deserialize)]
struct Answered {
    answer: Option<Box<RawValue>>,
    error: Option<Ended>,
}

#[derive(Deserialize)]
struct Summary {
    status: String,
    result: Option<Box<RawValue>>,
    error: Option<Ended>,
}

#[derive(Deserialize)]
struct Ended {
    class: String,
    message: String,
    /// There for errors of user code only.
    data: Option<Value>,
}

impl Ended {
    fn outcome(self) -> Outcome {
        let Self { class, message, data } = self;
        match (data, class.as_str()) {
            (Some(data), _) => {
                let data = Payload::from(data.to_string().as_str());
                Outcome::Failed(CoreFailure { data, ..CoreFailure::new(&class, message, 500) })
            }
            (None, "Cancelled") => Outcome::Cancelled,
            (None, "Terminated") => Outcome::Terminated(message),
            (None, "TimedOut") => Outcome::TimedOut,
            (None, _) => Outcome::Crashed(message),
        }
    }
}

/// Where an execution stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress<T, E> {
    /// It ended.
    Ended(Result<T, CallError<E>>),
    /// It goes on: `running`, `paused` or `parked`.
    Open(String),
}

/// An execution, with the types of its workflow. Cheap to clone.
#[derive(Clone)]
pub struct RemoteExecution<T, E> {
    executions: Executions,
    execution: Execution,
    decode: Decode<T, E>,
    types: PhantomData<fn() -> (T, E)>,
}

impl<T: Data, E: Failure> RemoteExecution<T, E> {
    /// Its id.
    #[must_use]
    pub const fn execution(&self) -> &Execution {
        &self.execution
    }

    /// Where it stands.
    ///
    /// # Errors
    /// When there is no such execution, or it cannot be read.
    pub async fn progress(&self) -> Result<Progress<T, E>, ExecutionError> {
        self.read(&SystemRequest::Get { execution: self.id() }).await
    }

    /// Waits for its end, however long that takes: for less, put it into `tokio::time::timeout`.
    ///
    /// # Errors
    /// When there is no such execution, or it cannot be read.
    pub async fn ended(&self) -> Result<Result<T, CallError<E>>, ExecutionError> {
        loop {
            // The service answers after 20 seconds, or at the end.
            let request = SystemRequest::Wait { execution: self.id(), longest_ms: None };
            if let Progress::Ended(end) = self.read(&request).await? {
                return Ok(end);
            }
        }
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When there is no such execution, or it has ended.
    pub async fn signal<S: Signal>(&self, signal: S) -> Result<(), ExecutionError> {
        let (signal, payload) = (S::NAME.to_owned(), signal.to_value());
        self.done(&SystemRequest::Signal { execution: self.id(), signal, payload }).await
    }

    /// Asks its code, which answers with [`on_query`](crate::on_query).
    ///
    /// # Errors
    /// When there is no such execution, it answers no such query, or what its code answered.
    pub async fn query<A: Data>(
        &self,
        query: &str,
        input: &impl Data,
    ) -> Result<Result<A, CallError<Error>>, ExecutionError> {
        let (query, input) = (query.to_owned(), input.to_value());
        self.answered(&SystemRequest::Query { execution: self.id(), query, input }).await
    }

    /// Asks it for a change, and waits for the answer of its code.
    ///
    /// # Errors
    /// When there is no such execution, it did not answer within 20 seconds, or what its code answered.
    pub async fn update<A: Data>(
        &self,
        update: &str,
        input: &impl Data,
    ) -> Result<Result<A, CallError<Error>>, ExecutionError> {
        let (update, input) = (update.to_owned(), input.to_value());
        self.answered(&SystemRequest::Update { execution: self.id(), update, input, id: None }).await
    }

    /// Asks it to cancel itself.
    ///
    /// # Errors
    /// When there is no such execution, or it has ended.
    pub async fn cancel(&self, reason: &str) -> Result<(), ExecutionError> {
        self.done(&SystemRequest::Cancel { execution: self.id(), reason: reason.to_owned() }).await
    }

    /// Ends it without its code.
    ///
    /// # Errors
    /// When there is no such execution, or it has ended.
    pub async fn terminate(&self, reason: &str) -> Result<(), ExecutionError> {
        self.done(&SystemRequest::Terminate { execution: self.id(), reason: reason.to_owned() }).await
    }

    fn id(&self) -> String {
        self.execution.id().to_owned()
    }

    async fn done(&self, request: &SystemRequest) -> Result<(), ExecutionError> {
        self.executions.ask::<Done>(request).await.map(drop)
    }

    async fn answered<A: Data>(
        &self,
        request: &SystemRequest,
    ) -> Result<Result<A, CallError<Error>>, ExecutionError> {
        let Answered { answer, error } = self.executions.ask(request).await?;
        Ok(result_of(match error {
            Some(error) => error.outcome(),
            None => Outcome::Succeeded(Payload::from(answer.as_ref().map_or("null", |it| it.get()))),
        }))
    }

    async fn read(&self, request: &SystemRequest) -> Result<Progress<T, E>, ExecutionError> {
        let Summary { status, result, error } = self.executions.ask(request).await?;
        let outcome = match (status.as_str(), error) {
            ("succeeded", _) => {
                Outcome::Succeeded(Payload::from(result.as_ref().map_or("null", |it| it.get())))
            }
            (_, Some(error)) => error.outcome(),
            _ => return Ok(Progress::Open(status)),
        };
        Ok(Progress::Ended((self.decode)(outcome)))
    }
}

impl<T, E> fmt::Debug for RemoteExecution<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteExecution").field(&self.execution).finish()
    }
}

impl Client {
    /// Asks the system function at this path. Its operations may all be asked twice, except starts and updates that have no
    /// name, and signals.
    pub(super) async fn system(
        &self,
        target: String,
        request: String,
        judge: fn(&Answer) -> Result<Outcome, RemoteError>,
    ) -> Transported {
        let harmless = ["get", "wait", "list", "history", "query"];
        let op = serde_json::from_str::<Value>(&request).ok();
        let op = op.as_ref().and_then(|it| it.get("op")?.as_str()).unwrap_or_default();
        let asking = Asking {
            target,
            idempotent: harmless.contains(&op),
            body: request,
            headers: Vec::new(),
            timeout: self.timeout.max(Duration::from_secs(30)),
            retries: self.retries,
        };
        let refused = |class: &str, message: String| SystemRefusal { class: class.to_owned(), message };
        match self.ask(&asking, judge).await {
            Ok(Outcome::Succeeded(answer)) => Ok(String::from_utf8_lossy(answer.as_bytes()).into_owned()),
            Ok(Outcome::Failed(failure)) => Err(refused(&failure.class, failure.message)),
            Ok(other) => Err(refused("Fault", format!("{other:?}"))),
            Err(error) => Err(refused("Fault", error.to_string())),
        }
    }
}

/// What the answer of a local host to an operation means.
fn of_system(answer: &Answer) -> Result<Outcome, RemoteError> {
    match super::attempts::of_command(answer)? {
        Outcome::Failed(failure) if failure.class == "Fault" => {
            Err(RemoteError::Unavailable { status: Some(answer.status), message: failure.message })
        }
        outcome => Ok(outcome),
    }
}
