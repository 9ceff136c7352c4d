//! The order service as its customers and operators use it: over its URL, and through its system function. Deliberately knows no more
//! than its public interface.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::emulator::Emulator;
use crate::failure::{Context, Result, require};
use crate::http::{self, Answer};
use crate::process;

/// A card that is charged at once.
pub(crate) const CARD: &str = "tok_visa";
/// A card whose first charge fails, so that a retry shows.
pub(crate) const FAILS_ONCE: &str = "tok_unavailable_once";

/// A deployed order service.
#[derive(Debug, Clone)]
pub(crate) struct Orders<'a> {
    /// Where it answers.
    pub(crate) url: String,
    /// The name of the deployment.
    pub(crate) name: String,
    /// The account that it runs in.
    pub(crate) emulator: &'a Emulator,
}

impl Orders<'_> {
    /// `POST /orders`, as it is answered.
    pub(crate) fn post(&self, id: &str, card: &str) -> Result<Answer> {
        http::post(&format!("{}/orders", self.url), &json!({ "id": id, "amount_cents": 1999, "card": card }))
    }

    /// Places an order.
    pub(crate) fn place(&self, id: &str, card: &str) -> Result<()> {
        accepted("placing the order", &self.post(id, card)?)
    }

    /// Tells an order that its parcel has left.
    pub(crate) fn ship(&self, id: &str) -> Result<()> {
        let tracking = json!({ "tracking": format!("parcel-{id}") });
        accepted("shipping the order", &http::post(&format!("{}/orders/{id}/shipment", self.url), &tracking)?)
    }

    /// Where an order stands: id, status, receipt.
    pub(crate) fn view(&self, id: &str) -> Result<Value> {
        let answer = http::get(&format!("{}/orders/{id}", self.url))?;
        accepted("looking at the order", &answer)?;
        Ok(answer.json())
    }

    /// Polls until an order has ended, and gives its last view.
    pub(crate) fn ended(&self, id: &str, limit: Duration) -> Result<Value> {
        process::wait_for(&format!("order {id} has not ended"), limit, || {
            let view = self.view(id).context("the last look")?;
            Ok((view["status"] != "running").then_some(view))
        })
        .map_err(|failure| self.explained(id, &failure))
    }

    /// Polls until an order ended well, and gives its receipt.
    pub(crate) fn receipt(&self, id: &str, limit: Duration) -> Result<Value> {
        let view = self.ended(id, limit)?;
        require(view["status"] == "succeeded", || {
            format!("order {id} ended otherwise: {view}\n{:#}", self.told(id))
        })?;
        Ok(view["receipt"].clone())
    }

    /// Polls until the payment of an order is in its history: then it waits for the parcel.
    pub(crate) fn paid(&self, id: &str, limit: Duration) -> Result<()> {
        process::wait_for(&format!("order {id} does not wait for its parcel"), limit, || {
            let history = self.history(id)?;
            let waits = history.iter().any(|turn| turn["calls"].to_string().contains("orderShipped"));
            Ok(waits.then_some(()))
        })
        .map_err(|failure| self.explained(id, &failure))
    }

    /// Asks the system function.
    pub(crate) fn system(&self, request: &Value) -> Result<Value> {
        Cloud::of(self.emulator).invoke(&format!("{}-system:live", self.name), request)
    }

    /// The turns of an order's execution.
    pub(crate) fn history(&self, id: &str) -> Result<Vec<Value>> {
        let answer = self.system(&json!({ "op": "history", "execution": execution(id) }))?;
        answer["turns"].as_array().cloned().context(format!("the history of {id}: {answer}"))
    }

    fn told(&self, id: &str) -> Value {
        self.history(id).map_or_else(|failure| json!(failure.to_string()), Value::Array)
    }

    /// A failure with what tells why: the history, the orchestrator's and the task's last lines.
    fn explained(&self, id: &str, failure: &crate::failure::Failure) -> crate::failure::Failure {
        let turns: Vec<_> = self.told(id).as_array().into_iter().flatten().map(Value::to_string).collect();
        let mut words = format!("{failure}\nhistory:\n    {}", turns.join("\n    "));
        for function in ["orchestrator", "task-processPayment", "timers", "relay"] {
            let group = format!("/aws/lambda/{}-{function}", self.name);
            let lines = Cloud::of(self.emulator).logs(&group).unwrap_or_default();
            let last = lines[lines.len().saturating_sub(15)..].join("\n    ");
            words.push_str(&format!("\n{group}:\n    {last}"));
        }
        crate::failure::Failure::new(words)
    }
}

/// The execution that conducts an order.
pub(crate) fn execution(id: &str) -> String {
    format!("processOrder/{id}")
}

fn accepted(what: &str, answer: &Answer) -> Result<()> {
    require((200..300).contains(&answer.status), || format!("{what}: {} {}", answer.status, answer.text))
}
