//! Between the generated code and the engine: traits that the attribute macros implement, and the generic halves of
//! what they generate. Bounds are stated once, on these traits, so that a missing one is one error.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;

use eventual_core::{Outcome, ParentClose, Payload, TaskCall};
use eventual_engine::{HandlerContext, HandlerRequest};

use crate::ask::Ask;
use crate::call::Call;
use crate::codec::Data;
use crate::error::{Error, Failure, error_of};
use crate::execution::{ClientError, Execution};
use crate::register::{CommandOptions, HandlerOptions, TaskOptions, WorkflowOptions};
use crate::search::List;
use crate::signal::Event;
use crate::spawn::Scope;

/// The running handler.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;
/// The running workflow.
pub type WorkflowFuture = Pin<Box<dyn Future<Output = Outcome>>>;

/// Any function with an attribute of ours.
pub trait Function {
    /// Name on the wire.
    const NAME: &'static str;
    /// Whether it takes an input.
    const INPUT: bool;
    /// Its input; `()` when it takes none.
    type Input: Data;
    /// Its result.
    type Output: Data;
    /// Its error; [`Infallible`] when it returns no `Result`.
    type Error: Failure;
}

/// A function with `#[command]`.
pub trait Command: Function {
    /// Its options.
    const OPTIONS: CommandOptions;
    /// Runs it.
    fn run(request: HandlerRequest) -> HandlerFuture;
}

/// A function with `#[subscription]`.
pub trait Subscription: Function<Output = ()> {
    /// Its input again, which must be an event.
    type Event: Event;
    /// Its options.
    const OPTIONS: HandlerOptions;
    /// Runs it.
    fn run(request: HandlerRequest) -> HandlerFuture;
}

/// A function with `#[task]`.
pub trait Task: Function {
    /// Its options.
    const OPTIONS: TaskOptions;
    /// Runs it.
    fn run(request: HandlerRequest) -> HandlerFuture;
}

/// A function with `#[workflow]`.
pub trait Workflow: Function {
    /// Its options.
    const OPTIONS: WorkflowOptions = WorkflowOptions { schedule: None, pinned: false };
    /// Runs it.
    fn run(input: Payload) -> WorkflowFuture;
}

/// What a function returns that returns a `Result`, whatever name it gives to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is named `Result` but is none",
    label = "expected a `Result` of the standard library, perhaps under another name"
)]
pub trait Returns {
    /// Its value.
    type Output;
    /// Its error.
    type Error;
    /// As the `Result` that it is.
    fn into_result(self) -> Result<Self::Output, Self::Error>;
}

impl<T, E> Returns for Result<T, E> {
    type Output = T;
    type Error = E;
    fn into_result(self) -> Self {
        self
    }
}

/// Parts a request into its input and the rest, or says why the input does not fit.
#[doc(hidden)]
pub fn open<F: Function>(request: HandlerRequest) -> Result<(F::Input, HandlerContext), Outcome> {
    Ok((input::<F>(&request.input)?, request.context))
}

/// The input of a payload, or why it does not fit.
#[doc(hidden)]
pub fn input<F: Function>(payload: &Payload) -> Result<F::Input, Outcome> {
    // What takes no input takes whatever came.
    let null = Payload::null();
    F::Input::from_payload(if F::INPUT { payload } else { &null }).map_err(|problem| {
        let message = format!("the input of {} is not valid: {problem}", F::NAME);
        Error::new("InvalidInput", message).with_status(400).into_outcome()
    })
}

/// The outcome of a function's result.
#[doc(hidden)]
pub fn answer<F: Function>(result: Result<F::Output, F::Error>) -> Outcome {
    outcome_of(result, F::NAME)
}

/// The outcome of a result of the function `name`.
#[doc(hidden)]
pub fn outcome_of<T: Data, E: Failure>(result: Result<T, E>, name: &str) -> Outcome {
    match result {
        Err(error) => error_of(error).into_outcome(),
        Ok(value) => match value.to_payload() {
            Ok(payload) => Outcome::Succeeded(payload),
            Err(problem) => Outcome::Crashed(format!("the result of {name} cannot be encoded: {problem}")),
        },
    }
}

/// A workflow's body, boxed, with room for the branches that it spawns.
#[doc(hidden)]
pub fn scope(body: impl Future<Output = Outcome> + 'static) -> WorkflowFuture {
    Box::pin(Scope::new(body))
}

/// A call of a command.
#[doc(hidden)]
#[track_caller]
pub fn call_command<F: Command>(input: &F::Input) -> Call<F::Output, F::Error> {
    let ask = Ask::with(input.to_payload(), |input| Ask::Command { name: F::NAME, input });
    Call::new(ask, Location::caller())
}

/// A call of a subscription.
#[doc(hidden)]
#[track_caller]
pub fn call_subscription<F: Subscription>(input: &F::Input) -> Call<(), F::Error> {
    let ask = Ask::with(input.to_payload(), |input| Ask::Subscription { name: F::NAME, input });
    Call::new(ask, Location::caller())
}

/// A call of a task.
#[doc(hidden)]
#[track_caller]
pub fn call_task<F: Task>(input: &F::Input) -> Call<F::Output, F::Error> {
    let options = F::OPTIONS;
    let ask = Ask::with(input.to_payload(), |input| {
        Ask::Task(TaskCall {
            inline: options.inline,
            timeout_ms: options.timeout_ms(),
            retry: options.retry,
            total_ms: options.total_ms,
            final_errors: options.final_errors.iter().map(|it| (*it).to_owned()).collect(),
            heartbeat_ms: options.heartbeat_ms,
            ..TaskCall::new(F::NAME, input)
        })
    });
    Call::new(ask, Location::caller())
}

/// A call of a workflow.
#[doc(hidden)]
#[track_caller]
pub fn call_workflow<F: Workflow>(input: &F::Input) -> Call<F::Output, F::Error> {
    let ask = |input| Ask::Workflow {
        name: F::NAME,
        input,
        key: None,
        detached: false,
        close: ParentClose::default(),
        attributes: BTreeMap::new(),
    };
    Call::new(Ask::with(input.to_payload(), ask), Location::caller())
}

/// The execution `name` of a workflow.
#[doc(hidden)]
pub fn execution<F: Workflow>(name: &str) -> Result<Execution, ClientError> {
    Execution::new(F::NAME, name)
}

/// The executions of a workflow.
#[doc(hidden)]
pub fn list<F: Workflow>() -> List {
    List::new(F::NAME)
}

/// Longest run of one attempt of a task that says nothing else, in milliseconds: of a remote and of an inline one.
const TASK_TIMEOUT_MS: u64 = 60_000;
const INLINE_TIMEOUT_MS: u64 = 30_000;

impl TaskOptions {
    /// Longest run of one attempt, in milliseconds.
    pub(crate) fn timeout_ms(&self) -> u64 {
        let default = if self.inline { INLINE_TIMEOUT_MS } else { TASK_TIMEOUT_MS };
        self.handler.timeout_ms.unwrap_or(default)
    }
}

/// The error of functions that return no `Result`.
#[doc(hidden)]
pub type Never = Infallible;
