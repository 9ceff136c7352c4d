//! Runs a service's handlers in a test: the production engine over memory and virtual time.
pub mod conformance;
pub mod drive;
pub mod faults;
pub mod host;
pub mod world;
