//! Terminated executions whose code cannot be asked: what they leave behind is known from their histories.

use eventual::Error;
use eventual_engine::core::{ExecutionId, Status};
use eventual_testing::{TestEnvironment, TestExecution};

use super::workflows::*;
use super::{HOUR, client, environment, id, start, status};

/// An execution that waits for a child, parked because its code has changed.
fn parked(close: u32) -> (TestEnvironment, TestExecution<(), Error>) {
    let mut environment = environment();
    let execution = start(&environment, changes(close));
    CHANGED.set(true);
    environment.restart();
    environment.signal(&execution, Item { name: "any".to_owned() }).unwrap();
    assert_eq!(status(&environment, &execution), Status::Parked);
    (environment, execution)
}

fn child(environment: &TestEnvironment) -> Status {
    environment.advance(HOUR / 60);
    environment.drive().meta(&ExecutionId::new("cleansUp", "child").unwrap()).unwrap().status
}

#[test]
fn children_of_a_parked_execution_are_stopped_as_their_calls_say() {
    for (close, expected) in [(0, Status::Running), (1, Status::Cancelled), (2, Status::Terminated)] {
        let (mut environment, execution) = parked(close);
        client(&mut environment, &execution, async |client, id| client.terminate(id, "gone wrong").await)
            .unwrap();
        assert_eq!(status(&environment, &execution), Status::Terminated);
        assert_eq!(child(&environment), expected);
        let last = environment.history(&execution).pop().unwrap();
        assert_eq!(last.stops.len(), usize::from(close > 0));
        CHANGED.set(false);
    }
}

#[test]
fn an_execution_whose_code_is_in_memory_is_terminated_by_its_history_too() {
    let environment = environment();
    let execution = start(&environment, changes(1));
    let drive = environment.drive();
    drive.block_on(drive.client().terminate(&id(&execution), "enough")).unwrap();
    drive.settle();
    assert_eq!(status(&environment, &execution), Status::Terminated);
    assert_eq!(child(&environment), Status::Cancelled);
}
