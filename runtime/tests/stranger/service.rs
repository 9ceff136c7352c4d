//! Commands, subscriptions and types.

use eventual::{Ctx, Execution, Failure, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workflows::{day, wait_for_visitors};

#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) name: String,
}

/// An animal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Animal {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) age: Option<u8>,
    #[serde(default)]
    pub(crate) friends: Vec<Self>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Kind {
    Cat { lives: u8 },
    Dog,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct List {
    pub(crate) animals: Vec<Animal>,
    pub(crate) limit: u32,
}

/// Lists animals.
///
/// All of them.
#[eventual::command(method = GET, path = "/animals/{limit}")]
pub(crate) async fn list_animals(List { animals, .. }: List) -> Result<Page<Animal>, eventual::Error> {
    Ok(Page { items: animals, next: None })
}

#[eventual::command(auth = iam, memory = 256, timeout = "1500ms")]
pub(crate) async fn keeper(keeper: State<Keeper>, user: Option<eventual::User>, ctx: Ctx) -> String {
    assert!(user.is_none() && ctx.attempt() == 1 && ctx.execution().is_none());
    keeper.name.clone()
}

#[eventual::command(auth = none)]
pub(crate) async fn is_open() -> bool {
    false
}

#[eventual::command]
pub(crate) async fn count_of(mut count: u64) -> u64 {
    count += 0;
    count
}

#[eventual::command]
pub(crate) async fn nothing_of(it: Option<u8>) -> Option<u8> {
    it
}

#[eventual::command(name = "blank")]
pub(crate) async fn empty(text: String) -> eventual::Result<String> {
    Ok(text)
}

#[eventual::command]
pub(crate) async fn close() {}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Food {
    pub(crate) grams: u32,
}

#[derive(Debug, thiserror::Error, Serialize, Deserialize, JsonSchema, Failure)]
#[failure(status = 422)]
pub(crate) enum FeedError {
    #[error("the bowl is empty")]
    Empty,
    #[error("{grams} g is too much")]
    #[failure(status = 413)]
    TooMuch { grams: u32 },
    #[error(transparent)]
    #[failure(call)]
    Other(eventual::Error),
}

#[eventual::command]
pub(crate) async fn feed(food: Food) -> Result<(), FeedError> {
    check(food.grams)
}

pub(crate) fn check(grams: u32) -> Result<(), FeedError> {
    match grams {
        0 => Err(FeedError::Empty),
        1..=5_000 => Ok(()),
        _ => Err(FeedError::TooMuch { grams }),
    }
}

#[eventual::command]
pub(crate) async fn parse(text: String) -> eventual::Result<u8> {
    Ok(text.parse()?)
}

#[eventual::command]
pub(crate) async fn explode(_input: ()) -> u8 {
    panic!("kaboom");
}

#[eventual::command]
pub(crate) async fn undeclared(days: u8) -> eventual::Result<Execution> {
    Ok(day(days).start().await?)
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Visit {
    pub(crate) execution: Execution,
    pub(crate) name: String,
}

#[eventual::command(uses(Visitor, Visited, wait_for_visitors))]
pub(crate) async fn visit(visit: Visit) -> Result<String, FeedError> {
    Visitor { name: visit.name.clone() }.send(&visit.execution).await?;
    Visited { name: visit.name }.emit().await?;
    let again = wait_for_visitors(2).start_as(visit.execution.name()).await?;
    assert_eq!(again, wait_for_visitors::execution("monday")?);
    assert_eq!(again.describe().await?.status(), "running");
    assert_eq!(again.result::<Vec<String>>().await?, None);
    Ok("welcome".to_owned())
}

/// A visitor.
#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Visitor {
    pub(crate) name: String,
}

/// Awaits what only workflows wait for, and answers what it is told.
#[eventual::command(uses(day))]
pub(crate) async fn misuse() -> Vec<String> {
    let told = |error: eventual::Error| error.message.clone();
    let task = nick_of(people::User { nick: String::new() }).await.map_err(Into::into).map_err(told);
    let workflow = day(1).await.map_err(Into::into).map_err(told);
    let timer = eventual::sleep(std::time::Duration::ZERO).await.map_err(Into::into).map_err(told);
    let signal = Visitor::next().await.map_err(Into::into).map_err(told);
    let started = is_open().start().await.map_err(Into::into).map_err(told);
    [task.err(), workflow.err(), timer.err(), signal.err(), started.err()].into_iter().flatten().collect()
}

pub(crate) mod people {
    //! Has a type that is named as one of the extractors: its path tells them apart.

    #[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    pub(crate) struct User {
        pub(crate) nick: String,
    }
}

#[eventual::task]
pub(crate) async fn nick_of(user: people::User) -> String {
    user.nick
}

#[eventual::event(name = "zooVisited")]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Visited {
    pub(crate) name: String,
}

#[eventual::event]
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Greeted {
    pub(crate) name: String,
}

#[eventual::subscription(uses(Greeted))]
pub(crate) async fn greet(event: Visited) -> Result<(), FeedError> {
    Greeted { name: event.name }.emit().await?;
    Ok(())
}
