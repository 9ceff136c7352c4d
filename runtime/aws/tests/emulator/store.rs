//! The store keeps its promises: first write wins, closed stays closed, what was written is read, at any size.

use aws_sdk_dynamodb::types::AttributeValue;
use eventual_aws::SystemClock;
use eventual_core::{Call, ExecutionId, Fact, Outcome, Payload, Status, Turn};
use eventual_engine::ports::{AttemptId, Clock, Commit, Insert, ListQuery, Meta, Store};
use eventual_schema::deploy::table;

use crate::world::World;

pub(crate) fn id(text: &str) -> ExecutionId {
    ExecutionId::parse(text).unwrap()
}

pub(crate) fn meta(text: &str, started: u64) -> Meta {
    Meta::new(id(text), Payload::null(), started, SystemClock.entropy(), "code", None)
}

pub(crate) fn turn(number: u64, fill: usize) -> Turn {
    let payload = Payload::from(format!("{:?}", "x".repeat(fill)).as_str());
    Turn {
        number,
        time: 1,
        facts: vec![Fact::Signal { id: "1".into(), name: "S".into(), payload }],
        calls: vec![(0, Call::Timer { due: 7 })],
        ..Turn::default()
    }
}

pub(crate) fn ended(meta: &Meta, end: Outcome) -> Meta {
    Meta { status: Status::of(&end), closed: Some(2), end: Some(end), ..meta.clone() }
}

async fn attribute(world: &World, id: &ExecutionId, item: &str, name: &str) -> Option<AttributeValue> {
    let request = world.dynamo.get_item().table_name(&world.resources.table).consistent_read(true);
    let request = request.key(table::PARTITION, AttributeValue::S(id.to_string()));
    let answer = request.key(table::SORT, AttributeValue::S(item.into())).send().await.unwrap();
    answer.item.unwrap().remove(name)
}

fn at(execution: &ExecutionId, seq: u32, attempt: u32) -> AttemptId {
    AttemptId { execution: execution.clone(), run: None, seq, attempt }
}

#[tokio::test]
async fn conforms_like_every_store() {
    let world = World::new().await.with_table().await;
    eventual_testing::conformance::store(&world.store, "a", SystemClock.now()).await.unwrap();
}

#[tokio::test]
async fn the_first_insertion_wins() {
    let world = World::new().await.with_table().await;
    let first = meta("w/1", 1);
    assert_eq!(world.store.meta(&first.id).await.unwrap(), None);
    assert_eq!(world.store.insert(&first).await.unwrap(), Insert::Inserted);
    // The SDK sends a write again whose answer was lost; that is not a second start.
    assert_eq!(world.store.insert(&first).await.unwrap(), Insert::Inserted);
    let second = Meta { input: Payload::from("0"), ..meta("w/1", 2) };
    assert_eq!(world.store.insert(&second).await.unwrap(), Insert::Exists(Box::new(first.clone())));
    assert_eq!(world.store.meta(&first.id).await.unwrap(), Some(first.clone()));
    assert!(attribute(&world, &first.id, table::META, table::UNCOVERED).await.is_some());
}

#[tokio::test]
async fn the_first_turn_of_a_number_wins() {
    let world = World::new().await.with_table().await;
    let execution = id("w/1");
    assert_eq!(world.store.commit(&execution, &turn(1, 1)).await.unwrap(), Commit::Written);
    assert_eq!(world.store.commit(&execution, &turn(1, 1)).await.unwrap(), Commit::Written);
    assert_eq!(world.store.commit(&execution, &turn(1, 2)).await.unwrap(), Commit::Taken);
    assert_eq!(world.store.turns(&execution, 0).await.unwrap(), [turn(1, 1)]);
    assert_eq!(world.store.turns(&id("w/2"), 0).await.unwrap(), []);
}

#[tokio::test]
async fn turns_of_any_size_are_read_in_order() {
    let world = World::new().await.with_table().await;
    let execution = id(&format!("w/{}", "n".repeat(200)));
    // Twelve turns: more than a page of a query, some larger than an item, and numbers of two digits.
    let turns: Vec<Turn> = (1..=12).map(|n| turn(n, if n % 5 == 0 { 500_000 } else { 150_000 })).collect();
    for turn in &turns {
        assert_eq!(world.store.commit(&execution, turn).await.unwrap(), Commit::Written);
    }
    assert!(world.store.claim(&at(&execution, 1, 1), 1000).await.unwrap());
    assert!(world.store.turns(&execution, 0).await.unwrap() == turns);
    assert!(world.store.turns(&execution, 9).await.unwrap() == turns[9..]);
    assert_eq!(world.store.turns(&execution, 12).await.unwrap(), []);
    assert_eq!(world.store.commit(&execution, &turn(5, 500_000)).await.unwrap(), Commit::Written);
    assert_eq!(world.store.commit(&execution, &turn(5, 500_001)).await.unwrap(), Commit::Taken);
}

#[tokio::test]
async fn closed_stays_closed_and_expires() {
    let world = World::new().await.with_table().await;
    let start = meta("w/1", 1);
    world.store.insert(&start).await.unwrap();
    for n in 1..=3 {
        world.store.commit(&start.id, &turn(n, 1)).await.unwrap();
    }
    let parked = Meta { status: Status::Parked, parked: Some("mismatch".into()), ..start.clone() };
    world.store.set_status(&parked).await.unwrap();
    assert_eq!(world.store.meta(&start.id).await.unwrap(), Some(parked));
    assert_eq!(attribute(&world, &start.id, table::META, table::UNCOVERED).await, None);
    assert_eq!(attribute(&world, &start.id, table::META, table::EXPIRES).await, None);
    assert_eq!(attribute(&world, &start.id, "turn#0000000001", table::EXPIRES).await, None);
    world.store.commit(&start.id, &turn(4, 1_000)).await.unwrap();

    let last = Turn { end: Some(Outcome::Succeeded(Payload::from("0"))), ..turn(5, 1) };
    world.store.commit(&start.id, &last).await.unwrap();
    let done = ended(&start, Outcome::Succeeded(Payload::from("0")));
    world.store.set_status(&done).await.unwrap();
    world.store.set_status(&start).await.unwrap();
    world.store.set_status(&ended(&start, Outcome::Cancelled)).await.unwrap();
    assert_eq!(world.store.meta(&start.id).await.unwrap(), Some(done));
    let week = SystemClock.now() / 1000 + 7 * 86_400;
    for item in ["turn#0000000001", "turn#0000000005", table::META] {
        let expires = attribute(&world, &start.id, item, table::EXPIRES).await.unwrap();
        let expires: u64 = expires.as_n().unwrap().parse().unwrap();
        assert!((week - 60..week + 3_700).contains(&expires), "{item}: {expires}, a week from now is {week}");
    }
    assert_eq!(world.store.turns(&start.id, 0).await.unwrap().len(), 5);
}

#[tokio::test]
async fn what_has_expired_is_gone() {
    let world = World::new().await.with_table().await;
    let old = meta("w/1", 1);
    world.store.insert(&old).await.unwrap();
    world.store.commit(&old.id, &turn(1, 1)).await.unwrap();
    for item in [table::META, "turn#0000000001"] {
        let request = world.dynamo.update_item().table_name(&world.resources.table);
        let request = request.key(table::PARTITION, AttributeValue::S(old.id.to_string()));
        let request = request.key(table::SORT, AttributeValue::S(item.into()));
        let request =
            request.update_expression("SET #e = :e").expression_attribute_names("#e", table::EXPIRES);
        request.expression_attribute_values(":e", AttributeValue::N("1".into())).send().await.unwrap();
    }
    assert_eq!(world.store.meta(&old.id).await.unwrap(), None);
    assert_eq!(world.store.turns(&old.id, 0).await.unwrap(), []);
    assert_eq!(
        world.store.list(&ListQuery { limit: 5, ..ListQuery::default() }).await.unwrap().executions,
        []
    );
    let new = meta("w/1", 2);
    assert_eq!(world.store.insert(&new).await.unwrap(), Insert::Inserted);
    assert_eq!(world.store.commit(&new.id, &turn(1, 2)).await.unwrap(), Commit::Written);
    assert_eq!(world.store.turns(&new.id, 0).await.unwrap(), [turn(1, 2)]);
}

#[tokio::test]
async fn large_inputs_and_results_are_kept() {
    let world = World::new().await.with_table().await;
    let large = |fill: usize| Payload::from(format!("{:?}", "x".repeat(fill)).as_str());
    let start = Meta { input: large(300_000), ..meta("w/1", 1) };
    world.store.insert(&start).await.unwrap();
    assert!(attribute(&world, &start.id, table::META, "body").await.is_some());
    let done = ended(&start, Outcome::Succeeded(large(300_000)));
    world.store.set_status(&done).await.unwrap();
    assert!(world.store.meta(&start.id).await.unwrap() == Some(done.clone()));
    assert_eq!(attribute(&world, &start.id, table::META, "body").await, None);
    let page = world.store.list(&ListQuery { limit: 5, ..ListQuery::default() }).await.unwrap();
    assert!(page.executions == [done]);
}

#[tokio::test]
async fn one_worker_claims_an_attempt_and_nobody_after_it() {
    let world = World::new().await.with_table().await;
    let execution = id("w/1");
    let claim = async |seq, attempt, lease| world.store.claim(&at(&execution, seq, attempt), lease).await;
    let (one, two) = tokio::join!(claim(1, 1, 60_000), claim(1, 1, 60_000));
    assert_eq!(u8::from(one.unwrap()) + u8::from(two.unwrap()), 1);
    assert!(claim(1, 2, 60_000).await.unwrap());
    assert!(claim(2, 1, 0).await.unwrap());
    assert!(!claim(2, 1, 60_000).await.unwrap(), "not even after its lease");
}

#[tokio::test]
async fn lists_are_merged_newest_first() {
    let world = World::new().await.with_table().await;
    for n in 0..30_u64 {
        let workflow = if n % 3 == 0 { "fetch" } else { "process" };
        let meta = meta(&format!("{workflow}/{n}"), 1_000 + n);
        world.store.insert(&meta).await.unwrap();
        if n % 2 == 0 {
            world.store.set_status(&ended(&meta, Outcome::TimedOut)).await.unwrap();
        }
    }
    let all = |query: ListQuery| async {
        let (mut query, mut names, mut pages) = (query, Vec::new(), 0);
        loop {
            let page = world.store.list(&query).await.unwrap();
            assert!(page.executions.len() <= query.limit);
            names.extend(page.executions.iter().map(|it| it.id.name().parse::<u64>().unwrap()));
            pages += 1;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return (names, pages),
            }
        }
    };
    let query = ListQuery { limit: 7, ..ListQuery::default() };
    assert_eq!(all(query.clone()).await, ((0..30).rev().collect(), 5));
    let open = ListQuery { status: Some(Status::Running), limit: 100, ..query.clone() };
    assert_eq!(all(open.clone()).await, ((0..30).rev().filter(|n| n % 2 == 1).collect(), 1));
    let fetch = ListQuery { workflow: Some("fetch".into()), ..open };
    assert_eq!(all(fetch).await, ((0..30).rev().filter(|n| n % 6 == 3).collect(), 1));
    let none = ListQuery { status: Some(Status::Cancelled), ..query };
    assert_eq!(all(none).await, (vec![], 1));
}
