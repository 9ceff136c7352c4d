//! Processor time of processes with all that they started: on a shared machine it says more than how long something took, because
//! an engine with more threads gets more of the machine. Of what has ended it deliberately knows nothing.

use std::collections::HashMap;
use std::fs;

/// What the kernel says of a process: its parent, and the processor time that it has taken, in hundredths of a second.
fn taken(stat: &str) -> Option<(u32, u64)> {
    // The name stands in parentheses, and may have some of its own.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some((fields.get(1)?.parse().ok()?, number(11)? + number(12)?))
}

/// Milliseconds of processor time that these processes and all that they started have taken.
pub(super) fn worked(leaders: &[u32]) -> u64 {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let process = entry.file_name().to_str().and_then(|it| it.parse::<u32>().ok());
        let stat = fs::read_to_string(entry.path().join("stat")).ok();
        all.extend(process.zip(stat.as_deref().and_then(taken)));
    }
    let is_ours = |process: &u32| {
        let parents = std::iter::successors(Some(*process), |it| all.get(it).map(|(parent, _)| *parent));
        parents.take(all.len()).any(|it| leaders.contains(&it))
    };
    all.iter().filter(|(process, _)| is_ours(process)).map(|(_, (_, ticks))| ticks * 10).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_counts_with_what_it_started() {
        assert_eq!(taken("7 (a) b) S 3 7 7 0 -1 0 1 2 3 4 50 25 0"), Some((3, 75)));
        assert_eq!(taken("nonsense"), None);
        let began = std::time::Instant::now();
        while worked(&[std::process::id()]) == 0 {
            assert!(began.elapsed().as_secs() < 20, "this process has worked");
        }
    }
}
