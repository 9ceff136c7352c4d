//! Which of the executions that have one name after the other: an identity that is fixed when one is started.
//!
//! A name may be used again once the execution that had it is forgotten. Answers to the calls of the former one may still be on
//! their way then; they say for which run they are, so that none is taken for an answer to the new one's. Continuing as new
//! is no new run: numbers of calls go on from one beginning of the code to the next, so that those tell its answers apart.
//!
//! Deliberately no part of what names an execution: whoever sends a signal means the execution that has the name.

use core::fmt;

use crate::id::{ExecutionId, Millis, Seq};

/// Tells an execution from those that had its name before, or have it later. It follows from what the execution was started
/// with. Written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Run(u64);

/// Digits of a run's text.
const DIGITS: usize = 16;

impl Run {
    /// The run of an execution that was started at `started` with the seed `seed`. Both its name and its seed count, because a
    /// fork has the seed of its origin.
    #[must_use]
    pub fn of(id: &ExecutionId, started: Millis, seed: u64) -> Self {
        let numbers = [started.to_be_bytes(), seed.to_be_bytes()];
        let bytes = id.as_str().bytes().chain([0]).chain(numbers.into_iter().flatten());
        // FNV-1a: it has to spread, not to withstand anybody.
        Self(bytes.fold(0xCBF2_9CE4_8422_2325, |hash: u64, it| {
            (hash ^ u64::from(it)).wrapping_mul(0x0100_0000_01B3)
        }))
    }

    /// The run that is written so; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == DIGITS && text.bytes().all(|it| it.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| digits).map(Self)
    }

    /// As bytes, for keys of stores.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Whether these are two runs for certain. What was written before there were runs has none, and may be of any.
    #[must_use]
    pub fn differ(one: Option<Self>, other: Option<Self>) -> bool {
        one.zip(other).is_some_and(|(one, other)| one != other)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The execution, and its call, that an answer goes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The execution.
    pub execution: ExecutionId,
    /// Its run. Absent in what was written before there were runs.
    pub run: Option<Run>,
    /// Its call.
    pub seq: Seq,
}

impl Caller {
    /// Whether both are the same call of the same execution, as far as that is known.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.execution == other.execution && self.seq == other.seq && !Run::differ(self.run, other.run)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    fn id(name: &str) -> ExecutionId {
        ExecutionId::new("w", name).unwrap()
    }

    #[test]
    fn another_name_start_or_seed_is_another_run() {
        let run = Run::of(&id("a"), 1, 2);
        assert_eq!(run, Run::of(&id("a"), 1, 2));
        for other in [Run::of(&id("b"), 1, 2), Run::of(&id("a"), 2, 2), Run::of(&id("a"), 1, 1)] {
            assert_ne!(run, other);
            assert!(Run::differ(Some(run), Some(other)));
        }
        assert!(!Run::differ(Some(run), None) && !Run::differ(None, None));
    }

    #[test]
    fn a_run_is_read_as_it_is_written() {
        for run in [Run(0), Run(u64::MAX), Run(0xAB)] {
            assert_eq!(Run::parse(&run.to_string()), Some(run));
        }
        for text in ["", "1", "00000000000000zz", "+000000000000001", "00000000000000001"] {
            assert_eq!(Run::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_caller_of_unknown_run_may_be_either() {
        let caller = |seed, seq| Caller { execution: id("a"), run: Some(Run::of(&id("a"), 1, seed)), seq };
        let unknown = Caller { run: None, ..caller(1, 1) };
        assert!(caller(1, 1).is(&caller(1, 1)) && caller(1, 1).is(&unknown) && unknown.is(&caller(2, 1)));
        assert!(!caller(1, 1).is(&caller(2, 1)) && !caller(1, 1).is(&caller(1, 2)));
    }
}
