//! What operators and outside clients ask of a service, in a test: the operations of the system function.

use eventual::Error;
use eventual_engine::{SystemError, SystemRequest};
use serde::Serialize;
use serde_json::Value;

use super::TestEnvironment;

impl TestEnvironment {
    /// Answers a system operation as the system function does on AWS, and `/_eventual/system` on the local host, and makes
    /// everything that is due now: `env.system(&json!({ "op": "get", "execution": "order/o-1" }))`.
    ///
    /// # Errors
    /// When it is refused: the error's class and message are those that an operator gets (`NotFound`, `Closed`, ...).
    pub fn system(&self, request: &impl Serialize) -> Result<Value, Error> {
        let refused =
            |error: SystemError| Error::new(error.class(), error.to_string()).with_status(error.status());
        let request = serde_json::to_value(request)?;
        let request: SystemRequest = serde_json::from_value(request)
            .map_err(|error| refused(SystemError::Invalid(format!("not a system request: {error}"))))?;
        let answer = self.drive().system(request).map_err(refused)?;
        self.settle();
        Ok(serde_json::to_value(answer)?)
    }
}
