//! When another attempt of a task is made, as it stands in a history. Most tasks have the policy that nobody wrote down: it is left
//! out, a third of what one step of a long history takes.

use eventual_core::RetryPolicy;
use serde::{Deserialize, Serialize};

/// What a history means that says nothing. It stays so for ever, whatever the default of later code is.
const UNSAID: RetryText = RetryText {
    attempts: 3,
    errors: false,
    initial_ms: 0,
    backoff_percent: 200,
    max_ms: 60_000,
    jitter_percent: 0,
};

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RetryText {
    attempts: u32,
    errors: bool,
    initial_ms: u64,
    backoff_percent: u32,
    max_ms: u64,
    #[serde(default)]
    jitter_percent: u32,
}

impl RetryText {
    pub(super) fn is_unsaid(&self) -> bool {
        *self == UNSAID
    }
}

impl Default for RetryText {
    fn default() -> Self {
        UNSAID
    }
}

impl From<RetryPolicy> for RetryText {
    fn from(policy: RetryPolicy) -> Self {
        let RetryPolicy { attempts, errors, initial_ms, backoff_percent, max_ms, jitter_percent } = policy;
        Self { attempts, errors, initial_ms, backoff_percent, max_ms, jitter_percent }
    }
}

impl From<RetryText> for RetryPolicy {
    fn from(text: RetryText) -> Self {
        let RetryText { attempts, errors, initial_ms, backoff_percent, max_ms, jitter_percent } = text;
        Self { attempts, errors, initial_ms, backoff_percent, max_ms, jitter_percent }
    }
}
