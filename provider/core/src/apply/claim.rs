//! Whose deployment it is: takes the ownership record, keeps it alive, and hands it over.
//!
//! The record is the fence: it is only ever written if it is as it was read, so that two runs never both hold it. What is
//! in it is [`crate::cloud::Ownership`]'s; who may take it over is [`super::standing`]'s.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use eventual_schema::digest::short_hash;

use super::Run;
use super::persist::patiently;
use super::standing::{Refused, adoptable, idle};
use crate::cloud::{Cloud, CloudError, Ownership, OwnershipRead, OwnershipState, Progress, Trouble};
use crate::state::{Recorded, owner_of};
use crate::value::Value;

/// Pause between two signs of life of the run that holds a record.
const BEAT_MS: u64 = 2500;
/// Times that somebody else may get in between before we give up.
const ROUNDS: u32 = 5;

/// What a deployment consists of, by key.
pub type Children = BTreeMap<String, Recorded>;

/// A record that this run holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Name of the bucket.
    pub bucket: String,
    /// The record as this run wrote it, or is about to.
    pub record: Ownership,
    /// Its mark.
    pub mark: String,
    /// What the deployment may consist of that was there before, when a creation adopted one.
    pub adopted: Option<Children>,
}

fn token(cloud: &dyn Cloud) -> String {
    format!("{:016x}{:016x}", cloud.random(), cloud.random())
}

/// A record that this run would write, of a deployment of this owner.
fn drafted(run: &Run<'_>, owner: String, progress: Progress) -> Ownership {
    let cloud = run.cloud;
    Ownership {
        incarnation: format!("{owner}.{:016x}", cloud.random()),
        owner,
        service: run.owner.service.clone(),
        claimant: short_hash(&["claimant", &run.control.claimant], 16),
        holder: run.control.holder.clone(),
        since_s: cloud.epoch_s(),
        writer: token(cloud),
        progress,
        beat: 0,
        children: Children::new(),
        inputs: Value::Null,
    }
}

/// Takes the record of the run's deployment in `bucket` for a creation of `wanted`: a new one, or one that a dead creation
/// left. Whose the deployment is only becomes known by that: of the run's owner, only the service counts.
///
/// # Errors
/// When somebody else has it, or the cloud fails.
pub async fn claim(run: &Run<'_>, bucket: &str, wanted: &Children) -> Result<Claim, Refused> {
    let cloud = run.cloud;
    let mut record = drafted(run, token(cloud), Progress::Creating);
    let mut adopted = None;
    for _ in 0..ROUNDS {
        let begin = || (drafted(run, token(cloud), Progress::Creating), None, None);
        let (draft, before, expected) = match patiently(run, || cloud.ownership(bucket)).await? {
            OwnershipState::NoBucket => {
                patiently(run, || cloud.found(bucket)).await?;
                begin()
            }
            OwnershipState::NoRecord { empty: true } => begin(),
            OwnershipState::NoRecord { empty: false } => {
                return Err(Refused::ForeignBucket(bucket.to_owned()));
            }
            // The answer to our own write never came.
            OwnershipState::Found(read) if read.record.writer == record.writer => {
                let OwnershipRead { record, mark } = read;
                return Ok(Claim { bucket: bucket.to_owned(), record, mark, adopted });
            }
            OwnershipState::Found(read) => {
                if !adoptable(run, bucket, &read, &record.claimant).await? {
                    continue;
                }
                // Of a creation that nobody was told of, nobody was told by this one either.
                let untold = read.record.progress == Progress::Creating;
                let progress = if untold { Progress::Creating } else { Progress::Updating };
                let beat = read.record.beat + 1;
                let draft = Ownership { beat, ..drafted(run, read.record.owner, progress) };
                (draft, Some(unverified(read.record.children)), Some(read.mark))
            }
        };
        // The writer stays the same, so that a write whose answer never came is known again.
        record = Ownership { writer: record.writer, children: wanted.clone(), ..draft };
        adopted = before;
        for (key, child) in adopted.iter().flatten() {
            record.children.entry(key.clone()).or_insert_with(|| child.clone());
        }
        match patiently(run, || cloud.claim(bucket, &record, expected.as_deref())).await {
            Ok(mark) => return Ok(Claim { bucket: bucket.to_owned(), record, mark, adopted }),
            Err(error) if matches!(error.trouble, Trouble::Lost | Trouble::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refused::Contended)
}

/// Children that a record tells of. Nobody has looked yet whether they are there and whose they are.
pub(crate) fn unverified(children: Children) -> Children {
    children.into_iter().map(|(key, child)| (key, child.unverified())).collect()
}

impl Claim {
    /// Shows that this run is alive, until it is dropped. When the record was taken over, the run is told to stop.
    pub async fn keep(&mut self, run: &Run<'_>) {
        loop {
            run.cloud.sleep_ms(BEAT_MS).await;
            let record = self.next(self.record.progress);
            match put(run.cloud, &self.bucket, &record, &self.mark).await {
                Ok(mark) => (self.mark, self.record) = (mark, record),
                Err(error) if error.trouble == Trouble::Lost => {
                    run.lost.store(true, Ordering::Relaxed);
                    return std::future::pending().await;
                }
                // The record is a lease on good will: a beat that is missed is not worth failing for.
                Err(_) => {}
            }
        }
    }

    /// Writes the record with this progress and these children.
    ///
    /// # Errors
    /// [`Trouble::Lost`] when it was taken over.
    pub async fn write(
        &mut self,
        run: &Run<'_>,
        progress: Progress,
        children: Children,
    ) -> Result<(), CloudError> {
        let record = Ownership { children, ..self.next(progress) };
        self.mark = patiently(run, || put(run.cloud, &self.bucket, &record, &self.mark)).await?;
        self.record = record;
        Ok(())
    }

    fn next(&self, progress: Progress) -> Ownership {
        Ownership { progress, beat: self.record.beat + 1, ..self.record.clone() }
    }
}

/// Writes the record over the one of this mark, or over one that the same run wrote; answers the new mark.
async fn put(cloud: &dyn Cloud, bucket: &str, record: &Ownership, mark: &str) -> Result<String, CloudError> {
    let mut mark = mark.to_owned();
    for _ in 0..ROUNDS {
        match cloud.claim(bucket, record, Some(&mark)).await {
            // A write of ours whose answer never came shows as somebody else's: the record tells whose it is.
            Err(error) if error.trouble == Trouble::Lost => match cloud.ownership(bucket).await? {
                OwnershipState::Found(read) if read.record.writer == record.writer => mark = read.mark,
                _ => return Err(error),
            },
            answer => return answer,
        }
    }
    Err(CloudError {
        trouble: Trouble::Lost,
        operation: "ownership record".to_owned(),
        code: String::new(),
        message: "somebody else keeps writing it".to_owned(),
        request_id: String::new(),
    })
}

/// Looks for the record of a deployment that is in the state, to change or delete it. The claim is not written yet.
///
/// # Errors
/// When somebody else is at work on it, or the cloud fails.
pub async fn release(run: &Run<'_>, bucket: &str, incarnation: &str) -> Result<Held, Refused> {
    for _ in 0..ROUNDS {
        let read = match patiently(run, || run.cloud.ownership(bucket)).await? {
            OwnershipState::NoBucket => return Ok(Held::Absent),
            OwnershipState::NoRecord { .. } => return Ok(Held::Unrecorded),
            OwnershipState::Found(read) if read.record.incarnation != incarnation => return Ok(Held::Other),
            OwnershipState::Found(read) => read,
        };
        if !idle(run, bucket, &read).await? {
            continue;
        }
        let OwnershipRead { record, mark } = read;
        let ours = drafted(run, record.owner.clone(), record.progress);
        let record = Ownership {
            incarnation: record.incarnation,
            beat: record.beat,
            children: record.children,
            inputs: record.inputs,
            ..ours
        };
        return Ok(Held::Ours(Claim { bucket: bucket.to_owned(), record, mark, adopted: None }));
    }
    Err(Refused::Contended)
}

/// Makes the bucket of a deployment that is in the state again.
///
/// # Errors
/// When the cloud fails.
pub async fn found(run: &Run<'_>, bucket: &str) -> Result<(), CloudError> {
    patiently(run, || run.cloud.found(bucket)).await
}

/// Writes the record of a deployment that is in the state again, where there is none.
///
/// # Errors
/// When the cloud fails, or somebody wrote one meanwhile.
pub async fn put_back(run: &Run<'_>, bucket: &str, incarnation: &str) -> Result<Claim, CloudError> {
    let mut record = drafted(run, owner_of(incarnation).to_owned(), Progress::Updating);
    record.incarnation = incarnation.to_owned();
    let written = patiently(run, || run.cloud.claim(bucket, &record, None)).await;
    let mark = match written {
        // The answer to our own write may never have come: the record tells.
        Err(error) if error.trouble == Trouble::Lost => {
            match patiently(run, || run.cloud.ownership(bucket)).await? {
                OwnershipState::Found(read) if read.record.writer == record.writer => read.mark,
                _ => return Err(error),
            }
        }
        answer => answer?,
    };
    Ok(Claim { bucket: bucket.to_owned(), record, mark, adopted: None })
}

/// What stands in the place of the record of a deployment that is in the state.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one is made in a run; a box would only be in the way")]
pub enum Held {
    /// No bucket.
    Absent,
    /// A bucket without a record.
    Unrecorded,
    /// Our record, not written yet.
    Ours(Claim),
    /// Another incarnation's record.
    Other,
}
