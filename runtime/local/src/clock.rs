//! The machine's clock and the kernel's random numbers.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use eventual_core::Millis;
use eventual_engine::ports::Clock;

/// The real time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |it| Millis::try_from(it.as_millis()).unwrap_or(Millis::MAX))
    }

    fn entropy(&self) -> u64 {
        let mut bytes = [0; 8];
        // std's hash keys are the next best where the kernel gives no random numbers.
        getrandom::getrandom(&mut bytes)
            .map_or_else(|_| RandomState::new().hash_one(self.now()), |()| u64::from_le_bytes(bytes))
    }
}
