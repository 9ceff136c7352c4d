//! The port through which applying and reading reach a cloud: resources, the ownership record, time and chance.
//!
//! It holds no decision: what to create, in which order, when to try again and when to give up is in [`crate::apply`].
//! An implementation classifies what its cloud answers ([`Trouble`]) and makes each operation safe to repeat.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use crate::config::Confidential;
use crate::resource::Resource;
use crate::state::Recorded;
use crate::value::Value;

/// Where a deployment lives; part of its resources' names and ARNs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Account number, 12 digits.
    pub account: String,
    /// Region, `eu-central-1`.
    pub region: String,
    /// Partition, `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
}

/// What an error means for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is not there. For a deletion that is success.
    NotFound,
    /// Something of this name exists and is not this deployment's.
    Foreign,
    /// A conditional write lost: somebody else wrote in between.
    Lost,
    /// The caller may not do that.
    Denied,
    /// A role or permission that was just written is not seen everywhere yet, or is really missing.
    Propagating,
    /// Too many calls.
    Throttled,
    /// The resource is being created, updated or deleted; later it will do.
    Busy,
    /// No answer, or an answer that the service itself calls temporary.
    Unreachable,
    /// The request is wrong and will stay wrong.
    Invalid,
    /// Everything else; final.
    Other,
}

/// An operation of the cloud that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudError {
    /// What it means.
    pub trouble: Trouble,
    /// Service and operation, `lambda CreateFunction`.
    pub operation: String,
    /// The cloud's own code, `ResourceConflictException`; empty when there was no answer.
    pub code: String,
    /// The cloud's own words, or why there was no answer.
    pub message: String,
    /// Request id, empty when there was none.
    pub request_id: String,
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if !self.code.is_empty() {
            write!(f, ": {}", self.code)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.request_id.is_empty() {
            write!(f, " (request {})", self.request_id)?;
        }
        Ok(())
    }
}

impl std::error::Error for CloudError {}

/// Whose resource is being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The deployment's owner id, [`eventual_schema::deploy::TAG_OWNER`] of every resource.
    pub id: String,
    /// The deployment's name, [`eventual_schema::deploy::TAG_SERVICE`] of every resource.
    pub service: String,
}

/// What an operation made or found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Made {
    /// ARN; empty for kinds that have none.
    pub arn: String,
    /// What others refer to, and what later operations on the resource need.
    pub attributes: BTreeMap<String, String>,
}

/// A resource as the cloud describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Its settings, by the names and in the forms of [`crate::resource::settings`]; one that cannot be read is left out.
    pub settings: BTreeMap<String, String>,
    /// What others refer to and what later operations need, as it is now; empty for what is not there any more.
    pub attributes: BTreeMap<String, String>,
}

impl Observed {
    /// One with these settings.
    #[must_use]
    pub fn of<const N: usize>(settings: [(&str, String); N]) -> Self {
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { settings, attributes: BTreeMap::new() }
    }
}

/// How far a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its creation began, and no engine was told of it yet: whoever creates it next may finish it.
    Creating,
    /// A change of it began and has not finished.
    Updating,
    /// It is not as it should be, nobody is at work, and an engine knows of it.
    Incomplete,
    /// It is as it should be.
    Complete,
    /// Its deletion began and has not finished.
    Deleting,
}

impl Progress {
    /// Whether somebody is at work, or died at it.
    #[must_use]
    pub const fn at_work(self) -> bool {
        matches!(self, Self::Creating | Self::Updating | Self::Deleting)
    }
}

/// The ownership record, an object in the deployment's bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Ownership {
    /// The deployment's owner id, which its children carry as a tag. It stays when a creation adopts the deployment.
    pub owner: String,
    /// Owner id and a part that every creation makes anew, also one that adopts. A state with another one is of an
    /// earlier life: for it, the deployment is gone. See [`crate::state::owner_of`].
    pub incarnation: String,
    /// The deployment's name.
    pub service: String,
    /// Who created it, as the engine can tell again after a crash; see [`crate::control::Control::claimant`].
    pub claimant: String,
    /// Who that is, in words for people.
    pub holder: String,
    /// When that one took it: seconds since 1970.
    pub since_s: u64,
    /// Which run of apply wrote it last.
    pub writer: String,
    /// How far it is.
    pub progress: Progress,
    /// Counts up while its writer lives.
    pub beat: u64,
    /// Everything that the deployment consists of, or may while somebody is at work, by key: what an import knows, and
    /// what a creation that adopts must not forget.
    pub children: BTreeMap<String, Recorded>,
    /// What the user configured, as far as it may be known to whoever can read the record: the values of environment
    /// variables are not in it. Null in a record of an earlier release. What an import restores.
    pub inputs: Value,
}

/// The ownership record and the mark by which a conditional write recognizes it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnershipRead {
    /// The record.
    pub record: Ownership,
    /// Its entity tag.
    pub mark: String,
}

/// What stands where the ownership record should be.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one is made in a run; a box would only be in the way")]
pub enum OwnershipState {
    /// There is no bucket.
    NoBucket,
    /// There is a bucket without the record; `empty` when it holds nothing at all.
    NoRecord {
        /// Whether the bucket holds nothing.
        empty: bool,
    },
    /// The record.
    Found(OwnershipRead),
}

/// A cloud. Every operation is safe to repeat.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// Makes the resource as its (resolved) spec says: creates it, finishes what an earlier call began, or changes
    /// `recorded` to it.
    ///
    /// # Errors
    /// [`Trouble::Foreign`] when something of that name exists that does not carry the owner's tag.
    async fn ensure(
        &self,
        owner: &Owner,
        resource: &Resource,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError>;

    /// Deletes the resource. One that is not there, or that carries another owner's tag when `verify` is set, counts
    /// as deleted. Without the attributes that creation gave, it is found by name.
    ///
    /// # Errors
    /// When it could not be deleted.
    async fn delete(&self, owner: &Owner, recorded: &Recorded, verify: bool) -> Result<(), CloudError>;

    /// Describes the resource; `None` when it is not there.
    ///
    /// # Errors
    /// When it could not be described.
    async fn describe(&self, owner: &Owner, recorded: &Recorded) -> Result<Option<Observed>, CloudError>;

    /// Environment variables of a function, for an import; none for everything else.
    ///
    /// # Errors
    /// When they could not be read.
    async fn environment(&self, recorded: &Recorded) -> Result<BTreeMap<String, Confidential>, CloudError> {
        let _ = recorded;
        Ok(BTreeMap::new())
    }

    /// Returns when the resource, just made, can be used.
    ///
    /// # Errors
    /// When it failed to become usable, or needs more time.
    async fn settle(&self, recorded: &Recorded) -> Result<(), CloudError>;

    /// What user data the resource holds, for people (`12 objects below payloads/`); `None` when deleting it loses
    /// nothing, or it is not there.
    ///
    /// # Errors
    /// When it could not be found out.
    async fn data(&self, recorded: &Recorded) -> Result<Option<String>, CloudError>;

    /// Reads the ownership record of the bucket.
    ///
    /// # Errors
    /// [`Trouble::Foreign`] when the bucket is another account's.
    async fn ownership(&self, bucket: &str) -> Result<OwnershipState, CloudError>;

    /// Creates the bucket bare, for the ownership record. One of ours that is there counts as created.
    ///
    /// # Errors
    /// [`Trouble::Foreign`] when the bucket is another account's.
    async fn found(&self, bucket: &str) -> Result<(), CloudError>;

    /// Writes the ownership record if it is still as `expected` (absent for `None`). Returns its new mark.
    ///
    /// # Errors
    /// [`Trouble::Lost`] when it is not.
    async fn claim(
        &self,
        bucket: &str,
        record: &Ownership,
        expected: Option<&str>,
    ) -> Result<String, CloudError>;

    /// Milliseconds of a clock that only moves forward; its zero means nothing.
    fn now_ms(&self) -> u64;

    /// Seconds since 1970, as far as this machine knows; only ever shown to people.
    fn epoch_s(&self) -> u64;

    /// Returns after that many milliseconds.
    async fn sleep_ms(&self, milliseconds: u64);

    /// A number that nobody can guess.
    fn random(&self) -> u64;
}
