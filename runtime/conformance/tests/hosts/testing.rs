//! The test environment as a host: one of its own for each case, and virtual time.

use std::time::Duration;

use eventual_testing::TestEnvironment;
use serde_json::Value;

use crate::host::{Host, Refused};

/// How far the clock moves between two looks.
const STEP: Duration = Duration::from_millis(100);

/// The service in an environment of its own.
pub(crate) fn environment() -> TestEnvironment {
    TestEnvironment::new(eventual::service!(conformance, auth = none))
}

pub(crate) struct Testing<'a>(pub(crate) &'a TestEnvironment);

impl Host for Testing<'_> {
    fn system(&self, request: &Value) -> Result<Value, Refused> {
        self.0
            .system(request)
            .map_err(|error| Refused { class: error.class.clone(), message: error.message.clone() })
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = self.0.request(method, path);
        let answer = if body.is_null() { request.send() } else { request.json(body).send() };
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    fn pause(&self) {
        self.0.advance(STEP);
    }

    fn clock(&self) -> Duration {
        Duration::from_millis(self.0.now())
    }

    fn silence(&self) {
        self.0.mock(conformance::tasks::import).lose_heartbeat().once();
    }
}
