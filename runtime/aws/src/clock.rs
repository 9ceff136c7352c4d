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
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX))
    }

    fn entropy(&self) -> u64 {
        let mut bytes = [0; 8];
        match getrandom::getrandom(&mut bytes) {
            Ok(()) => u64::from_le_bytes(bytes),
            // A kernel without random numbers does not run Lambda; std's hash keys are the next best.
            Err(_) => RandomState::new().hash_one(self.now()),
        }
    }
}
