//! Workflows that do several things at once, and undo some.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use eventual::{Error, Result, Saga};
use futures_util::future::{Either, join, join_all, select};

use crate::tasks::{echo, echo_here};

/// Joins tasks of both kinds, in the order in which they were asked for.
#[eventual::workflow]
pub async fn joins(texts: Vec<String>) -> Result<Vec<String>> {
    let (there, here) = join(
        join_all(texts.iter().map(|it| echo(it.clone()))),
        join_all(texts.iter().map(|it| echo_here(it.clone()))),
    )
    .await;
    let mut all = Vec::new();
    for each in there.into_iter().chain(here) {
        all.push(each?);
    }
    Ok(all)
}

/// Races a task against a timer so many times, beside a branch of its own, and tells who won each time.
#[eventual::workflow]
pub async fn races(times: u32) -> Result<Vec<String>> {
    let beside = eventual::spawn(async {
        eventual::sleep(Duration::from_millis(200)).await?;
        echo("branch".to_owned()).await
    });
    let mut winners = Vec::new();
    for _ in 0..times {
        let winner = match select(echo("task".to_owned()), eventual::sleep(Duration::from_secs(3_600))).await
        {
            Either::Left((done, _timer)) => done?,
            Either::Right(_) => "timer".to_owned(),
        };
        winners.push(winner);
    }
    winners.push(beside.await?);
    Ok(winners)
}

/// Maps texts through a task, two at a time, and tells how many ran at once at the most.
#[eventual::workflow]
pub async fn maps(texts: Vec<String>) -> Result<(Vec<String>, usize)> {
    let running = Rc::new(RefCell::new((0_usize, 0_usize)));
    let one = |text: String| {
        let running = running.clone();
        async move {
            {
                let mut running = running.borrow_mut();
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            let back = echo(text).await;
            running.borrow_mut().0 -= 1;
            Ok::<_, Error>(back?)
        }
    };
    let all = eventual::map(texts, one).concurrency(2).all().await?;
    let most = running.borrow().1;
    Ok((all, most))
}

/// Takes the first of several naps; the others are given up.
#[eventual::workflow]
pub async fn takes_the_first(times: Vec<u64>) -> Result<Vec<(usize, u64)>> {
    let naps = times.into_iter().map(crate::waits::naps);
    Ok(eventual::parallel(naps).first(1).await?)
}

/// Books three things, of which the last one fails, and undoes the others, the latest first. Its query `log` tells what it did.
#[eventual::workflow]
pub async fn books() -> Result<()> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let told = log.clone();
    eventual::on_query("log", move |(): ()| told.borrow().clone());
    let mut saga = Saga::new();
    let booked = async {
        for what in ["hotel", "car"] {
            let undone = log.clone();
            saga.step(echo(what.to_owned()), move |it| {
                undone.borrow_mut().push(format!("undo {it}"));
                echo(format!("undo {it}"))
            })
            .await?;
            log.borrow_mut().push(what.to_owned());
        }
        Result::<()>::Err(Error::new("Full", "no flight is left"))
    }
    .await;
    if booked.is_err() {
        saga.compensate().await?;
    }
    booked
}
