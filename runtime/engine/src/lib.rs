//! Drives executions: polls their code, commits turns, delivers calls.
//!
//! A host (AWS, testing) implements [`ports`] and calls the verbs of [`Engine`]; the engine holds all workflow logic
//! that is not pure, which is little: when to load, when to commit, what to deliver after a commit. What an execution
//! is, and in which order its code learns what happened, is `eventual-core`'s.
//!
//! It deliberately knows no cloud, no disk, and no type of user code.

mod advance;
pub mod ambient;
mod client;
pub mod codec;
mod completion;
mod deliver;
mod doubt;
mod engine;
mod fits;
mod fork;
mod hand_over;
pub mod http;
mod operations;
mod perform;
pub mod ports;
mod program;
mod redeliver;
mod registry;
pub mod schedule;
mod search;
mod system;
mod token;
mod updates;
mod versions;
mod watch;
mod worker;
mod workflows;

pub use advance::AdvanceError;
pub use client::{Client, ClientError};
pub use engine::Engine;
pub use eventual_core as core;
pub use eventual_core::limits;
pub use ports::{Fault, Ports};
pub use program::{Init, Program};
pub use registry::{
    HandlerContext, HandlerEntry, HandlerFn, HandlerRequest, Registry, States, TaskEntry, User, WorkflowFn,
};
pub use search::check_attributes;
pub use system::{
    ExecutionSummary, FilterRequest, ScheduleRequest, SearchRequest, SpanRequest, SystemError, SystemRequest,
    SystemResponse, VersionReport, VersionsReport,
};
pub use token::{TokenText, task_of_token};
pub use updates::{UPDATE_WAIT, UpdateRequest};
pub use worker::{BeatError, Worker};
pub use workflows::{Open, panic_text};
