//! Who may take over an ownership record that is there, and what the others are told.
//!
//! It reads and never writes. A deployment that an engine may know of belongs to the one who claimed it. One of which
//! nobody was told, because its creation died, belongs to whoever creates it next; but only when it is really dead.

use super::Run;
use super::persist::patiently;
use crate::cloud::{CloudError, Ownership, OwnershipRead, OwnershipState, Progress};

/// How long a record is watched before its holder counts as dead; more than two beats.
const WATCH_MS: u64 = 7000;

/// Why the record could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It belongs to a deployment that this state does not know.
    #[error(
        "a deployment of this name exists in this account and region and is not in this state. It is held by {0}. Choose another `name`, or destroy it with the state that has it, or import it if no state has it"
    )]
    Exists(Holder),
    /// Another run is at work.
    #[error(
        "another run is at work on the deployment of this name at this moment: {0}. Wait until it is done"
    )]
    AtWork(Holder),
    /// Others got in between again and again.
    #[error("other runs keep taking the deployment of this name; wait until they are done")]
    Contended,
    /// The bucket is there, holds other things, and has no record.
    #[error("the bucket {0} exists and was not made by eventual; choose another `name`")]
    ForeignBucket(String),
    /// The cloud failed.
    #[error("{0}")]
    Cloud(#[from] CloudError),
}

/// Who holds a record and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    who: String,
    since_s: u64,
}

impl From<&Ownership> for Holder {
    fn from(record: &Ownership) -> Self {
        Self { who: record.holder.clone(), since_s: record.since_s }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let who = if self.who.is_empty() { "one who left no name" } else { &self.who };
        if self.since_s == 0 {
            return f.write_str(who);
        }
        let (days, seconds) = (self.since_s / 86_400, self.since_s % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{who}, since {year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

/// Year, month and day of a day since 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

/// Whether a creation may take over a record that is there; `false` when it changed meanwhile, so that it must be read
/// again.
pub(super) async fn adoptable(
    run: &Run<'_>,
    bucket: &str,
    read: &OwnershipRead,
    claimant: &str,
) -> Result<bool, Refused> {
    let untold = read.record.progress == Progress::Creating;
    if !untold && read.record.claimant != claimant {
        return Err(Refused::Exists(Holder::from(&read.record)));
    }
    idle(run, bucket, read).await
}

/// Whether nobody is at work behind a record, which takes a while to see when its last writer never said that it was done;
/// `false` when it vanished meanwhile.
pub(super) async fn idle(run: &Run<'_>, bucket: &str, read: &OwnershipRead) -> Result<bool, Refused> {
    if !read.record.progress.at_work() {
        return Ok(true);
    }
    let cloud = run.cloud;
    let began = cloud.now_ms();
    while cloud.now_ms().saturating_sub(began) < WATCH_MS {
        cloud.sleep_ms(500).await;
        match patiently(run, || cloud.ownership(bucket)).await? {
            OwnershipState::Found(now) if now.mark == read.mark => {}
            OwnershipState::Found(now) if now.record.progress.at_work() => {
                return Err(Refused::AtWork(Holder::from(&now.record)));
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_dates() {
        let said = |since_s| Holder { who: "ci".to_owned(), since_s }.to_string();
        assert_eq!(said(951_782_400), "ci, since 2000-02-29 00:00:00 UTC");
        assert_eq!(said(1_767_225_599), "ci, since 2025-12-31 23:59:59 UTC");
        assert_eq!(said(0), "ci");
    }
}
