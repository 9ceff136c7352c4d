//! OpenTofu as the second client of the provider, with the module that `cargo eventual sdk` generates as its configuration: the life of
//! the order service in short, with what OpenTofu does by code of its own: write-only values, functions, import, look-up, ephemeral
//! credentials. What Terraform's scenarios prove in detail is not proved again.

use std::process::Command;

use serde_json::{Value, json};

use crate::builds::Client;
use crate::e2e::surface::{looks_up_and_lends, not_in_state};
use crate::failure::{Context, Result, require};
use crate::http;
use crate::places::Places;
use crate::process::{self, Terms};
use crate::site::{Site, Wish};
use crate::suite::{Options, Outcome};

/// The resource of the generated module.
const SERVICE: &str = "eventual_service.this";

/// A function of the provider.
const DECLARED: &str =
    "output \"declared\" {\n  value = provider::eventual::manifest(var.artifact).commands\n}\n";

/// A value that only the functions may have.
const SECRET: &str = "hunter2-of-tofu";

/// Validate, plan, apply, call, second plan, lose the state and import, look up and lend, destroy.
pub(super) fn run(places: &Places, options: &Options) -> Result<Outcome> {
    let wish = Wish {
        client: Client::Tofu,
        services: &["orders"],
        outlives: false,
        echo: options.verbose,
        built: options.no_build,
    };
    let site = Site::open(places, wish, |_| ())?;
    let before = site.cloud().inventory()?;
    let module = site.folder("module")?;
    let artifact = site.artifact("orders")?;
    let mut generate = Command::new(places.target.join("debug/cargo-eventual"));
    generate
        .args(["eventual", "sdk", "--lang", "terraform", "--artifact"])
        .arg(artifact)
        .arg("--out")
        .arg(&module);
    process::run(&mut generate, Terms::seconds(60))?.success("cargo eventual sdk --lang terraform")?;
    let configuration = module.to_str().context("a folder whose name is no text")?;
    let tofu = site.terraform("orders", configuration)?;
    let payments = json!({ "environment": { "PAYMENTS_URL": site.gateway.url() } });
    tofu.variables(&json!({
        "artifact": artifact,
        "task_process_payment": { "memory_mb": 256, "environment": payments["environment"] },
        "subscription_pay_announced": payments,
        "force_destroy": true,
    }))?;
    let hidden = json!({ "environment_wo": { "TOKEN": SECRET }, "environment_wo_version": "1" });
    tofu.amend("this", &hidden)?;
    tofu.write("declared.tf", DECLARED)?;
    tofu.succeed(&["validate", "-no-color"])?;
    require(tofu.has_changes()?, || "the first plan is empty".into())?;
    tofu.apply()?;
    let state = tofu.state(SERVICE)?;
    let url = state["url"].as_str().context("the service has no URL")?;
    let answer = http::get(&format!("{url}/orders/nobody"))?;
    require(answer.status == 404, || {
        format!("GET of an order that is not: {} {}", answer.status, answer.text)
    })?;
    let outputs = tofu.succeed(&["output", "-json", "commands"])?.stdout;
    let commands: Value = serde_json::from_str(&outputs).context("tofu output -json")?;
    let arn = commands["getOrder"]["function_arn"].as_str().unwrap_or_default();
    let right =
        arn.contains("command-getOrder") && commands["getOrder"]["url"] == format!("{url}/orders/{{id}}");
    require(right, || format!("the module's output `commands`: {commands}"))?;
    tofu.require_no_changes()?;
    not_in_state(&tofu, SECRET)?;
    let functions = site.cloud().functions("orders")?;
    let given = functions.iter().filter(|each| each["environment"]["TOKEN"] == SECRET).count();
    require(given > 3, || format!("the functions do not have it: {functions:?}"))?;
    let declared = tofu.succeed(&["output", "-json", "declared"])?.stdout;
    require(declared.contains("placeOrder"), || declared.clone())?;
    tofu.amend("this", &json!(null))?;
    tofu.apply()?;
    tofu.succeed(&["state", "rm", "-no-color", SERVICE])?;
    tofu.succeed(&["import", "-input=false", "-no-color", SERVICE, "orders"])?;
    tofu.require_no_changes()?;
    looks_up_and_lends(&tofu, SERVICE)?;
    tofu.destroy()?;
    let left = site.cloud().left_since(&before)?;
    require(left.is_empty(), || format!("left: {left:?}"))?;
    Ok(Outcome::success())
}
