//! Applies that do not end as they should: killed (`kill -9` of Terraform and the provider; the next apply finds what is there,
//! finishes it, and nothing is made twice), interrupted by Ctrl-C, and in each other's way.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::Duration;

use super::stand::{ORDERS, ORDERS_TF, Stand};
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
    begin(stand, terraform, NAME, wanted).map(drop)
}

/// Starts an apply, which goes on until it is dropped.
fn start(terraform: &Terraform) -> Result<Group> {
    let log = terraform.folder().join("apply.log");
    let log = File::create(&log).context(log.display())?;
    let mut command = terraform.command(&["apply", "-auto-approve", "-input=false", "-no-color"]);
    command.stdin(Stdio::null()).stderr(log.try_clone().context("apply.log")?).stdout(log);
    Group::start(&mut command)
}

/// Applies until so many resources exist whose names contain `name`; the apply goes on until it is dropped.
fn begin(stand: &Stand<'_>, terraform: &Terraform, name: &str, wanted: usize) -> Result<Group> {
    let mut apply = start(terraform)?;
    process::wait_for(&format!("there are not {wanted} resources"), SOON, || {
        require(apply.ended()?.is_none(), || "apply ended before anything could happen to it".into())?;
        let made = stand.left()?.iter().filter(|each| each.contains(name)).count();
        Ok((made >= wanted).then_some(()))
    })?;
    Ok(apply)
}

/// What an apply that was begun has printed.
fn printed(terraform: &Terraform) -> Result<String> {
    fs::read_to_string(terraform.folder().join("apply.log")).context("apply.log")
}

/// Waits for the end of an apply that was begun; its exit code.
fn end(apply: &mut Group) -> Result<i32> {
    let status = process::wait_for("apply does not end", SOON, || apply.ended())?;
    Ok(status.code().unwrap_or(-1))
}

/// Ctrl-C in the middle: Terraform and the provider both get the signal, the apply ends by itself and says so, and destroying
/// what its state has leaves nothing.
pub(super) fn interrupted_apply(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("interrupted")?;
    let mut apply = start(&terraform)?;
    // The emulator's log, because looking at the whole account takes longer than most of the apply.
    process::wait_for("nothing was made", SOON, || {
        Ok(stand.site.emulator.tail(400).contains("bucket created: interrupted").then_some(()))
    })?;
    apply.interrupt()?;
    let code = end(&mut apply)?;
    drop(apply);
    let printed = printed(&terraform)?;
    require(code == 1 && printed.contains("Stopped half-way"), || format!("exit code {code}\n{printed}"))?;
    terraform.destroy()?;
    let left: Vec<_> = stand.left()?.into_iter().filter(|each| each.contains("interrupted")).collect();
    require(left.is_empty(), || format!("left: {left:?}"))
}

/// A second service in the same configuration.
const TWIN: &str = r#"
resource "eventual_service" "twin" {
  name          = "contended-twin"
  artifact      = var.artifact
  force_destroy = true
}
"#;

/// One configuration makes two services at the same time, while another wants one of them: that one is told who is at it.
pub(super) fn at_once(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("contended")?;
    terraform.write("twin.tf", TWIN)?;
    let other = stand.site.terraform("other", ORDERS_TF)?;
    other.variables(&stand.variables("contended")?)?;
    let mut apply = begin(stand, &terraform, "contended", 6)?;
    let refused = other.run(&["apply", "-auto-approve", "-input=false", "-no-color"])?;
    let code = end(&mut apply)?;
    drop(apply);
    let printed = printed(&terraform)?;
    let applied = require(code == 0, || format!("the first apply failed\n{printed}"))
        .and_then(|()| terraform.require_no_changes())
        .and_then(|()| told(&refused.all, refused.code(), &terraform));
    terraform.destroy()?;
    applied?;
    let left: Vec<_> = stand.left()?.into_iter().filter(|each| each.contains("contended")).collect();
    require(left.is_empty(), || format!("left: {left:?}"))
}

/// The one who came late was told who holds it, and since when: that the other is at work, or was done while it was watched.
fn told(all: &str, code: i32, holder: &Terraform) -> Result<()> {
    // Terraform breaks long lines, also within a path.
    let says: String = all.replace('│', " ").split_whitespace().collect();
    let folder: String = holder.folder().display().to_string().split_whitespace().collect();
    let who = says.contains("anotherrunisatwork") || says.contains("isnotinthisstate");
    let whole = who && says.contains(&folder) && says.contains("since20");
    require(code == 1 && whole, || format!("exit code {code}, not told who and since when\n{all}"))
}
