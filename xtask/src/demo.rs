//! `cargo xtask demo`: the order service from nothing to nothing, on the emulated AWS, with what happened on the way. Deliberately
//! uses what a user would use: Terraform or OpenTofu, the URL, the system function.

mod story;

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::builds::Client;
use crate::failure::{Context, Result, require};
use crate::orders::{FAILS_ONCE, Orders, execution};
use crate::places::Places;
use crate::prerequisites;
use crate::site::{Site, Wish};
use crate::terraform::Terraform;

const RESOURCE: &str = "eventual_service.orders";
const PATIENCE: Duration = Duration::from_secs(60);

/// The options of `cargo xtask demo`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leaves everything running at the end, and prints how to use and how to end it.
    #[arg(long)]
    keep: bool,
    /// Who drives the provider.
    #[arg(long, value_enum, default_value = "terraform")]
    bin: Client,
    /// Takes provider and artifact as the last build left them.
    #[arg(long)]
    no_build: bool,
    /// Prints what builds and Terraform print, as it comes.
    #[arg(long, short)]
    verbose: bool,
}

/// Prints each step with its time.
struct Narrator {
    started: Instant,
    last: Instant,
    open: Option<String>,
}

impl Narrator {
    fn new() -> Self {
        Self { started: Instant::now(), last: Instant::now(), open: None }
    }

    /// Ends the step before, if one is open, and begins `step`.
    fn begin(&mut self, step: &str) {
        self.end("");
        self.open = Some(step.to_owned());
        self.last = Instant::now();
    }

    /// Ends the open step with its time and `result`.
    fn end(&mut self, result: &str) {
        if let Some(step) = self.open.take() {
            let arrow = if result.is_empty() { "" } else { " -> " };
            println!("{:>7.1} s  {step}{arrow}{result}", self.last.elapsed().as_secs_f64());
        }
    }

    /// A whole step: begins it, does it, ends it with what it answers.
    fn step<T>(&mut self, step: &str, work: impl FnOnce() -> Result<(T, String)>) -> Result<T> {
        self.begin(step);
        let (value, result) = work().context(step)?;
        self.end(&result);
        Ok(value)
    }
}

/// Runs the demo.
pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    // Everything that may be missing is said before anything is built.
    prerequisites::for_emulator()?;
    options.bin.check(places)?;
    let mut tell = Narrator::new();
    println!("The order service on an emulated AWS, deployed by {}. Ctrl-C cleans up.\n", options.bin.name());
    let wish = Wish {
        client: options.bin,
        services: &["orders"],
        outlives: options.keep,
        echo: options.verbose,
        built: options.no_build,
    };
    let site = Site::open(places, wish, |step| tell.begin(step))?;
    tell.end("");
    let before = site.cloud().inventory()?;
    let terraform = site.terraform("orders", "examples/orders/terraform")?;
    let orders = deploy(&site, &terraform, &mut tell)?;
    one_order(&site, &orders, &mut tell)?;
    apply_again(&site, &terraform, &mut tell)?;
    if options.keep {
        let url = orders.url;
        return keep(site, &terraform, &url);
    }
    tell.step("destroy", || Ok((terraform.destroy()?, String::new())))?;
    tell.step("look for what is left, in every service of the account", || {
        let left = site.cloud().left_since(&before)?;
        require(left.is_empty(), || format!("something is left: {}", left.join(", ")))?;
        Ok(((), "nothing".into()))
    })?;
    println!("\nIt all took {:.0} s.", tell.started.elapsed().as_secs_f64());
    Ok(())
}

fn deploy<'a>(site: &'a Site, terraform: &Terraform, tell: &mut Narrator) -> Result<Orders<'a>> {
    set_variables(site, terraform, 256)?;
    let state = tell.step("apply", || {
        terraform.apply()?;
        let state = terraform.state(RESOURCE)?;
        let count = state["resources"].as_object().map_or(0, serde_json::Map::len);
        let url = state["url"].as_str().unwrap_or_default().to_owned();
        Ok((state, format!("{count} AWS resources, {url}")))
    })?;
    let url = state["url"].as_str().context("the service has no URL")?.to_owned();
    Ok(Orders { url, name: "orders".into(), emulator: &site.emulator })
}

fn set_variables(site: &Site, terraform: &Terraform, payment_memory_mb: u32) -> Result<()> {
    terraform.variables(&json!({
        "artifact": site.artifact("orders")?,
        "payments_url": site.gateway.url(),
        "payment_memory_mb": payment_memory_mb,
    }))
}

/// One order from its placing to its receipt, the first attempt of its payment failing.
fn one_order(site: &Site, orders: &Orders<'_>, tell: &mut Narrator) -> Result<()> {
    let id = "demo-1";
    tell.step("POST /orders", || Ok((orders.place(id, FAILS_ONCE)?, format!("order {id} is accepted"))))?;
    tell.step("the workflow charges the card; its first attempt fails, as asked", || {
        orders.paid(id, PATIENCE)?;
        let charges = site.gateway.charges_for(id)?;
        require(charges.len() == 1, || format!("not exactly one payment: {charges:?}"))?;
        Ok(((), format!("one payment, {}", charges[0]["id"])))
    })?;
    tell.step("POST /orders/demo-1/shipment", || Ok((orders.ship(id)?, "the signal is sent".into())))?;
    let receipt = tell.step("GET /orders/demo-1, until the workflow has finished", || {
        let receipt = orders.receipt(id, PATIENCE)?;
        let words = format!("receipt {receipt}");
        Ok((receipt, words))
    })?;
    require(receipt["status"]["tracking"] == "parcel-demo-1", || format!("not our parcel: {receipt}"))?;
    println!("\nHistory of {}:", execution(id));
    story::history(&orders.history(id)?);
    println!("\nFunctions that took part, each a process of its own:");
    story::functions(site, &orders.name)?;
    println!("\nQueues:");
    story::queues(&site.cloud().queues(&orders.name)?);
    println!();
    Ok(())
}

fn apply_again(site: &Site, terraform: &Terraform, tell: &mut Narrator) -> Result<()> {
    tell.step("apply again", || {
        let done = terraform.apply()?;
        require(done.stdout.contains("0 added, 0 changed, 0 destroyed"), || {
            format!("something changed\n{}", done.all)
        })?;
        Ok(((), "no changes".into()))
    })?;
    let before = site.cloud().functions("orders")?;
    set_variables(site, terraform, 512)?;
    tell.step("change one override (memory of processPayment) and apply", || {
        terraform.apply()?;
        let changed = changed(&before, &site.cloud().functions("orders")?);
        require(changed == ["orders-task-processPayment"], || format!("changed: {changed:?}"))?;
        Ok(((), "changed orders-task-processPayment, no other function".into()))
    })
}

/// Names of the functions that are not as they were.
pub(crate) fn changed(before: &[Value], after: &[Value]) -> Vec<String> {
    let other = |each: &&Value| !before.contains(each);
    after.iter().filter(other).filter_map(|each| each["name"].as_str().map(str::to_owned)).collect()
}

fn keep(site: Site, terraform: &Terraform, url: &str) -> Result<()> {
    println!("\nEverything is left running. In another shell:\n");
    for (name, value) in terraform.environment() {
        println!("  export {name}={value}");
    }
    let shown = terraform.program().display();
    println!("  cd {} && {shown} plan", terraform.folder().display());
    println!(
        "  curl -H 'content-type: application/json' -d '{{\"id\":\"mine\",\"amount_cents\":100,\"card\":\"tok_visa\"}}' {url}/orders"
    );
    println!("  curl {url}/orders/mine");
    println!(
        "  curl -H 'content-type: application/json' -d '{{\"tracking\":\"parcel-1\"}}' {url}/orders/mine/shipment"
    );
    println!("\nThis ends it:\n");
    for line in site.keep() {
        println!("  {line}");
    }
    Ok(())
}
