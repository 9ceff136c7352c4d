//! Makes a log shorter before the embedded store reads it: what was sorted into tables already need not stand in it.
//!
//! The embedded store always keeps up to 64 MB of log, and at its start looks at every entry before it asks whether it was
//! sorted: a system call, a checksum and a look-up for each, a second of processor time for a full log. This looks at the
//! tables first and reads a log in a tenth of that. It deliberately changes no entry, and no log in place: a shorter log
//! is written beside it and takes its name when it is durable.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use lsm_tree::{AbstractTree, Cache, Config};
use xxhash_rust::xxh3::xxh3_64;

use super::{END, item, number};

/// A log that would be shorter by less than this, in bytes, is left as it is.
const WORTH: u64 = 1 << 20;

/// The highest number of a write that is in tables, by the number of their tree. What a tree got before is in them, too.
#[derive(Debug, Default)]
pub(super) struct Sorted(HashMap<u64, u64>);

impl Sorted {
    /// Asks the tables in `data`. Nothing when they cannot be read: the embedded store says why.
    pub(super) fn in_tables(data: &Path) -> Option<Self> {
        let (mut sorted, cache) = (HashMap::new(), Arc::new(Cache::with_capacity_bytes(1 << 20)));
        for entry in fs::read_dir(data.join("keyspaces")).ok()? {
            let folder = entry.ok()?.path();
            let tree: u64 = folder.file_name()?.to_str()?.parse().ok()?;
            // One that is not there yet would be made.
            if folder.join("current").is_file() {
                let config = Config::new(&folder, Default::default(), Default::default());
                let highest = config.use_cache(cache.clone()).open().ok()?.get_highest_persisted_seqno();
                sorted.extend(highest.map(|it| (tree, it)));
            }
        }
        Some(Self(sorted))
    }
}

/// What of a log has to stay.
#[derive(Debug)]
pub(super) struct Rest<'a> {
    sorted: &'a Sorted,
    log: Vec<u8>,
    /// The last batch, when nothing but the number of its group would have to stay.
    last: Vec<u8>,
}

impl<'a> Rest<'a> {
    pub(super) const fn new(sorted: &'a Sorted) -> Self {
        Self { sorted, log: Vec::new(), last: Vec::new() }
    }

    /// Takes a batch that was read. Nothing when it is of a kind that we do not write, so that the log has to stay as it is.
    pub(super) fn take(&mut self, batch: &[u8]) -> Option<()> {
        let (start, mut items) = batch.split_at_checked(13)?;
        let write = number(&start[5..]);
        let (mut count, mut others) = (0_u32, false);
        let mut shorter = start.to_vec();
        while items.first() != Some(&3) {
            let (length, group) = item(items).ok()??;
            let (this, later) = items.split_at_checked(length)?;
            if this[0] != 2 {
                return None;
            }
            let is_sorted = self.sorted.0.get(&number(&this[3..11])).is_some_and(|it| write <= *it);
            // The numbers of groups tell how much of the log there was, so they stay with whatever stays.
            if !is_sorted || group.is_some() {
                shorter.extend_from_slice(this);
                count += 1;
            }
            others |= !is_sorted && group.is_none();
            items = later;
        }
        shorter[1..5].copy_from_slice(&count.to_le_bytes());
        let check = xxh3_64(&shorter[13..]);
        shorter.push(3);
        shorter.extend_from_slice(&check.to_le_bytes());
        shorter.extend_from_slice(END);
        if others {
            self.log.extend_from_slice(&shorter);
            self.last.clear();
        } else if count > 0 {
            self.last = shorter;
        }
        Some(())
    }

    /// Puts it in the place of `log`, of which `used` bytes could be read, where that is worth it.
    pub(super) fn replace(mut self, log: &Path, used: u64) -> io::Result<()> {
        self.log.append(&mut self.last);
        if (self.log.len() as u64).saturating_add(WORTH) > used {
            return Ok(());
        }
        let fresh = log.with_extension("shorter");
        let mut file = File::create(&fresh)?;
        file.write_all(&self.log)?;
        file.sync_all()?;
        fs::rename(&fresh, log)?;
        log.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LAST_GROUP, scan};
    use super::*;

    fn entry(tree: u64, key: &[u8], value: &[u8]) -> Vec<u8> {
        let mut entry = vec![2, 0, 0];
        entry.extend(tree.to_le_bytes());
        entry.extend(u16::try_from(key.len()).unwrap().to_le_bytes());
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        entry.extend([length, length].concat());
        entry.extend([key, value].concat());
        entry
    }

    fn batch(write: u64, entries: &[Vec<u8>]) -> Vec<u8> {
        let mut batch = vec![1];
        batch.extend(u32::try_from(entries.len()).unwrap().to_le_bytes());
        batch.extend(write.to_le_bytes());
        let items = entries.concat();
        batch.extend(&items);
        batch.push(3);
        batch.extend(xxh3_64(&items).to_le_bytes());
        batch.extend(END);
        batch
    }

    fn group(number: u64) -> Vec<u8> {
        entry(1, LAST_GROUP, &number.to_be_bytes())
    }

    fn rest(sorted: &[(u64, u64)], log: &[u8]) -> (Vec<u8>, Option<u64>) {
        let sorted = Sorted(sorted.iter().copied().collect());
        let mut rest = Rest::new(&sorted);
        let scan = scan(log, |batch| rest.take(batch).unwrap()).unwrap();
        assert_eq!(scan.bad, None);
        rest.log.append(&mut rest.last);
        (rest.log, scan.group)
    }

    #[test]
    fn what_is_in_tables_goes_and_numbers_of_groups_stay() {
        let log = [
            batch(10, &[entry(2, b"a", b"1"), entry(3, b"a", b"2"), group(1)]),
            batch(11, &[entry(2, b"b", b"3"), group(2)]),
            batch(12, &[entry(3, b"c", b"4"), entry(2, b"c", b"5"), group(3)]),
            batch(13, &[entry(2, b"d", b"6"), group(4)]),
        ]
        .concat();
        let kept = [
            batch(10, &[entry(3, b"a", b"2"), group(1)]),
            batch(12, &[entry(3, b"c", b"4"), entry(2, b"c", b"5"), group(3)]),
            batch(13, &[entry(2, b"d", b"6"), group(4)]),
        ]
        .concat();
        assert_eq!(rest(&[(2, 11), (1, 13)], &log), (kept.clone(), Some(4)));
        assert_eq!(rest(&[(2, 11), (1, 13)], &kept), (kept, Some(4)), "once more, nothing changes");
        assert_eq!(rest(&[], &log), (log.clone(), Some(4)), "without tables everything stays");
        let last = batch(13, &[group(4)]);
        assert_eq!(rest(&[(1, 13), (2, 13), (3, 13)], &log).0, last, "what was acknowledged stays known");
    }
}
