//! eventual
#[cfg(panic = "abort")]
compile_error!(
    "eventual needs unwinding: a handler that panics must fail its own call and nothing else. Remove `panic = \"abort\"` from the profile"
);

// Generated code says `::eventual`, also in this crate's own tests.
extern crate self as eventual;

mod ask;
mod call;
mod codec;
mod error;
mod execution;
mod extract;
mod function;
mod init;
mod register;
mod retry;
mod run;
mod schemas;
mod service;
mod signal;
mod spawn;
mod start;
mod timers;

pub use call::Call;
pub use codec::Data;
pub use error::{CallError, Details, Error, Failure, Result};
pub use eventual_macros::{Failure, command, event, main, service, signal, subscription, task, workflow};
pub use execution::{ClientError, Description, Execution, Status};
pub use extract::{Ctx, Extract, State, User};
pub use init::{InitFn, IntoStates, States};
pub use retry::Retry;
pub use service::{Service, ServiceError};
pub use signal::{Event, Receiver, Signal};
pub use spawn::{Branch, spawn};
pub use start::Start;
pub use timers::{Moment, now, random, sleep, sleep_until, this_execution, uuid};
pub use {schemars, serde, serde_json};

/// What generated code and hosts use. Not part of the interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::ask::Ask;
    pub use crate::function::*;
    pub use crate::init::{InitFuture, ManyKind, OneKind, TryManyKind, TryOneKind, tag};
    pub use crate::register::*;
    pub use crate::run::main;
    pub use crate::service::Declaration;
    pub use eventual_core::{Outcome, Payload, RetryPolicy};
    pub use eventual_engine::HandlerRequest;
    pub use inventory;
}
