//! Reads the embedded store's logs before it does. The embedded store ends a log at the first entry that it cannot
//! read and cuts off what follows, as it must after a torn last write; so damage anywhere else has to be found first.
//! Logs without damage are then made shorter ([`trim`]), because the embedded store is slow to read them.
//!
//! The format is that of fjall 3: batches of a start (count, number), items, and an end with a checksum of the items.

mod trim;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

use xxhash_rust::xxh3::xxh3_64;

use super::files::{self, OpenError};
use super::keys::LAST_GROUP;
use trim::{Rest, Sorted};

/// What is read at once.
const CHUNK: usize = 4 << 20;
/// What the file `version` of a store of that format contains.
const VERSION: &[u8] = b"FJL\x03";
const END: &[u8] = b"FJL\x03";

/// What a log holds.
#[derive(Debug, Default, PartialEq)]
struct Scan {
    /// The number of the last group in it.
    group: Option<u64>,
    /// The first byte that cannot be read, and why.
    bad: Option<(u64, &'static str)>,
    /// Bytes that can be read.
    used: u64,
}

/// Checks the logs in `data`, of which everything up to group `promised` was acknowledged.
pub(super) fn check(data: &Path, promised: u64, safe: &str) -> Result<(), OpenError> {
    let known = fs::read(data.join("version")).is_ok_and(|it| it.starts_with(VERSION));
    if !known {
        // None yet, or not ours to read: the embedded store says which.
        return Ok(());
    }
    let logs = logs(data).map_err(files::io(data))?;
    let sorted = Sorted::in_tables(data);
    let scans = thread::scope(|scope| {
        let sorted = &sorted;
        let threads: Vec<_> =
            logs.iter().map(|log| scope.spawn(move || read(log, sorted.as_ref()))).collect();
        let died = || io::Error::other("the check of the log died");
        threads.into_iter().map(|it| it.join().unwrap_or_else(|_| Err(died()))).collect::<Vec<_>>()
    });
    let (mut group, mut rests) = (None, Vec::new());
    for (index, (log, scan)) in logs.iter().zip(scans).enumerate() {
        let (scan, rest) = scan.map_err(files::io(log))?;
        rests.extend(rest.map(|it| (log, scan.used, it)));
        group = scan.group.or(group);
        let Some((byte, why)) = scan.bad else { continue };
        let is_last = index + 1 == logs.len();
        // Nobody was told of a torn last write. Without any group before it, the tables tell whether it is one.
        if is_last && group.is_none_or(|it| it >= promised) {
            continue;
        }
        let what =
            format!("{why} at byte {byte}; what was written there, or after it, was acknowledged as durable");
        return Err(OpenError::Damaged { file: log.clone(), what, safe: safe.to_owned() });
    }
    // Only now, when none of them is damaged.
    rests.into_iter().try_for_each(|(log, used, rest)| rest.replace(log, used).map_err(files::io(log)))
}

/// Reads a log, and keeps what of it is not sorted into tables.
fn read<'a>(log: &Path, sorted: Option<&'a Sorted>) -> io::Result<(Scan, Option<Rest<'a>>)> {
    let mut rest = sorted.map(Rest::new);
    let scan = scan(File::open(log)?, |batch| {
        if rest.as_mut().is_some_and(|it| it.take(batch).is_none()) {
            rest = None;
        }
    })?;
    Ok((scan, rest))
}

/// The logs, oldest first.
fn logs(data: &Path) -> io::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|it| it.to_str()).and_then(|it| it.parse::<u64>().ok());
        if let (Some(number), true) = (number, path.extension().is_some_and(|it| it == "jnl")) {
            logs.push((number, path));
        }
    }
    logs.sort();
    Ok(logs.into_iter().map(|(_, path)| path).collect())
}

/// Reads the batches of a log; `each` gets them as they are.
fn scan(mut log: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<Scan> {
    let mut scan = Scan::default();
    let (mut held, mut at, mut byte, mut over) = (Vec::new(), 0, 0_u64, false);
    loop {
        match batch(&held[at..]) {
            Ok(Some((length, group))) => {
                each(&held[at..at + length]);
                scan.group = group.or(scan.group);
                scan.used += length as u64;
                at += length;
                byte += length as u64;
                continue;
            }
            // A log is made longer than it is, with zeros.
            Err(_) if held[at..].iter().all(|it| *it == 0) && over => return Ok(scan),
            Err(_) if held[at] == 0 && held[at..].iter().all(|it| *it == 0) => {}
            Err(why) => {
                scan.bad = Some((byte, why));
                return Ok(scan);
            }
            Ok(None) if over => {
                scan.bad = (at < held.len()).then_some((byte, "a write that breaks off"));
                return Ok(scan);
            }
            Ok(None) => {}
        }
        held.drain(..at);
        at = 0;
        if held.iter().all(|it| *it == 0) {
            byte += held.len() as u64;
            held.clear();
        }
        over = log.by_ref().take(CHUNK as u64).read_to_end(&mut held)? == 0;
    }
}

/// Reads a batch: its length, and the number of the group that it is. Nothing, when it is longer than these bytes.
fn batch(bytes: &[u8]) -> Result<Option<(usize, Option<u64>)>, &'static str> {
    let Some(start) = bytes.get(..13) else {
        return if bytes.first().is_none_or(|it| *it == 1) { Ok(None) } else { Err("no write begins") };
    };
    if start[0] != 1 {
        return Err("no write begins");
    }
    let (count, mut at, mut group) = (number(&start[1..5]), 13, None);
    for _ in 0..count {
        let Some((length, found)) = item(&bytes[at..])? else { return Ok(None) };
        group = found.or(group);
        at += length;
    }
    let Some(end) = bytes.get(at..at + 13) else { return Ok(None) };
    if end[0] != 3 || &end[9..] != END {
        return Err("a write without its end");
    }
    if number(&end[1..9]) != xxh3_64(&bytes[13..at]) {
        return Err("a write whose checksum is wrong");
    }
    Ok(Some((at + 13, group)))
}

/// Reads an item of a batch: its length, and the number of the group, if it is that.
fn item(bytes: &[u8]) -> Result<Option<(usize, Option<u64>)>, &'static str> {
    match bytes.first() {
        None => return Ok(None),
        Some(4) => return Ok((bytes.len() >= 9).then_some((9, None))),
        Some(2) => {}
        Some(_) => return Err("an entry of no kind"),
    }
    let Some(head) = bytes.get(..21) else { return Ok(None) };
    let (key, value) = (length(&head[11..13]), length(&head[17..21]));
    let Some(rest) = bytes.get(21..21 + key + value) else { return Ok(None) };
    let (key, value) = rest.split_at(key);
    let group = (key == LAST_GROUP).then(|| value.try_into().ok().map(u64::from_be_bytes)).flatten();
    Ok(Some((21 + rest.len(), group)))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn length(bytes: &[u8]) -> usize {
    usize::try_from(number(bytes)).unwrap_or(usize::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of one item, the number of a group.
    fn group(number: u64) -> Vec<u8> {
        let mut item = vec![2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 8, 0, 0, 0, 8, 0, 0, 0];
        item.extend(LAST_GROUP);
        item.extend(number.to_be_bytes());
        let mut batch = vec![1, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        batch.extend(&item);
        batch.push(3);
        batch.extend(xxh3_64(&item).to_le_bytes());
        batch.extend(END);
        batch
    }

    /// The last group, and the first byte that cannot be read.
    fn of(bytes: &[u8]) -> (Option<u64>, Option<u64>) {
        let scan = scan(bytes, |_| {}).unwrap();
        (scan.group, scan.bad.map(|it| it.0))
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_found() {
        let whole = [group(1), group(2)].concat();
        let (first, all) = (group(1).len(), whole.len());
        assert_eq!(of(&whole), (Some(2), None));
        assert_eq!(of(&[&whole[..], &[0; 100]].concat()), (Some(2), None));
        assert_eq!(of(&[]), (None, None));
        for cut in first + 1..all {
            let found = of(&[&whole[..cut], &[0; 50]].concat());
            assert_eq!(found, (Some(1), Some(first as u64)), "cut at {cut}");
        }
        for byte in 0..first {
            let mut garbled = whole.clone();
            garbled[byte] ^= 0x5a;
            let found = of(&garbled);
            // The number of a batch is not in its checksum; nothing but order is read off it.
            assert!(found.1.is_some() || (5..13).contains(&byte), "byte {byte}: {found:?}");
        }
    }

    #[test]
    fn only_a_torn_last_write_passes() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let torn = |number: u64| group(number)[..30].to_vec();
        let write = |name: &str, bytes: Vec<u8>| fs::write(data.join(name), bytes).unwrap();
        write("version", VERSION.to_vec());
        write("0.jnl", [group(1), group(2)].concat());
        write("1.jnl", [group(3), torn(4)].concat());
        assert!(check(data, 3, "").is_ok(), "nobody was told of group 4");
        let refused = |file: &str, promised| match check(data, promised, "") {
            Err(OpenError::Damaged { file: named, .. }) => assert_eq!(named, data.join(file)),
            other => panic!("{other:?}"),
        };
        refused("1.jnl", 4);
        write("0.jnl", [group(1), torn(2)].concat());
        refused("0.jnl", 3);
    }
}
