//! Starting a workflow without waiting for its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use eventual_core::{ExecutionId, Outcome, Payload};
use eventual_engine::{Client, ambient};

use crate::ask::{Ask, Asked};
use crate::call::Call;
use crate::codec::Data;
use crate::error::Failure;
use crate::execution::{ClientError, Execution, client};

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
    starting: Option<Starting>,
}

impl Start {
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
        Self { asked, starting: None }
    }

    fn poll_machine(
        &mut self,
        parent: &ExecutionId,
        seq: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Execution, ClientError>> {
        let child = self.asked.ask.child(parent, seq);
        self.asked.poll(cx).map(|answer| match (answer, child) {
            (Ok(Outcome::Succeeded(_)), Some(child)) => Ok(Execution::from_id(child)),
            (Ok(outcome), _) => {
                Err(ClientError::Fault(format!("the execution was not started: {outcome:?}")))
            }
            (Err(error), _) => Err(ClientError::Refused(error.message.clone())),
        })
    }

    fn begin(&self) -> Result<Starting, ClientError> {
        match &self.asked.ask {
            Ask::Broken(error) => Err(ClientError::Refused(error.message.clone())),
            Ask::Workflow { name, input, key, .. } => {
                Ok(Box::pin(begin(client()?, name, key.clone(), input.clone())))
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
) -> Result<ExecutionId, ClientError> {
    Ok(client.start(workflow, name.as_deref(), input).await?)
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
