//! Tasks that somebody answers later: by token, or the test by hand.

use std::sync::Mutex;
use std::time::Duration;

use eventual::{CallError, Completion, Error, Result, State, TaskToken};
use eventual_testing::TestEnvironment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const HOUR: Duration = Duration::from_secs(3_600);

/// Tokens that were handed out.
#[derive(Default)]
struct Letters(Mutex<Vec<TaskToken>>);

#[eventual::task(timeout = "15m", retry(attempts = 5))]
async fn inquire(c: Completion, letters: State<Letters>) -> Result<String> {
    letters.0.lock().unwrap().push(c.token());
    c.later(10 * HOUR).await
}

/// Waits for an answer for an hour.
#[eventual::workflow]
async fn waits_for_an_answer() -> Result<String> {
    tokio::select! {
        answer = inquire() => Ok(answer?),
        slept = eventual::sleep(HOUR) => { slept?; Ok("sleep".to_owned()) }
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Letter {
    token: TaskToken,
    text: String,
}

#[eventual::command(uses(inquire))]
async fn answer(letter: Letter) -> Result<()> {
    Ok(inquire::complete(letter.token).succeed(&letter.text).await?)
}

#[eventual::command(uses(inquire))]
async fn object(letter: Letter) -> Result<()> {
    Ok(eventual::complete(letter.token).fail(Error::new("Objection", letter.text)).await?)
}

#[eventual::command]
async fn last_letter(letters: State<Letters>) -> TaskToken {
    letters.0.lock().unwrap().last().unwrap().clone()
}

fn environment() -> TestEnvironment {
    TestEnvironment::with_state(eventual::service!(name = "environment"), Letters::default())
}

fn letter(env: &TestEnvironment, text: &str) -> Letter {
    Letter { token: env.call(last_letter()).unwrap(), text: text.to_owned() }
}

#[test]
fn a_task_is_answered_by_whoever_has_its_token() {
    let env = environment();
    let execution = env.start(waits_for_an_answer()).unwrap();
    env.advance(HOUR / 2);
    env.call(answer(letter(&env, "hi"))).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "hi");
}

#[test]
fn an_answer_at_once_is_an_answer() {
    let mut env = environment();
    let execution = env.start(waits_for_an_answer()).unwrap();
    env.restart();
    env.call(answer(letter(&env, ""))).unwrap();
    assert_eq!(env.result(&execution).unwrap().unwrap(), "", "an empty one, too");
}

#[test]
fn an_error_by_token_is_the_tasks_error() {
    let env = environment();
    let execution = env.start(waits_for_an_answer()).unwrap();
    env.call(object(letter(&env, "I do not like it"))).unwrap();
    let Some(Err(CallError::Failed(error))) = env.result(&execution) else { panic!("it goes on") };
    assert_eq!((error.class.as_str(), error.message.as_str()), ("Objection", "I do not like it"));
}

#[test]
fn an_error_by_token_may_say_nothing() {
    let env = environment();
    let execution = env.start(waits_for_an_answer()).unwrap();
    env.call(object(letter(&env, ""))).unwrap();
    let Some(Err(CallError::Failed(error))) = env.result(&execution) else { panic!("it goes on") };
    assert_eq!((error.class.as_str(), error.message.as_str()), ("Objection", ""));
}

#[test]
fn a_mock_answers_in_its_place_at_once() {
    let env = environment();
    env.mock(inquire).succeed("i am a mock".into());
    assert_eq!(env.call(waits_for_an_answer()).unwrap(), "i am a mock");
}

#[test]
fn what_is_held_is_not_answered() {
    let env = environment();
    env.mock(inquire).hold();
    let began = env.now();
    assert_eq!(env.call(waits_for_an_answer()).unwrap(), "sleep");
    assert_eq!(env.now() - began, 3_600_000);
}

#[test]
fn what_is_held_is_answered_by_the_test() {
    let env = environment();
    env.mock(inquire).hold();
    let execution = env.start(waits_for_an_answer()).unwrap();
    env.advance(Duration::from_secs(60));
    env.held(inquire).remove(0).succeed("by hand".into());
    assert_eq!(env.result(&execution).unwrap().unwrap(), "by hand");
}

#[test]
fn one_is_held_and_the_next_is_answered() {
    let env = environment();
    env.mock(inquire).hold().once().succeed("at once".into());
    let held = env.start(waits_for_an_answer()).unwrap();
    let other = env.start(waits_for_an_answer()).unwrap();
    assert_eq!(env.result(&other).unwrap().unwrap(), "at once");
    assert_eq!(env.result(&held), None);
    env.held(inquire).remove(0).succeed("by hand".into());
    assert_eq!(env.result(&held).unwrap().unwrap(), "by hand");
}

#[test]
fn an_answer_after_the_end_changes_nothing_and_says_so() {
    let env = environment();
    let execution = env.start(waits_for_an_answer()).unwrap();
    assert_eq!(env.run(&execution).unwrap(), "sleep");
    let Err(CallError::Failed(error)) = env.call(answer(letter(&env, "late"))) else { panic!("accepted") };
    assert!(error.message.contains("nobody waits for this answer"), "{error}");
    assert_eq!(env.result(&execution).unwrap().unwrap(), "sleep");
}
