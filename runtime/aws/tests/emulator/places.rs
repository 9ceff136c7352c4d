//! Several turns share an item, and yet each number is given once: to one of many processes, whatever each of them remembers.
//! A process is a store with a memory of its own.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use eventual_aws::DynamoStore;
use eventual_core::{ExecutionId, Outcome, Turn};
use eventual_engine::codec;
use eventual_engine::ports::{Commit, Meta, Store};
use eventual_schema::deploy::table;

use crate::store::{ended, id, meta, turn};
use crate::world::World;

/// Sizes of payloads of which an item has several, one or none.
const SMALL: usize = 1;
const LARGE: usize = 1_000;
const SPILLED: usize = 500_000;

/// Seconds since 1970 of an expiry that is over.
const OVER: &str = "1";

/// The first and last turn of each item of an execution that has not expired, and whether it has room.
async fn items(world: &World, id: &ExecutionId) -> Vec<(u64, u64, bool)> {
    let read = |item: &HashMap<String, AttributeValue>| {
        let first = item[table::SORT].as_s().unwrap().strip_prefix(table::TURN_PREFIX)?.parse().unwrap();
        let last = item.get("last").map_or(first, |it| it.as_n().unwrap().parse().unwrap());
        Some((first, last, item.contains_key("room")))
    };
    let over = AttributeValue::N(OVER.into());
    let there = raw(world, id).await.into_iter().filter(|it| it.get(table::EXPIRES) != Some(&over));
    there.filter_map(|it| read(&it)).collect()
}

async fn raw(world: &World, id: &ExecutionId) -> Vec<HashMap<String, AttributeValue>> {
    let query = world.dynamo.query().table_name(&world.resources.table).consistent_read(true);
    let query = query.key_condition_expression("execution = :it");
    let query = query.expression_attribute_values(":it", AttributeValue::S(id.to_string()));
    query.send().await.unwrap().items.unwrap()
}

/// Gives items an expiry that is over.
async fn expire(world: &World, id: &ExecutionId) {
    for item in raw(world, id).await {
        let update = world.dynamo.update_item().table_name(&world.resources.table);
        let update = update.key(table::PARTITION, item[table::PARTITION].clone());
        let update = update.key(table::SORT, item[table::SORT].clone()).update_expression("SET expires = :e");
        update.expression_attribute_values(":e", AttributeValue::N(OVER.into())).send().await.unwrap();
    }
}

async fn write(store: &DynamoStore, id: &ExecutionId, turn: &Turn) {
    assert_eq!(store.commit(id, turn).await.unwrap(), Commit::Written, "turn {}", turn.number);
}

/// Turns of these sizes, from number `first`.
fn turns(first: u64, sizes: &[usize]) -> Vec<Turn> {
    (first..).zip(sizes).map(|(number, size)| turn(number, *size)).collect()
}

fn other(turn: &Turn) -> Turn {
    Turn { time: turn.time + 1, ..turn.clone() }
}

#[tokio::test]
async fn small_turns_share_an_item_of_one_unit() {
    let world = World::new().await.with_table().await;
    let start = meta("w/1", 1);
    world.store.insert(&start).await.unwrap();
    for turn in turns(1, &[SMALL; 20]) {
        write(&world.store, &start.id, &turn).await;
    }
    write(&world.store, &start.id, &Turn { end: Some(Outcome::Cancelled), ..turn(21, SMALL) }).await;
    let found = items(&world, &start.id).await;
    assert!(found.len() <= 7, "three turns or more an item: {found:?}");
    assert!(found.iter().all(|it| !it.2), "nothing comes after the end: {found:?}");
    world.store.set_status(&ended(&start, Outcome::Cancelled)).await.unwrap();
    for item in raw(&world, &start.id).await {
        let Some(turns) = item.get("turns") else { continue };
        assert!(item.contains_key(table::EXPIRES), "{item:?}");
        // As DynamoDB counts: names, texts, a byte for two digits and one, three for a list and one for each member.
        let names: usize = item.keys().map(String::len).sum();
        let keys = start.id.as_str().len() + "turn#0000000001".len();
        let turns: usize = turns.as_l().unwrap().iter().map(|it| 1 + it.as_s().unwrap().len()).sum();
        let size = names + keys + 3 + turns + 2 * 6;
        assert!(size <= 1_024, "{size}: {item:?}");
    }
}

/// Two processes want the same turn, at the first one of an execution and at every boundary after it.
#[tokio::test]
async fn one_of_two_processes_writes_a_turn() {
    let world = World::new().await.with_table().await;
    let (one, two) = (world.another_store(), world.another_store());
    let execution = id("w/1");
    let sizes = [SMALL, SMALL, SMALL, SMALL, LARGE, SMALL, SPILLED, SMALL, SMALL, LARGE, LARGE, SMALL];
    let mut written = Vec::new();
    for (round, turn) in turns(1, &sizes).into_iter().enumerate() {
        let rival = other(&turn);
        // A process knows where the turn before is because it has written or read it, or has to ask.
        let two = if round % 3 == 2 { &world.another_store() } else { &two };
        if round % 2 == 1 {
            two.turns(&execution, 0).await.unwrap();
        }
        let (first, second) = tokio::join!(one.commit(&execution, &turn), two.commit(&execution, &rival));
        let winner = match (first.unwrap(), second.unwrap()) {
            (Commit::Written, Commit::Taken) => turn,
            (Commit::Taken, Commit::Written) => rival,
            both => panic!("turn {}: {both:?}", turn.number),
        };
        written.push(winner);
        assert!(world.another_store().turns(&execution, 0).await.unwrap() == written);
    }
}

#[tokio::test]
async fn who_is_behind_or_asks_again_finds_the_turn_that_is_there() {
    let world = World::new().await.with_table().await;
    let (one, late) = (world.another_store(), world.another_store());
    let execution = id("w/1");
    let all = turns(1, &[SMALL, SMALL, SMALL, LARGE, SMALL, SPILLED, SMALL, SMALL]);
    for turn in &all {
        write(&one, &execution, turn).await;
        // An answer was lost, and what was written is sent again: by who remembers, and by who does not.
        write(&one, &execution, turn).await;
        write(&world.another_store(), &execution, turn).await;
        assert_eq!(one.commit(&execution, &other(turn)).await.unwrap(), Commit::Taken);
        assert_eq!(world.another_store().commit(&execution, &other(turn)).await.unwrap(), Commit::Taken);
        if turn.number == 2 {
            late.turns(&execution, 0).await.unwrap();
        }
    }
    assert_eq!(
        late.commit(&execution, &other(&all[2])).await.unwrap(),
        Commit::Taken,
        "it knows turn 2 alone"
    );
    assert!(late.turns(&execution, 2).await.unwrap() == all[2..]);
    write(&late, &execution, &turn(9, SMALL)).await;
    assert_eq!(one.commit(&execution, &turn(9, LARGE)).await.unwrap(), Commit::Taken);
    assert_eq!(one.turns(&execution, 8).await.unwrap(), [turn(9, SMALL)]);
}

#[tokio::test]
async fn who_remembers_nothing_writes_where_everybody_does() {
    let world = World::new().await.with_table().await;
    let execution = id("w/1");
    let sizes = [SMALL, SMALL, SMALL, SMALL, SMALL, SMALL, LARGE, SMALL, SPILLED, SMALL, SMALL];
    let all = turns(1, &sizes);
    for turn in &all {
        write(&world.another_store(), &execution, turn).await;
    }
    let cold = items(&world, &execution).await;
    let warm = id("w/2");
    for turn in &all {
        write(&world.store, &warm, turn).await;
    }
    assert_eq!(cold, items(&world, &warm).await);
    assert!(cold.iter().any(|it| it.1 > it.0 + 1), "several share one: {cold:?}");
    for after in 0..=all.len() {
        let read = world.another_store().turns(&execution, after as u64).await.unwrap();
        assert!(read == all[after..], "after {after}");
        let read = world.store.turns(&execution, after as u64).await.unwrap();
        assert!(read == all[after..], "after {after}, remembering");
    }
}

#[tokio::test]
async fn an_item_is_dropped_when_all_of_its_turns_are() {
    let world = World::new().await.with_table().await;
    let execution = id("w/1");
    for turn in turns(1, &[SMALL; 20]) {
        write(&world.store, &execution, &turn).await;
    }
    let found = items(&world, &execution).await;
    let (first, last, _) = found[1];
    assert!(first > 1 && last > first, "{found:?}");
    for before in first..=last {
        world.store.retire(&execution, before).await.unwrap();
        let numbers: Vec<u64> =
            world.store.turns(&execution, 0).await.unwrap().iter().map(|it| it.number).collect();
        assert_eq!(numbers, (first..=20).collect::<Vec<_>>(), "before {before}");
    }
    world.store.retire(&execution, last + 1).await.unwrap();
    let left = world.another_store().turns(&execution, 0).await.unwrap();
    assert_eq!(left.first().map(|it| it.number), Some(last + 1));
    write(&world.another_store(), &execution, &turn(21, SMALL)).await;
}

#[tokio::test]
async fn the_first_turn_of_a_fork_begins_an_item() {
    let world = World::new().await.with_table().await;
    let (one, two) = (world.another_store(), world.another_store());
    let execution = id("w/fork");
    let all = turns(20, &[SMALL; 6]);
    // Both copy the same turns.
    for turn in &all {
        let (first, second) = tokio::join!(one.commit(&execution, turn), two.commit(&execution, turn));
        assert_eq!((first.unwrap(), second.unwrap()), (Commit::Written, Commit::Written));
    }
    write(&world.another_store(), &execution, &all[3]).await;
    assert_eq!(two.turns(&execution, 0).await.unwrap(), all);
    assert_eq!(items(&world, &execution).await[0].0, 20);
    // After a gap, too.
    write(&one, &execution, &turn(30, SMALL)).await;
    assert_eq!(two.commit(&execution, &turn(30, LARGE)).await.unwrap(), Commit::Taken);
    assert_eq!(two.turns(&execution, 25).await.unwrap(), [turn(30, SMALL)]);
    assert_eq!(two.turns(&execution, 0).await.unwrap().len(), 7);
}

#[tokio::test]
async fn a_name_that_is_used_again_begins_anew() {
    let world = World::new().await.with_table().await;
    let execution = id("w/1");
    // The items of the former execution begin at every turn but those that the later one's items begin at.
    for turn in turns(1, &[LARGE; 9]) {
        write(&world.store, &execution, &turn).await;
    }
    expire(&world, &execution).await;
    let former = world.store.clone();
    assert_eq!(former.turns(&execution, 0).await.unwrap(), []);
    let all: Vec<Turn> = turns(1, &[SMALL; 12]).iter().map(other).collect();
    let warm = world.another_store();
    for turn in &all {
        let store = if turn.number % 2 == 0 { &warm } else { &world.another_store() };
        write(store, &execution, turn).await;
    }
    let fresh = id("w/2");
    for turn in &all {
        write(&world.store, &fresh, turn).await;
    }
    assert_eq!(items(&world, &execution).await, items(&world, &fresh).await);
    for after in 0..=12 {
        assert_eq!(world.another_store().turns(&execution, after).await.unwrap(), all[after as usize..]);
    }
    expire(&world, &execution).await;
    assert_eq!(warm.commit(&execution, &turn(13, SMALL)).await.unwrap(), Commit::Taken, "it has expired");
    assert_eq!(warm.turns(&execution, 0).await.unwrap(), []);
}

/// What was written before turns shared items is read, and gone on with.
#[tokio::test]
async fn items_of_before_are_read() {
    let world = World::new().await.with_table().await;
    let execution = id("w/1");
    let old = turns(1, &[SMALL, SMALL, SMALL]);
    for turn in &old {
        let put = world.dynamo.put_item().table_name(&world.resources.table);
        let put = put.item(table::PARTITION, AttributeValue::S(execution.to_string()));
        let put = put.item(table::SORT, AttributeValue::S(format!("turn#{:010}", turn.number)));
        put.item("body", AttributeValue::S(codec::encode_turn(turn))).send().await.unwrap();
    }
    assert_eq!(world.store.turns(&execution, 1).await.unwrap(), old[1..]);
    write(&world.another_store(), &execution, &old[2]).await;
    assert_eq!(world.store.commit(&execution, &other(&old[2])).await.unwrap(), Commit::Taken);
    for turn in turns(4, &[SMALL, SMALL]) {
        write(&world.another_store(), &execution, &turn).await;
    }
    assert_eq!(items(&world, &execution).await[2..], [(3, 3, false), (4, 5, true)]);
    assert_eq!(world.store.turns(&execution, 0).await.unwrap(), turns(1, &[SMALL; 5]));
    // Code of before asks for a body, and fails instead of going on without turns 4 and 5.
    assert!(!raw(&world, &execution).await[3].contains_key("body"));
    world.store.retire(&execution, 3).await.unwrap();
    let left = world.store.turns(&execution, 0).await.unwrap();
    assert_eq!(left.iter().map(|it| it.number).collect::<Vec<_>>(), [3, 4, 5]);
}

/// Numbers that look random, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        // Steele, Lea and Flood: SplitMix.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }

    fn size(&mut self) -> usize {
        let most = [40, 300, 900, 3_000][usize::try_from(self.below(4)).unwrap()];
        if self.below(60) == 0 { 400_000 } else { usize::try_from(self.below(most)).unwrap() }
    }
}

/// Processes that write, race, are late, forget and read, against the list of what was written.
#[tokio::test]
async fn random_processes_agree() {
    let world = World::new().await.with_table().await;
    for seed in 0..12 {
        let mut random = Random(seed);
        let start: Meta = meta(&format!("w/{seed}"), 1);
        let id = &start.id;
        let mut stores = [world.another_store(), world.another_store(), world.another_store()];
        let (mut written, mut dropped) = (BTreeMap::new(), 0);
        for step in 0..70 {
            let which = usize::try_from(random.below(3)).unwrap();
            let (last, what) = (written.len() as u64, format!("seed {seed}, step {step}"));
            match random.below(10) {
                0 => stores[which] = world.another_store(),
                1 => {
                    let after = random.below(last + 1).max(dropped);
                    let read = stores[which].turns(id, after).await.unwrap();
                    assert!(read.iter().eq(written.range(after + 1..).map(|it| it.1)), "{what}");
                }
                2 if last > dropped => {
                    let old: &Turn = &written[&(dropped + 1 + random.below(last - dropped))];
                    assert_eq!(stores[which].commit(id, old).await.unwrap(), Commit::Written, "{what}");
                    assert_eq!(stores[which].commit(id, &other(old)).await.unwrap(), Commit::Taken, "{what}");
                }
                3 if last > dropped + 12 => {
                    dropped = last - random.below(10);
                    stores[which].retire(id, dropped + 1).await.unwrap();
                }
                _ => {
                    let (turn, rival) = (turn(last + 1, random.size()), turn(last + 1, random.size()));
                    let (turn, rival) = (turn, Turn { time: 2, ..rival });
                    let (one, two) = (&stores[which], &stores[(which + 1) % 3]);
                    let won = match tokio::join!(one.commit(id, &turn), two.commit(id, &rival)) {
                        (Ok(Commit::Written), Ok(Commit::Taken)) => turn,
                        (Ok(Commit::Taken), Ok(Commit::Written)) => rival,
                        both => panic!("{what}: {both:?}"),
                    };
                    written.insert(last + 1, won);
                }
            }
        }
        let after = dropped;
        let read = world.another_store().turns(id, after).await.unwrap();
        assert!(read.iter().eq(written.range(after + 1..).map(|it| it.1)), "seed {seed}");
    }
}
