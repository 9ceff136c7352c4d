//! What Terraform users do beside applying: import, look up, lend credentials, lose a state, configure another region.

use std::fs;

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

output "commands" {
  value = data.eventual_service.again.manifest.commands
}

output "same" {
  value = data.eventual_service.again.grants == eventual_service.orders.grants
}
"#;

/// The deployment `orders` in a state of its own, by another root module of the same configuration.
fn second(stand: &Stand<'_>) -> Result<Terraform> {
    stand.orders()?;
    let terraform = stand.site.terraform("second", ORDERS_TF)?;
    terraform.variables(&stand.variables("orders")?)?;
    terraform.amend("orders", &serde_json::json!({ "defaults": { "timeout": 5 } }))?;
    Ok(terraform)
}

/// Import, empty plan, look-up and credentials, another region, a state that lost it.
pub(super) fn beside_applying(stand: &Stand<'_>) -> Result<()> {
    let mut terraform = second(stand)?;
    let imported = terraform.succeed(&["import", "-input=false", "-no-color", ORDERS, "orders"])?;
    require(imported.all.contains("Import successful"), || imported.all.clone())?;
    terraform.require_no_changes()?;

    terraform.write("beside.tf", BESIDE)?;
    terraform.apply()?;
    let output = terraform.succeed(&["output", "-json"])?.stdout;
    require(output.contains("placeOrder") && output.contains("\"value\": true"), || output.clone())?;
    let token = fs::read_to_string(terraform.folder().join("token")).context("the token")?;
    let state = fs::read_to_string(terraform.folder().join("terraform.tfstate")).context("the state")?;
    require(token.len() > 10 && !state.contains(&token), || "the session token is in the state".into())?;
    fs::remove_file(terraform.folder().join("beside.tf")).context("beside.tf")?;

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

    terraform.succeed(&["state", "rm", "-no-color", ORDERS])?;
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
