//! A task by itself, and mocks in its place.

use std::time::Duration;

use eventual::{CallError, Error, Failure, Result};
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment;

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize, JsonSchema, Failure)]
pub(crate) enum GreetError {
    #[error("Ahhh")]
    Shy,
    #[error("no greeting before {hour}")]
    Early { hour: u32 },
}

#[eventual::task]
async fn greet(name: String) -> Result<String, GreetError> {
    Ok(format!("hello {name}"))
}

/// Its error is a text.
#[eventual::task]
async fn mutter(name: String) -> Result<String, String> {
    Err(name)
}

fn said<E: Failure + std::fmt::Debug>(greeting: Result<String, CallError<E>>) -> String {
    greeting.unwrap_or_else(|error| match error {
        CallError::Failed(error) => format!("{}: {}", error.class(), error.message()),
        other => format!("{other:?}"),
    })
}

/// Greets so many times in a row, a second apart, and each time so many at once.
#[eventual::workflow]
async fn greets((rows, at_once): (u32, u32)) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for row in 0..rows {
        if row > 0 {
            eventual::sleep(Duration::from_secs(1)).await?;
        }
        let greetings = join_all((0..at_once).map(|it| greet(format!("{row}.{it}")))).await;
        all.extend(greetings.into_iter().map(said));
    }
    Ok(all)
}

#[eventual::workflow]
async fn mutters() -> String {
    said(mutter("hm".to_owned()).await)
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn without_a_mock_the_task_itself_runs() {
    let env = environment();
    assert_eq!(env.call(greets((1, 1))).unwrap(), ["hello 0.0"]);
    env.mock(greet).hold();
    let execution = env.start(greets((1, 1))).unwrap();
    assert_eq!(env.result(&execution), None, "in progress for as long as its task is");
    env.held(greet).remove(0).succeed("done".into());
    assert_eq!(env.result(&execution).unwrap().unwrap(), ["done"]);
}

#[test]
fn a_mock_answers_a_value() {
    let env = environment();
    env.mock(greet).succeed("mocked".into());
    assert_eq!(env.call(greets((1, 1))).unwrap(), ["mocked"]);
}

#[test]
fn a_falsy_value_is_a_value() {
    let env = environment();
    env.mock(greet).succeed(String::new());
    assert_eq!(env.call(greets((1, 1))).unwrap(), [""]);
}

#[test]
fn a_mock_answers_by_a_function() {
    let env = environment();
    env.mock(greet).invoke(|name| Ok(name.replace('.', "-")));
    assert_eq!(env.call(greets((1, 2))).unwrap(), ["0-0", "0-1"]);
}

#[test]
fn a_mock_answers_every_call_of_an_execution() {
    let env = environment();
    env.mock(greet).succeed("again".into());
    assert_eq!(env.call(greets((2, 3))).unwrap(), vec!["again"; 6]);
    assert_eq!(env.calls(greet).len(), 6);
}

#[test]
fn a_mock_answers_every_execution() {
    let env = environment();
    env.mock(greet).succeed("again".into());
    for _ in 0..3 {
        assert_eq!(env.call(greets((1, 1))).unwrap(), ["again"]);
    }
}

#[test]
fn a_mock_fails_every_call() {
    let env = environment();
    env.mock(greet).fail(GreetError::Shy);
    assert_eq!(env.call(greets((2, 2))).unwrap(), vec!["GreetError::Shy: Ahhh"; 4]);
}

#[test]
fn a_mock_fails_once_and_succeeds_then() {
    let env = environment();
    env.mock(greet).fail(GreetError::Shy).once().succeed("not ahhh".into());
    assert_eq!(env.call(greets((1, 3))).unwrap(), ["GreetError::Shy: Ahhh", "not ahhh", "not ahhh"]);
}

#[test]
fn errors_of_ones_own_keep_class_message_and_fields() {
    let env = environment();
    env.mock(greet).fail(GreetError::Shy).once().fail(GreetError::Early { hour: 7 }).once();
    assert_eq!(
        env.call(greets((1, 3))).unwrap(),
        ["GreetError::Shy: Ahhh", "GreetError::Early: no greeting before 7", "hello 0.2"]
    );
}

#[test]
fn a_text_is_an_error_too() {
    let env = environment();
    assert_eq!(env.call(mutters()).unwrap(), "Error: hm");
    env.mock(mutter).fail("hello?".to_owned());
    assert_eq!(env.call(mutters()).unwrap(), "Error: hello?");
}

#[test]
fn a_mock_may_change_while_an_execution_runs() {
    let env = environment();
    env.mock(greet).succeed("first".into());
    let execution = env.start(greets((3, 1))).unwrap();
    env.mock(greet).succeed("second".into());
    env.advance(SECOND);
    env.mock(greet).succeed("third".into());
    env.advance(SECOND);
    assert_eq!(env.result(&execution).unwrap().unwrap(), ["first", "second", "third"]);
}

#[test]
fn a_mock_succeeds_once_and_otherwise_then() {
    let env = environment();
    env.mock(greet).succeed("first!".into()).once().succeed("then".into());
    assert_eq!(env.call(greets((1, 3))).unwrap(), ["first!", "then", "then"]);
}

#[eventual::workflow]
async fn fails_with_a_class() -> Result<()> {
    Err(Error::new("MyError", "I am useless"))
}

#[test]
fn an_error_of_a_class_of_ones_own_ends_an_execution() {
    let Err(CallError::Failed(error)) = environment().call(fails_with_a_class()) else {
        panic!("it succeeded")
    };
    assert_eq!((error.class.as_str(), error.message.as_str()), ("MyError", "I am useless"));
}
