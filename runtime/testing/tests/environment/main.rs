//! The test environment as its users meet it: time, mocks, requests, what can be looked into, twins, and crashes explored.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod chance;
mod crashes;
mod everyday;
mod inspection;
mod mocks;
mod requests;
mod service;
mod time;

use eventual_testing::TestEnvironment;

fn environment() -> TestEnvironment {
    TestEnvironment::with_state(eventual::service!(name = "environment"), service::Ledger::default())
}
