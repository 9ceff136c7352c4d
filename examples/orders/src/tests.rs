//! The pipeline without AWS and without waiting.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use eventual::States;
use eventual_testing::{TestEnvironment, explore};

use super::*;

fn environment() -> (TestEnvironment, Arc<Payments>) {
    let payments = Arc::new(Payments::sandbox());
    let mut states = States::default();
    states.insert(payments.clone());
    (TestEnvironment::with_states(eventual::service!(), states), payments)
}

fn order(card: &str) -> PlaceOrder {
    PlaceOrder { id: "o-1".into(), amount_cents: 4_200, card: card.into(), ship_within_s: 3_600 }
}

fn status(env: &TestEnvironment) -> OrderView {
    env.call(get_order(OrderRef { id: "o-1".into() })).unwrap()
}

#[test]
fn a_shipped_order_ends_with_a_receipt_and_one_payment_however_often_it_is_tried() {
    let (env, payments) = environment();
    let placed = env.call(place_order(order("tok_unavailable_once"))).unwrap();
    assert_eq!(env.call(place_order(order("tok_unavailable_once"))).unwrap().execution, placed.execution);
    env.advance(Duration::from_secs(2));
    assert_eq!(status(&env).receipt, None);

    env.call(ship_order(Ship { id: "o-1".into(), tracking: "t-9".into() })).unwrap();
    let receipt = status(&env).receipt.unwrap();
    assert_eq!(receipt.status, Status::Shipped { tracking: "t-9".into() });
    let [charged] = &payments.charges()[..] else { panic!("{:?}", payments.charges()) };
    assert!(charged.starts_with("processOrder/o-1#0@"), "one key for the call of this run: {charged}");
    assert_eq!(env.emitted::<PaymentProcessed>().len(), 1);
}

#[test]
fn an_order_that_does_not_leave_is_overdue() {
    let (env, _) = environment();
    let receipt = env.call(process_order(order("tok"))).unwrap();
    assert_eq!(receipt.status, Status::Overdue);
}

#[test]
fn another_order_under_the_same_id_and_a_free_order_are_refused() {
    let (env, _) = environment();
    env.call(place_order(order("tok"))).unwrap();
    let other = env.call(place_order(PlaceOrder { amount_cents: 1, ..order("tok") })).unwrap_err();
    assert!(other.to_string().contains("started before with another input"), "{other}");
    let free = env.call(place_order(PlaceOrder { amount_cents: 0, ..order("tok") })).unwrap_err();
    assert!(free.to_string().contains("amount_cents"), "{free}");
}

#[test]
fn events_carry_an_announced_order_along() {
    let (env, payments) = environment();
    env.call(create_order(order("tok"))).unwrap();
    assert_eq!(payments.charges(), ["announced/o-1"]);
    assert_eq!(env.emitted::<OrderShipped>()[0].tracking, "parcel-o-1");
}

#[test]
fn a_crash_anywhere_charges_once_and_ships_once() {
    let payments = RefCell::new(Arc::new(Payments::sandbox()));
    let fresh = || {
        let (env, fresh) = environment();
        payments.replace(fresh);
        env
    };
    let explored = explore(fresh, |env| {
        env.call(place_order(order("tok_unavailable_once"))).unwrap();
        env.advance(Duration::from_secs(60));
        env.call(ship_order(Ship { id: "o-1".into(), tracking: "t-9".into() })).unwrap();
        env.advance(Duration::from_secs(60));
        (status(env).receipt.map(|it| it.status), payments.borrow().charges())
    });
    assert!(explored.runs > 50, "{explored:?}");
}
