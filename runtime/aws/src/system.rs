//! Direct invocation -> what operators and outside clients ask of executions. IAM decides who may invoke.

use eventual_engine::{SystemError, SystemRequest, SystemResponse};

use crate::host::Host;
use crate::refusal::Refusal;

pub(crate) async fn handle(host: &Host, event: &str) -> Result<SystemResponse, Refusal> {
    let request: SystemRequest = serde_json::from_str(event)
        .map_err(|error| SystemError::Invalid(format!("not a system request: {error}")))?;
    Ok(host.engine.system(request).await?)
}
