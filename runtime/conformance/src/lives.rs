//! Workflows that are looked for, stopped, forked.

use std::time::Duration;

use eventual::Result;

use crate::messages::Item;
use crate::tasks::{echo, echo_here};

/// An order that says where it is, for as long as it waits for an item.
#[eventual::workflow]
pub async fn orders(customer: String) -> Result<()> {
    eventual::set_attribute("customer", &customer)?;
    eventual::set_attribute("state", "waiting")?;
    eventual::set_attribute("cents", 250)?;
    Item::next().await?;
    eventual::set_attribute("state", "shipped")?;
    eventual::remove_attribute("cents")?;
    eventual::sleep(Duration::from_millis(1)).await?;
    Ok(())
}

/// Makes a step, waits for an item, makes another, and tells all that with its own id.
#[eventual::workflow]
pub async fn steps(name: String) -> Result<Vec<String>> {
    let mut told = vec![echo(format!("first {name}")).await?];
    told.push(Item::next().await?.name);
    told.push(echo_here("second".to_owned()).await?);
    told.extend(eventual::this_execution().map(|it| it.id().to_owned()));
    Ok(told)
}
