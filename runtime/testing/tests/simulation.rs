//! Random schedules of everything that may go wrong: a bounded slice here, 100,000 of them with
//! `cargo xtask simulate --seeds 100000`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use eventual_testing::simulation::{Figures, Mutant, run};

/// Seeds of the ordinary run, if the machine makes them in [`LIMIT`].
const SEEDS: u64 = 2_000;
/// Longest ordinary run; one with a number of seeds runs them all.
const LIMIT: Duration = Duration::from_secs(20);
/// Seeds within which every planted bug must be found.
const SEEDS_OF_MUTANT: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|it| it.parse().unwrap_or_else(|error| panic!("{name}={it}: {error}")))
}

#[test]
fn nothing_is_lost_and_nothing_happens_twice_whatever_goes_wrong() {
    if let Some(seed) = number("EVENTUAL_SEED") {
        println!("{:?}", run(seed, None).unwrap_or_else(|violation| panic!("{violation}")));
        return;
    }
    let (from, seeds) =
        (number("EVENTUAL_FIRST_SEED").unwrap_or(0), number("EVENTUAL_SEEDS").unwrap_or(SEEDS));
    let limit = number("EVENTUAL_SEEDS").map_or(LIMIT, |_| Duration::MAX);
    let (next, all, begun) = (AtomicU64::new(from), Mutex::new(Figures::default()), Instant::now());
    let (ran, broken) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        let mut figures = Figures::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds || begun.elapsed() > limit {
                break;
            }
            ran.fetch_add(1, Ordering::Relaxed);
            match run(seed, None) {
                Ok(of_seed) => figures.add(&of_seed),
                Err(violation) => broken.lock().unwrap().push(violation),
            }
        }
        all.lock().unwrap().add(&figures);
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let (figures, seeds) = (all.into_inner().unwrap(), ran.into_inner());
    println!("seeds {from} to {}: {figures:?} in {:?}", from + seeds, begun.elapsed());
    let broken = broken.into_inner().unwrap();
    let which: Vec<u64> = broken.iter().map(|it| it.seed).collect();
    assert!(broken.is_empty(), "{} seeds break promises: {which:?}; the first: {}", which.len(), broken[0]);
    let Figures { executions, crashes, faults, stalls, duplicates, .. } = figures;
    for (what, times) in [
        ("executions", executions),
        ("crashes", crashes),
        ("faults", faults),
        ("stalls", stalls),
        ("duplicates", duplicates),
    ] {
        assert!(times >= seeds, "{times} {what} in {seeds} seeds test nothing");
    }
}

/// Each found a bug of the engine once; `crashes.rs` has what they found as cases of their own.
#[test]
fn seeds_that_found_bugs_find_none() {
    for seed in [1_430, 7_369, 7_553, 8_301, 9_079, 60_562, 86_450, 97_938, 609, 1_332, 1_932] {
        run(seed, None).unwrap_or_else(|violation| panic!("{violation}"));
    }
}

#[test]
fn a_seed_does_the_same_again() {
    for seed in 0..50 {
        assert_eq!(run(seed, None), run(seed, None));
    }
}

#[test]
fn every_planted_bug_is_found() {
    for mutant in Mutant::ALL {
        let found = (0..SEEDS_OF_MUTANT).find_map(|seed| run(seed, Some(mutant)).err());
        let found = found.unwrap_or_else(|| panic!("{mutant:?} lives through {SEEDS_OF_MUTANT} seeds"));
        println!("{mutant:?}: seed {}: {}", found.seed, found.what.lines().next().unwrap_or_default());
    }
}
