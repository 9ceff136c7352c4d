//! A call without its types: what is asked, by whom it is answered, and how far it is.
//!
//! In workflow code the machine answers, in other handlers the service's client, elsewhere nobody.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use eventual_core::{Attribute, Call, Emitted, ExecutionId, Millis, Outcome, ParentClose, Payload, TaskCall};
use eventual_engine::ambient::{self, CallSlot};
use eventual_engine::{Client, UpdateRequest, check_attributes};

use crate::error::Error;
use crate::execution::{ClientError, outside};

/// What is asked. Hosts that run handlers themselves (tests) take it out of a [`Call`](crate::Call).
#[derive(Clone, Debug, PartialEq)]
#[doc(hidden)]
pub enum Ask {
    /// Nothing that could be asked: why not.
    Broken(Error),
    /// Ask an execution to cancel itself.
    Cancel { execution: ExecutionId, reason: String },
    /// Run a command.
    Command { name: &'static str, input: Payload },
    /// Publish an event.
    Emit(Emitted),
    /// Send a signal.
    Send { execution: ExecutionId, signal: &'static str, payload: Payload },
    /// Wait for a signal.
    Signal { name: &'static str },
    /// Send a signal to an execution that is not known yet.
    Signalling { signal: &'static str, payload: Payload },
    /// Run a subscription.
    Subscription { name: &'static str, input: Payload },
    /// Perform a task.
    Task(TaskCall),
    /// Ask an execution for a change; started with an input, if there is one for that.
    Update { execution: ExecutionId, name: String, input: Payload, start: Option<Payload> },
    /// Wait until a moment; known when it was asked for in a workflow.
    Timer { due: Option<Millis> },
    /// Run a workflow: to its end, or detached; under a name, or one made from the caller's.
    Workflow {
        name: &'static str,
        input: Payload,
        key: Option<String>,
        detached: bool,
        close: ParentClose,
        attributes: BTreeMap<String, Attribute>,
    },
}

impl Ask {
    /// The ask of an input, or what is wrong with the input.
    pub(crate) fn with(input: Result<Payload, String>, ask: impl FnOnce(Payload) -> Self) -> Self {
        let broken = |problem| {
            Self::Broken(Error::new("InvalidInput", format!("the value cannot be encoded: {problem}")))
        };
        input.map_or_else(broken, ask)
    }

    pub(crate) fn broken(error: &ClientError) -> Self {
        Self::Broken(error.to_error())
    }

    /// The call that workflow code makes of it, as number `seq` of execution `parent`.
    fn to_call(&self, parent: &ExecutionId, seq: u32) -> Result<Call, Error> {
        Ok(match self {
            Self::Broken(error) => return Err(error.clone()),
            Self::Command { .. } | Self::Subscription { .. } => {
                let message = "commands and subscriptions are not called from workflows: move what both need into a task";
                return Err(Error::new("NotInWorkflows", message));
            }
            Self::Cancel { execution, reason } => {
                Call::Cancel { execution: execution.clone(), reason: reason.clone(), answered: true }
            }
            Self::Emit(event) => Call::Emit(vec![event.clone()]),
            Self::Send { execution, signal, payload } => Call::Send {
                execution: execution.clone(),
                signal: (*signal).to_owned(),
                payload: payload.clone(),
                answered: true,
            },
            Self::Signalling { signal, .. } => {
                let message = format!("signal `{signal}` has no receiver");
                return Err(Error::new("NoReceiver", message));
            }
            Self::Signal { name } => Call::Signal { name: (*name).to_owned() },
            Self::Task(task) => Call::Task(task.clone()),
            Self::Timer { due } => Call::Timer { due: due.unwrap_or_default() },
            Self::Update { execution, name, input, start } => Call::Update {
                execution: execution.clone(),
                name: name.clone(),
                input: input.clone(),
                start: start.clone(),
            },
            Self::Workflow { name, input, key, detached, close, attributes } => {
                check_attributes(attributes).map_err(|problem| Error::new("InvalidAttribute", problem))?;
                let execution = match key {
                    Some(key) => ExecutionId::new(name, key),
                    None => ExecutionId::new(name, &child_name(parent, seq)),
                };
                let execution = execution.map_err(|error| Error::new("InvalidName", error.to_string()))?;
                let (input, attributes) = (input.clone(), attributes.clone());
                let (detached, close) = (*detached, *close);
                Call::Workflow { execution, input, detached, answered: true, close, attributes }
            }
        })
    }

    /// Gives the execution that a workflow ask starts an attribute.
    pub(crate) fn give_attribute(&mut self, name: &str, value: Attribute) {
        match self {
            Self::Workflow { attributes, .. } => drop(attributes.insert(name.to_owned(), value)),
            Self::Broken(_) => {}
            ask => {
                *ask = Self::Broken(Error::new("NotAWorkflow", "`.attribute()` is for calls of workflows"))
            }
        }
    }

    /// Gives a signal its receiver.
    pub(crate) fn send_to(&mut self, execution: &ExecutionId) {
        if let Self::Signalling { signal, payload } = self {
            *self = Self::Send { execution: execution.clone(), signal, payload: payload.clone() };
        }
    }

    /// The execution that a workflow ask starts, as number `seq` of execution `parent`.
    pub(crate) fn child(&self, parent: &ExecutionId, seq: u32) -> Option<ExecutionId> {
        match self.to_call(parent, seq) {
            Ok(Call::Workflow { execution, .. }) => Some(execution),
            _ => None,
        }
    }

    async fn by_client(self, client: Client) -> Result<Outcome, ClientError> {
        match self {
            Self::Cancel { execution, reason } => client.cancel(&execution, &reason).await?,
            Self::Emit(event) => client.emit(&[event]).await?,
            Self::Send { execution, signal, payload } => client.signal(&execution, signal, payload).await?,
            Self::Update { execution, name, input, start } => {
                let update = UpdateRequest { name, input, id: None, start };
                return Ok(client.update(&execution, update).await?);
            }
            other => return Err(ClientError::Outside(other.not_here())),
        }
        Ok(Outcome::Succeeded(Payload::null()))
    }

    /// Why a handler that is no workflow cannot await it.
    fn not_here(&self) -> String {
        match self {
            Self::Workflow { name, .. } => format!(
                "workflow `{name}` is awaited outside of a workflow: start it with `.start()` or `.start_as(name)` and \
                 read it later, or await it in a workflow"
            ),
            Self::Task(task) => format!(
                "task `{}` is called outside of a workflow: start a workflow that calls it, or move its body into a \
                 function that both use",
                task.name
            ),
            Self::Signal { name } => {
                format!("signal `{name}` is awaited outside of a workflow: only workflows receive signals")
            }
            Self::Timer { .. } => {
                "a durable timer is awaited outside of a workflow: only workflows sleep durably".to_owned()
            }
            Self::Command { name, .. } => {
                format!("command `{name}` is called by another handler: move what both need into a function")
            }
            Self::Subscription { name, .. } => {
                format!("subscription `{name}` is called by another handler: emit its event instead")
            }
            Self::Broken(error) => error.message.clone(),
            Self::Cancel { .. }
            | Self::Emit(_)
            | Self::Send { .. }
            | Self::Signalling { .. }
            | Self::Update { .. } => outside("this can be done"),
        }
    }
}

/// Name of a child that was given none: its caller and the number of the call, so that a replay finds it again.
fn child_name(parent: &ExecutionId, seq: u32) -> String {
    let readable = format!("{}:{}:{seq}", parent.workflow(), parent.name());
    if readable.len() <= eventual_core::EXECUTION_NAME_MAX {
        return readable;
    }
    let hash = eventual_schema::digest::short_hash(&[parent.as_str()], 32);
    format!("{hash}:{seq}")
}

type Asking = Pin<Box<dyn Future<Output = Result<Outcome, ClientError>> + Send>>;

/// A call on its way.
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    /// Its number in the execution that built it; absent when no execution did.
    slot: Option<CallSlot>,
    /// The timer of `.timeout()`, for everything but tasks, which are stopped by their worker.
    limit: Option<(Millis, CallSlot)>,
    /// The client's work on it.
    asking: Option<Asking>,
    done: bool,
}

impl Asked {
    pub(crate) fn new(ask: Ask, at: &'static Location<'static>) -> Self {
        Self { ask, slot: ambient::new_call(at), limit: None, asking: None, done: false }
    }

    /// Ends the call with a time-out after so many milliseconds.
    pub(crate) fn limit(&mut self, after: Millis, at: &'static Location<'static>) {
        self.limit = ambient::workflow()
            .zip(ambient::new_call(at))
            .map(|(info, slot)| (info.now.saturating_add(after), slot));
    }

    pub(crate) const fn seq(&self) -> Option<u32> {
        match &self.slot {
            Some(slot) => Some(slot.seq()),
            None => None,
        }
    }

    /// The call's number in history, once it was polled.
    pub(crate) const fn number(&self) -> Option<u32> {
        match &self.slot {
            Some(slot) => Some(slot.number()),
            None => None,
        }
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outcome, Error>> {
        assert!(!self.done, "a call is polled again after it was ready");
        let polled = match (&self.slot, ambient::workflow()) {
            (Some(_), Some(info)) => self.poll_machine(&info.execution, cx),
            _ => self.poll_client(cx),
        };
        self.done = polled.is_ready();
        polled
    }

    fn poll_machine(&mut self, parent: &ExecutionId, cx: &Context<'_>) -> Poll<Result<Outcome, Error>> {
        let Some(slot) = &mut self.slot else { return Poll::Pending };
        let call = match self.ask.to_call(parent, slot.seq()) {
            Ok(call) => call,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if let Poll::Ready(outcome) = slot.poll(cx, |_| call) {
            // The timer is no longer wanted.
            self.limit = None;
            return Poll::Ready(Ok(outcome));
        }
        if let Some((due, limit)) = &mut self.limit
            && limit.poll(cx, |_| Call::Timer { due: *due }).is_ready()
        {
            // Nor is the call: dropping its slot requests that it be cancelled.
            self.slot = None;
            return Poll::Ready(Ok(Outcome::TimedOut));
        }
        Poll::Pending
    }

    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outcome, Error>> {
        if let Ask::Broken(error) = &self.ask {
            return Poll::Ready(Err(error.clone()));
        }
        if self.asking.is_none() {
            let Some(client) = ambient::client() else {
                let message = outside("calls can be awaited");
                return Poll::Ready(Err(ClientError::Outside(message).to_error()));
            };
            self.asking = Some(Box::pin(self.ask.clone().by_client(client)));
        }
        let Some(asking) = &mut self.asking else { return Poll::Pending };
        asking.as_mut().poll(cx).map_err(|error| error.to_error())
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("ask", &self.ask).field("slot", &self.slot).finish_non_exhaustive()
    }
}
