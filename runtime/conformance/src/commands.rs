//! Commands: what HTTP makes of inputs, results and errors, and what handlers do with executions.

use std::time::Duration;

use eventual::{CallError, Execution, Failure, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tasks::{Job, WorkError, Worked, works};
use crate::waits::naps;

/// An input with limits.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// From 1 to 10.
    #[schemars(range(min = 1, max = 10))]
    pub number: u32,
}

/// Takes what is valid; panics at ten.
#[eventual::command(method = GET, path = "/checks/{number}")]
pub async fn check(checked: Checked) -> u32 {
    assert!(checked.number < 10, "on purpose");
    checked.number
}

/// An execution to start.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Begin {
    /// Its name.
    pub name: String,
    /// How long it sleeps.
    pub ms: u64,
}

/// Starts a nap and tells how it stands, at once and at its end.
#[eventual::command(uses(naps), timeout = "29s")]
pub async fn begin(begin: Begin) -> Result<(Execution, String, Option<u64>)> {
    let execution = naps(begin.ms).start_as(begin.name).attribute("begun_by", "a command").await?;
    let status = execution.status().await?;
    let slept = execution.wait(Duration::from_secs(15)).await?;
    Ok((execution, status.as_str().to_owned(), slept))
}

/// Has a job done, and answers as it ended.
#[eventual::command(uses(works), timeout = "29s")]
pub async fn judge(job: (String, Job)) -> Result<Option<Worked>, WorkError> {
    let execution = works(job.1).start_as(job.0).await.map_err(eventual::Error::from)?;
    match execution.wait(Duration::from_secs(15)).await {
        Ok(worked) => Ok(worked),
        Err(CallError::Failed(error)) => Err(WorkError::from_error(error)?),
        Err(other) => Err(WorkError::Call(other.into())),
    }
}
