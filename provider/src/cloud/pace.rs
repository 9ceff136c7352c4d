//! Calls no service faster than it admits: a bucket of tokens for each class of operations that AWS counts together
//! ([`limits`]), and less of them for a while after a service said that it was too fast all the same, because somebody else is
//! at work in the account.
//!
//! Nothing is refused here, calls only begin later; and when to try a refused call again is the core's matter.

mod limits;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use limits::Limit;

/// Part of the documented rate that is used: what leaves here evenly arrives a little less so.
const SHARE: f64 = 0.9;
/// Part of the rate that is left after a refusal.
const AFTER_REFUSAL: f64 = 0.5;
/// Least part of the rate that refusals leave.
const FLOOR: f64 = 0.1;
/// Part of the rate that comes back with each second without a refusal.
const RECOVERY: f64 = 0.02;
/// Refusals this soon after each other are one: many calls were under way.
const ONE_REFUSAL: Duration = Duration::from_secs(1);
/// A call that has to wait does so for up to this part longer, so that several programs do not go in step.
const JITTER: f64 = 0.1;

/// Whose limits there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// Those that AWS publishes.
    Aws,
    /// Those of one endpoint for all services, which is not AWS: unknown, until a service there refuses a call; from then on they
    /// are taken to be those of AWS.
    Endpoint,
}

/// The tokens of one class.
#[derive(Debug)]
struct Bucket {
    limit: Limit,
    /// Below zero when calls wait for tokens that are still to come.
    tokens: f64,
    /// When `tokens` was right.
    at: Instant,
    /// Part of the rate that is used.
    share: f64,
    refused: Option<Instant>,
    /// Whether calls wait at all.
    active: bool,
}

impl Bucket {
    fn new(limit: Limit, active: bool, now: Instant) -> Self {
        Self { limit, tokens: limit.burst, at: now, share: SHARE, refused: None, active }
    }

    fn rate(&self) -> f64 {
        self.limit.rate * self.share
    }

    /// Adds the tokens that came since the last time, and some of the rate that refusals took away.
    fn refill(&mut self, now: Instant) {
        let passed = (now - self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate()).min(self.limit.burst);
        self.share = (self.share + passed * RECOVERY).min(SHARE);
        self.at = now;
    }

    /// Takes a token; answers how long it takes until there is one.
    fn take(&mut self, now: Instant) -> Duration {
        if !self.active {
            return Duration::ZERO;
        }
        self.refill(now);
        self.tokens -= 1.0;
        Duration::from_secs_f64((-self.tokens / self.rate()).max(0.0))
    }

    fn refused(&mut self, now: Instant) {
        if self.refused.is_some_and(|before| now - before < ONE_REFUSAL) {
            return;
        }
        if self.active {
            self.refill(now);
            self.share = (self.share * AFTER_REFUSAL).max(SHARE * FLOOR);
        }
        // The service's own bucket is empty now.
        self.tokens = self.tokens.min(0.0);
        (self.active, self.at, self.refused) = (true, now, Some(now));
    }
}

/// When the next call of each class may begin.
#[derive(Debug)]
pub(super) struct Pace {
    limits: Limits,
    buckets: Mutex<BTreeMap<&'static str, Bucket>>,
}

impl Pace {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, buckets: Mutex::default() }
    }

    fn with<T>(&self, operation: &'static str, act: impl FnOnce(&mut Bucket, Instant) -> T) -> Option<T> {
        let (class, limit) = limits::of(operation)?;
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket =
            buckets.entry(class).or_insert_with(|| Bucket::new(limit, self.limits == Limits::Aws, now));
        Some(act(bucket, now))
    }

    /// Returns when `operation` may begin; those that wait begin in the order in which they asked.
    pub(super) async fn wait(&self, operation: &'static str) {
        let wait = self.with(operation, Bucket::take).unwrap_or_default();
        if !wait.is_zero() {
            tokio::time::sleep(wait.mul_f64(1.0 + JITTER * fraction())).await;
        }
    }

    /// The service refused `operation` because calls came too fast.
    pub(super) fn slow_down(&self, operation: &'static str) {
        let _ = self.with(operation, Bucket::refused);
    }
}

/// By chance, from 0 to 1.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without chance there is only less jitter.
    let _ = getrandom::getrandom(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
