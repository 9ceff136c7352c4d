//! The local host as its users run it: real processes on a real disk, over HTTP, killed and damaged.
#![allow(clippy::unwrap_used, reason = "code of tests")]

mod child;
mod crashes;
mod damage;
mod disk;
mod http;
mod schedules;
mod service;
mod twins;
mod versions;
