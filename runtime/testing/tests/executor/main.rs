//! What history makes of workflow code, as many short scripts: an execution is told so and so, its code asks for this, and
//! ends with that. Nothing that is asked for is performed. `SCENARIOS.md` says which scenario each test shows.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod after_the_end;
mod bridge;
mod chains;
mod children;
mod closures;
mod combining;
mod conditions;
mod errors;
mod failures;
mod going_on;
mod handlers;
mod heartbeats;
mod mismatches;
mod script;
mod selects;
mod sending;
mod service;
mod signals;
mod steps;
mod timeouts;
mod timers;
