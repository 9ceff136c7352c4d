//! What Terraform users do with a service over its life.

use serde_json::{Value, json};

use super::stand::{ORDERS, Stand};
use super::surface::not_in_state;
use crate::demo::changed;
use crate::failure::{Context, Result, require};

/// A value that only the functions may have.
const SECRET: &str = "hunter2-of-terraform";

/// `terraform providers schema -json` lists the resource with its attributes.
pub(super) fn schema(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("schema")?;
    let done = terraform.succeed(&["providers", "schema", "-json"])?;
    let schema: Value = serde_json::from_str(&done.stdout).context("providers schema -json")?;
    let providers = schema["provider_schemas"].as_object().context("no providers")?;
    let (_, ours) =
        providers.iter().find(|(name, _)| name.ends_with("eventual/eventual")).context("not ours")?;
    let attributes = &ours["resource_schemas"]["eventual_service"]["block"]["attributes"];
    for name in
        ["name", "artifact", "commands", "tasks", "url", "functions", "resources", "openapi_json", "grants"]
    {
        require(attributes[name].is_object(), || {
            format!("eventual_service has no attribute {name}: {attributes}")
        })?;
    }
    Ok(())
}

/// `terraform validate` says that the example is right, without an account.
pub(super) fn validate(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("validate")?;
    let done = terraform.run(&["validate", "-json"])?;
    let answer: Value = serde_json::from_str(&done.stdout).context("terraform validate -json")?;
    require(answer["valid"] == true && answer["error_count"] == 0, || format!("not valid: {answer:#}"))?;
    // What users copy should look as Terraform wants it to.
    terraform.succeed(&["fmt", "-check", "-diff"]).map(drop)
}

/// `commands = { plceOrder = ... }` is an error there that names `placeOrder`, and nothing is made.
pub(super) fn misspelt_override(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("misspelt")?;
    terraform.amend("orders", &json!({ "commands": { "plceOrder": { "memory_mb": 512 } } }))?;
    let done = terraform.run(&["plan", "-input=false", "-no-color"])?;
    require(done.code() == 1, || format!("plan accepted it\n{}", done.all))?;
    for words in ["plceOrder", "placeOrder"] {
        require(done.all.contains(words), || format!("the error does not say {words}\n{}", done.all))?;
    }
    let done = terraform.run(&["plan", "-input=false", "-json"])?;
    let diagnostics = done.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors: Vec<Value> =
        diagnostics.filter(|line| line["@level"] == "error").map(|line| line["diagnostic"].clone()).collect();
    // The snippet is how Terraform shows the attribute's path: the right file and block.
    let placed =
        errors.iter().any(|error| error["snippet"]["context"].to_string().contains("eventual_service"));
    require(errors.len() == 1 && placed, || format!("not one error at its place: {errors:#?}"))
}

/// Exit codes 2, 0, 0: something to do, done, nothing to do; and the same after `-replace`, which makes another life of it.
pub(super) fn plan_apply_plan(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("twice")?;
    let hidden = json!({ "TOKEN": SECRET });
    terraform.amend(
        "orders",
        &json!({ "defaults": { "timeout": 5 }, "environment_wo": hidden, "environment_wo_version": "1" }),
    )?;
    require(terraform.has_changes()?, || "the first plan is empty".into())?;
    terraform.succeed(&["plan", "-input=false", "-no-color", "-out=saved"])?;
    // Applying a saved plan fails when the provider's result differs from what it planned.
    terraform.succeed(&["apply", "-input=false", "-no-color", "saved"])?;
    terraform.require_no_changes()?;
    let plan = terraform.succeed(&["show", "-json", "saved"])?.stdout;
    let mut plan: Value = serde_json::from_str(&plan).context("terraform show -json")?;
    // What the user's file says, literally, is shown as it stands there.
    plan["configuration"] = Value::Null;
    require(!plan.to_string().contains(SECRET), || "the plan holds a write-only value".into())?;
    not_in_state(&terraform, SECRET)?;
    let functions = stand.cloud().functions("twice")?;
    let given = functions.iter().filter(|each| each["environment"]["TOKEN"] == SECRET).count();
    require(given > 3, || format!("the functions do not have it: {functions:?}"))?;
    let life = terraform.state(ORDERS)?["incarnation"].clone();
    terraform.succeed(&["apply", "-auto-approve", "-input=false", "-no-color", "-replace", ORDERS])?;
    require(terraform.state(ORDERS)?["incarnation"] != life, || "it is the one before -replace".into())?;
    terraform.require_no_changes()?;
    let destroyed = terraform.destroy()?.all;
    // Terraform breaks lines where it likes.
    let said = destroyed.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["Data may be deleted", "executions and their histories"] {
        require(said.contains(words), || format!("destroy does not say {words}\n{destroyed}"))?;
    }
    let left = stand.left()?;
    let left: Vec<_> = left.iter().filter(|each| each.contains("twice")).collect();
    require(left.is_empty(), || format!("destroy left {left:?}"))
}

/// A refresh of what nobody touched finds no difference. Deliberately judged by what Terraform says: its exit code with
/// `-detailed-exitcode` is 2 here although nothing differs (hashicorp/terraform issues 36403 and 37406).
pub(super) fn refresh_only(stand: &Stand<'_>) -> Result<()> {
    let (terraform, _) = stand.orders()?;
    let done = terraform.succeed(&["plan", "-refresh-only", "-input=false", "-no-color"])?;
    require(done.all.contains("No changes. Your infrastructure still matches"), || done.all.clone())
}

/// A change of one task's memory publishes one version, and touches no other function.
pub(super) fn one_override(stand: &Stand<'_>) -> Result<()> {
    let (terraform, _) = stand.orders()?;
    let before = stand.cloud().functions("orders")?;
    let mut variables = stand.variables("orders")?;
    variables["payment_memory_mb"] = json!(384);
    terraform.variables(&variables)?;
    terraform.apply()?;
    let after = stand.cloud().functions("orders")?;
    let names = changed(&before, &after);
    require(names == ["orders-task-processPayment"], || format!("changed: {names:?}"))?;
    let payment = after
        .iter()
        .find(|each| each["name"] == "orders-task-processPayment")
        .context("no payment function")?;
    require(payment["memory"] == 384, || format!("not changed: {payment}"))?;
    terraform.require_no_changes()
}

/// Somebody deletes a function by hand: the next plan sees it, the next apply makes it again.
pub(super) fn drift(stand: &Stand<'_>) -> Result<()> {
    let (terraform, orders) = stand.orders()?;
    stand.cloud().remove_function("orders-command-getOrder")?;
    require(terraform.has_changes()?, || "the plan does not see that a function is gone".into())?;
    terraform.apply()?;
    terraform.require_no_changes()?;
    // What calls it found it again.
    orders.place("after-drift", crate::orders::CARD)?;
    orders.view("after-drift").map(drop)
}

/// Destroying the service leaves nothing of it.
pub(super) fn destroy(stand: &Stand<'_>) -> Result<()> {
    let (terraform, _) = stand.orders()?;
    terraform.destroy()?;
    let left = stand.left()?;
    let left: Vec<_> = left.iter().filter(|each| each.contains("orders")).collect();
    require(left.is_empty(), || format!("left: {left:?}"))?;
    require(terraform.state(ORDERS).is_err(), || "the state still has it".into())
}

/// `terraform test` of the example passes.
pub(super) fn terraform_test(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("orders-test")?;
    let done = terraform.succeed(&["test", "-no-color"])?;
    require(done.all.contains("3 passed, 0 failed"), || done.all.clone())
}

/// After all scenarios the account is as it was before the first.
pub(super) fn nothing_left(stand: &Stand<'_>) -> Result<()> {
    let left = stand.left()?;
    require(left.is_empty(), || format!("left: {left:#?}"))
}
