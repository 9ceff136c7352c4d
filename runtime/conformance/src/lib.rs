//! A service that does everything the engine promises, one small workflow for each promise. It stands in a crate of its own
//! so that no host can be tested with other code than its siblings: `tests/hosts` asks it the same questions on the test
//! environment, on the local host, and deployed on the emulated AWS. Deliberately no example of how a service is written:
//! most of its functions misbehave when they are told to.

pub mod actors;
pub mod branches;
pub mod children;
pub mod commands;
pub mod lives;
pub mod long;
pub mod messages;
pub mod tasks;
pub mod versions;
pub mod waits;
