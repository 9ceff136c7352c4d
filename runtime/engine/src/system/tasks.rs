//! What whoever has the token of a task may ask: succeed, fail, beat.

use eventual_core::{Failure, Outcome};
use serde_json::Value;

use super::{SystemError, SystemResponse, payload_of};
use crate::engine::Engine;
use crate::token::TokenText;

impl Engine {
    /// The task returned `result`.
    pub(super) async fn complete_task(
        &self,
        token: &TokenText,
        result: &Value,
    ) -> Result<SystemResponse, SystemError> {
        let execution = self.client.complete(token.as_str(), Outcome::Succeeded(payload_of(result))).await?;
        Ok(SystemResponse::Done { execution: execution.to_string() })
    }

    /// The task returned an error.
    pub(super) async fn fail_task(
        &self,
        token: &TokenText,
        class: &str,
        message: String,
        data: &Value,
    ) -> Result<SystemResponse, SystemError> {
        let failure = Failure { data: payload_of(data), ..Failure::new(class, message, 500) };
        let execution = self.client.complete(token.as_str(), Outcome::Failed(failure)).await?;
        Ok(SystemResponse::Done { execution: execution.to_string() })
    }

    /// The task is alive.
    pub(super) async fn heartbeat_task(
        &self,
        token: &TokenText,
        details: &Value,
    ) -> Result<SystemResponse, SystemError> {
        let details = Some(details).filter(|it| !it.is_null()).map(payload_of);
        let (execution, cancelled) = self.client.beat(token.as_str(), details.as_ref()).await?;
        Ok(SystemResponse::Beaten { execution: execution.to_string(), cancelled })
    }
}
