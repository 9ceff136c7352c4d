//! Workflows that call workflows, and what becomes of both when one of them ends.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use eventual::{CallError, CancelScope, Error, Failure, ParentClose, Result};
use futures_util::future::{Either, select};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tasks::{Job, WorkError, Worked, echo, works};
use crate::waits::naps;

const HOUR: Duration = Duration::from_secs(3_600);

/// Has a child have a task work, and says how that ended.
#[eventual::workflow]
pub async fn delegates(job: Job) -> Result<Worked, String> {
    match works(job).await {
        Ok(worked) => Ok(worked),
        Err(CallError::Failed(WorkError::Broken { part, attempt })) => Err(format!("{part} at {attempt}")),
        Err(CallError::Failed(error)) => Err(error.class()),
        Err(other) => Err(format!("{other:?}")),
    }
}

/// Waits for an hour, and cleans up when it is cancelled. Its query `cleaned` tells whether it did.
#[eventual::workflow]
pub async fn cleans_up() -> Result<()> {
    let cleaned = Rc::new(Cell::new(false));
    let told = cleaned.clone();
    eventual::on_query("cleaned", move |(): ()| told.get());
    let slept = eventual::sleep(HOUR).await;
    if eventual::is_cancelled() {
        let refused = echo("not shielded".to_owned()).await.is_err();
        let shielded = eventual::shield(async {
            eventual::sleep(Duration::from_millis(200)).await?;
            echo("shielded".to_owned()).await
        });
        cleaned.set(shielded.await.is_ok() && refused);
    }
    Ok(slept?)
}

/// Does not mind being cancelled.
#[eventual::workflow]
pub async fn finishes_anyway() -> String {
    match eventual::sleep(HOUR).await {
        Ok(()) => "whole".to_owned(),
        Err(_) => "partial".to_owned(),
    }
}

/// Has two children, one that it awaits and one that it does not, and gives each what it is found by.
#[eventual::workflow]
pub async fn labels(batch: String) -> Result<Vec<String>> {
    let started = naps(10).start().attribute("batch", &batch).attribute("awaited", false).await?;
    let awaited = naps(10).key(format!("{}-awaited", started.name()));
    awaited.attribute("batch", &batch).attribute("awaited", true).await?;
    match naps(10).attribute("batch", "x".repeat(10_000)).await {
        Err(CallError::Invalid(error)) => {
            Ok(vec![started.id().to_owned(), error.class.clone(), error.message.clone()])
        }
        other => Err(Error::new("Taken", format!("an attribute of 10,000 characters: {other:?}"))),
    }
}

/// How a child is called.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Family {
    /// Name of the child.
    child: String,
    /// What becomes of it: `abandon`, `cancel` or `terminate`.
    policy: String,
    /// Whether the parent waits for it, or ends after a while.
    waits: bool,
}

/// Has a child, and ends before it unless it is to wait.
#[eventual::workflow]
pub async fn parents(family: Family) -> Result<()> {
    let policy = match family.policy.as_str() {
        "abandon" => ParentClose::Abandon,
        "cancel" => ParentClose::Cancel,
        _ => ParentClose::Terminate,
    };
    let child = cleans_up().key(family.child).on_parent_close(policy);
    if family.waits {
        return Ok(child.await?);
    }
    match select(child, eventual::sleep(Duration::from_millis(300))).await {
        Either::Left(_) => Err(Error::new("Lost", "the child was quicker")),
        Either::Right(_) => Ok(()),
    }
}

/// Cancels a part of itself.
#[eventual::workflow]
pub async fn cancels_a_part() -> Result<Vec<String>> {
    let scope = CancelScope::new();
    let part = eventual::spawn(scope.run(async {
        match eventual::sleep(HOUR).await {
            Ok(()) => "part: done",
            Err(_) => "part: cancelled",
        }
    }));
    eventual::sleep(Duration::from_millis(200)).await?;
    scope.cancel();
    let part = part.await;
    eventual::sleep(Duration::from_millis(1)).await?;
    Ok(vec![part.to_owned(), "rest: done".to_owned()])
}

/// Starts another execution without waiting for it, and another time under the same name with another input.
#[eventual::workflow]
pub async fn starts(name: String) -> Result<Vec<String>> {
    let started = naps(50).start_as(name.clone()).await?;
    let again = naps(50).start_as(name.clone()).await?;
    let other = naps(51).start_as(name).await;
    let refused = other.map_or_else(|error| error.to_string(), |it| format!("started {}", it.id()));
    Ok(vec![started.id().to_owned(), again.id().to_owned(), refused])
}
