//! Deliveries arrive as the triggers expect them, once where AWS can tell that they are the same, and large ones too.

use eventual_aws::SystemClock;
use eventual_core::{Emitted, ExecutionId, Fact, Payload};
use eventual_engine::codec;
use eventual_engine::ports::{Clock, Dispatch, Message, TaskRequest, Timer};
use serde_json::Value;

use crate::world::{World, until};

fn id(text: &str) -> ExecutionId {
    ExecutionId::parse(text).unwrap()
}

fn signal(number: u32, fill: usize) -> Message {
    let payload = Payload::from(format!("{:?}", "x".repeat(fill)).as_str());
    Message {
        facts: vec![Fact::Signal { id: number.to_string(), name: "S".into(), payload }],
        ..Message::default()
    }
}

fn bodies(messages: &[aws_sdk_sqs::types::Message]) -> Vec<Value> {
    messages.iter().map(|it| serde_json::from_str(it.body().unwrap()).unwrap()).collect()
}

fn timer(due: u64, seq: u32) -> Timer {
    Timer { execution: id("w/1"), run: None, due, fact: Fact::TimerFired { seq } }
}

#[tokio::test]
async fn wake_ups_come_in_order_and_once() {
    let world = World::new().await.with_queues().await;
    let execution = id(&format!("w/{}", "n".repeat(200)));
    for n in [1, 2, 2, 3, 1] {
        world.dispatch.wake(&execution, &signal(n, 1)).await.unwrap();
    }
    let messages = world.receive(&world.resources.workflow_queue_url, 3).await;
    let bodies = bodies(&messages);
    let sent = bodies.iter().map(|it| codec::decode_message(it["body"].to_string().as_bytes()).unwrap());
    assert_eq!(sent.collect::<Vec<_>>(), [signal(1, 1), signal(2, 1), signal(3, 1)]);
    assert!(bodies.iter().all(|it| it["execution"] == execution.as_str()));
    assert!(world.receive_now(&world.resources.workflow_queue_url, 1).await.is_empty());
}

#[tokio::test]
async fn two_wake_ups_without_facts_are_two() {
    let world = World::new().await.with_queues().await;
    for _ in 0..2 {
        world.dispatch.wake(&id("w/1"), &Message::default()).await.unwrap();
    }
    world.receive(&world.resources.workflow_queue_url, 2).await;
}

#[tokio::test]
async fn large_messages_go_through_the_bucket() {
    let world = World::new().await.with_queues().await;
    world.dispatch.wake(&id("w/1"), &signal(1, 900_000)).await.unwrap();
    let bodies = bodies(&world.receive(&world.resources.workflow_queue_url, 1).await);
    let key = bodies[0]["spilled"].as_str().unwrap();
    assert!(key.starts_with("payloads/w/1/") && bodies[0].get("body").is_none(), "{bodies:?}");
}

#[tokio::test]
async fn what_nobody_can_read_is_kept_with_its_reason() {
    let world = World::new().await.with_queues().await;
    world.dispatch.bury("not ours", "expected value at line 1").await.unwrap();
    let url = world.dead_letters_url();
    let kept =
        world.queues.receive_message().queue_url(url).message_attribute_names("All").wait_time_seconds(5);
    let kept = kept.send().await.unwrap().messages.unwrap_or_default();
    assert_eq!(kept.iter().filter_map(|it| it.body()).collect::<Vec<_>>(), ["not ours"]);
    let reason = kept[0].message_attributes().and_then(|it| it.get("reason")?.string_value()).unwrap();
    assert_eq!(reason, "expected value at line 1");
}

#[tokio::test]
async fn a_task_without_function_is_a_fault_that_names_it() {
    let world = World::new().await;
    let request = TaskRequest {
        execution: id("w/1"),
        run: None,
        seq: 3,
        attempt: 1,
        task: "processPayment".into(),
        input: Payload::from("null"),
        idempotency_key: "w/1#3".into(),
        timeout_ms: 1_000,
        heartbeat_ms: None,
        scheduled: 1,
    };
    let fault = world.dispatch.task(&request).await.unwrap_err().to_string();
    assert!(
        fault.contains("task-processPayment:live") && fault.contains("ResourceNotFoundException"),
        "{fault}"
    );
}

#[tokio::test]
async fn short_timers_are_delayed_by_the_queue() {
    let world = World::new().await.with_queues().await;
    let due = SystemClock.now() + 2_900;
    world.dispatch.timer(&timer(due, 4)).await.unwrap();
    let bodies = bodies(&world.receive(&world.resources.timer_queue_url, 1).await);
    let rest = due.saturating_sub(SystemClock.now());
    assert_eq!((&bodies[0]["execution"], &bodies[0]["body"]["due"]), (&"w/1".into(), &due.into()));
    // Two whole seconds were waited for by the queue; it polls, so it may be a little late, but never early.
    assert!(rest <= 900, "{rest} ms left");
}

#[tokio::test]
async fn long_timers_are_one_schedule_that_deletes_itself() {
    let world = World::new().await.with_queues().await.with_schedules().await;
    let due = 4_102_444_800_000; // 2100-01-01
    // The role of the schedules is new; Scheduler sees it after a while.
    until("the role", || async { world.dispatch.timer(&timer(due, 4)).await.ok() }).await;
    world.dispatch.timer(&timer(due, 4)).await.unwrap();
    let group = &world.resources.schedule_group;
    let schedules = world.schedules.list_schedules().group_name(group).send().await.unwrap().schedules;
    assert_eq!(schedules.len(), 1);
    let name = schedules[0].name().unwrap();
    let schedule = world.schedules.get_schedule().group_name(group).name(name).send().await.unwrap();
    assert_eq!(schedule.schedule_expression(), Some("at(2099-12-31T23:58:45)"));
    assert_eq!(schedule.action_after_completion().unwrap().as_str(), "DELETE");
    let target = schedule.target().unwrap();
    assert_eq!(target.arn(), world.resources.timer_queue_arn);
    assert!(target.dead_letter_config().is_some());
    let input: Value = serde_json::from_str(target.input().unwrap()).unwrap();
    assert_eq!(input["body"]["due"], due);
    world.dispatch.timer(&timer(due, 5)).await.unwrap();
    assert_eq!(world.schedules.list_schedules().group_name(group).send().await.unwrap().schedules.len(), 2);
}

#[tokio::test]
async fn events_are_published_in_requests_of_ten() {
    let world = World::new().await.with_queues().await.with_bus().await;
    let events: Vec<Emitted> = (0..25)
        .map(|n| Emitted {
            name: "OrderCreated".into(),
            payload: Payload::from(format!(r#"{{"n":{n}}}"#).as_str()),
        })
        .collect();
    world.dispatch.emit("w/1#2", &events).await.unwrap();
    let bodies = bodies(&world.receive(&world.resources.timer_queue_url, 25).await);
    let mut numbers: Vec<u64> = bodies.iter().map(|it| it["detail"]["n"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..25).collect::<Vec<u64>>());
    assert!(bodies.iter().all(|it| it["detail-type"] == "OrderCreated"));
}

#[tokio::test]
async fn an_event_that_is_too_large_is_named() {
    let world = World::new().await;
    let payload = Payload::from(format!(r#"{{"x":"{}"}}"#, "x".repeat(300_000)).as_str());
    let events = [Emitted { name: "OrderCreated".into(), payload }];
    let fault = world.dispatch.emit("w/1#2", &events).await.unwrap_err().to_string();
    assert!(fault.contains("OrderCreated") && fault.contains("publish a reference"), "{fault}");
}
