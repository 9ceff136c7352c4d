//! The workflows that the tests control, and what they do outside.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use eventual::{CancelScope, Error, ParentClose, Result, Retry, Saga, State};
use futures_util::future::{Either, select};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const HOUR: Duration = Duration::from_secs(3_600);

/// What tasks did.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<String>>);

#[eventual::signal]
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Item {
    pub(crate) name: String,
}

#[eventual::signal]
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Vote {
    pub(crate) yes: bool,
}

#[eventual::command(auth = none)]
pub(crate) async fn read_log(log: State<Log>) -> Vec<String> {
    log.0.lock().unwrap().clone()
}

#[eventual::task]
async fn write(line: String, log: State<Log>) {
    log.0.lock().unwrap().push(line);
}

#[eventual::task(retry(attempts = 100, initial = "10s", backoff = 1.0, errors))]
async fn try_it(line: String, log: State<Log>) -> Result<()> {
    log.0.lock().unwrap().push(format!("tried {line}"));
    Err(Error::new("Refused", line))
}

#[eventual::task]
async fn undo(what: String, log: State<Log>) -> Result<()> {
    if what == "stuck" {
        return Err(Error::new("Stuck", "cannot be undone"));
    }
    log.0.lock().unwrap().push(format!("undid {what}"));
    Ok(())
}

#[eventual::task]
async fn act(what: String, log: State<Log>) -> Result<String> {
    if what == "fails" {
        return Err(Error::new("Full", "nothing is left"));
    }
    log.0.lock().unwrap().push(format!("did {what}"));
    Ok(what)
}

#[eventual::workflow]
pub(crate) async fn cleans_up() -> Result<()> {
    let slept = eventual::sleep(HOUR).await;
    if eventual::is_cancelled() {
        let _ = write("not shielded".to_owned()).await;
        eventual::shield(async {
            eventual::sleep(Duration::from_secs(5)).await?;
            write("cleaned up".to_owned()).await
        })
        .await?;
    }
    Ok(slept?)
}

#[eventual::workflow]
pub(crate) async fn finishes_anyway() -> String {
    match eventual::sleep(HOUR).await {
        Ok(()) => "whole".to_owned(),
        Err(_) => "partial".to_owned(),
    }
}

#[derive(Debug, thiserror::Error, Serialize, Deserialize, JsonSchema, eventual::Failure)]
pub(crate) enum WrapError {
    #[error(transparent)]
    #[failure(call)]
    Other(Error),
}

#[eventual::workflow]
pub(crate) async fn wraps() -> Result<(), WrapError> {
    Ok(eventual::sleep(HOUR).await?)
}

#[eventual::workflow]
pub(crate) async fn parent() -> Result<()> {
    Ok(cleans_up().await?)
}

#[eventual::workflow]
pub(crate) async fn races_a_child(policy: u8) -> Result<()> {
    let policy = match policy {
        0 => ParentClose::Abandon,
        1 => ParentClose::Cancel,
        _ => ParentClose::Terminate,
    };
    let child = cleans_up().key("child").on_parent_close(policy);
    match select(child, eventual::sleep(Duration::from_secs(1))).await {
        Either::Left(_) => Err(Error::new("Lost", "the child was quicker")),
        Either::Right(_) => Ok(()),
    }
}

#[eventual::workflow]
pub(crate) async fn cancels_a_part() -> Result<Vec<String>> {
    let scope = CancelScope::new();
    let part = eventual::spawn(scope.run(async {
        match eventual::sleep(HOUR).await {
            Ok(()) => "part: done",
            Err(_) => "part: cancelled",
        }
    }));
    eventual::sleep(Duration::from_secs(1)).await?;
    scope.cancel();
    let part = part.await;
    eventual::sleep(Duration::from_secs(1)).await?;
    Ok(vec![part.to_owned(), "rest: done".to_owned()])
}

#[eventual::workflow]
pub(crate) async fn collects(count: usize) -> Result<Vec<String>> {
    let items = Rc::new(RefCell::new(Vec::new()));
    let seen = items.clone();
    eventual::on_query("count", move |(): ()| seen.borrow().len());
    while items.borrow().len() < count {
        let item = Item::next().await?;
        items.borrow_mut().push(item.name);
    }
    Ok(items.borrow().clone())
}

#[eventual::workflow]
pub(crate) async fn waits_for_votes(count: u32) -> bool {
    let votes = Rc::new(RefCell::new(0));
    let counting = votes.clone();
    let _handler = eventual::on_signal(move |vote: Vote| *counting.borrow_mut() += u32::from(vote.yes));
    eventual::until(|| *votes.borrow() >= count).timeout(HOUR).await
}

#[eventual::workflow]
pub(crate) async fn disposes() -> Result<Vec<String>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let inside = seen.clone();
    let handler =
        eventual::on_signal(move |it: Item| inside.borrow_mut().push(format!("handled {}", it.name)));
    eventual::sleep(HOUR).await?;
    handler.dispose();
    let next = Item::next().await?;
    seen.borrow_mut().push(format!("awaited {}", next.name));
    Ok(seen.take())
}

#[eventual::workflow]
pub(crate) async fn books(how: String) -> Result<()> {
    let mut saga = Saga::new();
    let booked = async {
        saga.step(act("hotel".to_owned()), |it| undo(it.clone())).await?;
        let second = if how == "stuck" { "stuck" } else { "car" };
        saga.step(act(second.to_owned()), |it| undo(it.clone())).await?;
        if how == "waits" {
            eventual::sleep(HOUR).await?;
        }
        act("fails".to_owned()).await?;
        Result::Ok(())
    }
    .await;
    if booked.is_err() {
        saga.compensate().await?;
    }
    booked
}

#[eventual::workflow]
pub(crate) async fn tries_for_a_minute() -> Result<()> {
    let often = Retry::attempts(100).errors().initial(Duration::from_secs(10)).backoff(1.0).jitter(0.5);
    Ok(try_it("again".to_owned()).retry(often).total_timeout(Duration::from_secs(60)).await?)
}

#[eventual::workflow]
pub(crate) async fn final_at_once() -> Result<()> {
    Ok(try_it("finally".to_owned()).final_errors(["Refused"]).await?)
}

thread_local! {
    /// Whether the code is another version of itself. Tests poll workflow code on their own threads.
    pub(crate) static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// Waits for a child; changed code waits for something else.
#[eventual::workflow]
pub(crate) async fn changes(close: u32) -> Result<()> {
    if CHANGED.get() {
        return Ok(eventual::sleep(HOUR).await?);
    }
    let policy = [ParentClose::Abandon, ParentClose::Cancel, ParentClose::Terminate];
    let child = cleans_up().key("child").on_parent_close(policy[close as usize]);
    match select(child, Item::next()).await {
        Either::Left((ended, _)) => Ok(ended?),
        Either::Right((item, _)) => {
            item?;
            Ok(eventual::sleep(HOUR).await?)
        }
    }
}
