//! Signals, handlers of signals, and events.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use eventual::{Execution, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment;

const SECOND: Duration = Duration::from_secs(1);

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Told {
    text: String,
}

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Close {}

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Deaf {}

/// Something was written for an execution.
#[eventual::event]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Written {
    to: Execution,
    text: String,
}

/// Everything was written.
#[eventual::event]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Finished {
    to: Execution,
}

#[eventual::subscription(uses(Told))]
async fn deliver(event: Written) -> Result<()> {
    Ok(Told { text: event.text }.send(&event.to).await?)
}

#[eventual::subscription(uses(Close))]
async fn finish(event: Finished) -> Result<()> {
    Ok(Close {}.send(&event.to).await?)
}

fn told(text: &str) -> Told {
    Told { text: text.to_owned() }
}

/// Waits for one text.
#[eventual::workflow]
async fn listens() -> Result<String> {
    Ok(Told::next().await?.text)
}

/// Keeps the last text that it is told, until it is closed; deaf, it hears no more.
#[eventual::workflow]
async fn keeps_the_last() -> Result<String> {
    let last = Rc::new(RefCell::new("nothing".to_owned()));
    let keep = last.clone();
    let handler = eventual::on_signal(move |Told { text }| *keep.borrow_mut() = text);
    tokio::select! {
        closed = Close::next() => { closed?; }
        deaf = Deaf::next() => {
            deaf?;
            handler.dispose();
            Close::next().await?;
        }
    }
    Ok(last.take())
}

/// Writes to another execution: directly, or by events.
#[eventual::workflow]
async fn writes((to, by_events): (Execution, bool)) -> Result<String> {
    let text = "from another workflow".to_owned();
    if by_events {
        Written { to: to.clone(), text }.emit().await?;
        eventual::sleep(SECOND).await?;
        Finished { to }.emit().await?;
    } else {
        Told { text }.send(&to).await?;
        Close {}.send(&to).await?;
    }
    Ok("nothing to see here".to_owned())
}

/// Counts all texts, and those that came after a moment, until there are ten of these.
#[eventual::workflow]
async fn counts_from(moment: u64) -> (u32, u32) {
    let (seen, counted) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (sees, counts) = (seen.clone(), counted.clone());
    let _handler = eventual::on_signal(move |_: Told| {
        sees.set(sees.get() + 1);
        let late = eventual::now() >= SystemTime::UNIX_EPOCH + Duration::from_millis(moment);
        counts.set(counts.get() + u32::from(late));
    });
    eventual::until(|| counted.get() >= 10).await;
    (seen.get(), counted.get())
}

/// When it began, and when two texts came.
#[eventual::workflow]
async fn notes_times() -> Result<Vec<u64>> {
    let mut times = Vec::new();
    for _ in 0..3 {
        if !times.is_empty() {
            Told::next().await?;
        }
        times.push(eventual::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis().try_into()?);
    }
    Ok(times)
}

#[test]
fn an_execution_waits_for_its_signal() {
    let env = environment();
    let execution = env.start(listens()).unwrap();
    env.advance(1_000 * SECOND);
    assert_eq!(env.result(&execution), None);
    assert_eq!(env.waits_for(&execution)[0].to_string(), "wait for signal `Told`");
}

#[test]
fn a_signal_ends_the_wait_for_it() {
    let env = environment();
    let execution = env.start(listens()).unwrap();
    env.signal(&execution, told("done!")).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "done!");
}

#[test]
fn a_handler_takes_every_signal() {
    let env = environment();
    let execution = env.start(keeps_the_last()).unwrap();
    env.signal(&execution, told("done!")).unwrap();
    env.signal(&execution, told("override!")).unwrap();
    env.signal(&execution, Close {}).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "override!");
}

#[test]
fn a_handler_that_is_disposed_of_takes_none() {
    let env = environment();
    let execution = env.start(keeps_the_last()).unwrap();
    env.signal(&execution, told("done!")).unwrap();
    env.signal(&execution, Deaf {}).unwrap();
    env.signal(&execution, told("override!")).unwrap();
    env.signal(&execution, Close {}).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "done!");
}

#[test]
fn a_workflow_signals_another() {
    let env = environment();
    let listening = env.start(keeps_the_last()).unwrap();
    assert_eq!(env.call(writes(((&listening).into(), false))).unwrap(), "nothing to see here");
    assert_eq!(env.result(&listening).unwrap().unwrap(), "from another workflow");
}

#[test]
fn an_event_reaches_its_subscription_which_signals() {
    let env = environment();
    let execution = env.start(keeps_the_last()).unwrap();
    let written = Written { to: (&execution).into(), text: "event data".into() };
    env.emit(written.clone()).unwrap();
    env.emit(Finished { to: (&execution).into() }).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "event data");
    assert_eq!(env.calls(deliver)[0].input, written, "and the test sees what it was given");
}

#[test]
fn a_workflow_publishes_and_a_subscription_signals() {
    let env = environment();
    let listening = env.start(keeps_the_last()).unwrap();
    assert_eq!(env.call(writes(((&listening).into(), true))).unwrap(), "nothing to see here");
    assert_eq!(env.result(&listening).unwrap().unwrap(), "from another workflow");
    assert_eq!(env.emitted::<Written>().len(), 1);
}

#[test]
fn a_test_stands_in_for_a_subscription() {
    let env = environment();
    let execution = env.start(keeps_the_last()).unwrap();
    env.mock(deliver).succeed(());
    env.emit(Written { to: (&execution).into(), text: "kept by the test".into() }).unwrap();
    env.emit(Finished { to: (&execution).into() }).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "nothing");
    assert_eq!(env.calls(deliver).len(), 1);
}

#[test]
fn the_services_subscriptions_are_switched_off_and_on_again() {
    let env = environment();
    let execution = env.start(keeps_the_last()).unwrap();
    let say_all = |text: &str| {
        env.emit(Written { to: (&execution).into(), text: text.into() }).unwrap();
        env.emit(Finished { to: (&execution).into() }).unwrap();
    };
    env.disable_subscriptions(true);
    say_all("into the void");
    assert_eq!(env.emitted::<Written>().len(), 1, "the test sees it all the same");
    assert_eq!(env.result(&execution), None);
    env.disable_subscriptions(false);
    say_all("event data");
    assert_eq!(env.result(&execution).unwrap().unwrap(), "event data");
    assert_eq!(env.emitted::<Written>().len(), 2);
}

#[test]
fn what_stands_in_goes_with_a_reset() {
    let env = environment();
    let execution = env.start(keeps_the_last()).unwrap();
    env.mock(deliver).succeed(());
    env.emit(Written { to: (&execution).into(), text: "kept by the test".into() }).unwrap();
    env.reset_mocks();
    env.emit(Written { to: (&execution).into(), text: "delivered".into() }).unwrap();
    env.emit(Finished { to: (&execution).into() }).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "delivered");
}

#[test]
fn handlers_see_the_time_at_which_the_signal_came() {
    let env = environment();
    let moment = env.now() + 31 * 86_400_000;
    let execution = env.start(counts_from(moment)).unwrap();
    let tell = |times: u32| (0..times).for_each(|_| env.signal(&execution, told("hi")).unwrap());
    tell(3);
    env.advance_to(moment);
    tell(7);
    assert_eq!(env.result(&execution), None);
    tell(3);
    assert_eq!(env.result(&execution), Some(Ok((13, 10))));
}

#[test]
fn the_time_is_that_of_the_turn() {
    let mut env = environment();
    let began = env.now();
    let execution = env.start(notes_times()).unwrap();
    for _ in 0..2 {
        env.advance(SECOND);
        env.restart();
        env.signal(&execution, told("hi")).unwrap();
    }
    assert_eq!(env.result(&execution).unwrap().unwrap(), [0, 1, 2].map(|it| began + it * 1_000));
}
