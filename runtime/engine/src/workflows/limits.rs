//! What code may ask for in one turn. It is looked at before the turn is committed, so that code which asks for more is
//! parked with its history as it was, and goes on when it was mended.

use eventual_core::limits::{OPEN_CALLS_MAX, PAYLOAD_MAX, TURN_CALLS_MAX};
use eventual_core::{Call, Output, Payload};

/// Whether the calls of a turn, after which `open` are waited for, keep the limits.
pub(super) fn check(output: &Output, open: usize) -> Result<(), String> {
    let calls = output.calls.len();
    if calls > TURN_CALLS_MAX {
        return Err(format!(
            "the code asked for {calls} calls in one turn, the most is {TURN_CALLS_MAX}: await some of them before it asks \
             for more"
        ));
    }
    if open > OPEN_CALLS_MAX {
        return Err(format!(
            "the code waits for {open} calls, the most is {OPEN_CALLS_MAX}: await some of them before it asks for more, or \
             let child workflows do parts of it"
        ));
    }
    for (seq, call) in &output.calls {
        let largest = payloads(call).into_iter().map(|it| it.as_bytes().len()).max().unwrap_or_default();
        if largest > PAYLOAD_MAX {
            let (kind, name) = (call.kind(), call.name());
            return Err(format!(
                "call {seq}, {kind} `{name}`, has a payload of {largest} bytes, the most is {PAYLOAD_MAX}: put it into a \
                 bucket, and where it is into the payload"
            ));
        }
    }
    Ok(())
}

fn payloads(call: &Call) -> Vec<&Payload> {
    match call {
        Call::Emit(events) => events.iter().map(|it| &it.payload).collect(),
        Call::Send { payload, .. } => vec![payload],
        Call::Task(task) => vec![&task.input],
        Call::Update { input, .. } | Call::Workflow { input, .. } => vec![input],
        Call::Cancel { .. } | Call::NextUpdate { .. } | Call::Signal { .. } | Call::Timer { .. } => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(calls: impl IntoIterator<Item = Call>) -> Output {
        Output { calls: (0..).zip(calls).collect(), ..Output::default() }
    }

    #[test]
    fn what_is_too_much_is_told_with_its_number() {
        let many = output((0..10_001).map(|due| Call::Timer { due }));
        assert!(check(&many, 1).unwrap_err().contains("10001 calls in one turn, the most is 10000"));
        let few = output([Call::Timer { due: 1 }]);
        assert_eq!(check(&few, 50_000), Ok(()));
        assert!(check(&few, 50_001).unwrap_err().contains("50000"));
        let input = Payload::from(vec![b'1'; PAYLOAD_MAX + 1]);
        let large = output([Call::Task(eventual_core::TaskCall::new("resize", input))]);
        assert!(check(&large, 1).unwrap_err().contains("task `resize`"));
    }
}
