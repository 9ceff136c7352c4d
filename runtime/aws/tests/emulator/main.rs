//! Store and dispatch against the emulated AWS, with its refusals on. `cargo xtask test` starts it and says where it is
//! in `EVENTUAL_TEST_ENDPOINT`. Every test makes its own table, queues, bucket and bus, so that all run side by side.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod dispatch;
mod places;
mod store;
mod world;
