//! The local host: the production engine over an embedded durable store, and the service's HTTP API on one machine.
//!
//! [`run`] is the main program of `<service> serve`. It keeps the promises that the AWS host keeps: what was
//! acknowledged survives a `kill -9` at any instant and a torn last write, everything is delivered at least once,
//! attempts are claimed, and what keeps failing is kept among the dead letters. What it is not: more than one machine,
//! and a verifier of callers.
//!
//! | file | what |
//! |---|---|
//! | `store.rs`, `store/` | the tables; groups of writes, one fsync each; format, lock and check |
//! | `queue.rs`, `delivery.rs` | what is on its way, in the order in which it is due |
//! | `dispatch.rs`, `host.rs` | the engine's deliveries into the queue, and out of it into the engine's verbs |
//! | `http.rs`, `http/` | requests to commands, operations for operators |
//! | `former.rs`, `former/`, `programs.rs` | former programs, for executions that are pinned to them |
//! | `serve.rs` | arguments, start and stop |
//! | `check.rs` | whether everything in a store can be read |

mod check;
mod clock;
mod code;
mod delivery;
mod dispatch;
mod former;
mod host;
mod http;
mod programs;
mod queue;
mod serve;
mod store;

pub use check::{CHECK_USAGE, check};
pub use clock::SystemClock;
pub use eventual_engine::{Init, Program};
pub use former::former;
pub use host::Host;
pub use serve::{USAGE, run};
pub use store::{LocalStore, OpenError};
