//! Executions are found by what their code and their starters said of them, whatever crashes in between.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::time::Duration;

use eventual::{Attribute, CallError, Execution, Status};
use eventual_testing::TestEnvironment;

/// An order that says where it is.
#[eventual::workflow]
async fn order(customer: String) -> eventual::Result<()> {
    eventual::set_attribute("customer", &customer)?;
    eventual::set_attribute("state", "waiting")?;
    eventual::set_attribute("cents", 250)?;
    eventual::sleep(Duration::from_secs(60)).await?;
    eventual::set_attribute("state", "shipped")?;
    eventual::remove_attribute("cents")?;
    eventual::sleep(Duration::from_secs(60)).await?;
    // In the turn that ends it.
    eventual::set_attribute("paid", true)?;
    Ok(())
}

/// Something said of an order.
#[eventual::signal]
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Remark {
    text: String,
}

/// Sets more attributes than there can be.
#[eventual::workflow]
async fn greedy() -> eventual::Result<u32> {
    for number in 0..40 {
        if let Err(error) = eventual::set_attribute(&format!("a{number}"), number) {
            assert!(error.message.contains("32"), "{error}");
            assert!(eventual::set_attribute("a1", 7).is_ok(), "those that are there can be changed");
            return Ok(number);
        }
    }
    Ok(40)
}

#[eventual::command(uses(order))]
async fn place(customer: String) -> eventual::Result<Execution> {
    Ok(order(customer).start().attribute("channel", "web").await?)
}

/// Starts others, and says what they are found by.
#[eventual::workflow]
async fn restock(customers: Vec<String>) -> eventual::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for customer in &customers {
        order(customer.clone()).attribute("channel", "stock").start_as(format!("{customer}-stock")).await?;
    }
    if let Err(error) = order(customers[0].clone()).start().attribute("eventualCode", "mine").await {
        wrong.push(error.to_string());
    }
    let awaited = order("last".to_owned()).key("awaited").attribute("channel", "stock").await;
    wrong.extend(awaited.err().map(|it| it.to_string()));
    let again = restock(Vec::new()).attribute("channel", "none").continue_as_new().await;
    wrong.extend(again.err().map(|it: CallError<eventual::Error>| it.to_string()));
    Ok(wrong)
}

#[eventual::command(uses(order, Remark))]
async fn place_with_remark(text: String) -> eventual::Result<Execution> {
    let order = order("eve".to_owned()).start_as("remarked").attribute("channel", &text);
    Ok(order.with_signal(Remark { text }).await?)
}

#[eventual::command(uses(order))]
async fn of_customer(customer: String) -> eventual::Result<Vec<String>> {
    let mut list = order::list().attribute("customer", customer).limit(2);
    let mut names = Vec::new();
    loop {
        let page = list.await?;
        names.extend(page.executions.iter().map(|it| it.execution.id().to_owned()));
        let Some(next) = page.next else { return Ok(names) };
        list = order::list().attribute("customer", names_customer(&page.executions)).limit(2).after(next);
    }
}

fn names_customer(listed: &[eventual::Listed]) -> String {
    listed.first().and_then(|it| it.attributes.get("customer")?.as_text().map(str::to_owned)).unwrap()
}

#[eventual::command(uses(order))]
async fn count(state: String) -> eventual::Result<u64> {
    let counted = order::list().attribute("state", state).status(Status::Running).count().await?;
    assert!(counted.complete);
    Ok(counted.count)
}

#[eventual::command]
async fn undeclared() -> eventual::Result<usize> {
    Ok(order::list().await?.executions.len())
}

fn service() -> TestEnvironment {
    TestEnvironment::new(eventual::service!())
}

#[test]
fn executions_are_found_by_what_their_code_says() {
    let mut service = service();
    let mut ada = Vec::new();
    for number in 0..7 {
        let customer = if number % 2 == 0 { "ada" } else { "bob" };
        let started = service.call(place(customer.to_owned())).unwrap();
        if customer == "ada" {
            ada.insert(0, started.id().to_owned());
        }
        service.advance(Duration::from_millis(5));
    }
    assert_eq!(service.call(of_customer("ada".into())).unwrap(), ada, "newest first, over pages");
    assert_eq!(service.call(count("waiting".into())).unwrap(), 7);
    service.restart();
    service.advance(Duration::from_secs(60));
    assert_eq!(service.call(count("waiting".into())).unwrap(), 0);
    assert_eq!(service.call(count("shipped".into())).unwrap(), 7, "a replay sets nothing again");
    service.advance(Duration::from_secs(60));
    assert_eq!(service.call(count("shipped".into())).unwrap(), 0, "none of them runs any more");
    assert_eq!(service.call(of_customer("ada".into())).unwrap(), ada, "closed ones are found too");
    let meta = service.drive().meta(&ada[0].parse_id()).unwrap();
    let of = |name: &str| meta.attributes.get(name).cloned();
    assert_eq!(of("channel"), Some("web".into()), "what it was started with stays");
    assert_eq!((of("state"), of("cents"), of("paid")), (Some("shipped".into()), None, Some(true.into())));
    service.restart();
    let paid = service.drive().meta(&ada[0].parse_id()).unwrap().attributes.get("paid").cloned();
    assert_eq!(paid, Some(true.into()), "what is said in the last turn stays");
}

#[test]
fn a_start_with_a_signal_gives_attributes_to_a_new_execution_alone() {
    let service = service();
    let started = service.call(place_with_remark("phone".into())).unwrap();
    service.call(place_with_remark("post".into())).unwrap();
    let meta = service.drive().meta(&started.id().to_owned().parse_id()).unwrap();
    assert_eq!(meta.attributes.get("channel"), Some(&"phone".into()));
    assert_eq!(service.call(of_customer("eve".into())).unwrap(), [started.id()]);
}

trait ParseId {
    fn parse_id(&self) -> eventual_engine::core::ExecutionId;
}

impl ParseId for String {
    fn parse_id(&self) -> eventual_engine::core::ExecutionId {
        eventual_engine::core::ExecutionId::parse(self).unwrap()
    }
}

#[test]
fn too_many_attributes_are_an_error_with_the_number() {
    assert_eq!(service().call(greedy()).unwrap(), 32);
}

#[test]
fn lists_need_to_be_declared_and_keep_their_limits() {
    let service = service();
    match service.call(undeclared()) {
        Err(CallError::Failed(error)) => assert!(error.message.contains("uses(order)"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(eventual::set_attribute("a", Attribute::from(1)).is_err(), "outside of a workflow");
}

#[test]
fn a_workflow_gives_attributes_to_what_it_starts() {
    let service = service();
    let restocks = service.start(restock(vec!["ada".into(), "eve".into()])).unwrap();
    let channel = |id: &str| {
        let meta = service.drive().meta(&id.to_owned().parse_id()).unwrap();
        meta.attributes.get("channel").cloned()
    };
    for id in ["order/ada-stock", "order/eve-stock", "order/awaited"] {
        assert_eq!(channel(id), Some("stock".into()), "{id}, from its first turn on");
    }
    let wrong = service.run(&restocks).unwrap();
    let [code, again] = wrong.as_slice() else { panic!("{wrong:?}") };
    assert!(code.contains("eventualCode"), "{code}");
    assert!(again.contains("keeps its attributes"), "{again}");
    assert_eq!(service.call(of_customer("eve".into())).unwrap(), ["order/eve-stock"]);
}
