//! The order service as its customers see it, and proof that our own processes did the work.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::stand::Stand;
use crate::failure::{Context, Result, require};
use crate::orders::{CARD, FAILS_ONCE, Orders, execution};
use crate::{http, natives, process};

/// How long an order without crashes may take; it takes a second or two.
const SOON: Duration = Duration::from_secs(30);

/// From order to receipt: every step by a process that executes exactly the bootstrap of our artifact.
pub(super) fn receipt(stand: &Stand<'_>) -> Result<()> {
    let (terraform, orders) = stand.orders()?;
    orders.place("first", CARD)?;
    orders.paid("first", SOON)?;
    orders.ship("first")?;
    let receipt = orders.receipt("first", SOON)?;
    let charges = stand.site.gateway.charges_for("\"first\"")?;
    require(charges.len() == 1 && charges[0]["calls"] == 1, || {
        format!("not one charge by one call: {charges:?}")
    })?;
    let wanted = json!({
        "id": "first", "payment": charges[0]["id"], "amount_cents": 1999,
        "status": { "state": "shipped", "tracking": "parcel-first" },
    });
    require(receipt == wanted, || format!("receipt {receipt}, not {wanted}"))?;
    let _ = terraform;
    native(stand)
}

/// Each function that took part has processes of its own, and they execute the bootstrap of the artifact.
fn native(stand: &Stand<'_>) -> Result<()> {
    let bootstrap = stand.cloud().bootstrap(stand.site.artifact("orders")?)?;
    let natives = natives::all(&stand.site.emulator)?;
    let took_part: BTreeSet<_> = natives.iter().map(|native| native.function.as_str()).collect();
    for function in
        ["command-placeOrder", "command-shipOrder", "command-getOrder", "orchestrator", "task-processPayment"]
    {
        let name = format!("orders-{function}");
        require(took_part.contains(name.as_str()), || format!("no process of {name}: {natives:?}"))?;
    }
    for native in natives.iter().filter(|native| native.function.starts_with("orders-")) {
        let executes = natives::executes(native)?;
        require(executes == bootstrap, || format!("{native:?} executes {executes}, not our {bootstrap}"))?;
    }
    Ok(())
}

/// The first attempt fails, the second has the same key: one charge, two attempts in history.
pub(super) fn payment_fails_once(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    orders.place("fails-once", FAILS_ONCE)?;
    stand.site.gateway.refuse(0)?;
    orders.paid("fails-once", SOON)?;
    let history = orders.history("fails-once")?;
    let facts = history.iter().flat_map(|turn| turn["facts"].as_array().cloned().unwrap_or_default());
    let ended = facts.map(|fact| fact["taskDone"].clone()).filter(|done| !done.is_null());
    let ended: Vec<_> =
        ended.map(|done| (done["attempt"].clone(), done["outcome"]["succeeded"].is_object())).collect();
    let wanted = [(json!(1), false), (json!(2), true)];
    require(ended == wanted, || format!("not a failed and a good attempt: {history:?}"))?;

    // Another failure: the gateway itself refuses twice, as real ones do.
    stand.site.gateway.refuse(2)?;
    orders.place("gateway-down", CARD)?;
    orders.paid("gateway-down", SOON)?;
    for id in ["fails-once", "gateway-down"] {
        orders.ship(id)?;
        orders.receipt(id, SOON)?;
        one_charge(stand, id)?;
    }
    Ok(())
}

/// Exactly one charge of an order, whatever happened on the way.
pub(super) fn one_charge(stand: &Stand<'_>, id: &str) -> Result<Value> {
    let charges = stand.site.gateway.charges_for(&format!("\"{id}\""))?;
    require(charges.len() == 1, || format!("order {id} was charged {} times: {charges:?}", charges.len()))?;
    Ok(charges[0].clone())
}

/// Sent twice, an order is one order; other content under its id is refused and changes nothing.
pub(super) fn idempotent(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    orders.place("again", CARD)?;
    orders.place("again", CARD)?;
    let other = orders.post("again", "tok_other")?;
    require((400..500).contains(&other.status), || {
        format!("another order under the same id: {} {}", other.status, other.text)
    })?;
    require(other.text.contains("again"), || format!("the error does not name it: {}", other.text))?;
    orders.paid("again", SOON)?;
    orders.ship("again")?;
    orders.receipt("again", SOON)?;
    let charge = one_charge(stand, "again")?;
    require(charge["request"]["card"] == CARD, || format!("charged another card: {charge}"))
}

/// Nobody ships it: the durable timer decides.
pub(super) fn overdue(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    let order = json!({ "id": "late", "amount_cents": 5, "card": CARD, "ship_within_s": 3 });
    let answer = http::post(&format!("{}/rpc/placeOrder", orders.url), &order)?;
    require(answer.status == 200, || format!("by RPC: {} {}", answer.status, answer.text))?;
    let receipt = orders.receipt("late", SOON)?;
    require(receipt["status"]["state"] == "overdue", || format!("not overdue: {receipt}"))?;
    let times: Vec<u64> = orders.history("late")?.iter().filter_map(|turn| turn["time"].as_u64()).collect();
    let lasted = times.last().unwrap_or(&0) - times.first().unwrap_or(&0);
    require(lasted >= 3000, || format!("it waited {lasted} ms instead of 3 s"))
}

/// The schema refuses it with the path of what is wrong; no execution exists.
pub(super) fn invalid(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    for (body, path) in [
        (json!({ "id": "bad-1", "amount_cents": 0, "card": CARD }), "amount_cents"),
        (json!({ "id": "bad-1", "amount_cents": 5 }), "card"),
        (json!({ "id": "no spaces", "amount_cents": 5, "card": CARD }), "id"),
    ] {
        let answer = http::post(&format!("{}/orders", orders.url), &body)?;
        require(answer.status == 400 && answer.text.contains(path), || {
            format!("{body}: {} {}", answer.status, answer.text)
        })?;
    }
    let answer = http::get(&format!("{}/orders/bad-1", orders.url))?;
    require(answer.status == 404, || {
        format!("it was started all the same: {} {}", answer.status, answer.text)
    })
}

/// OrderCreated -> paid -> PaymentProcessed -> shipped -> OrderShipped -> the customer is told; no workflow takes part.
pub(super) fn choreography(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    let order = json!({ "id": "announced-1", "amount_cents": 700, "card": CARD });
    let answer = http::post(&format!("{}/announcements", orders.url), &order)?;
    require(answer.status == 200, || format!("announcing: {} {}", answer.status, answer.text))?;
    let group = "/aws/lambda/orders-subscription-notifyCustomer";
    process::wait_for("the customer was not told", SOON, || {
        let lines = stand.cloud().logs(group)?;
        Ok(lines
            .iter()
            .any(|line| line.contains("announced-1") && line.contains("parcel-announced-1"))
            .then_some(()))
    })?;
    one_charge(stand, "announced-1").map(drop)
}

/// The door for operators and outside clients.
pub(super) fn system(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    let input = json!({ "id": "by-operator", "amount_cents": 12, "card": CARD });
    let start = json!({ "op": "start", "workflow": "processOrder", "name": "by-operator", "input": input });
    let started = orders.system(&start)?;
    require(started["execution"] == execution("by-operator"), || format!("start: {started}"))?;
    orders.paid("by-operator", SOON)?;
    let signal = json!({
        "op": "signal", "execution": execution("by-operator"), "signal": "orderShipped",
        "payload": { "tracking": "by hand" },
    });
    orders.system(&signal)?;
    let receipt = orders.receipt("by-operator", SOON)?;
    require(receipt["status"]["tracking"] == "by hand", || format!("receipt {receipt}"))?;
    let got = orders.system(&json!({ "op": "get", "execution": execution("by-operator") }))?;
    require(got["status"] == "succeeded" && got["result"] == receipt, || format!("get: {got}"))?;
    listed(&orders, "by-operator")
}

/// The index is eventually consistent: the execution is among the succeeded ones soon.
fn listed(orders: &Orders<'_>, id: &str) -> Result<()> {
    let query = json!({ "op": "list", "workflow": "processOrder", "status": "succeeded" });
    process::wait_for("the execution is not listed", SOON, || {
        let page = orders.system(&query)?;
        let executions = page["executions"].as_array().cloned().context(format!("list: {page}"))?;
        let all = executions.iter().all(|each| each["status"] == "succeeded");
        require(all, || format!("others are listed: {page}"))?;
        Ok(executions.iter().any(|each| each["execution"] == execution(id)).then_some(()))
    })
}
