//! Workflows that start others and do not wait for them to the end.

use eventual_engine::ambient;
use eventual_engine::core::{Call, ExecutionId, Outcome, ParentClose, Payload};
use futures_util::future::{Either, select};

use super::{ask, done, size, task, value};

/// Starts children that never end by themselves, gives each up after a while or at once, and leaves the last one behind.
pub(super) async fn drops(input: Payload) -> Outcome {
    let Some(own) = ambient::workflow().map(|it| it.execution) else {
        return Outcome::Crashed("outside of an execution".to_owned());
    };
    let (size, mut sum) = (size(&input), 0);
    for number in 0..size {
        let Ok(child) = ExecutionId::new("waits", &format!("{number}-of-{}", own.name())) else {
            return Outcome::Crashed("no name for the child".to_owned());
        };
        let close = if number % 2 == 0 { ParentClose::Cancel } else { ParentClose::Terminate };
        let input = Payload::from(number.to_string().as_str());
        let attributes = std::collections::BTreeMap::new();
        let call =
            Call::Workflow { execution: child, input, detached: false, answered: true, close, attributes };
        let work = async {
            if number % 3 != 0 {
                ask(|now| Call::Timer { due: now + 10_000 * number }).await;
            }
            value(ask(|_| task("echo", number)).await)
        };
        match select(Box::pin(ask(|_| call)), Box::pin(work)).await {
            Either::Left((ended, _)) => {
                return Outcome::Crashed(format!("a child ended by itself: {ended:?}"));
            }
            Either::Right((number, child)) => {
                sum += number;
                if number + 1 == size {
                    // It is open when the code ends.
                    let end = done(sum);
                    drop(child);
                    return end;
                }
            }
        }
    }
    done(sum)
}

/// Waits for what never comes, after a task.
pub(super) async fn waits(input: Payload) -> Outcome {
    ask(|_| task("echo", size(&input))).await;
    ask(|_| Call::Signal { name: "never".into() }).await
}
