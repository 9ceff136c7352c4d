//! Distributed services as ordinary Rust functions, deployed into your own AWS account as one Terraform or Pulumi
//! resource.
//!
#![doc = include_str!("guide.md")]

#[cfg(panic = "abort")]
compile_error!(
    "eventual needs unwinding: a handler that panics must fail its own call and nothing else. Remove `panic = \"abort\"` from the profile"
);

// Generated code says `::eventual`, also in this crate's own tests.
extern crate self as eventual;

mod actor;
mod ask;
mod call;
mod cancel;
#[cfg(feature = "client")]
pub mod client;
mod codec;
mod completion;
mod condition;
mod continued;
mod error;
mod execution;
mod extract;
mod function;
mod handler;
mod heartbeat;
mod init;
mod parallel;
mod query;
mod register;
mod retry;
mod run;
mod saga;
mod schedule;
mod schemas;
mod search;
mod service;
mod signal;
mod spawn;
mod start;
mod timers;
mod update;

pub use call::Call;
pub use cancel::{CancelScope, Scoped, is_cancelled, shield};
pub use codec::Data;
pub use completion::{Completing, CompletingTask, Completion, TaskToken, complete};
pub use condition::{Until, UntilWithin, until};
pub use continued::{ContinueAsNew, suggests_continue_as_new};
pub use error::{CallError, Details, Error, Failure, Result};
pub use eventual_core::ParentClose;
pub use eventual_engine::limits;
pub use execution::{ClientError, Description, Execution, Status};
pub use extract::{Ctx, Extract, State, User};
pub use handler::{SignalHandler, on_signal};
pub use heartbeat::{beating, heartbeat};
pub use init::{InitFn, IntoStates, States};
pub use parallel::{Identity, Parallel, TooManyFailed, map, parallel};
pub use query::{changed, on_query};
pub use retry::{Retry, RetryAfter};
pub use saga::{Saga, Uncompensated};
pub use schedule::{Overlap, Schedule, Scheduled, Scheduling};
pub use search::{Attribute, Counted, List, ListPage, Listed, remove_attribute, set_attribute};
pub use service::{Service, ServiceError};
pub use signal::{Event, Receiver, Signal};
pub use spawn::{Branch, spawn};
pub use start::Start;
pub use timers::{Moment, now, random, sleep, sleep_until, this_execution, uuid};
pub use update::{on_update, on_update_if};
pub use {schemars, serde, serde_json};

/// Makes the methods of a struct callable on a durable object that is addressed by a key. Calls of one key are made one at
/// a time, in the order in which they come; what a method leaves in the struct is there at the next call, years later.
///
/// Methods are `async fn`s with `&mut self` (or `&self`) and one input, and run as workflow code does: they may call tasks,
/// sleep, and call other actors. A method's error leaves what it changed; one that panics has not happened. Called
/// through `Struct::at(key)` in handlers that declare `uses(Struct)`, where a call waits for 20 seconds, and in workflows.
/// An actor begins with its first call and its `Default`, and is an execution like any other: its id is `<actor>/<key>`, its
/// query `state` answers its state, cancelling it ends it for good. State that a new version of the code cannot read
/// parks it. Not to be called by itself while it runs: such a call waits for ever.
///
/// Options: `name = "counter"` on the wire; `allow_nondeterminism` as of workflows.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// struct Counter {
///     total: u64,
/// }
///
/// #[eventual::actor]
/// impl Counter {
///     /// Adds a number and answers the sum.
///     async fn add(&mut self, number: u64) -> u64 {
///         self.total += number;
///         self.total
///     }
/// }
///
/// #[eventual::command(method = POST, path = "/counters/{name}", uses(Counter))]
/// async fn count(name: String) -> eventual::Result<u64> {
///     Ok(Counter::at(name).add(1).await?)
/// }
/// # fn main() {}
/// ```
pub use eventual_macros::actor;

/// An async function over HTTP: `POST /rpc/<name>` always, and a route of its own when it is given one.
///
/// | option | meaning |
/// |---|---|
/// | `method = GET, path = "/orders/{id}"` | own route; parameters in braces are fields of the input |
/// | `auth = none`, `iam`, `jwt(issuer = "https://...", audience = ["..."])` | who may call it, instead of what `main!` says |
/// | `uses(process_order, OrderCreated)` | workflows it starts and reads, events it publishes, signals it sends |
/// | `timeout = "10s"`, `memory = 256` | of its function; up to 30 seconds, 128 to 10240 MB |
/// | `name = "placeOrder"` | name on the wire; by default the function's in lower camel case |
///
/// It takes at most one input (owned, with `Serialize`, `Deserialize`, `JsonSchema`), and in any order [`State<T>`](State),
/// [`Ctx`], [`User`] or `Option<User>`. It returns a value, or a `Result` whose error is a [`Failure`](trait@Failure).
/// Input that does not fit its schema is answered with status 400 and never reaches the function.
///
/// Calling the function makes a [`Call`], which `TestEnvironment` takes.
pub use eventual_macros::command;

/// A struct or enum that is published to whoever subscribes: gives it `.emit()`. Option: `name = "..."`. See [`Event`].
///
/// ```
/// #[eventual::event]
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// struct OrderCreated {
///     id: String,
/// }
/// ```
pub use eventual_macros::event;

/// The whole `main` of a service's binary: `eventual::main!(orders, init = orders::init, auth = none);`
///
/// First the crates whose handlers are the service (a crate that is not named here is not linked), the one that gives
/// it its name first; `crate` for the one that this stands in, which is also what naming none means. Then, in any order: `auth` for the commands that do not say their own, `init` (an async
/// function that returns what handlers take as [`State`]: a value, a tuple of values, or a `Result` of them; it runs only in functions that take one),
/// `name` (by default the package's).
pub use eventual_macros::main;

/// A service as a value, for tests: `TestEnvironment::new(eventual::service!())` for the crate that it stands in. Takes
/// what [`main!`] takes. Panics when the crate is no service, with everything that is wrong.
pub use eventual_macros::service;

/// A struct or enum that is sent to executions: gives it `Type::next()` and `.send(&execution)`. Option: `name = "..."`.
/// See [`Signal`].
pub use eventual_macros::signal;

/// An async function that reacts to an event, which is its input: `async fn on_created(event: OrderCreated)`.
///
/// Options: `uses(...)`, `timeout` (up to 15 minutes), `memory`, `name`, as of [`command`](macro@command). It takes [`State<T>`](State) and
/// [`Ctx`] besides. An error or a panic makes the event come again, up to three times, then it goes to the dead-letter queue.
pub use eventual_macros::subscription;

/// An async function that workflows call: the place for everything that reaches outside of the process.
///
/// | option | meaning |
/// |---|---|
/// | `inline` | runs in the orchestrator instead of in a function of its own: quicker, with the orchestrator's role |
/// | `retry(attempts = 5, initial = "1s", backoff = 2.0, max = "1m", jitter = 0.2, errors)` | when it is tried again; `errors`: also when it returned one, except `final_errors(PayError::Declined)` |
/// | `at_most_once` | never tried again, not even when its worker is lost |
/// | `timeout = "60s"` | longest run of one attempt; 60 seconds by default, up to 15 minutes; of an inline one 30, up to 45 seconds, because a turn waits for it |
/// | `total_timeout = "1h"` | longest time for all attempts and the pauses between them; no limit by default |
/// | `heartbeat = "30s"` | longest time between two [`heartbeat`](fn@heartbeat)s, after which the attempt counts as lost; not for inline ones |
/// | `uses(...)`, `memory`, `name` | as of [`command`](macro@command) |
///
/// By default an error is final, and a lost worker is replaced, up to 3 attempts. All attempts see the same
/// [`Ctx::idempotency_key`]. It takes [`State<T>`](State), [`Ctx`] and [`Completion`] besides its input.
pub use eventual_macros::task;

/// A durable async function: what it awaits is remembered, so that it goes on after any crash or deploy, in any process.
///
/// It takes at most one input and no extractors. It is replayed, so it must ask for the same things in the same order every time: time, chance
/// and the outside come from [`now`], [`random`], [`uuid`] and from tasks. The attribute refuses what it can see
/// (`SystemTime::now`, `tokio::spawn`, `rand`, `std::env`, files, a loop over a `HashMap` that awaits, ...);
/// `#[workflow(allow_nondeterminism)]` switches that off, above one statement for that statement.
///
/// `#[workflow(pinned)]` keeps its executions on the code that they were started on; without, they follow the newest, and
/// [`changed`] tells old histories from new ones.
///
/// `#[workflow(schedule(cron = "0 9 * * *", time_zone = "Europe/Berlin"))]` has it started by itself, for as long as the
/// code says so:
///
/// | option of `schedule` | meaning |
/// |---|---|
/// | `cron = "0 9 * * MON-FRI"`, `every = "1h"` | when, one of them or both |
/// | `time_zone = "Europe/Berlin"` | of the cron expression; UTC by default |
/// | `input = "{\"day\": \"{{scheduled}}\"}"` | JSON, for a workflow that takes an input; see [`Call::schedule_as`] |
/// | `overlap = skip`, `buffer_one`, `buffer_all`, `cancel_other`, `terminate_other`, `allow_all` | while an earlier one goes on |
/// | `jitter = "5m"`, `catch_up = "1h"` | puts starts off at random; how late one is made up for (a year by default) |
/// | `name = "nightly"`, `paused` | name of the schedule, by default the workflow's; it begins paused |
///
/// The generated function returns a [`Call`]: `.await` it in another workflow (a child), [`start`](Call::start) it from
/// handlers. `process_order::execution(name)` is the execution of that name.
pub use eventual_macros::workflow;

/// Makes an error of a type that has `Display`, `Serialize`, `Deserialize` and `JsonSchema`.
///
/// `#[failure(status = 402)]` above a variant, or above the type for all of them, is the status with which commands answer it
/// (500 without). `#[failure(final)]` says that no other attempt of a task that returns it is made, `#[failure(retry_after = "30s")]`
/// or `#[failure(retry_after = field)]` (the field is a [`RetryAfter`]) when the next one is. `#[failure(call)]` above the one variant that holds an [`Error`](struct@Error) makes `?` turn everything into it that
/// calls and clients answer.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, thiserror::Error, Serialize, Deserialize, schemars::JsonSchema, eventual::Failure)]
/// enum OrderError {
///     #[error("{0} is sold out")]
///     #[failure(status = 409)]
///     SoldOut(String),
///     #[error(transparent)]
///     #[failure(call)]
///     Other(eventual::Error),
/// }
/// ```
pub use eventual_macros::Failure;

/// What generated code and hosts use. Not part of the interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::actor::{Actor, MethodFuture, call_actor, live, no_method};
    pub use crate::ask::Ask;
    pub use crate::call::Decode;
    pub use crate::completion::complete_task;
    pub use crate::function::*;
    pub use crate::init::{InitFuture, ManyKind, OneKind, TryManyKind, TryOneKind, tag};
    pub use crate::register::*;
    pub use crate::run::main;
    pub use crate::service::Declaration;
    pub use eventual_core::{Outcome, Payload, RetryPolicy};
    pub use eventual_engine::HandlerRequest;
    pub use inventory;
}
