//! Whose deployment it is: takes the ownership record, keeps it alive, and hands it over.
//!
//! The record is the fence: it is only ever written if it is as it was read, so that two runs never both hold it.

use std::sync::atomic::Ordering;

use eventual_schema::digest::short_hash;

use super::{Effort, Run, persist};
use crate::cloud::{Cloud, CloudError, Ownership, OwnershipRead, OwnershipState, Progress, Trouble};
use crate::request::Action;

/// Pause between two signs of life of the run that holds a record.
const BEAT_MS: u64 = 2500;
/// How long a record is watched before its holder counts as dead; more than two beats.
const WATCH_MS: u64 = 7000;
/// Times that somebody else may get in between before we give up.
const ROUNDS: u32 = 5;

/// A record that this run holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Name of the bucket.
    pub bucket: String,
    /// The record as this run wrote it.
    pub record: Ownership,
    /// Its mark.
    pub mark: String,
    /// Whether the record was there before, so that what it stands for may be older than this run.
    pub adopted: bool,
}

/// Why the record could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It belongs to a finished deployment that this state does not know.
    #[error(
        "a deployment of this name exists in this account and region (owner {owner}) and is not in this state; choose another `name`, or destroy it with the state that has it"
    )]
    Exists {
        /// Its owner id.
        owner: String,
    },
    /// Another run is at work.
    #[error(
        "another run is creating or deleting a deployment of this name at this moment; wait until it is done"
    )]
    AtWork,
    /// The bucket is there, holds other things, and has no record.
    #[error("the bucket {0} exists and was not made by eventual; choose another `name`")]
    ForeignBucket(String),
    /// The cloud failed.
    #[error("{0}")]
    Cloud(#[from] CloudError),
}

fn token(cloud: &dyn Cloud) -> String {
    format!("{:016x}{:016x}", cloud.random(), cloud.random())
}

/// Runs an operation on the record until it is answered, or the run has no time left.
async fn patiently<T, F>(run: &Run<'_>, operation: impl FnMut() -> F) -> Result<T, CloudError>
where
    F: Future<Output = Result<T, CloudError>>,
{
    persist(run, "bucket", Action::Update, Effort::Other, operation).await
}

/// Takes the record of the run's deployment in `bucket` for a creation: a new one, or one that a dead creation left. Whose
/// the deployment is only becomes known by that: of the run's owner, only the service counts.
///
/// # Errors
/// When somebody else has it, or the cloud fails.
pub async fn claim(run: &Run<'_>, bucket: &str, claimant: &str) -> Result<Claim, Refused> {
    let cloud = run.cloud;
    let writer = token(cloud);
    let claimant = short_hash(&["claimant", claimant], 16);
    let mut adopted = false;
    for _ in 0..ROUNDS {
        let (owner, expected, beat) = match patiently(run, || cloud.ownership(bucket)).await? {
            OwnershipState::NoBucket => {
                patiently(run, || cloud.found(bucket)).await?;
                (token(cloud), None, 0)
            }
            OwnershipState::NoRecord { empty: true } => (token(cloud), None, 0),
            OwnershipState::NoRecord { empty: false } => {
                return Err(Refused::ForeignBucket(bucket.to_owned()));
            }
            // The answer to our own write never came.
            OwnershipState::Found(read) if read.record.writer == writer => {
                let OwnershipRead { record, mark } = read;
                return Ok(Claim { bucket: bucket.to_owned(), record, mark, adopted });
            }
            OwnershipState::Found(read) => match adoptable(run, bucket, &read, &claimant).await? {
                true => (read.record.owner, Some(read.mark), read.record.beat + 1),
                false => continue,
            },
        };
        adopted = expected.is_some();
        let record = Ownership {
            owner,
            service: run.owner.service.clone(),
            claimant: claimant.clone(),
            writer: writer.clone(),
            progress: Progress::Creating,
            beat,
        };
        match patiently(run, || cloud.claim(bucket, &record, expected.as_deref())).await {
            Ok(mark) => return Ok(Claim { bucket: bucket.to_owned(), record, mark, adopted }),
            Err(error) if matches!(error.trouble, Trouble::Lost | Trouble::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refused::AtWork)
}

/// Whether a record that is there may be taken over; `false` when it vanished meanwhile.
async fn adoptable(
    run: &Run<'_>,
    bucket: &str,
    read: &OwnershipRead,
    claimant: &str,
) -> Result<bool, Refused> {
    if read.record.progress == Progress::Complete {
        // Its creation finished and nobody was told: the one who asked then may ask again.
        let same = read.record.claimant == claimant;
        return if same { Ok(true) } else { Err(Refused::Exists { owner: read.record.owner.clone() }) };
    }
    let cloud = run.cloud;
    let began = cloud.now_ms();
    while cloud.now_ms().saturating_sub(began) < WATCH_MS {
        cloud.sleep_ms(500).await;
        match patiently(run, || cloud.ownership(bucket)).await? {
            OwnershipState::Found(now) if now.mark == read.mark => {}
            OwnershipState::Found(_) => return Err(Refused::AtWork),
            OwnershipState::NoBucket | OwnershipState::NoRecord { .. } => return Ok(false),
        }
    }
    Ok(true)
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

    /// Writes the record with this progress.
    ///
    /// # Errors
    /// [`Trouble::Lost`] when it was taken over.
    pub async fn write(&mut self, run: &Run<'_>, progress: Progress) -> Result<(), CloudError> {
        let record = self.next(progress);
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

/// Takes the record of a deployment that is in the state, to change or delete it. `None` when the deployment is gone:
/// there is no record, or it is another incarnation's.
///
/// # Errors
/// When the cloud fails.
pub async fn release(run: &Run<'_>, bucket: &str, incarnation: &str) -> Result<Held, CloudError> {
    Ok(match patiently(run, || run.cloud.ownership(bucket)).await? {
        OwnershipState::NoBucket => Held::Absent,
        OwnershipState::NoRecord { .. } => Held::Unrecorded,
        OwnershipState::Found(read) if read.record.owner == incarnation => {
            let record = Ownership { writer: token(run.cloud), ..read.record };
            Held::Ours(Claim { bucket: bucket.to_owned(), record, mark: read.mark, adopted: true })
        }
        OwnershipState::Found(_) => Held::Other,
    })
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
pub async fn put_back(run: &Run<'_>, bucket: &str) -> Result<Claim, CloudError> {
    let record = Ownership {
        owner: run.owner.id.clone(),
        service: run.owner.service.clone(),
        claimant: String::new(),
        writer: token(run.cloud),
        progress: Progress::Creating,
        beat: 0,
    };
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
    Ok(Claim { bucket: bucket.to_owned(), record, mark, adopted: true })
}

/// What stands in the place of the record of a deployment that is in the state.
#[derive(Debug, Clone, PartialEq, Eq)]
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
