//! An order pipeline, built both ways: `placeOrder` has a workflow conduct it, `createOrder` lets events carry it along.

mod payments;
mod types;

use std::time::Duration;

use eventual::{Ctx, Execution, State};
use futures_util::select;

pub use payments::{PaymentError, Payments};
pub use types::{
    Charge, Flow, OrderCreated, OrderError, OrderRef, OrderShipped, OrderView, PaymentProcessed, PlaceOrder,
    Placed, Receipt, Ship, Shipment, Status, StatusUpdate,
};

// --- orchestration: one durable function conducts the order -----------------------------------------------------------

/// Places an order. The same order again is the same order; another one under its id is refused.
#[eventual::command(method = POST, path = "/orders", uses(process_order))]
pub async fn place_order(order: PlaceOrder) -> Result<Placed, OrderError> {
    let id = order.id.clone();
    let execution = process_order(order).start_as(&id).await?;
    Ok(Placed { id, execution: execution.id().to_owned() })
}

/// Shows where an order stands, and its receipt once there is one.
#[eventual::command(method = GET, path = "/orders/{id}", uses(process_order))]
pub async fn get_order(order: OrderRef) -> Result<OrderView, OrderError> {
    let execution: Execution = process_order::execution(&order.id)?;
    let state = execution.describe().await?;
    Ok(OrderView { id: order.id, status: state.status().to_owned(), receipt: state.result()? })
}

/// Tells a waiting order that its parcel has left.
#[eventual::command(method = POST, path = "/orders/{id}/shipment", uses(Shipment, OrderShipped))]
pub async fn ship_order(ship: Ship) -> Result<Placed, OrderError> {
    let execution: Execution = process_order::execution(&ship.id)?;
    Shipment { tracking: ship.tracking.clone() }.send(&execution).await?;
    OrderShipped { id: ship.id.clone(), tracking: ship.tracking }.emit().await?;
    Ok(Placed { id: ship.id, execution: execution.id().to_owned() })
}

/// Takes the payment, waits for the parcel to leave or for patience to end, and writes the receipt.
#[eventual::workflow]
pub async fn process_order(order: PlaceOrder) -> Result<Receipt, OrderError> {
    let payment = process_payment(Charge::of(&order)).await?;
    let flow = Flow::Orchestrated;
    PaymentProcessed { id: order.id.clone(), payment: payment.clone(), flow }.emit().await?;

    let status = select! {
        shipment = Shipment::next() => Status::Shipped { tracking: shipment?.tracking },
        _ = eventual::sleep(Duration::from_secs(order.ship_within_s)) => Status::Overdue,
    };
    let status = update_order_status(StatusUpdate { id: order.id.clone(), status }).await?;
    Ok(Receipt { id: order.id, payment, amount_cents: order.amount_cents, status })
}

/// Charges the card, once however often it is attempted: the gateway honours the idempotency key.
#[eventual::task(timeout = "5s", retry(attempts = 5, initial = "1s", backoff = 2.0, errors))]
pub async fn process_payment(
    charge: Charge,
    ctx: Ctx,
    payments: State<Payments>,
) -> Result<String, PaymentError> {
    payments.charge(&charge, ctx.idempotency_key(), ctx.attempt()).await
}

/// Notes the status of an order where people look for it: in the log.
#[eventual::task(inline)]
pub async fn update_order_status(update: StatusUpdate) -> Status {
    tracing::info!(order = update.id, status = ?update.status, "order has a new status");
    update.status
}

// --- choreography: each event is answered by whoever cares, and answers with the next ---------------------------------

/// Announces an order and leaves the rest to those who listen.
#[eventual::command(method = POST, path = "/announcements", uses(OrderCreated))]
pub async fn create_order(order: PlaceOrder) -> Result<OrderRef, OrderError> {
    let id = order.id.clone();
    OrderCreated { order }.emit().await?;
    Ok(OrderRef { id })
}

/// Pays an announced order.
#[eventual::subscription(uses(PaymentProcessed))]
pub async fn pay_announced(event: OrderCreated, payments: State<Payments>) -> Result<(), OrderError> {
    let charge = Charge::of(&event.order);
    let payment = payments.charge(&charge, &format!("announced/{}", charge.id), 1).await?;
    PaymentProcessed { id: charge.id, payment, flow: Flow::Choreographed }.emit().await?;
    Ok(())
}

/// Ships a paid order that no workflow conducts.
#[eventual::subscription(uses(OrderShipped))]
pub async fn ship_paid(event: PaymentProcessed) -> Result<(), OrderError> {
    if event.flow == Flow::Choreographed {
        OrderShipped { tracking: format!("parcel-{}", event.id), id: event.id }.emit().await?;
    }
    Ok(())
}

/// Tells the customer that the parcel has left.
#[eventual::subscription]
pub async fn notify_customer(event: OrderShipped) -> Result<(), OrderError> {
    tracing::info!(
        order = event.id,
        tracking = event.tracking,
        "the customer is told that the parcel has left"
    );
    Ok(())
}

/// Builds what the handlers share, once in each process that needs it.
///
/// # Errors
/// When the gateway's address is none.
pub async fn init() -> Result<Payments, PaymentError> {
    Payments::from_env()
}

#[cfg(test)]
mod tests;
