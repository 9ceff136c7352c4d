//! Time and chance. In workflow code both come from history, so that a replay sees the same; elsewhere they are real,
//! except for durable timers, which only workflows have.

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hasher};
use std::panic::Location;
use std::time::{Duration, SystemTime};

use eventual_core::Millis;
use eventual_engine::ambient;

use crate::ask::Ask;
use crate::call::Call;
use crate::execution::Execution;
use crate::retry::millis;

/// Sleeps durably: the process may end meanwhile. Resolution one millisecond, counted from here. In workflows only.
#[track_caller]
pub fn sleep(duration: Duration) -> Call<(), Infallible> {
    let due = ambient::workflow().map(|it| it.now.saturating_add(millis(duration)));
    Call::new(Ask::Timer { due }, Location::caller())
}

/// Sleeps durably until a moment; a moment that has passed is over at once. In workflows only.
#[track_caller]
pub fn sleep_until(moment: impl Into<Moment>) -> Call<(), Infallible> {
    Call::new(Ask::Timer { due: Some(moment.into().0) }, Location::caller())
}

/// A moment, from a [`SystemTime`] or from milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Millis);

impl Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        // Before 1970 is before any timer could have been asked for.
        Self(time.duration_since(SystemTime::UNIX_EPOCH).map(millis).unwrap_or_default())
    }
}

impl From<u64> for Moment {
    fn from(millis: u64) -> Self {
        Self(self::millis(Duration::from_millis(millis)))
    }
}

/// The time. In workflows that of the turn, the same on every replay.
#[must_use]
pub fn now() -> SystemTime {
    ambient::workflow()
        .map_or_else(SystemTime::now, |it| SystemTime::UNIX_EPOCH + Duration::from_millis(it.now))
}

/// A random number. In workflows the same on every replay. Not for secrets.
#[must_use]
pub fn random() -> u64 {
    ambient::random().unwrap_or_else(|| RandomState::new().build_hasher().finish())
}

/// A random UUID (version 4) as text. In workflows the same on every replay. Not for secrets.
#[must_use]
pub fn uuid() -> String {
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0x0fff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// The execution whose workflow code calls this; `None` outside of workflows.
#[must_use]
pub fn this_execution() -> Option<Execution> {
    ambient::workflow().map(|it| Execution::from_id(it.execution))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_4_and_differ() {
        let (one, two) = (uuid(), uuid());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]), "{one}");
    }

    #[test]
    fn moments_before_1970_are_over() {
        assert_eq!(Moment::from(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), Moment(0));
        assert_eq!(Moment::from(SystemTime::UNIX_EPOCH + Duration::from_millis(5)), Moment::from(5));
    }
}
