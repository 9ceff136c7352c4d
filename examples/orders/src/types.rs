//! What goes in and out of the service: its inputs, results, events, signals and errors.

use eventual::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::payments::PaymentError;

/// An order.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PlaceOrder {
    /// Chosen by the customer's device, so that sending twice orders once.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9-]+$"))]
    pub id: String,
    /// What it costs, in cents.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub amount_cents: u64,
    /// Token of the card. `tok_unavailable_once` makes the first attempt to charge it fail.
    #[schemars(length(min = 1))]
    pub card: String,
    /// Seconds after which an order that has not left is overdue.
    #[serde(default = "one_day")]
    pub ship_within_s: u64,
}

fn one_day() -> u64 {
    86_400
}

/// Names an order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrderRef {
    /// The order's id.
    pub id: String,
}

/// An accepted order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Placed {
    /// The order's id.
    pub id: String,
    /// The execution that conducts it.
    pub execution: String,
}

/// A parcel has left.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ship {
    /// The order's id.
    pub id: String,
    /// The carrier's number of the parcel.
    pub tracking: String,
}

/// Where an order stands.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrderView {
    /// The order's id.
    pub id: String,
    /// Status of its execution.
    pub status: String,
    /// What the customer gets at the end.
    pub receipt: Option<Receipt>,
}

/// What the customer gets at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The order's id.
    pub id: String,
    /// The gateway's id of the charge.
    pub payment: String,
    /// What was paid, in cents.
    pub amount_cents: u64,
    /// How the order ended.
    pub status: Status,
}

/// How far an order came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Status {
    /// It did not leave in time.
    Overdue,
    /// It left.
    Shipped {
        /// The carrier's number of the parcel.
        tracking: String,
    },
}

/// A new status of an order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatusUpdate {
    /// The order's id.
    pub id: String,
    /// Its status from now on.
    pub status: Status,
}

/// A charge to make.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Charge {
    /// The order's id.
    pub id: String,
    /// How much, in cents.
    pub amount_cents: u64,
    /// Token of the card.
    pub card: String,
}

impl Charge {
    /// The charge of an order.
    #[must_use]
    pub fn of(order: &PlaceOrder) -> Self {
        Self { id: order.id.clone(), amount_cents: order.amount_cents, card: order.card.clone() }
    }
}

/// Who carries an order along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Flow {
    /// The events.
    Choreographed,
    /// A workflow.
    Orchestrated,
}

/// An order was announced.
#[eventual::event]
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OrderCreated {
    /// The order.
    pub order: PlaceOrder,
}

/// An order was paid.
#[eventual::event]
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaymentProcessed {
    /// The order's id.
    pub id: String,
    /// The gateway's id of the charge.
    pub payment: String,
    /// Who carries the order along.
    pub flow: Flow,
}

/// A parcel left.
#[eventual::event]
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OrderShipped {
    /// The order's id.
    pub id: String,
    /// The carrier's number of the parcel.
    pub tracking: String,
}

/// Tells a waiting order that its parcel has left.
#[eventual::signal(name = "orderShipped")]
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Shipment {
    /// The carrier's number of the parcel.
    pub tracking: String,
}

/// Why an order could not be handled.
#[derive(Debug, thiserror::Error, Serialize, Deserialize, JsonSchema, Failure)]
pub enum OrderError {
    /// It could not be paid.
    #[error(transparent)]
    #[failure(status = 402)]
    Payment(#[from] PaymentError),
    /// Something that it called failed.
    #[error(transparent)]
    #[failure(call)]
    Call(eventual::Error),
}
