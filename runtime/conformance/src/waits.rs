//! Workflows that wait for time, and those that must not.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use eventual::{Error, Result};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

/// Sleeps for so many milliseconds.
#[eventual::workflow]
pub async fn naps(ms: u64) -> Result<u64> {
    eventual::sleep(Duration::from_millis(ms)).await?;
    Ok(ms)
}

/// Sleeps until a moment which is so many milliseconds away, and then until one that has passed.
#[eventual::workflow]
pub async fn wakes(ms: u64) -> Result<bool> {
    let due = eventual::now() + Duration::from_millis(ms);
    eventual::sleep_until(due).await?;
    let late = eventual::now();
    eventual::sleep_until(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).await?;
    Ok(late >= due)
}

/// Sleeps for all of these times at once, and tells them in the order in which they were over.
#[eventual::workflow]
pub async fn sleeps(times: Vec<u64>) -> Result<Vec<u64>> {
    let sleeping = times.into_iter().map(async |ms| {
        eventual::sleep(Duration::from_millis(ms)).await?;
        Ok::<_, Error>(ms)
    });
    let mut sleeping: FuturesUnordered<_> = sleeping.collect();
    let mut over = Vec::new();
    while let Some(ms) = sleeping.next().await {
        over.push(ms?);
    }
    Ok(over)
}

/// Sleeps for so many days, longer than anybody waits.
#[eventual::workflow]
pub async fn hibernates(days: u64) -> Result<()> {
    Ok(eventual::sleep(Duration::from_secs(86_400 * days)).await?)
}

/// Draws lots before and after a nap. Its query `lots` tells them, on a replay as in life.
#[eventual::workflow]
pub async fn draws() -> Result<Vec<String>> {
    let lots = Rc::new(RefCell::new(Vec::new()));
    let told = lots.clone();
    eventual::on_query("lots", move |(): ()| told.borrow().clone());
    for ms in [300, 1] {
        let now = eventual::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        lots.borrow_mut().push(format!("{now} {} {}", eventual::random(), eventual::uuid()));
        eventual::sleep(Duration::from_millis(ms)).await?;
    }
    let lots = lots.borrow().clone();
    Ok(lots)
}

/// Waits for what no history knows.
#[eventual::workflow]
pub async fn gets_stuck() -> Result<()> {
    std::future::pending::<()>().await;
    Ok(())
}

/// Asks for so many timers at once.
#[eventual::workflow]
pub async fn overdoes(timers: u64) -> Result<u64> {
    let all = (1..=timers).map(|it| eventual::sleep(Duration::from_millis(it)));
    for timer in futures_util::future::join_all(all).await {
        timer?;
    }
    Ok(timers)
}
