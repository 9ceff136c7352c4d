//! What every host's store must do with attributes and times: find exactly the executions that have them, page by page.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use eventual_engine::core::{Attribute, ExecutionId, Outcome, Status};
use eventual_engine::ports::{AttributeFilter, AttributeTest, Fault, ListQuery, Meta, Span, Store};

/// How long an index may lag behind.
const LAG: Duration = Duration::from_secs(20);
const WORKFLOW: &str = "conformanceSearch";

/// Executions of the suite: number `index` has customer `c<index % 3>`, `cents` 10 x index, every fourth is `rush`, every
/// second has ended, and the first ten have no attributes at all.
const EXECUTIONS: u64 = 40;

pub(super) async fn attributes(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    for index in 0..EXECUTIONS {
        write(store, unique, now, index).await?;
    }
    let is = |name: &str, value: Attribute| filter(name, AttributeTest::Is(value));
    let within =
        |from: i64, below: i64| filter("cents", AttributeTest::Within(Some(from.into()), Some(below.into())));
    let customer = format!("{unique}-c1");
    let with = |attributes: Vec<AttributeFilter>| ListQuery { attributes, ..ListQuery::default() };
    let cases: Vec<(ListQuery, Vec<u64>)> = vec![
        (with(vec![is("customer", customer.as_str().into())]), (10..40).filter(|it| it % 3 == 1).collect()),
        (with(vec![is("customer", customer.as_str().into()), within(100, 200)]), vec![10, 13, 16, 19]),
        (
            ListQuery {
                status: Some(Status::Running),
                ..with(vec![is("customer", customer.as_str().into())])
            },
            (10..40).filter(|it| it % 3 == 1 && it % 2 == 1).collect(),
        ),
        (with(vec![is("customer", true.into())]), vec![]),
        (with(vec![is("rush", true.into())]), (10..40).filter(|it| it % 4 == 0).collect()),
        (with(vec![within(0, 150)]), (10..15).collect()),
        (
            with(vec![filter("customer", AttributeTest::StartsWith(format!("{unique}-c")))]),
            (10..40).collect(),
        ),
        (
            ListQuery { started: Span { from: Some(now + 5), below: Some(now + 8) }, ..ListQuery::default() },
            vec![5, 6, 7],
        ),
        (
            ListQuery {
                closed: Span { from: Some(now + 1_010), below: Some(now + 1_020) },
                started: Span { from: Some(now), below: Some(now + 100) },
                ..ListQuery::default()
            },
            vec![10, 12, 14, 16, 18],
        ),
        (with(vec![is("removed", 1_i64.into())]), vec![]),
        (with(vec![is("late", Attribute::Time(now))]), vec![39]),
    ];
    for (query, expected) in cases {
        finds(store, unique, query, expected).await?;
    }
    stale_writers_change_nothing(store, unique, now).await
}

fn filter(name: &str, test: AttributeTest) -> AttributeFilter {
    AttributeFilter { name: name.to_owned(), test }
}

fn id(unique: &str, name: &str) -> ExecutionId {
    ExecutionId::new(WORKFLOW, &format!("{unique}-{name}")).unwrap_or_else(|error| panic!("{error}"))
}

async fn write(store: &dyn Store, unique: &str, now: u64, index: u64) -> Result<(), Fault> {
    let mut meta = Meta::new(id(unique, &index.to_string()), "1".into(), now + index, 1, "code", None);
    store.insert(&meta).await?;
    if index >= 10 {
        let cents = i64::try_from(index).unwrap_or_default() * 10;
        meta.attributes.insert("customer".into(), format!("{unique}-c{}", index % 3).into());
        meta.attributes.insert("cents".into(), cents.into());
        meta.attributes.insert("removed".into(), 1_i64.into());
        meta.attributes.insert("rush".into(), index.is_multiple_of(4).into());
        meta.as_of = 1;
        let names = ["customer", "cents", "removed", "rush"].map(str::to_owned);
        store.set_attributes(&meta, &names).await?;
        meta.attributes.remove("removed");
        meta.as_of = 2;
        store.set_attributes(&meta, &["removed".to_owned()]).await?;
        if index == 39 {
            meta.attributes.insert("late".into(), Attribute::Time(now));
            meta.as_of = 9;
            store.set_attributes(&meta, &["late".to_owned()]).await?;
        }
    }
    if index.is_multiple_of(2) {
        meta.status = Status::Succeeded;
        meta.closed = Some(now + 1_000 + index);
        meta.end = Some(Outcome::Succeeded("1".into()));
        store.set_status(&meta).await?;
    }
    assert_eq!(store.meta(&meta.id).await?, Some(meta), "what was written is read");
    Ok(())
}

/// Looks until the index has caught up, and then at the order and at each being there once.
async fn finds(store: &dyn Store, unique: &str, query: ListQuery, expected: Vec<u64>) -> Result<(), Fault> {
    let query = ListQuery { workflow: Some(WORKFLOW.to_owned()), ..query };
    let begun = Instant::now();
    let wanted: Vec<ExecutionId> = expected.iter().rev().map(|it| id(unique, &it.to_string())).collect();
    loop {
        let found = all(store, unique, &query).await?;
        let distinct: BTreeSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "{query:?}: each once");
        if found == wanted {
            return Ok(());
        }
        assert!(begun.elapsed() < LAG, "{query:?} found {found:?} instead of {wanted:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn all(store: &dyn Store, unique: &str, query: &ListQuery) -> Result<Vec<ExecutionId>, Fault> {
    let mut query = ListQuery { limit: 3, ..query.clone() };
    let mut found = Vec::new();
    loop {
        let page = store.list(&query).await?;
        assert!(page.executions.len() <= 3, "a page keeps its limit");
        found.extend(page.executions.into_iter().map(|it| it.id).filter(|it| it.name().starts_with(unique)));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
}

/// A process that stood still for a while writes what it knew then.
async fn stale_writers_change_nothing(store: &dyn Store, unique: &str, now: u64) -> Result<(), Fault> {
    let mut meta = Meta::new(id(unique, "stale"), "1".into(), now + 50, 1, "code", None);
    store.insert(&meta).await?;
    let names = ["state".to_owned()];
    let state = |it: &str| Attribute::from(format!("{unique}-{it}"));
    let mut old = meta.clone();
    old.attributes.insert("state".into(), state("old"));
    old.as_of = 3;
    meta.attributes.insert("state".into(), state("new"));
    meta.as_of = 4;
    store.set_attributes(&meta, &names).await?;
    store.set_attributes(&old, &names).await?;
    store.set_status(&Meta { status: Status::Parked, ..old }).await?;
    assert_eq!(store.meta(&meta.id).await?, Some(meta), "the later turn's attributes stay");
    let with = |it: &str| ListQuery {
        attributes: vec![filter("state", AttributeTest::Is(state(it)))],
        ..ListQuery::default()
    };
    let query = ListQuery { workflow: Some(WORKFLOW.to_owned()), ..with("new") };
    let begun = Instant::now();
    while all(store, unique, &query).await?.len() != 1 {
        assert!(begun.elapsed() < LAG, "found by the value that it has");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        all(store, unique, &ListQuery { workflow: Some(WORKFLOW.to_owned()), ..with("old") })
            .await?
            .is_empty()
    );
    Ok(())
}
