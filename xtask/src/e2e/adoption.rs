//! A deployment whose Terraform died half-way, by `kill -9` of Terraform and the provider: the next apply finds what is there, finishes
//! it, and nothing is made twice.

use std::process::Stdio;
use std::time::Duration;

use super::stand::{ORDERS, Stand};
use crate::failure::{Context, Result, require};
use crate::orders::{CARD, Orders};
use crate::process::{self, Group};
use crate::terraform::Terraform;

const NAME: &str = "adopted";
const SOON: Duration = Duration::from_secs(60);

/// Killed early, killed late, then finished.
pub(super) fn killed_apply(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module(NAME)?;
    for wanted in [3, 25] {
        kill_at(stand, &terraform, wanted)?;
    }
    let adopted = adopted(stand, &terraform);
    // Whatever came out: what was made must go, or the last scenario would report it too.
    terraform.destroy()?;
    let left: Vec<_> =
        stand.left()?.into_iter().filter(|each| each.contains(NAME) || each.contains("mapping")).collect();
    adopted?;
    require(left.is_empty(), || format!("left: {left:?}"))
}

/// The next apply finishes what was begun, makes nothing twice, and the service works.
fn adopted(stand: &Stand<'_>, terraform: &Terraform) -> Result<()> {
    terraform.apply()?;
    terraform.require_no_changes()?;
    let state = terraform.state(ORDERS)?;
    let made = stand.left()?.into_iter().filter(|each| !each.contains("mapping")).collect::<Vec<_>>();
    let unique: std::collections::BTreeSet<_> = made.iter().collect();
    require(unique.len() == made.len(), || format!("something was made twice: {made:?}"))?;

    let url = state["url"].as_str().context("the service has no URL")?.to_owned();
    let orders = Orders { url, name: NAME.into(), emulator: &stand.site.emulator };
    orders.place("adopted-1", CARD)?;
    orders.paid("adopted-1", SOON)?;
    orders.ship("adopted-1")?;
    orders.receipt("adopted-1", SOON)?;
    terraform.destroy()?;
    let left: Vec<_> =
        stand.left()?.into_iter().filter(|each| each.contains(NAME) || each.contains("mapping")).collect();
    require(left.is_empty(), || format!("left: {left:?}"))
}

/// Applies until so many resources exist, then kills Terraform and the provider.
fn kill_at(stand: &Stand<'_>, terraform: &Terraform, wanted: usize) -> Result<()> {
    let mut command = terraform.command(&["apply", "-auto-approve", "-input=false", "-no-color"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut apply = Group::start(&mut command)?;
    process::wait_for(&format!("there are not {wanted} resources"), SOON, || {
        require(apply.ended()?.is_none(), || "apply ended before it could be killed".into())?;
        let made = stand.left()?.iter().filter(|each| each.contains(NAME)).count();
        Ok((made >= wanted).then_some(()))
    })?;
    drop(apply);
    Ok(())
}
