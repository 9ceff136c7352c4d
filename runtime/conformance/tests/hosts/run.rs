//! Runs the cases side by side on one host that all of them share, and tells of all that failed.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::cases::{CASES, Case};
use crate::host::{Host, Site};

/// Where cases run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where time is virtual, and one thing happens after the other.
    #[allow(dead_code, reason = "the tests on AWS share this file, and know only real places")]
    Virtual,
    /// Where workers work beside each other.
    Real,
}

/// The cases that a place can show and that are wanted: those whose name contains the variable `EVENTUAL_CASE`, all without it.
pub(crate) fn wanted(place: Place) -> Vec<&'static Case> {
    let part = std::env::var("EVENTUAL_CASE").unwrap_or_default();
    let shown = |it: &&Case| {
        let why = it.real_only.filter(|_| place == Place::Virtual);
        if let Some(why) = why {
            println!("          not    {}: {why}", it.name);
        }
        why.is_none()
    };
    CASES.iter().filter(|it| it.name.contains(&part)).filter(shown).collect()
}

/// Runs one case; why it failed, if it did.
pub(crate) fn run(host: &dyn Host, case: &Case) -> Result<(), String> {
    let site = Site::new(host, case.name);
    let began = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| (case.run)(&site)));
    let told = ended.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
    });
    let verdict = if told.is_ok() { "ok" } else { "FAILED" };
    println!("{:>7.2} s  {verdict:<6} {}", began.elapsed().as_secs_f64(), case.name);
    told.map_err(|text| format!("--- {}\n{text}", case.name))
}

/// Runs the cases, so many at a time.
pub(crate) fn together(host: &(impl Host + Sync), at_a_time: usize) {
    let wanted = wanted(Place::Real);
    let waiting: Mutex<VecDeque<&Case>> = Mutex::new(wanted.iter().copied().collect());
    let failed = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(case) = next() {
                    if let Err(told) = run(host, case) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(told);
                    }
                }
            });
        }
    });
    tell(failed.into_inner().unwrap_or_else(PoisonError::into_inner), wanted.len());
}

/// Fails with everything that failed.
pub(crate) fn tell(failed: Vec<String>, of: usize) {
    assert!(of > 0, "no case has that name");
    assert!(failed.is_empty(), "{} of {of} cases failed:\n{}", failed.len(), failed.join("\n"));
}
