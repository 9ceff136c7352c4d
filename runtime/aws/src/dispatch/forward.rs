//! What only another version of the code can do: that version of the orchestrator is invoked, under the alias that the
//! deployment keeps for it, and waited for.

use std::time::Duration;

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use eventual_core::ExecutionId;
use eventual_engine::codec::{self, ForwardMessage};
use eventual_engine::ports::{Fault, Forward, Forwarded};
use eventual_schema::deploy::code_alias;

use super::AwsDispatch;
use crate::fault;

/// Longest wait for the other version: it may have to start, and to perform inline tasks of 45 seconds.
const LONGEST: Duration = Duration::from_secs(120);

/// Whether AWS says that the deployment keeps no such code: it is gone, or nothing that is deployed now may be pinned.
fn is_lost(code: Option<&str>) -> bool {
    matches!(code, Some("ResourceNotFoundException" | "AccessDeniedException"))
}

impl AwsDispatch {
    pub(super) async fn ask_code(
        &self,
        code: &str,
        id: &ExecutionId,
        forward: &Forward,
    ) -> Result<Forwarded, Fault> {
        let request =
            ForwardMessage { execution: id.clone(), code: code.to_owned(), forward: forward.clone() };
        let envelope = self.envelope(id, codec::encode_forward(&request)).await?;
        let function = format!("{}:{}", self.names.function("orchestrator"), code_alias(code));
        let operation = format!("lambda Invoke {function} for {id}");
        // Whoever forwards is redelivered: a second try here would only do everything twice.
        let patient = aws_sdk_lambda::config::Builder::new().retry_config(RetryConfig::disabled());
        let patient = patient.timeout_config(
            TimeoutConfig::builder().read_timeout(LONGEST).operation_attempt_timeout(LONGEST).build(),
        );
        let invoke = self.functions.invoke().function_name(&function);
        let invoke = invoke.payload(Blob::new(envelope.to_json())).customize().config_override(patient);
        let answer = match invoke.send().await {
            Ok(answer) => answer,
            Err(error) if is_lost(error.as_service_error().and_then(ProvideErrorMetadata::code)) => {
                return Ok(Forwarded::NoSuchCode);
            }
            Err(error) => return Err(fault::aws(operation, &error)),
        };
        let text = answer.payload().map(Blob::as_ref).unwrap_or_default();
        if answer.function_error().is_some() {
            return Err(Fault::new(operation, String::from_utf8_lossy(text).into_owned()));
        }
        codec::decode_forwarded(text).map_err(|error| Fault::new(operation, error))
    }
}
