//! What is known of an execution after its end, and a child's end in its parent.

use std::time::Duration;

use eventual::{CallError, Error, Result};
use eventual_engine::core::Status;

use crate::environment;
use crate::service::DAY;

/// Ends a second after it began: well, or with an error.
#[eventual::workflow]
async fn ends(well: bool) -> Result<String> {
    eventual::sleep(Duration::from_secs(1)).await?;
    if well { Ok("hello from a workflow".to_owned()) } else { Err(Error::new("Error", "Ahh")) }
}

#[eventual::workflow]
async fn has_ends(well: bool) -> Result<String> {
    Ok(ends(well).await?)
}

/// Start and end of the record of an execution that began after `later`.
fn record(well: bool, later: Duration) {
    let env = environment();
    env.advance(later);
    let began = env.now();
    let execution = env.start(ends(well)).unwrap();
    let meta = env.execution(&execution);
    assert_eq!((meta.status, meta.started, meta.closed), (Status::Running, began, None));
    let ended = env.run(&execution);
    env.advance(later);
    let meta = env.execution(&execution);
    assert_eq!((meta.started, meta.closed), (began, Some(began + 1_000)), "not when somebody looked");
    if well {
        assert_eq!((meta.status, ended.unwrap().as_str()), (Status::Succeeded, "hello from a workflow"));
    } else {
        let Err(CallError::Failed(error)) = ended else { panic!("{ended:?}") };
        assert_eq!(
            (meta.status, error.class.as_str(), error.message.as_str()),
            (Status::Failed, "Error", "Ahh")
        );
    }
}

#[test]
fn a_success_is_recorded_with_its_times() {
    record(true, Duration::ZERO);
}

#[test]
fn a_success_far_in_the_future_is_recorded_with_its_times() {
    record(true, 1_000 * DAY);
}

#[test]
fn a_failure_is_recorded_with_its_times() {
    record(false, Duration::ZERO);
}

#[test]
fn a_failure_far_in_the_future_is_recorded_with_its_times() {
    record(false, 1_000 * DAY);
}

#[test]
fn the_result_of_a_child_is_its_parents_to_use() {
    assert_eq!(environment().call(has_ends(true)).unwrap(), "hello from a workflow");
}

#[test]
fn the_error_of_a_child_reaches_the_record_of_its_parent() {
    let env = environment();
    let execution = env.start(has_ends(false)).unwrap();
    let Err(CallError::Failed(error)) = env.run(&execution) else { panic!("it succeeded") };
    assert_eq!((error.class.as_str(), error.message.as_str()), ("Error", "Ahh"));
    assert_eq!(env.execution(&execution).status, Status::Failed);
}
