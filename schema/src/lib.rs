//! What an eventual service declares, as plain data.
//!
//! A service's own binary prints a [`Manifest`]; the provider, the code generators and the CLI read it. This crate
//! holds that manifest, the rules for names, the subset of JSON Schema that payloads may use, the OpenAPI document
//! of a service's commands, and [`deploy`]: every name on which the provider (which makes the cloud resources) and the
//! runtime (which uses them) must agree, each written once.
//!
//! It deliberately links neither the runtime nor a cloud SDK, reads no clock, and does no I/O; the one exception is
//! `artifact` (behind the feature of that name), which opens the file that it is given.

#[cfg(feature = "artifact")]
pub mod artifact;
mod check;
pub mod deploy;
pub mod digest;
pub mod functions;
pub mod manifest;
pub mod name;
pub mod nearest;
pub mod openapi;
pub mod request;
pub mod schedule;
pub mod shape;

pub use functions::{Function, FunctionKind, HandlerRef};
pub use manifest::{
    Auth, Command, Event, Manifest, ManifestError, Method, Need, Route, Signal, Source, Subscription, Task,
    Workflow,
};
pub use name::{HandlerName, NameError, ServiceName};
pub use schedule::{Overlap, Schedule, ScheduleSpec, Times};
