//! What the engine asks of its ports for a step, counted over memory. Deliberately without AWS and without prices: `cargo xtask bench`
//! prices it as the AWS host makes those calls, one AWS call of each (`runtime/aws/src/store.rs`, `dispatch.rs`) as long as no payload
//! is spilled, and counts the same on the emulated AWS. What users' own tasks take is not in it.

use std::sync::Arc;

use eventual_engine::core::{Call, ExecutionId, Payload};
use eventual_engine::{Ports, States, codec};
use eventual_testing::faults::{CrashPoint, Faults};
use eventual_testing::host::Host;
use eventual_testing::world::World;

use crate::Reading;

/// Steps of executions that are compared: what they have in common is not the steps'.
const SHORT: u32 = 10;
const LONG: [u32; 3] = [100, 1_000, 10_000];

/// What was done for one execution.
#[derive(Clone, Copy, Debug)]
struct Count {
    /// Calls of ports.
    calls: f64,
    /// Turns that were committed, and the kilobytes that they are billed as.
    turns: f64,
    kilobytes: f64,
    /// Remote tasks: each is invoked and claimed, and answers with a message.
    tasks: f64,
}

/// Counts for steps of each kind, in short and long executions.
pub(crate) fn measure() -> Result<Vec<Reading>, String> {
    let mut readings = Vec::new();
    for (kind, workflow) in [("inline", "many"), ("remote", "manyRemotely")] {
        let short = count(workflow, SHORT)?;
        for steps in LONG {
            let long = count(workflow, steps)?;
            let of_a_step =
                |value: fn(&Count) -> f64| (value(&long) - value(&short)) / f64::from(steps - SHORT);
            let (calls, turns, tasks) =
                (of_a_step(|it| it.calls), of_a_step(|it| it.turns), of_a_step(|it| it.tasks));
            let mut add = |what: &str, value| readings.push((format!("{kind} {steps} {what}"), value));
            add("calls", calls);
            // A task is a dispatch, a claim and a message; what is left are reads.
            add("reads", calls - turns - 3.0 * tasks);
            add("writes", of_a_step(|it| it.kilobytes) + tasks);
            add("tasks", tasks);
        }
    }
    Ok(readings)
}

/// Runs an execution over memory.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn count(workflow: &str, steps: u32) -> Result<Count, String> {
    let world = Arc::new(World::new([], 1));
    let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
    let faults = Faults::new(ports, CrashPoint { call: u64::MAX, after_effect: false });
    let registry = eventual::service!(name = "bench", auth = none).registry().clone();
    let host = Host::new(world.clone(), faults.ports(), registry, Arc::new(States::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let input = Payload::from(steps.to_string().as_str());
        let started = host.engine().client().start(workflow, Some("counted"), input).await;
        started.map_err(|error| error.to_string())?;
        while host.step().await.map_err(|error| error.to_string())? {}
        Ok::<_, String>(())
    })?;
    let id = ExecutionId::new(workflow, "counted").map_err(|error| error.to_string())?;
    let turns = world.history(&id);
    let remote = |call: &&Call| matches!(call, Call::Task(task) if !task.inline);
    let tasks = turns.iter().flat_map(|it| &it.calls).map(|(_, call)| call).filter(remote).count();
    let billed = turns.iter().map(|it| codec::encode_turn(it).len().div_ceil(1_024)).sum::<usize>();
    Ok(Count {
        calls: faults.calls() as f64,
        turns: turns.len() as f64,
        kilobytes: billed as f64,
        tasks: tasks as f64,
    })
}
