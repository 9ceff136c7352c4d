//! Direct invocation -> what operators and outside clients ask of executions. IAM decides who may invoke.

use eventual_engine::{SystemRequest, SystemResponse};

use crate::host::Host;

pub(crate) async fn handle(host: &Host, event: &str) -> Result<SystemResponse, lambda_runtime::Error> {
    let request: SystemRequest =
        serde_json::from_str(event).map_err(|error| format!("not a system request: {error}"))?;
    Ok(host.engine.system(request).await?)
}
