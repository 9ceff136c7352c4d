//! Long executions: any number of steps one after the other. What a step costs is counted with them (`cargo xtask bench`).

use eventual::Result;

use crate::tasks::{echo, echo_here};

/// Makes so many steps where the turns are taken.
#[eventual::workflow]
pub async fn many_here(steps: u32) -> Result<u32> {
    for number in 0..steps {
        echo_here(number.to_string()).await?;
    }
    Ok(steps)
}

/// Makes so many steps by a worker.
#[eventual::workflow]
pub async fn many(steps: u32) -> Result<u32> {
    for number in 0..steps {
        echo(number.to_string()).await?;
    }
    Ok(steps)
}
