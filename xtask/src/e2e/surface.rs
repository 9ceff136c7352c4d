//! What Terraform users do beside applying: import, look up, lend credentials, lose a state, configure another region.

use std::fs;

use serde_json::{Value, json};

use super::stand::{ORDERS, ORDERS_TF, Stand};
use crate::emulator::REGION;
use crate::failure::{Context, Result, require};
use crate::terraform::Terraform;

/// Looks the service up, and runs a command with credentials that are in no state.
const BESIDE: &str = r#"
data "eventual_service" "again" {
  name = eventual_service.orders.name
}

ephemeral "eventual_service_credentials" "caller" {
  service     = data.eventual_service.again.name
  permissions = ["start_execution"]
}

resource "terraform_data" "caller" {
  provisioner "local-exec" {
    command = "test -n \"$TOKEN\" && test -n \"$SYSTEM\" && printf %s \"$TOKEN\" > token"
    environment = {
      TOKEN  = ephemeral.eventual_service_credentials.caller.session_token
      SYSTEM = ephemeral.eventual_service_credentials.caller.system_function_arn
    }
  }
}

output "looked_up" {
  value = data.eventual_service.again.manifest.commands
}

output "same" {
  value = data.eventual_service.again.grants == eventual_service.orders.grants
}
"#;

/// A configuration that only imports.
const IMPORT: &str = r#"
terraform {
  required_providers {
    eventual = { source = "eventual/eventual" }
  }
}

import {
  to = eventual_service.orders
  id = "orders"
}
"#;

/// Something of another kind that is to become the service.
const MOVED: &str = "moved {\n  from = terraform_data.caller\n  to   = eventual_service.orders\n}\n";

/// Makes the state what a release before schema version 1 would have written.
fn as_earlier_release(terraform: &Terraform) -> Result<()> {
    let file = terraform.folder().join("terraform.tfstate");
    let text = fs::read_to_string(&file).context("the state")?;
    let mut state: Value = serde_json::from_str(&text).context("the state")?;
    let resources = state["resources"].as_array_mut().context("no resources")?;
    let found =
        resources.iter_mut().find(|each| each["type"] == "eventual_service" && each["mode"] == "managed");
    let instance = &mut found.context("no service in the state")?["instances"][0];
    require(instance["schema_version"] == 1, || format!("not of version 1: {}", instance["schema_version"]))?;
    instance["schema_version"] = json!(0);
    let attributes = instance["attributes"].as_object_mut().context("no attributes")?;
    for name in ["account_id", "region", "environment_wo", "environment_wo_version"] {
        attributes.remove(name);
    }
    fs::write(&file, state.to_string()).context("the state")
}

/// The deployment `orders` in a state of its own, by another root module of the same configuration.
fn second(stand: &Stand<'_>) -> Result<Terraform> {
    stand.orders()?;
    let terraform = stand.site.terraform("second", ORDERS_TF)?;
    terraform.variables(&stand.variables("orders")?)?;
    terraform.amend("orders", &json!({ "defaults": { "timeout": 5 } }))?;
    Ok(terraform)
}

/// The data source knows what the resource knows, and credentials reach a command and no state.
pub(crate) fn looks_up_and_lends(terraform: &Terraform, service: &str) -> Result<()> {
    terraform.write("beside.tf", &BESIDE.replace(ORDERS, service))?;
    terraform.apply()?;
    let output = terraform.succeed(&["output", "-json"])?.stdout;
    require(output.contains("placeOrder") && output.contains("\"value\": true"), || output.clone())?;
    let token = fs::read_to_string(terraform.folder().join("token")).context("the token")?;
    require(token.len() > 10, || format!("{token:?} is no token"))?;
    not_in_state(terraform, &token)
}

/// A text that must not be in the state is not.
pub(crate) fn not_in_state(terraform: &Terraform, secret: &str) -> Result<()> {
    let state = fs::read_to_string(terraform.folder().join("terraform.tfstate")).context("the state")?;
    require(!state.contains(secret), || "the state holds what it must not".into())
}

/// An import without a configuration: Terraform writes one, and planning it changes nothing.
fn generated(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.site.terraform("generated", ORDERS_TF)?;
    for file in ["main.tf", "orders.tftest.hcl"] {
        let file = terraform.folder().join(file);
        if file.exists() {
            fs::remove_file(&file).context(file.display())?;
        }
    }
    terraform.write("import.tf", IMPORT)?;
    for arguments in [&["-generate-config-out=generated.tf"][..], &[]] {
        let planned = terraform.succeed(&[&["plan", "-input=false", "-no-color"], arguments].concat())?;
        let only = planned.all.contains("1 to import, 0 to add, 0 to change, 0 to destroy");
        require(only, || planned.all.clone())?;
    }
    Ok(())
}

/// Import, empty plan, look-up and credentials, another region, a state of an earlier release, a state that lost it.
pub(super) fn beside_applying(stand: &Stand<'_>) -> Result<()> {
    let mut terraform = second(stand)?;
    let imported = terraform.succeed(&["import", "-input=false", "-no-color", ORDERS, "orders"])?;
    require(imported.all.contains("Import successful"), || imported.all.clone())?;
    terraform.require_no_changes()?;

    looks_up_and_lends(&terraform, ORDERS)?;
    generated(stand)?;

    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        terraform.set(name, "eu-west-1");
    }
    let elsewhere = terraform.run(&["plan", "-input=false", "-no-color"])?;
    require(
        elsewhere.code() == 1 && elsewhere.all.contains("lives elsewhere") && elsewhere.all.contains(REGION),
        || format!("exit code {}\n{}", elsewhere.code(), elsewhere.all),
    )?;
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        terraform.set(name, REGION);
    }

    as_earlier_release(&terraform)?;
    terraform.require_no_changes()?;

    fs::remove_file(terraform.folder().join("beside.tf")).context("beside.tf")?;
    terraform.succeed(&["state", "rm", "-no-color", ORDERS])?;
    terraform.write("moved.tf", MOVED)?;
    let moved = terraform.run(&["plan", "-input=false", "-no-color"])?;
    require(moved.code() == 1 && moved.all.contains("Cannot move"), || {
        format!("exit code {}\n{}", moved.code(), moved.all)
    })?;
    fs::remove_file(terraform.folder().join("moved.tf")).context("moved.tf")?;
    let refused = terraform.run(&["apply", "-auto-approve", "-input=false", "-no-color"])?;
    let says = refused.all.replace(['\n', '│'], " ");
    let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["is not in this state", "Terraform in ", "since 20", "import it"] {
        require(refused.code() == 1 && says.contains(words), || {
            format!("not said: {words}\n{}", refused.all)
        })?;
    }
    Ok(())
}
