//! Starting a workflow without waiting for its end.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use eventual_core::{ExecutionId, Outcome, Payload};
use eventual_engine::{Client, ambient};

use crate::ask::{Ask, Asked};
use crate::call::Call;
use crate::codec::Data;
use crate::error::{Error, Failure};
use crate::execution::{ClientError, Execution, client};
use crate::search::Attribute;
use crate::signal::Signal;

impl<T: Data, E: Failure> Call<T, E> {
    /// Starts the workflow without waiting for its end, under a random name (in workflows: one made from the caller's).
    /// For workflows only; in a handler that declares `uses(<workflow>)`, or in a workflow. When it answered, the
    /// execution will run even if the caller dies.
    ///
    /// Answers a [`ClientError`] when the execution cannot be started.
    pub fn start(self) -> Start {
        Start::new(self.into_asked(), None)
    }

    /// As [`start`](Self::start), under a name. Starting the same name with the same input again finds the execution
    /// that is there; with another input it is [`ClientError::Conflict`].
    pub fn start_as(self, name: impl Into<String>) -> Start {
        Start::new(self.into_asked(), Some(name.into()))
    }
}

type Starting = Pin<Box<dyn Future<Output = Result<ExecutionId, ClientError>> + Send>>;

/// A workflow about to be started: await it to learn its [`Execution`].
#[must_use = "nothing is started until it is awaited"]
pub struct Start {
    asked: Asked,
    /// Sent to the execution when it is there: a signal.
    signal: Option<Asked>,
    /// The execution that was started, while the signal is on its way.
    started: Option<ExecutionId>,
    starting: Option<Starting>,
}

impl Start {
    /// Gives the execution an attribute that it is found by from its first turn on, see [`set_attribute`](crate::set_attribute);
    /// at most 32. An execution of this name that is there keeps its own. Awaited in a workflow, one that cannot be an
    /// attribute's is [`ClientError::Refused`].
    pub fn attribute(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.asked.ask.give_attribute(name, value.into().0);
        self
    }

    fn new(mut asked: Asked, name: Option<String>) -> Self {
        match &mut asked.ask {
            Ask::Workflow { key, detached, .. } => {
                *detached = true;
                *key = name.or_else(|| key.take());
            }
            Ask::Broken(_) => {}
            ask => {
                *ask = Ask::broken(&ClientError::Refused("`.start()` is for calls of workflows".to_owned()))
            }
        }
        Self { asked, signal: None, started: None, starting: None }
    }

    /// Sends the execution a signal with its start. One that is there already, and has not ended, is sent the signal alone,
    /// whatever its input. The handler declares `uses(<this signal>)` besides the workflow.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a signal is given away, as by `send`")]
    pub fn with_signal<S: Signal>(mut self, signal: S) -> Self {
        let ask = Ask::with(signal.to_payload(), |payload| Ask::Signalling { signal: S::NAME, payload });
        self.signal = Some(Asked::new(ask, Location::caller()));
        self
    }

    fn poll_machine(
        &mut self,
        parent: &ExecutionId,
        seq: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Execution, ClientError>> {
        if self.started.is_none() {
            let outcome = ready!(self.asked.poll(cx));
            let found =
                self.signal.is_some() && matches!(&outcome, Ok(Outcome::Failed(it)) if it.class == CONFLICT);
            match outcome {
                Ok(Outcome::Succeeded(_)) => {}
                Ok(_) if found => {}
                refused => return Poll::Ready(Err(not_done(refused))),
            }
            // A child without a name of its own is named after the number that history has for its call.
            self.started = self.asked.ask.child(parent, self.asked.number().unwrap_or(seq));
        }
        let Some(child) = self.started.clone() else {
            return Poll::Ready(Err(ClientError::Refused("its name is no execution's".to_owned())));
        };
        if let Some(signal) = &mut self.signal {
            signal.ask.send_to(&child);
            match ready!(signal.poll(cx)) {
                Ok(Outcome::Succeeded(_)) => {}
                refused => return Poll::Ready(Err(not_done(refused))),
            }
        }
        Poll::Ready(Ok(Execution::from_id(child)))
    }

    fn begin(&self) -> Result<Starting, ClientError> {
        match &self.asked.ask {
            Ask::Broken(error) => Err(ClientError::Refused(error.message.clone())),
            Ask::Workflow { name, input, key, attributes, .. } => {
                let signal = match self.signal.as_ref().map(|it| &it.ask) {
                    None => None,
                    Some(Ask::Signalling { signal, payload }) => Some((*signal, payload.clone())),
                    Some(other) => return Err(ClientError::Refused(format!("{other:?} is no signal"))),
                };
                let (key, input, attributes) = (key.clone(), input.clone(), attributes.clone());
                Ok(Box::pin(begin(client()?, name, key, input, signal, attributes)))
            }
            other => Err(ClientError::Refused(format!("{other:?} is no workflow"))),
        }
    }
}

async fn begin(
    client: Client,
    workflow: &str,
    name: Option<String>,
    input: Payload,
    signal: Option<(&'static str, Payload)>,
    attributes: BTreeMap<String, eventual_core::Attribute>,
) -> Result<ExecutionId, ClientError> {
    let Some((signal, payload)) = signal else {
        return Ok(client.start_with(workflow, name.as_deref(), input, attributes).await?);
    };
    let name = name.unwrap_or_else(|| client.unique());
    let id = ExecutionId::new(workflow, &name).map_err(|error| ClientError::Refused(error.into()))?;
    client.signal_with_start(&id, input, attributes, (signal, payload)).await?;
    Ok(id)
}

/// Class of the engine's error for a name that is taken.
const CONFLICT: &str = "ClientError::Conflict";

/// Why an operation was not done.
fn not_done(outcome: Result<Outcome, Error>) -> ClientError {
    match outcome {
        Ok(Outcome::Failed(failure)) if failure.status == 409 => ClientError::Conflict(failure.message),
        Ok(Outcome::Failed(failure)) => ClientError::NotFound(failure.message),
        Ok(other) => ClientError::Fault(format!("the execution was not started: {other:?}")),
        Err(error) => ClientError::Refused(error.message.clone()),
    }
}

impl Future for Start {
    type Output = Result<Execution, ClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let (Some(info), Some(seq)) = (ambient::workflow(), self.asked.seq()) {
            return self.poll_machine(&info.execution, seq, cx);
        }
        if self.starting.is_none() {
            match self.begin() {
                Ok(starting) => self.starting = Some(starting),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let Some(starting) = &mut self.starting else { return Poll::Pending };
        starting.as_mut().poll(cx).map_ok(Execution::from_id)
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Start({:?})", self.asked)
    }
}
