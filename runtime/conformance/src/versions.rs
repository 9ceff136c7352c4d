//! A workflow that stays on the code that it was started on.

use std::time::Duration;

use eventual::Result;

use crate::messages::Item;
use crate::tasks::echo_here;

/// Waits for an item, and tells what it was called once its own code has looked at it. Its query `stage` tells how far it is.
#[eventual::workflow(pinned)]
pub async fn stays() -> Result<String> {
    eventual::on_query("stage", |(): ()| "waits".to_owned());
    let item = Item::next().timeout(Duration::from_secs(600)).await?;
    eventual::sleep(Duration::from_millis(200)).await?;
    Ok(echo_here(item.name).await?)
}
