//! Runs a service's handlers in a test: the production engine over memory and virtual time.
//!
//! ```
//! use std::time::Duration;
//!
//! /// Waits a month.
//! #[eventual::workflow]
//! async fn wait_a_month(name: String) -> String {
//!     eventual::sleep(Duration::from_secs(30 * 86_400)).await.ok();
//!     format!("hello {name}")
//! }
//!
//! # fn main() {
//! let env = eventual_testing::TestEnvironment::new(eventual::service!());
//! assert_eq!(env.call(wait_a_month("you".to_owned())), Ok("hello you".to_owned()));
//! # }
//! ```
//!
//! [`TestEnvironment`] is for tests of services. Underneath are [`drive::Drive`], which knows no types, the host
//! ([`host`], [`world`]), ports that fail where a test wants ([`faults`]), random schedules of everything that may go wrong
//! ([`simulation`]), and the suite that the store of every host passes ([`conformance`]). A dev-dependency: nothing here may be linked into production.

pub mod conformance;
pub mod drive;
mod driving;
mod environment;
mod explore;
pub mod faults;
pub mod host;
mod mock;
pub mod render;
pub mod replay;
pub mod simulation;
pub mod stand_in;
pub mod world;

pub use environment::http::{Request, Response};
pub use environment::inspect::{Dead, Due, Waiting};
pub use environment::{TestEnvironment, TestExecution};
pub use explore::{Explored, Explorer, Finding, Trouble, explore};
pub use mock::{Handler, HeldCall, Mock, Recorded};
