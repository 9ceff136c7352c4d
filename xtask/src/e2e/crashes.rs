//! Processes that die at the worst moments, by `kill -9`: there is still exactly one payment, and the receipt comes.

use std::time::{Duration, Instant};

use super::orders::one_charge;
use super::stand::Stand;
use crate::failure::{Failure, Result, require};
use crate::natives;
use crate::orders::{CARD, FAILS_ONCE, Orders};
use crate::process;

const ORCHESTRATOR: &str = "orders-orchestrator";
const PAYMENT: &str = "orders-task-processPayment";

/// A crash is noticed when the function's timeout of five seconds has passed; a few of them may follow each other.
const EVENTUALLY: Duration = Duration::from_secs(90);

/// Ends what lives of a function, and says so if nothing did: a crash test that kills nobody proves nothing.
fn kill(stand: &Stand<'_>, function: &str) -> Result<()> {
    natives::wait(&stand.site.emulator, function, Duration::from_secs(20))?;
    let killed = natives::kill(&stand.site.emulator, function)?;
    require(killed > 0, || format!("no process of {function} was there to be killed"))
}

/// Waits until the gateway has recorded the charge of an order.
fn charged(stand: &Stand<'_>, id: &str) -> Result<()> {
    process::wait_for(&format!("order {id} is not charged"), EVENTUALLY, || {
        Ok((!stand.site.gateway.charges_for(&format!("\"{id}\""))?.is_empty()).then_some(()))
    })
}

fn finish(stand: &Stand<'_>, orders: &Orders<'_>, id: &str) -> Result<()> {
    orders.receipt(id, EVENTUALLY)?;
    one_charge(stand, id).map(drop)
}

/// Ends the gateway's holding of answers however the scenario ends.
struct Held<'a, 'b>(&'a Stand<'b>);

impl<'a, 'b> Held<'a, 'b> {
    fn hold(stand: &'a Stand<'b>, seconds: f64) -> Result<Self> {
        stand.site.gateway.hold(seconds)?;
        Ok(Self(stand))
    }
}

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        // If the gateway is gone, the next scenario says so.
        let _ = self.0.site.gateway.hold(0.0);
    }
}

/// The money is taken, the answer never arrives: the next attempt asks with the same key.
pub(super) fn task_after_charge(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    let held = Held::hold(stand, 4.0)?;
    orders.place("task-dies", CARD)?;
    charged(stand, "task-dies")?;
    kill(stand, PAYMENT)?;
    drop(held);
    orders.paid("task-dies", EVENTUALLY)?;
    orders.ship("task-dies")?;
    finish(stand, &orders, "task-dies")?;
    let charge = one_charge(stand, "task-dies")?;
    require(charge["calls"].as_u64() >= Some(2), || format!("no second attempt: {charge}"))
}

/// The orchestrator is not needed while a task runs; its memory is not either.
pub(super) fn orchestrator_during_payment(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    let held = Held::hold(stand, 2.0)?;
    orders.place("during-payment", CARD)?;
    charged(stand, "during-payment")?;
    kill(stand, ORCHESTRATOR)?;
    drop(held);
    orders.paid("during-payment", EVENTUALLY)?;
    orders.ship("during-payment")?;
    finish(stand, &orders, "during-payment")
}

/// An execution that waits lives in the table, not in a process.
pub(super) fn orchestrator_while_waiting(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    orders.place("while-waiting", CARD)?;
    orders.paid("while-waiting", EVENTUALLY)?;
    kill(stand, ORCHESTRATOR)?;
    orders.ship("while-waiting")?;
    finish(stand, &orders, "while-waiting")
}

/// Whoever takes the signal dies: for half a second from before it is sent, no orchestrator lives longer than a few milliseconds.
pub(super) fn orchestrator_at_signal(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    orders.place("at-signal", CARD)?;
    orders.paid("at-signal", EVENTUALLY)?;
    let emulator = &stand.site.emulator;
    let killed = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let until = Instant::now() + Duration::from_millis(500);
            let mut killed = 0;
            while Instant::now() < until {
                killed += natives::kill(emulator, ORCHESTRATOR)?;
            }
            Ok(killed)
        });
        orders.ship("at-signal")?;
        killer.join().unwrap_or_else(|_| Err(Failure::new("the killer died itself")))
    })?;
    require(killed > 0, || "nobody was killed".into())?;
    finish(stand, &orders, "at-signal")
}

/// Ten orders, half of them with a payment that must be retried, and for three seconds after each step nobody who conducts, pays,
/// wakes or relays lives longer than a fraction of a second: the moments of death cover every stage of an order.
pub(super) fn again_and_again(stand: &Stand<'_>) -> Result<()> {
    let (_, orders) = stand.orders()?;
    let ids: Vec<String> = (0..10).map(|number| format!("storm-{number}")).collect();
    for (number, id) in ids.iter().enumerate() {
        orders.place(id, if number % 2 == 0 { CARD } else { FAILS_ONCE })?;
    }
    let mut killed = storm(stand)?;
    for id in &ids {
        orders.paid(id, EVENTUALLY)?;
    }
    for id in &ids {
        orders.ship(id)?;
    }
    killed += storm(stand)?;
    for id in &ids {
        finish(stand, &orders, id)?;
    }
    require(killed >= 8, || format!("only {killed} processes were killed"))
}

fn storm(stand: &Stand<'_>) -> Result<usize> {
    let mut killed = 0;
    // Unequal pauses, so that deaths do not fall into step with the emulator's own rhythm.
    for pause in [40, 90, 150, 220, 310, 420, 550, 700] {
        std::thread::sleep(Duration::from_millis(pause));
        for function in [ORCHESTRATOR, PAYMENT, "orders-timers", "orders-relay"] {
            killed += natives::kill(&stand.site.emulator, function)?;
        }
    }
    Ok(killed)
}
