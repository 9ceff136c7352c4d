//! When another attempt of a task is made.

use std::time::Duration;

use eventual_core::RetryPolicy;

/// When another attempt of a task is made: for one call with [`Call::retry`](crate::Call::retry), for all calls with
/// `#[task(retry(...))]`. By default an error that the task returned is final, and a lost worker is replaced, up to 3
/// attempts.
///
/// ```
/// use std::time::Duration;
/// let patient = eventual::Retry::attempts(10).errors().initial(Duration::from_secs(2)).max(Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry(pub(crate) RetryPolicy);

impl Retry {
    /// At most so many attempts, the first included (at least 1).
    #[must_use]
    pub fn attempts(attempts: u32) -> Self {
        Self(RetryPolicy { attempts: attempts.max(1), ..RetryPolicy::default() })
    }

    /// Errors that the task returned are retried too, after a pause of 1 second unless [`initial`](Self::initial)
    /// says otherwise.
    #[must_use]
    pub const fn errors(mut self) -> Self {
        self.0.errors = true;
        if self.0.initial_ms == 0 {
            self.0.initial_ms = 1_000;
        }
        self
    }

    /// Pause before the second attempt. Default none for a lost worker, 1 second with [`errors`](Self::errors).
    #[must_use]
    pub fn initial(mut self, pause: Duration) -> Self {
        self.0.initial_ms = millis(pause);
        self
    }

    /// Factor from one pause to the next. Default 2.
    #[must_use]
    pub fn backoff(mut self, factor: f64) -> Self {
        // A cast of a float to an integer saturates, and not a number becomes 0.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
        let percent = (factor * 100.0).round() as u32;
        self.0.backoff_percent = percent.max(100);
        self
    }

    /// Part of each pause, from 0 to 1, that chance decides, so that many executions do not try again at the same moment.
    /// Default 0.
    #[must_use]
    pub fn jitter(mut self, part: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
        let percent = (part * 100.0).round() as u32;
        self.0.jitter_percent = percent.min(100);
        self
    }

    /// Longest pause. Default 1 minute.
    #[must_use]
    pub fn max(mut self, pause: Duration) -> Self {
        self.0.max_ms = millis(pause);
        self
    }
}

/// How long an error says that another attempt should wait: what a field named by `#[failure(retry_after = field)]` may be.
pub trait RetryAfter {
    /// That time; `None` leaves it to the retry policy.
    fn retry_after(&self) -> Option<Duration>;
}

impl RetryAfter for Duration {
    fn retry_after(&self) -> Option<Duration> {
        Some(*self)
    }
}

/// Seconds, as in HTTP's `Retry-After`.
impl RetryAfter for u64 {
    fn retry_after(&self) -> Option<Duration> {
        Some(Duration::from_secs(*self))
    }
}

/// Seconds, as in HTTP's `Retry-After`.
impl RetryAfter for u32 {
    fn retry_after(&self) -> Option<Duration> {
        Some(Duration::from_secs((*self).into()))
    }
}

impl<T: RetryAfter> RetryAfter for Option<T> {
    fn retry_after(&self) -> Option<Duration> {
        self.as_ref().and_then(RetryAfter::retry_after)
    }
}

/// Longest time that anything waits: 6,000 years, so that every moment has a date that all services can write.
const LONGEST_MS: u64 = 6_000 * 366 * 86_400_000;

/// Whole milliseconds, as many as fit.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(LONGEST_MS).min(LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit() {
        let retry = Retry::attempts(5).errors().backoff(3.0).max(Duration::from_secs(5));
        let pauses: Vec<u64> = (2..=5).map(|attempt| retry.0.pause_ms(attempt)).collect();
        assert_eq!(pauses, [1_000, 3_000, 5_000, 5_000]);
        assert_eq!(Retry::attempts(0).0.attempts, 1);
        assert_eq!(Retry::attempts(2).backoff(0.1).0.backoff_percent, 100);
    }
}
