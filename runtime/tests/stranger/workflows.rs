//! Tasks and workflows of every form that Rust has for waiting.

use std::time::Duration;

use eventual::{CallError, Ctx, Retry};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use crate::service::{FeedError, Visitor, check};

#[eventual::task]
async fn double(it: u64) -> u64 {
    it * 2
}

#[eventual::task(inline)]
async fn feed_animal(number: u8) -> Result<String, FeedError> {
    Ok(format!("fed {number}"))
}

#[eventual::task(retry(attempts = 3, initial = "2s", backoff = 3.0, errors))]
async fn third_time_lucky(_input: (), ctx: Ctx) -> eventual::Result<u32> {
    match ctx.attempt() {
        attempt @ 3.. => Ok(attempt),
        attempt => Err(eventual::Error::new("Unlucky", format!("attempt {attempt}"))),
    }
}

#[eventual::task(at_most_once)]
async fn check_food(grams: u32) -> Result<(), FeedError> {
    check(grams)
}

/// A loop with a sleep in it.
#[eventual::workflow]
pub(crate) async fn day(animals: u8) -> Result<Vec<String>, FeedError> {
    let mut fed = Vec::new();
    for number in 1..=animals {
        fed.push(feed_animal(number).await?);
        eventual::sleep(Duration::from_secs(3_600)).await?;
    }
    Ok(fed)
}

#[eventual::workflow]
pub(crate) async fn both(_input: ()) -> eventual::Result<(u64, u64)> {
    let (one, two) = tokio::join!(double(1), double(2));
    let (three, four) = futures_util::try_join!(double(one?), double(2))?;
    assert_eq!((two?, three), (4, 4));
    Ok((one_again(three), four))
}

fn one_again(four: u64) -> u64 {
    four / 2
}

#[eventual::workflow]
pub(crate) async fn many(count: u64) -> eventual::Result<u64> {
    let doubled = join_all((1..=count).map(double)).await;
    let mut open: FuturesUnordered<_> = doubled.into_iter().filter_map(Result::ok).map(double).collect();
    let mut sum = 0;
    while let Some(it) = open.next().await {
        sum += it?;
    }
    Ok(sum / 4)
}

#[eventual::workflow]
pub(crate) async fn branches(_input: ()) -> eventual::Result<Vec<u64>> {
    let order = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let branch = |after: u64| {
        let order = order.clone();
        eventual::spawn(async move {
            eventual::sleep(Duration::from_secs(after)).await?;
            order.borrow_mut().push(after);
            eventual::Result::<()>::Ok(())
        })
    };
    let all = [branch(3), branch(1), branch(2)];
    for it in join_all(all).await {
        it?;
    }
    Ok(order.take())
}

#[eventual::workflow]
async fn child(name: String) -> String {
    format!("child of {name}")
}

#[eventual::workflow]
pub(crate) async fn parent(_input: ()) -> eventual::Result<String> {
    let detached = child("nobody".to_owned()).start().await?;
    let own = eventual::this_execution().expect("in a workflow");
    assert_eq!(detached.name(), format!("parent:{}:0", own.name()));
    Ok(child("parent".to_owned()).await?)
}

#[eventual::workflow]
pub(crate) async fn patience(_input: ()) -> eventual::Result<bool> {
    let before = eventual::now();
    let waited = Visitor::next().timeout(Duration::from_secs(5)).await;
    assert!(matches!(waited, Err(CallError::Timeout)), "{waited:?}");
    assert_eq!(eventual::now().duration_since(before)?, Duration::from_secs(5));
    tokio::select! {
        visitor = Visitor::next() => panic!("{visitor:?} came"),
        slept = eventual::sleep_until(before + Duration::from_secs(9)) => slept?,
    }
    let refused = double(1).retry(Retry::attempts(1)).key("k").timeout(Duration::from_secs(9)).await?;
    assert!(matches!(Visitor::next().retry(Retry::attempts(2)).await, Err(CallError::Invalid(_))));
    Ok(refused == 2)
}

#[eventual::workflow]
pub(crate) async fn recover(_input: ()) -> eventual::Result<String> {
    match check_food(6_000).await {
        Err(CallError::Failed(FeedError::TooMuch { .. })) => {}
        other => panic!("{other:?}"),
    }
    let error: eventual::Error = check_food(7_000).await.expect_err("too much").into();
    Ok(error.class.clone())
}

#[eventual::workflow]
pub(crate) async fn chance(_input: ()) -> eventual::Result<(String, String)> {
    let first = eventual::uuid();
    eventual::sleep(Duration::from_millis(1)).await?;
    assert!(eventual::random() != eventual::random());
    Ok((first, eventual::uuid()))
}

#[eventual::workflow]
pub(crate) async fn wait_for_visitors(count: usize) -> eventual::Result<Vec<String>> {
    let mut names = Vec::new();
    while names.len() < count {
        names.push(Visitor::next().timeout(Duration::from_secs(3_600)).await?.name);
    }
    Ok(names)
}

#[eventual::workflow]
pub(crate) async fn persistent(_input: ()) -> eventual::Result<u32> {
    Ok(third_time_lucky(()).await?)
}
