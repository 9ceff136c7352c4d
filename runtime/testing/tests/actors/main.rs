//! Actors: calls one at a time, state that lasts, errors and panics, and a life that is longer than any history.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::time::Duration;

use eventual::{CallError, Error, Result};
use eventual_engine::core::{ExecutionId, Outcome, Payload, Status};
use eventual_testing::TestEnvironment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[eventual::task]
async fn fee(amount: u64) -> u64 {
    amount / 10
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Account {
    balance: u64,
    open: u32,
    most_open: u32,
}

#[eventual::actor]
impl Account {
    /// Pays in, for a fee.
    async fn pay_in(&mut self, amount: u64) -> Result<u64> {
        self.open += 1;
        self.most_open = self.most_open.max(self.open);
        let fee = fee(amount).await?;
        eventual::sleep(Duration::from_secs(5)).await?;
        self.balance += amount - fee;
        self.open -= 1;
        Ok(self.balance)
    }

    async fn pay_out(&mut self, amount: u64) -> Result<u64, Error> {
        let left = self.balance.checked_sub(amount);
        self.balance = left.ok_or_else(|| Error::new("Overdrawn", format!("there are {}", self.balance)))?;
        Ok(self.balance)
    }

    async fn balance(&self) -> u64 {
        self.balance
    }

    async fn most_open(&self) -> u32 {
        self.most_open
    }

    async fn spoil(&mut self) {
        self.balance = 0;
        assert!(self.balance > 0, "spoilt");
    }
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Tally {
    count: u64,
}

#[eventual::actor(name = "tally")]
impl Tally {
    async fn count(&mut self, by: u64) -> u64 {
        self.count += by;
        self.count
    }
}

#[eventual::workflow]
async fn transfer(amount: u64) -> Result<(u64, u64)> {
    let from = Account::at("alice").pay_out(amount).await?;
    let to = Account::at("bob").pay_in(amount).await?;
    Ok((from, to))
}

#[eventual::command(auth = none, uses(Tally))]
async fn hit(page: String) -> Result<u64> {
    Ok(Tally::at(page).count(1).await?)
}

fn environment() -> TestEnvironment {
    TestEnvironment::new(eventual::service!(name = "actors"))
}

#[test]
fn state_lasts_from_call_to_call_and_from_process_to_process() {
    let mut environment = environment();
    for number in 1..=5 {
        assert_eq!(environment.call(hit("home".into())).unwrap(), number);
        environment.restart();
    }
    assert_eq!(environment.call(hit("other".into())).unwrap(), 1, "each key has its own");
}

#[test]
fn calls_are_made_one_at_a_time() {
    let environment = environment();
    let drive = environment.drive();
    let account = ExecutionId::new("Account", "busy").unwrap();
    let calls = (0..20).map(|number| {
        let start = Some(Payload::null());
        let (name, input, id) = ("payIn".to_owned(), Payload::from("100"), Some(number.to_string()));
        drive.client().update(&account, eventual_engine::UpdateRequest { name, input, id, start })
    });
    let _late = drive.block_on(futures_util::future::join_all(calls));
    environment.advance(Duration::from_secs(120));
    assert_eq!(environment.call(Account::at("busy").balance()).unwrap(), 20 * 90);
    assert_eq!(environment.call(Account::at("busy").most_open()).unwrap(), 1);
}

#[test]
fn an_error_is_answered_typed_and_a_panic_has_not_happened() {
    let environment = environment();
    let account = Account::at("carol");
    assert_eq!(environment.call(account.pay_in(100)).unwrap(), 90);
    let overdrawn = environment.call(account.pay_out(91)).unwrap_err();
    assert!(matches!(&overdrawn, CallError::Failed(error) if error.class == "Overdrawn"), "{overdrawn:?}");
    let spoilt = environment.call(account.spoil()).unwrap_err();
    assert!(matches!(&spoilt, CallError::Crashed(said) if said.contains("spoilt")), "{spoilt:?}");
    assert_eq!(environment.call(account.balance()).unwrap(), 90);
}

#[test]
fn workflows_call_actors() {
    let mut environment = environment();
    environment.call(Account::at("alice").pay_in(100)).unwrap();
    let running = environment.start(transfer(40)).unwrap();
    environment.restart();
    assert_eq!(environment.run(&running).unwrap(), (50, 36));
    let refused = environment.call(transfer(60)).unwrap_err();
    assert!(matches!(&refused, CallError::Failed(error) if error.class == "Overdrawn"), "{refused:?}");
}

#[test]
fn an_actor_with_many_calls_loads_as_fast_as_one_with_few() {
    let mut environment = environment();
    for number in 1..=1_000 {
        assert_eq!(environment.call(Tally::at("much").count(2)).unwrap(), 2 * number);
    }
    environment.restart();
    let id = ExecutionId::new("tally", "much").unwrap();
    let turns = environment.drive().history(&id);
    assert!(turns.len() < 250, "{} turns are kept", turns.len());
    let last = turns.iter().rposition(|it| it.continued.is_some()).unwrap();
    assert!(turns.len() - last < 110, "{} turns are replayed", turns.len() - last);
    assert_eq!(environment.call(Tally::at("much").count(0)).unwrap(), 2_000);
    let drive = environment.drive();
    let state = drive.block_on(drive.client().query(&id, "state", Payload::null())).unwrap();
    assert_eq!(state, Outcome::Succeeded("{\"count\":2000}".into()));
}

#[test]
fn nonsense_is_refused_and_a_cancelled_actor_ends_with_its_state() {
    let environment = environment();
    let refused = environment.call(Tally::at("not a name").count(1)).unwrap_err();
    assert!(matches!(&refused, CallError::Invalid(error) if error.class == "InvalidName"), "{refused:?}");
    environment.call(Tally::at("x").count(3)).unwrap();
    let (drive, id) = (environment.drive(), ExecutionId::new("tally", "x").unwrap());
    let ask = |name: &str, input: &str| {
        let update =
            eventual_engine::UpdateRequest { name: name.into(), input: input.into(), id: None, start: None };
        drive.block_on(drive.client().update(&id, update)).unwrap()
    };
    assert!(matches!(ask("divide", "1"), Outcome::Failed(it) if it.message.contains("it has count")));
    assert!(matches!(ask("count", "\"x\""), Outcome::Failed(it) if it.class == "InvalidInput"));
    drive.block_on(drive.client().cancel(&id, "enough")).unwrap();
    drive.settle();
    let meta = drive.meta(&id).unwrap();
    assert_eq!(
        (meta.status, meta.end),
        (Status::Succeeded, Some(Outcome::Succeeded("{\"count\":3}".into())))
    );
    let closed = environment.call(Tally::at("x").count(1)).unwrap_err();
    assert!(
        matches!(&closed, CallError::Invalid(error) if error.message.contains("has ended")),
        "{closed:?}"
    );
}

#[test]
fn state_that_the_code_cannot_read_parks_the_actor() {
    let environment = environment();
    let (drive, id) = (environment.drive(), ExecutionId::new("tally", "old").unwrap());
    drive.block_on(drive.client().start("tally", Some("old"), "{\"count\":\"many\"}".into())).unwrap();
    drive.settle();
    let meta = drive.meta(&id).unwrap();
    assert_eq!(meta.status, Status::Parked);
    assert!(meta.parked.unwrap().contains("count: invalid type"), "it says where");
}
