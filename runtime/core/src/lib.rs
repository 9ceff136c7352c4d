//! The pure part of the workflow engine: what an execution remembers, and the machine that matches what its code asks
//! for with what has happened.
//!
//! `no_std`, without dependencies: nothing here can reach a clock, a disk, a network or a thread. Time and seed come
//! in as facts of history. It deliberately knows neither futures nor a serialization format; `eventual-engine` polls
//! the code and writes the history down.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod attribute;
mod call;
mod fact;
mod id;
mod left;
pub mod limits;
mod machine;
mod payload;
mod run;
mod turn;

pub use attribute::{Attribute, AttributeError, check_name, check_settable};
pub use call::{Attempt, Call, Emitted, ParentClose, RetryPolicy, Stop, TaskCall};
pub use fact::{Fact, FactKey, Failure, Outcome, RetryAdvice};
pub use id::{ExecutionId, ExecutionIdError, Millis, Seq};
pub use left::{Left, left_behind};
pub use limits::EXECUTION_NAME_MAX;
pub use machine::{Machine, Mismatch, Output, ScopeId, Update};
pub use payload::Payload;
pub use run::{Caller, Run};
pub use turn::{Answer, Continued, Status, Turn};
