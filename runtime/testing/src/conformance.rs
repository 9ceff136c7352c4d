//! What every host's store must do, as one suite that each host runs over its own.
//!
//! Executions get names that begin with `unique`, so that the suite can run against a store that is not empty.

mod attempts;
mod search;

use std::collections::BTreeSet;

use eventual_engine::core::{Call, Caller, ExecutionId, Fact, Outcome, Payload, Run, Status, Turn};
use eventual_engine::ports::{AttemptId, Commit, Fault, Insert, ListQuery, Meta, Store};

/// Size of a payload that no store keeps in one small item.
const LARGE_BYTES: usize = 900_000;

/// Turns that a store may keep in one place, so that it drops them together.
const KEPT_TOGETHER: u64 = 8;

/// Runs the suite.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When the store breaks its promises; the message says which.
pub async fn store(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    executions_are_inserted_once(store, unique, now).await?;
    a_turn_is_written_once(store, unique, now).await?;
    large_turns_survive(store, unique, now).await?;
    turns_of_all_sizes_are_read_from_anywhere(store, unique, now).await?;
    a_closed_execution_stays_closed(store, unique, now).await?;
    an_attempt_has_one_worker(store, unique, now).await?;
    attempts::all(store, &meta(unique, "attempts", now)).await?;
    an_update_has_one_answer(store, unique, now).await?;
    superseded_turns_are_dropped(store, unique, now).await?;
    lists_are_complete_and_newest_first(store, unique, now).await?;
    search::attributes(store, unique, now).await
}

fn id(unique: &str, name: &str) -> ExecutionId {
    ExecutionId::new("conformance", &format!("{unique}-{name}")).unwrap_or_else(|error| panic!("{error}"))
}

fn meta(unique: &str, name: &str, started: u64) -> Meta {
    let (execution, run) = (id(unique, "parent"), Some(Run::of(&id(unique, "parent"), 1, 2)));
    let parent = Some(Caller { execution, run, seq: 3 });
    Meta::new(id(unique, name), "[]".into(), started, u64::MAX, "code", parent)
}

fn turn(number: u64, payload: Payload) -> Turn {
    let fact = Fact::Signal { id: "s".into(), name: "n".into(), payload };
    let calls = vec![(0, Call::Timer { due: 5 })];
    Turn { number, time: 1, facts: vec![fact], calls, ..Turn::default() }
}

async fn executions_are_inserted_once(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let first = meta(unique, "insert", now);
    assert_eq!(store.meta(&first.id).await?, None, "nothing is known of an execution before it is inserted");
    assert_eq!(store.insert(&first).await?, Insert::Inserted);
    let second = Meta { input: "1".into(), ..first.clone() };
    assert_eq!(
        store.insert(&second).await?,
        Insert::Exists(Box::new(first.clone())),
        "the first insertion counts"
    );
    assert_eq!(store.meta(&first.id).await?, Some(first), "every member is read as it was written");
    Ok(())
}

async fn a_turn_is_written_once(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let execution = meta(unique, "turns", now);
    store.insert(&execution).await?;
    let id = &execution.id;
    assert_eq!(store.turns(id, 0).await?, []);
    for number in 1..=12 {
        assert_eq!(store.commit(id, &turn(number, "0".into())).await?, Commit::Written);
    }
    assert_eq!(
        store.commit(id, &turn(12, "\"other\"".into())).await?,
        Commit::Taken,
        "a number is given once"
    );
    let numbers = |turns: Vec<Turn>| turns.into_iter().map(|it| it.number).collect::<Vec<_>>();
    assert_eq!(numbers(store.turns(id, 0).await?), (1..=12).collect::<Vec<_>>(), "in order, past 9 too");
    assert_eq!(numbers(store.turns(id, 10).await?), [11, 12], "only the later ones");
    assert_eq!(store.turns(id, 11).await?, [turn(12, "0".into())], "and the first writer's");
    Ok(())
}

async fn large_turns_survive(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let large = Payload::from(format!("\"{}\"", "x".repeat(LARGE_BYTES)).as_str());
    let execution = Meta { input: large.clone(), ..meta(unique, "large", now) };
    store.insert(&execution).await?;
    assert_eq!(store.commit(&execution.id, &turn(1, large.clone())).await?, Commit::Written);
    assert_eq!(store.turns(&execution.id, 0).await?, [turn(1, large)]);
    assert_eq!(store.meta(&execution.id).await?, Some(execution));
    Ok(())
}

async fn turns_of_all_sizes_are_read_from_anywhere(
    store: &dyn Store,
    unique: &str,
    now: u64,
) -> Result<(), Fault> {
    let execution = meta(unique, "sizes", now);
    store.insert(&execution).await?;
    let id = &execution.id;
    let sizes = [0, 10, 300, 10, 900, 0, 20_000, 10, 0, 0, LARGE_BYTES, 0, 400, 400, 2_000];
    let of =
        |number: u64, size: usize| turn(number, Payload::from(format!("\"{}\"", "x".repeat(size)).as_str()));
    let all: Vec<Turn> = (1..).zip(sizes.into_iter().chain([0; 20])).map(|(n, size)| of(n, size)).collect();
    for (have, turn) in all.iter().enumerate() {
        assert_eq!(store.commit(id, turn).await?, Commit::Written);
        let other = Turn { time: 2, ..turn.clone() };
        assert_eq!(store.commit(id, &other).await?, Commit::Taken, "turn {} is given once", turn.number);
        assert!(store.turns(id, turn.number - 1).await? == [turn.clone()], "turn {} is seen", turn.number);
        let (middle, have) = (have / 2, have + 1);
        assert!(store.turns(id, middle as u64).await? == all[middle..have], "turns {middle} to {have}");
    }
    for after in 0..=all.len() {
        assert!(store.turns(id, after as u64).await? == all[after..], "turns after {after}");
    }
    Ok(())
}

async fn a_closed_execution_stays_closed(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let running = meta(unique, "close", now);
    store.insert(&running).await?;
    let parked = Meta { status: Status::Parked, parked: Some("why".into()), ..running.clone() };
    store.set_status(&parked).await?;
    assert_eq!(store.meta(&running.id).await?, Some(parked));
    let end = Some(Outcome::Succeeded("null".into()));
    let closed = Meta { status: Status::Succeeded, closed: Some(now + 1), end, ..running.clone() };
    store.set_status(&closed).await?;
    store.set_status(&Meta { status: Status::Running, ..running.clone() }).await?;
    assert_eq!(store.meta(&running.id).await?, Some(closed));
    Ok(())
}

async fn an_attempt_has_one_worker(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let execution = meta(unique, "claim", now);
    store.insert(&execution).await?;
    let at = |seq, attempt| execution.attempt(seq, attempt);
    assert!(store.claim(&at(4, 1), 600_000).await?);
    assert!(!store.claim(&at(4, 1), 600_000).await?, "claimed by the first");
    assert!(store.claim(&at(4, 2), 600_000).await?, "another attempt is another claim");
    assert!(store.claim(&at(5, 1), 0).await?);
    assert!(
        !store.claim(&at(5, 1), 600_000).await?,
        "a claim outlives its lease: a late message must find it"
    );
    let former = AttemptId { run: Some(Run::of(&execution.id, now, 1)), ..at(4, 1) };
    assert!(store.claim(&former, 600_000).await?, "an attempt of a former run of the name is another one");
    let unknown = AttemptId { run: None, ..at(4, 1) };
    assert!(store.claim(&unknown, 600_000).await?, "and so is one that was asked for before there were runs");
    Ok(())
}

async fn an_update_has_one_answer(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let execution = meta(unique, "answers", now);
    store.insert(&execution).await?;
    let id = &execution.id;
    assert_eq!(store.answered(id, "u").await?, None);
    let large = Payload::from(format!("\"{}\"", "x".repeat(LARGE_BYTES)).as_str());
    store.answer(id, "u", &Outcome::Succeeded(large.clone())).await?;
    store.answer(id, "u", &Outcome::TimedOut).await?;
    assert_eq!(store.answered(id, "u").await?, Some(Outcome::Succeeded(large)), "the first answer counts");
    assert_eq!(store.answered(id, "v").await?, None);
    assert_eq!(store.turns(id, 0).await?, [], "an answer is no turn");
    Ok(())
}

async fn superseded_turns_are_dropped(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let execution = meta(unique, "retire", now);
    store.insert(&execution).await?;
    let id = &execution.id;
    for number in 1..=30 {
        assert_eq!(store.commit(id, &turn(number, "0".into())).await?, Commit::Written);
    }
    store.retire(id, 29).await?;
    let left: Vec<u64> = store.turns(id, 0).await?.iter().map(|it| it.number).collect();
    let first = left.first().copied().unwrap_or_default();
    assert!(
        first <= 29 && left == (first..=30).collect::<Vec<_>>(),
        "none that is needed is dropped: {left:?}"
    );
    assert!(first > 29 - KEPT_TOGETHER, "what is kept is the last of it: {left:?}");
    assert_eq!(store.commit(id, &turn(31, "0".into())).await?, Commit::Written);
    let rebased = Meta { base: 30, ..execution.clone() };
    store.set_status(&rebased).await?;
    assert_eq!(store.meta(id).await?, Some(rebased));
    Ok(())
}

async fn lists_are_complete_and_newest_first(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let workflow = "conformanceList";
    let mut all = BTreeSet::new();
    for index in 0..25 {
        let id = ExecutionId::new(workflow, &format!("{unique}-{index}"))
            .unwrap_or_else(|error| panic!("{error}"));
        all.insert(id.clone());
        let status = if index % 5 == 0 { Status::Failed } else { Status::Running };
        let running = Meta { id, ..meta(unique, "list", now + index) };
        store.insert(&running).await?;
        if status.is_closed() {
            store
                .set_status(&Meta { status, closed: Some(now), end: Some(Outcome::TimedOut), ..running })
                .await?;
        }
    }
    let mine = |it: &Meta| it.id.name().starts_with(unique);
    for (status, expected) in [(None, 25), (Some(Status::Failed), 5), (Some(Status::Running), 20)] {
        let mut query =
            ListQuery { workflow: Some(workflow.to_owned()), status, limit: 7, ..ListQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.list(&query).await?;
            assert!(page.executions.len() <= 7, "a page keeps its limit");
            seen.extend(page.executions.into_iter().filter(mine));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert!(seen.is_sorted_by(|a, b| a.started >= b.started), "newest first");
        let distinct: BTreeSet<_> = seen.iter().map(|it| it.id.clone()).collect();
        assert_eq!((seen.len(), distinct.len()), (expected, expected), "{status:?}: each once");
        assert!(distinct.is_subset(&all));
    }
    Ok(())
}
