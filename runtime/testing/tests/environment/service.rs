//! The service that the tests drive: a shop.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use eventual::{CallError, Ctx, Failure, Result, State, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// What was charged, by idempotency key.
#[derive(Default)]
pub(crate) struct Ledger(pub(crate) Mutex<BTreeMap<String, u64>>);

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize, JsonSchema, Failure)]
pub(crate) enum ChargeError {
    #[error("declined: {reason}")]
    #[failure(status = 402)]
    Declined { reason: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Charge {
    pub(crate) account: String,
    pub(crate) cents: u64,
}

/// Charges once for each key.
#[eventual::task(timeout = "30s")]
pub(crate) async fn charge(charge: Charge, ctx: Ctx, ledger: State<Ledger>) -> Result<String, ChargeError> {
    ledger.0.lock().unwrap().insert(ctx.idempotency_key().to_owned(), charge.cents);
    Ok(format!("{} by {}", charge.cents, ctx.handler()))
}

/// Performed where the turn is taken.
#[eventual::task(inline)]
pub(crate) async fn note(text: String) -> String {
    text
}

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Go {}

#[eventual::event]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Bought {
    pub(crate) account: String,
}

/// Charges, notes, tells everybody.
#[eventual::workflow]
pub(crate) async fn buy(order: Charge) -> Result<String> {
    let receipt = charge(order.clone()).await?;
    let noted = note(receipt).await?;
    Bought { account: order.account }.emit().await?;
    Ok(noted)
}

/// Has a child buy, an hour long.
#[eventual::workflow]
pub(crate) async fn order_for(account: String) -> Result<String> {
    let bought = buy(Charge { account, cents: 7 }).timeout(Duration::from_secs(3_600)).await;
    match bought {
        Ok(receipt) => Ok(receipt),
        Err(CallError::Timeout) => Ok("too late".to_owned()),
        Err(error) => Err(error.into()),
    }
}

/// Charges and says how the charge ended.
#[eventual::workflow]
pub(crate) async fn say_how(order: Charge) -> String {
    match charge(order).await {
        Ok(receipt) => receipt,
        Err(CallError::Failed(ChargeError::Declined { reason })) => reason,
        Err(error) => format!("{error:?}"),
    }
}

#[eventual::workflow]
pub(crate) async fn wait_for_go() -> Result<()> {
    Go::next().await?;
    Ok(())
}

#[eventual::workflow]
pub(crate) async fn daily(days: u32) -> Result<u32> {
    for day in 0..days {
        note(format!("day {day}")).await?;
        eventual::sleep(DAY).await?;
    }
    Ok(days)
}

#[eventual::subscription]
pub(crate) async fn thank(event: Bought) -> Result<()> {
    if event.account == "nobody" {
        return Err(eventual::Error::new("NoAddress", "nobody to thank"));
    }
    Ok(())
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Search {
    pub(crate) shelf: u32,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
}

#[eventual::command(method = GET, path = "/shelves/{shelf}", auth = none)]
pub(crate) async fn search(search: Search) -> Search {
    search
}

#[eventual::command(method = POST, path = "/accounts/{account}/orders", auth = none, uses(buy))]
pub(crate) async fn place(order: Charge) -> Result<eventual::Execution, ChargeError> {
    if order.cents == 0 {
        return Err(ChargeError::Declined { reason: "for free".to_owned() });
    }
    let started = buy(order).start_as("placed").await;
    started.map_err(|error| ChargeError::Declined { reason: error.to_string() })
}

#[eventual::command(auth = jwt(issuer = "https://example.com", audience = ["shop"]))]
pub(crate) async fn whoami(user: User) -> String {
    user.subject().to_owned()
}

#[eventual::command(auth = none)]
pub(crate) async fn breaks() -> String {
    panic!("on purpose")
}
