//! Tasks: heartbeats, answers from elsewhere, retries, limits. Workers run while the world goes on, and die without a word.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod completion;
mod crashes;
mod heartbeat;
mod retry;
mod service;
mod stage;

use stage::Stage;

fn stage() -> Stage {
    Stage::new(eventual::service!(name = "tasks"))
}
