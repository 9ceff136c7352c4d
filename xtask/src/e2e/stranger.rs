//! A service that shares nothing with the other example but the crates: twelve commands, nested types, enums, optional fields,
//! generics in results, a workflow with a loop and `join!`.

use std::time::Duration;

use serde_json::{Value, json};

use super::stand::Stand;
use crate::failure::{Context, Result, require};
use crate::http;
use crate::process;
use crate::terraform::Terraform;

const SOON: Duration = Duration::from_secs(60);
const CONFIGURATION: &str = "examples/warehouse/terraform";

/// Deploys it, calls every command, lets a workflow run to its end, destroys it.
pub(super) fn runs(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.site.terraform("warehouse", CONFIGURATION)?;
    terraform.variables(&json!({ "artifact": stand.site.artifact("warehouse")? }))?;
    terraform.apply()?;
    let worked = works(&terraform);
    terraform.destroy()?;
    worked?;
    let left: Vec<_> = stand.left()?.into_iter().filter(|each| each.contains("warehouse")).collect();
    require(left.is_empty(), || format!("left: {left:?}"))
}

fn works(terraform: &Terraform) -> Result<()> {
    let state = terraform.state("eventual_service.warehouse")?;
    let url = state["url"].as_str().context("the service has no URL")?;
    plain_commands(url)?;
    falsy_results(url)?;
    errors(url)?;
    workflow(url)?;
    terraform.require_no_changes()
}

fn call(url: &str, command: &str, input: &Value) -> Result<http::Answer> {
    http::post(&format!("{url}/rpc/{command}"), input)
}

/// Calls a command and compares its answer.
fn expect(url: &str, command: &str, input: &Value, wanted: &Value) -> Result<()> {
    let answer = call(url, command, input)?;
    let right = answer.status == 200 && answer.json() == *wanted;
    require(right, || format!("{command} {input}: {} {}, not {wanted}", answer.status, answer.text))
}

fn plain_commands(url: &str) -> Result<()> {
    let size = json!({ "width_mm": 400, "height_mm": 300, "depth_mm": 200 });
    let item = json!({ "sku": "A-1", "size": size, "kind": { "type": "frozen", "celsius": -18 } });
    expect(
        url,
        "describeItem",
        &item,
        &json!({ "sku": "A-1", "litres": 24, "label": "frozen at -18", "note": null }),
    )?;
    let noted = json!({ "sku": "A-2", "size": size, "kind": { "type": "dry" }, "note": "fragile" });
    expect(
        url,
        "describeItem",
        &noted,
        &json!({ "sku": "A-2", "litres": 24, "label": "dry", "note": "fragile" }),
    )?;
    let page =
        json!({ "items": [{ "aisle": "A", "level": 1 }, { "aisle": "A", "level": 2 }], "next": "A-3" });
    expect(url, "listShelves", &json!({ "aisle": "A", "limit": 2 }), &page)?;
    expect(url, "convertWeight", &json!({ "value": 2, "from": "kilogram", "to": "gram" }), &json!(2000))?;
    expect(url, "addUp", &json!([1, 2, 3]), &json!(6))?;
    let answer = http::get(&format!("{url}/shelves/B?limit=1"))?;
    require(answer.json()["items"][0]["aisle"] == "B", || {
        format!("GET /shelves/B: {} {}", answer.status, answer.text)
    })
}

/// 0, "", false, null and [] arrive as they are.
fn falsy_results(url: &str) -> Result<()> {
    expect(url, "addUp", &json!([]), &json!(0))?;
    expect(url, "trimNote", &json!("   "), &json!(""))?;
    expect(url, "isHazardous", &json!({ "type": "dry" }), &json!(false))?;
    expect(url, "findNote", &json!("nobody"), &json!(null))?;
    expect(url, "expired", &json!({ "before_day": 0 }), &json!([]))?;
    expect(url, "forget", &json!("anything"), &json!(null))
}

fn errors(url: &str) -> Result<()> {
    let answer = call(url, "convertWeight", &json!({ "value": -1, "from": "gram", "to": "gram" }))?;
    require(answer.status == 422, || format!("a declared error: {} {}", answer.status, answer.text))?;
    let answer = call(url, "convertWeight", &json!({ "value": 1, "from": "stone", "to": "gram" }))?;
    require(answer.status == 400, || format!("an unknown unit: {} {}", answer.status, answer.text))?;
    let answer = call(url, "refuseDelivery", &json!({ "id": "d-9" }))?;
    require(answer.status == 409 && answer.text.contains("d-9"), || {
        format!("a conflict: {} {}", answer.status, answer.text)
    })?;
    let answer = call(url, "nobody", &json!({}))?;
    require(answer.status == 404, || format!("an unknown command: {} {}", answer.status, answer.text))
}

fn workflow(url: &str) -> Result<()> {
    let pallets = json!([{ "sku": "A", "boxes": 3 }, { "sku": "B", "boxes": 0 }, { "sku": "C", "boxes": 5 }]);
    let answer = call(url, "receiveDelivery", &json!({ "id": "d-1", "pallets": pallets }))?;
    require(answer.status == 200, || format!("receiveDelivery: {} {}", answer.status, answer.text))?;
    let report = process::wait_for("the delivery is not stowed", SOON, || {
        let answer = http::get(&format!("{url}/deliveries/d-1"))?;
        require(answer.status == 200, || format!("GET /deliveries/d-1: {} {}", answer.status, answer.text))?;
        let view = answer.json();
        Ok((view["status"] != "running").then_some(view))
    })?;
    let wanted = json!([
        { "sku": "A", "grams": 3000, "label": "A x 3" },
        { "sku": "B", "grams": 0, "label": "B x 0" },
        { "sku": "C", "grams": 5000, "label": "C x 5" },
    ]);
    require(report["report"]["stowed"] == wanted && report["report"]["total_grams"] == 8000, || {
        format!("report {report}")
    })
}
