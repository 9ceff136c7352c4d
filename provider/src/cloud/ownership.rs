//! The ownership record: one object, only ever written if it is as it was read.

use aws_sdk_s3::primitives::ByteStream;
use eventual_provider_core::cloud::{
    CloudError, Ownership, OwnershipRead, OwnershipState, Progress, Trouble,
};
use eventual_schema::deploy::bucket;
use serde_json::{Value, json};

use super::{AwsCloud, malformed};

/// Format of the record.
const FORMAT: u64 = 1;
const PROGRESS: [(Progress, &str); 3] =
    [(Progress::Creating, "creating"), (Progress::Complete, "complete"), (Progress::Deleting, "deleting")];

fn write(record: &Ownership) -> String {
    let progress = PROGRESS.iter().find(|(it, _)| *it == record.progress).map_or("", |(_, name)| name);
    json!({
        "format": FORMAT,
        "owner": record.owner,
        "service": record.service,
        "claimant": record.claimant,
        "writer": record.writer,
        "progress": progress,
        "beat": record.beat,
    })
    .to_string()
}

fn read(text: &[u8]) -> Option<Ownership> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let progress = text("progress")?;
    Some(Ownership {
        owner: text("owner")?,
        service: text("service")?,
        claimant: text("claimant")?,
        writer: text("writer")?,
        progress: PROGRESS.iter().find(|(_, name)| *name == progress)?.0,
        beat: value["beat"].as_u64()?,
    })
}

impl AwsCloud {
    pub(super) async fn read_ownership(&self, name: &str) -> Result<OwnershipState, CloudError> {
        let get = self.s3.get_object().bucket(name).key(bucket::OWNERSHIP);
        let answer = match self.call("s3 GetObject", get.send()).await {
            Ok(answer) => answer,
            Err(error) if error.code == "NoSuchBucket" => return Ok(OwnershipState::NoBucket),
            Err(error) if error.trouble == Trouble::NotFound => return self.without_record(name).await,
            Err(error) if error.trouble == Trouble::Denied => return Err(denied(name, error)),
            Err(error) => return Err(error),
        };
        let mark = answer.e_tag().unwrap_or_default().to_owned();
        let body = answer.body.collect().await.map_err(|error| CloudError {
            trouble: Trouble::Unreachable,
            ..malformed("s3 GetObject", error)
        })?;
        let record = read(&body.into_bytes()).ok_or_else(|| {
            malformed(
                "s3 GetObject",
                format!("{}/{} is not an ownership record of this release", name, bucket::OWNERSHIP),
            )
        })?;
        Ok(OwnershipState::Found(OwnershipRead { record, mark }))
    }

    async fn without_record(&self, name: &str) -> Result<OwnershipState, CloudError> {
        let list = self.s3.list_objects_v2().bucket(name).max_keys(1);
        match self.call("s3 ListObjectsV2", list.send()).await {
            Ok(answer) => Ok(OwnershipState::NoRecord { empty: answer.contents().is_empty() }),
            Err(error) if error.code == "NoSuchBucket" => Ok(OwnershipState::NoBucket),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn write_ownership(
        &self,
        name: &str,
        record: &Ownership,
        expected: Option<&str>,
    ) -> Result<String, CloudError> {
        let put = self
            .s3
            .put_object()
            .bucket(name)
            .key(bucket::OWNERSHIP)
            .content_type("application/json")
            .body(ByteStream::from(write(record).into_bytes()));
        let put = match expected {
            Some(mark) => put.if_match(mark),
            None => put.if_none_match("*"),
        };
        match self.call("s3 PutObject", put.send()).await {
            Ok(answer) => Ok(answer.e_tag().unwrap_or_default().to_owned()),
            // A condition on an object that is not there any more fails too.
            Err(error) if error.code == "NoSuchKey" => Err(CloudError { trouble: Trouble::Lost, ..error }),
            Err(error) => Err(error),
        }
    }
}

/// Names of buckets are the world's: this one may be another account's.
fn denied(name: &str, error: CloudError) -> CloudError {
    let message = format!(
        "{}: the bucket {name} is another account's, or these credentials may not read it",
        error.message
    );
    CloudError { message, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let record = Ownership {
            owner: "o".to_owned(),
            service: "s".to_owned(),
            claimant: "c".to_owned(),
            writer: "w".to_owned(),
            progress: Progress::Deleting,
            beat: 3,
        };
        assert_eq!(read(write(&record).as_bytes()), Some(record));
        assert_eq!(read(b"{}"), None);
    }
}
