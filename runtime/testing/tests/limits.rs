//! A limit that is reached parks or fails one execution, says its number, and leaves the others alone.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use std::time::Duration;

use eventual::Execution;
use eventual_engine::core::Status;
use eventual_testing::TestEnvironment;

/// Waits for more than anybody waits for.
#[eventual::workflow]
async fn greedy(timers: u64) -> eventual::Result<u64> {
    let all = (1..=timers).map(|it| eventual::sleep(Duration::from_secs(it)));
    for timer in futures_util::future::join_all(all).await {
        timer?;
    }
    Ok(timers)
}

/// Takes a number and nothing else.
#[eventual::workflow]
async fn modest(number: u64) -> eventual::Result<u64> {
    eventual::sleep(Duration::from_secs(number)).await?;
    Ok(number)
}

#[eventual::command(uses(greedy))]
async fn start(timers: u64) -> eventual::Result<Execution> {
    Ok(greedy(timers).start().await?)
}

#[test]
fn code_that_asks_for_too_much_is_parked_and_the_others_go_on() {
    let service = TestEnvironment::new(eventual::service!());
    let execution = service.call(start(10_001)).unwrap();
    let id = eventual_engine::core::ExecutionId::parse(execution.id()).unwrap();
    let meta = service.drive().meta(&id).unwrap();
    assert_eq!(meta.status, Status::Parked);
    let told = meta.parked.unwrap();
    assert!(told.contains("10001") && told.contains("10000"), "{told}");
    assert_eq!(service.call(greedy(100)).unwrap(), 100);
    assert_eq!(service.call(modest(3)).unwrap(), 3);
}

#[test]
fn an_input_that_nobody_can_read_fails_its_own_execution() {
    let service = TestEnvironment::new(eventual::service!());
    let client = service.drive().client().clone();
    let poison =
        service.drive().block_on(client.start("modest", Some("poison"), "{\"no\":1}".into())).unwrap();
    assert_eq!(service.call(modest(3)).unwrap(), 3);
    let meta = service.drive().meta(&poison).unwrap();
    assert_eq!(meta.status, Status::Failed);
    assert!(service.drive().dead_letters().is_empty());
}

#[test]
fn names_and_payloads_are_refused_where_they_are_sent() {
    let service = TestEnvironment::new(eventual::service!());
    let client = service.drive().client().clone();
    let id = service.drive().block_on(client.start("modest", Some("one"), "1".into())).unwrap();
    let told = service.drive().block_on(client.signal(&id, &"s".repeat(101), "1".into())).unwrap_err();
    assert!(told.to_string().contains("100"), "{told}");
    let large = eventual_engine::core::Payload::from(vec![b'1'; (64 << 20) + 1]);
    let told = service.drive().block_on(client.start("modest", None, large)).unwrap_err();
    assert!(told.to_string().contains("67108864"), "{told}");
    assert_eq!(service.call(modest(1)).unwrap(), 1);
}
