//! The service that is measured: a task that does next to nothing, so that what is left is the engine. Its peers run the
//! same nine steps (`peers/`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Steps of the sequential workflow.
pub(crate) const STEPS: u32 = 9;

/// What a step gets: its number, and what the steps before it came to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Step {
    /// Number of the step, from 0.
    pub(crate) number: u32,
    /// Sum of the steps before.
    pub(crate) sum: u64,
}

/// One step, performed where the turn is taken.
#[eventual::task(inline)]
pub(crate) async fn add(step: Step) -> u64 {
    step.sum + u64::from(step.number)
}

/// One step, performed by a worker of its own.
#[eventual::task]
pub(crate) async fn add_remotely(step: Step) -> u64 {
    step.sum + u64::from(step.number)
}

/// Lets [`many`] end.
#[eventual::signal]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Finish {}

/// Nine inline steps, one after the other.
#[eventual::workflow]
pub(crate) async fn nine(order: u64) -> eventual::Result<u64> {
    let mut sum = order;
    for number in 0..STEPS {
        sum = add(Step { number, sum }).await?;
    }
    Ok(sum)
}

/// Nine remote steps, one after the other.
#[eventual::workflow]
pub(crate) async fn nine_remote(order: u64) -> eventual::Result<u64> {
    let mut sum = order;
    for number in 0..STEPS {
        sum = add_remotely(Step { number, sum }).await?;
    }
    Ok(sum)
}

/// Any number of inline steps, then a wait for [`Finish`].
#[eventual::workflow]
pub(crate) async fn many(steps: u32) -> eventual::Result<u64> {
    let mut sum = 0;
    for number in 0..steps {
        sum = add(Step { number, sum }).await?;
    }
    Finish::next().await?;
    Ok(sum)
}
