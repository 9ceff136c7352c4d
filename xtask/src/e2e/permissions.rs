//! Least privilege, from its other side: each permission that is taken away breaks exactly the step that needs it. This also proves
//! that the emulator enforces IAM in all other scenarios.

use std::time::Duration;

use super::orders::one_charge;
use super::stand::Stand;
use crate::failure::{Context, Result, require};
use crate::http;
use crate::orders::{CARD, Orders};
use crate::process;

const EVENTUALLY: Duration = Duration::from_secs(60);

/// A permission of a function, and what stops working without it.
struct Case {
    function: &'static str,
    action: &'static str,
    /// Does what needs the permission, and fails if that works.
    breaks: fn(&Stand<'_>, &Orders<'_>, &str) -> Result<()>,
    /// Does what must work once the permission is back.
    heals: fn(&Stand<'_>, &Orders<'_>, &str) -> Result<()>,
}

const CASES: &[Case] = &[
    Case {
        function: "command-placeOrder",
        action: "dynamodb:PutItem",
        breaks: cannot_place,
        heals: can_place,
    },
    Case { function: "command-getOrder", action: "dynamodb:GetItem", breaks: cannot_look, heals: can_place },
    Case { function: "command-shipOrder", action: "sqs:SendMessage", breaks: cannot_ship, heals: can_ship },
    Case { function: "orchestrator", action: "lambda:InvokeFunction", breaks: is_not_paid, heals: can_ship },
    Case {
        function: "task-processPayment",
        action: "dynamodb:PutItem",
        breaks: is_not_claimed,
        heals: can_ship,
    },
];

/// Every case: works, breaks without the permission, works again with it.
pub(super) fn each_is_needed(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    for (number, case) in CASES.iter().enumerate() {
        let what = format!("{} without {}", case.function, case.action);
        let id = format!("permission-{number}");
        let functions = stand.cloud().functions(&orders.name)?;
        let name = format!("{}-{}", orders.name, case.function);
        let function =
            functions.iter().find(|each| each["name"] == name.as_str()).context(format!("no {name}"))?;
        let role = function["role"].as_str().context("no role")?;
        let before = stand.cloud().forbid(role, case.action).context(&what)?;
        let broke = (case.breaks)(stand, &orders, &id).context(&what);
        // Restored before the verdict: the other scenarios need it whatever came out.
        stand.cloud().permit(role, &before)?;
        broke?;
        (case.heals)(stand, &orders, &id).context(format!("{} with {} again", case.function, case.action))?;
    }
    Ok(())
}

fn refused(answer: &http::Answer) -> Result<()> {
    require(answer.status >= 500, || format!("it works all the same: {} {}", answer.status, answer.text))
}

fn cannot_place(_: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    refused(&orders.post(id, CARD)?)
}

fn can_place(stand: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    orders.place(id, CARD)?;
    can_ship(stand, orders, id)
}

fn cannot_look(_: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    refused(&http::get(&format!("{}/orders/{id}", orders.url))?)
}

fn cannot_ship(_: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    orders.place(id, CARD)?;
    orders.paid(id, EVENTUALLY)?;
    refused(&http::post(
        &format!("{}/orders/{id}/shipment", orders.url),
        &serde_json::json!({ "tracking": "x" }),
    )?)
}

fn can_ship(stand: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    orders.paid(id, EVENTUALLY)?;
    orders.ship(id)?;
    orders.receipt(id, EVENTUALLY)?;
    one_charge(stand, id).map(drop)
}

/// The function's log says that AWS refused, and the gateway has heard nothing of the order.
fn denied_in_log(stand: &Stand<'_>, orders: &Orders<'_>, function: &str, id: &str) -> Result<()> {
    let group = format!("/aws/lambda/{}-{function}", orders.name);
    process::wait_for(&format!("no refusal in {group}"), EVENTUALLY, || {
        let lines = stand.cloud().logs(&group)?;
        let refusal = |line: &String| {
            (line.contains("AccessDenied") || line.contains("not authorized")) && line.contains(id)
        };
        Ok(lines.iter().any(refusal).then_some(()))
    })?;
    let charges = stand.site.gateway.charges_for(&format!("\"{id}\""))?;
    require(charges.is_empty(), || format!("it was charged all the same: {charges:?}"))
}

fn is_not_paid(stand: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    orders.place(id, CARD)?;
    denied_in_log(stand, orders, "orchestrator", id)
}

fn is_not_claimed(stand: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    orders.place(id, CARD)?;
    denied_in_log(stand, orders, "task-processPayment", id)
}
