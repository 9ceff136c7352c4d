//! The tasks and signals that the scripts' workflows ask for. None of the tasks is ever performed.

use std::time::Duration;

use eventual::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long everything takes that takes long.
pub(crate) const LONG: Duration = Duration::from_secs(100);

#[eventual::task]
pub(crate) async fn first(it: String) -> Result<String> {
    Ok(it)
}

#[eventual::task]
pub(crate) async fn second(it: String) -> Result<String> {
    Ok(it)
}

#[eventual::task]
pub(crate) async fn aside(it: String) -> Result<String> {
    Ok(it)
}

#[eventual::task]
pub(crate) async fn mend(it: String) -> Result<String> {
    Ok(it)
}

#[eventual::task]
pub(crate) async fn count(it: u32) -> Result<u32> {
    Ok(it)
}

/// A child for workflows that have one.
#[eventual::workflow]
pub(crate) async fn work(it: String) -> Result<String> {
    first(it.clone()).await?;
    Go::next().await?;
    Ok(it)
}

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Go(pub(crate) u32);

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Stop(pub(crate) u32);

/// Short for a text of one's own.
pub(crate) fn s(text: &str) -> String {
    text.to_owned()
}
