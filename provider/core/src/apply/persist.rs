//! Tries an operation again while the cloud says "not yet", with growing pauses, until a deadline.

use std::future::Future;

use super::Run;
use crate::cloud::{CloudError, Trouble};
use crate::progress::{Action, Stage};

/// How long a role or permission that this run wrote may take to be seen everywhere. Mostly it is seconds; it has been minutes.
const PROPAGATION_MS: u64 = 5 * 60_000;
/// How long one that this run did not write may: it may have been written by the run before.
const OLD_PROPAGATION_MS: u64 = 20_000;
/// How long a service may not answer.
const UNREACHABLE_MS: u64 = 60_000;
/// How long what was just made may not be seen by the next call that needs it.
const UNSEEN_MS: u64 = 60_000;

/// What is tried, because that says what an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Making a child what it should be. All that it needs was made before: what is not there is not seen yet.
    Ensure {
        /// Whether this run changes roles, so that missing permissions may be ones that are not seen yet.
        fresh_roles: bool,
    },
    /// Everything else, for which what is not there is an answer.
    Other,
}

/// First and longest pause, and the most time for all tries together; `None` for trouble that waiting does not cure.
fn patience(trouble: Trouble, effort: Effort) -> Option<(u64, u64, u64)> {
    match trouble {
        Trouble::Propagating if effort == (Effort::Ensure { fresh_roles: true }) => {
            Some((250, 2000, PROPAGATION_MS))
        }
        Trouble::Propagating => Some((250, 2000, OLD_PROPAGATION_MS)),
        Trouble::Busy => Some((200, 3000, u64::MAX)),
        Trouble::Throttled => Some((300, 8000, u64::MAX)),
        Trouble::Unreachable => Some((500, 8000, UNREACHABLE_MS)),
        Trouble::NotFound if effort != Effort::Other => Some((250, 4000, UNSEEN_MS)),
        Trouble::NotFound
        | Trouble::Foreign
        | Trouble::Lost
        | Trouble::Denied
        | Trouble::Invalid
        | Trouble::Other => None,
    }
}

/// What stands in the way.
struct Condition {
    trouble: Trouble,
    operation: String,
    /// When it was met first.
    since_ms: u64,
    /// Pauses made for it.
    count: u32,
}

/// Runs `operation` until it succeeds, fails for good, or waiting makes no sense any more.
///
/// Each condition (a kind of trouble with one operation) has its own patience and its own count of pauses: being throttled
/// for a minute takes nothing from the time that a permission may need afterwards, and backs off by itself.
pub(crate) async fn persist<T, F>(
    run: &Run<'_>,
    key: &str,
    action: Action,
    effort: Effort,
    mut operation: impl FnMut() -> F,
) -> Result<T, CloudError>
where
    F: Future<Output = Result<T, CloudError>>,
{
    let began = run.cloud.now_ms();
    let mut conditions: Vec<Condition> = Vec::new();
    loop {
        let error = match operation().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some((first, longest, most)) = patience(error.trouble, effort) else { return Err(error) };
        let now = run.cloud.now_ms();
        let same = |it: &Condition| it.trouble == error.trouble && it.operation == error.operation;
        let at = conditions.iter().position(same).unwrap_or_else(|| {
            let operation = error.operation.clone();
            conditions.push(Condition { trouble: error.trouble, operation, since_ms: now, count: 0 });
            conditions.len() - 1
        });
        let condition = &mut conditions[at];
        if now.saturating_sub(condition.since_ms) >= most || run.stopped().is_some() {
            return Err(error);
        }
        let count = condition.count;
        condition.count += 1;
        let pause = first.saturating_mul(1 << count.min(16)).min(longest);
        // Half of the pause is chance, so that children that failed together do not come back together.
        let jittered = pause / 2 + run.cloud.random() % (pause / 2 + 1);
        run.report(key, action, Stage::Waiting(error.to_string()), began);
        run.cloud.sleep_ms(jittered).await;
    }
}

/// Runs an operation on the ownership record, which lies in the bucket, until it is answered, or the run has no time left.
pub(super) async fn patiently<T, F>(run: &Run<'_>, operation: impl FnMut() -> F) -> Result<T, CloudError>
where
    F: Future<Output = Result<T, CloudError>>,
{
    persist(run, "bucket", Action::Update, Effort::Other, operation).await
}
