//! Limits of time on everything that can be waited for.

use std::time::Duration;

use eventual::{CallError, Failure, Result, Retry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment;

const SECOND: Duration = Duration::from_secs(1);

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Word {
    text: String,
}

#[eventual::task(timeout = "30s", at_most_once)]
async fn drill() -> Result<String> {
    Ok("through".to_owned())
}

/// Has its child drill.
#[eventual::workflow]
async fn has_drilled() -> Result<String> {
    Ok(drill().await?)
}

fn told<T, E: Failure + std::fmt::Debug>(
    ended: Result<T, CallError<E>>,
    text: impl FnOnce(T) -> String,
) -> String {
    match ended {
        Ok(it) => text(it),
        Err(CallError::Failed(error)) => error.class(),
        Err(other) => format!("{other:?}"),
    }
}

/// A task, a child and a signal, each with a limit of its own.
#[eventual::workflow]
async fn limits_all() -> Vec<String> {
    let (task, child, word) =
        tokio::join!(drill(), has_drilled().timeout(50 * SECOND), Word::next().timeout(30 * SECOND));
    vec![told(task, |it| it), told(child, |it| it), told(word, |it| it.text)]
}

/// Waits for ever, or nearly.
#[eventual::workflow]
async fn slumbers() -> Result<()> {
    Ok(eventual::sleep(1_000 * SECOND).await?)
}

/// Seven ways to be limited: which of them ended as they should.
#[eventual::workflow]
async fn is_limited_in_every_way() -> Vec<bool> {
    let never = eventual::until(|| false).timeout(2 * SECOND);
    let word = Word::next().timeout(2 * SECOND);
    let of_task = drill();
    let of_child = slumbers().timeout(5 * SECOND);
    let of_call = drill().timeout(2 * SECOND).retry(Retry::attempts(1));
    let of_all = drill().total_timeout(2 * SECOND);
    let by_state = async {
        tokio::select! {
            _ = drill() => false,
            () = eventual::until(|| true) => true,
        }
    };
    let (never, word, of_task, of_child, of_call, of_all, by_state) =
        tokio::join!(never, word, of_task, of_child, of_call, of_all, by_state);
    vec![
        !never,
        matches!(word, Err(CallError::Timeout)),
        matches!(of_task, Err(CallError::Timeout)),
        matches!(of_child, Err(CallError::Timeout)),
        matches!(of_call, Err(CallError::Timeout)),
        matches!(of_all, Err(CallError::Timeout)),
        by_state,
    ]
}

#[test]
fn nobody_notices_limits_that_are_not_reached() {
    let env = environment();
    let execution = env.start(limits_all()).unwrap();
    env.signal(&execution, Word { text: "woo".into() }).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), ["through", "through", "woo"]);
}

#[test]
fn a_mock_runs_out_of_time_and_so_does_who_waits_for_it() {
    let env = environment();
    env.mock(drill).time_out();
    let execution = env.start(limits_all()).unwrap();
    env.signal(&execution, Word { text: "woo".into() }).unwrap();
    assert_eq!(env.run(&execution).unwrap(), ["Timeout", "Timeout", "woo"]);
}

#[test]
fn what_never_answers_runs_out_of_time() {
    let env = environment();
    env.mock(drill).hold();
    let began = env.now();
    let execution = env.start(limits_all()).unwrap();
    assert_eq!(env.run(&execution).unwrap(), ["Timeout", "Timeout", "Timeout"]);
    assert_eq!(env.now() - began, 30_000, "the child ended with its task, before its own limit");
}

#[test]
fn everything_that_waits_can_be_limited() {
    let env = environment();
    env.mock(drill).hold();
    assert_eq!(env.call(is_limited_in_every_way()).unwrap(), [true; 7]);
}
