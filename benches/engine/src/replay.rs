//! How long a process that has never seen an execution takes to go on with it: its turns are read from their texts, and
//! its code is polled through all of them. What a store takes to fetch the texts is not in it.

use std::time::{Duration, Instant};

use eventual_engine::codec;
use eventual_testing::{TestEnvironment, TestExecution};

use crate::service::{Finish, many};
use crate::{Reading, worked};

/// Makes an execution of `steps` steps, then restarts the process and wakes it.
pub(crate) fn measure(steps: u32) -> Vec<Reading> {
    let mut env = TestEnvironment::new(eventual::service!()).twins(1);
    let made = Instant::now();
    let execution = env.start(many(steps)).unwrap_or_else(|error| panic!("{error}"));
    let made = made.elapsed();
    let texts: Vec<String> = env.history(&execution).iter().map(codec::encode_turn).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    env.restart();
    let (decode, worked_before) = (Instant::now(), worked());
    let decoded = texts.iter().filter(|it| codec::decode_turn(it.as_bytes()).is_ok()).count();
    let (decode, worked_decode) = (decode.elapsed(), worked() - worked_before);
    assert_eq!(decoded, texts.len(), "turns that can be read");
    let (poll, worked_poll) = finish(&env, &execution, steps);
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let megabytes = bytes as f64 / 1e6;
    vec![
        (format!("{steps} steps: made, ms"), milliseconds(made)),
        (format!("{steps} steps: history, MB"), megabytes),
        (format!("{steps} steps: texts read, ms"), milliseconds(decode)),
        (format!("{steps} steps: code replayed, ms"), milliseconds(poll)),
        (format!("{steps} steps: replay, ms"), milliseconds(decode + poll)),
        (format!("{steps} steps: replay, processor time, ms"), milliseconds(worked_decode + worked_poll)),
    ]
}

/// Sends the signal that the code waits for: it comes to a process that has to replay everything first.
fn finish(
    env: &TestEnvironment,
    execution: &TestExecution<u64, eventual::Error>,
    steps: u32,
) -> (Duration, Duration) {
    let (began, worked_before) = (Instant::now(), worked());
    env.signal(execution, Finish {}).unwrap_or_else(|error| panic!("{error}"));
    let took = (began.elapsed(), worked() - worked_before);
    let sum = env.result(execution).and_then(Result::ok);
    assert_eq!(sum, Some((0..u64::from(steps)).sum()), "the sum of {steps} steps");
    took
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
