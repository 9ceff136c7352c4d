//! Nine-step workflows in the test environment: how many a second, with every step a committed turn. Memory instead of a
//! disk, so this is what the engine itself costs.

use std::time::Instant;

use eventual_testing::TestEnvironment;

use crate::service::{STEPS, nine, nine_remote};
use crate::{Reading, worked};

/// Runs `workflows` of each kind, one after the other as the tests of a service do, in fresh environments of 1,000.
pub(crate) fn measure(workflows: u64) -> Vec<Reading> {
    let inline = rate(workflows, |env, order| env.call(nine(order)).unwrap_or_default());
    let remote = rate(workflows, |env, order| env.call(nine_remote(order)).unwrap_or_default());
    vec![
        ("nine inline steps, workflows/s".into(), inline.0),
        ("nine inline steps, workflows in a second of processor time, /s".into(), inline.1),
        ("nine remote steps, workflows/s".into(), remote.0),
        ("nine remote steps, workflows in a second of processor time, /s".into(), remote.1),
    ]
}

/// Workflows in a second, and in a second of processor time: everything happens on this thread.
#[expect(clippy::cast_precision_loss, reason = "some thousands of workflows")]
fn rate(workflows: u64, run: impl Fn(&TestEnvironment, u64) -> u64) -> (f64, f64) {
    let (began, worked_before) = (Instant::now(), worked());
    // Without twins, as the goal is stated: they take every turn once more each.
    let environment = || TestEnvironment::new(eventual::service!()).twins(1);
    let mut env = environment();
    for order in 0..workflows {
        if order % 1_000 == 999 {
            env = environment();
        }
        let sum = run(&env, order);
        let expected = order + u64::from((0..STEPS).sum::<u32>());
        assert_eq!(sum, expected, "the sum of workflow {order}");
    }
    let (took, worked) = (began.elapsed(), worked() - worked_before);
    (workflows as f64 / took.as_secs_f64(), workflows as f64 / worked.as_secs_f64())
}
