//! The ownership record: one object, only ever written if it is as it was read.

use aws_sdk_s3::primitives::ByteStream;
use eventual_provider_core::cloud::{
    CloudError, Ownership, OwnershipRead, OwnershipState, Progress, Trouble,
};
use eventual_provider_core::resource::Kind;
use eventual_provider_core::state::Recorded;
use eventual_provider_core::value::Value as Plain;
use eventual_schema::deploy::bucket;
use serde_json::{Map, Value, json};

use super::{AwsCloud, malformed};

/// Format of the record.
const FORMAT: u64 = 2;
const PROGRESS: [(Progress, &str); 5] = [
    (Progress::Creating, "creating"),
    (Progress::Updating, "updating"),
    (Progress::Incomplete, "incomplete"),
    (Progress::Complete, "complete"),
    (Progress::Deleting, "deleting"),
];

fn write(record: &Ownership) -> String {
    let progress = PROGRESS.iter().find(|(it, _)| *it == record.progress).map_or("", |(_, name)| name);
    json!({
        "format": FORMAT,
        "owner": record.owner,
        "incarnation": record.incarnation,
        "service": record.service,
        "claimant": record.claimant,
        "holder": record.holder,
        "since": record.since_s,
        "writer": record.writer,
        "progress": progress,
        "beat": record.beat,
        "inputs": to_json(&record.inputs),
        "children": record.children.iter().map(|(key, child)| (key.clone(), child_json(child))).collect::<Map<_, _>>(),
    })
    .to_string()
}

fn child_json(child: &Recorded) -> Value {
    json!({
        "type": child.kind.as_str(),
        "name": child.name,
        "arn": child.arn,
        "fingerprint": child.fingerprint,
        "attributes": child.attributes,
    })
}

/// A child; `None` for a kind that this release does not know.
fn child(value: &Value) -> Option<Recorded> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let attributes = value["attributes"].as_object().into_iter().flatten();
    Some(Recorded {
        kind: Kind::parse(&text("type")?)?,
        name: text("name")?,
        arn: text("arn")?,
        fingerprint: text("fingerprint")?,
        attributes: attributes.filter_map(|(key, it)| Some((key.clone(), it.as_str()?.to_owned()))).collect(),
    })
}

/// Reads a record. In the first format the owner was the incarnation, and who, since when and what were not noted.
fn read(text: &[u8]) -> Option<Ownership> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let children = value["children"].as_object().into_iter().flatten();
    let children = children.filter_map(|(key, it)| Some((key.clone(), child(it)?))).collect();
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let progress = text("progress")?;
    Some(Ownership {
        owner: text("owner")?,
        incarnation: text("incarnation").or_else(|| text("owner"))?,
        service: text("service")?,
        claimant: text("claimant")?,
        holder: text("holder").unwrap_or_default(),
        since_s: value["since"].as_u64().unwrap_or_default(),
        writer: text("writer")?,
        progress: PROGRESS.iter().find(|(_, name)| *name == progress)?.0,
        beat: value["beat"].as_u64()?,
        children,
        inputs: from_json(&value["inputs"]),
    })
}

/// A value without secrets and unknowns; these are not written.
fn to_json(value: &Plain) -> Value {
    match value {
        Plain::Bool(truth) => json!(truth),
        Plain::Number(number) => json!(number),
        Plain::String(text) => json!(text),
        Plain::List(items) => items.iter().map(to_json).collect(),
        Plain::Map(members) => {
            members.iter().map(|(name, it)| (name.clone(), to_json(it))).collect::<Map<_, _>>().into()
        }
        Plain::Null | Plain::Unknown | Plain::Secret(_) => Value::Null,
    }
}

fn from_json(value: &Value) -> Plain {
    match value {
        Value::Null => Plain::Null,
        Value::Bool(truth) => Plain::Bool(*truth),
        Value::Number(number) => Plain::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) => Plain::String(text.clone()),
        Value::Array(items) => Plain::List(items.iter().map(from_json).collect()),
        Value::Object(members) => {
            Plain::Map(members.iter().map(|(name, it)| (name.clone(), from_json(it))).collect())
        }
    }
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
        let dead = Recorded {
            kind: Kind::Queue,
            name: "shop-dead".to_owned(),
            arn: "arn".to_owned(),
            fingerprint: "f".to_owned(),
            attributes: [("url".to_owned(), "u".to_owned())].into(),
        };
        let record = Ownership {
            owner: "o".to_owned(),
            incarnation: "o.1".to_owned(),
            service: "s".to_owned(),
            claimant: "c".to_owned(),
            holder: "h".to_owned(),
            since_s: 12,
            writer: "w".to_owned(),
            progress: Progress::Deleting,
            beat: 3,
            children: [("queue/dead".to_owned(), dead)].into(),
            inputs: Plain::map([
                ("name", Plain::from("s")),
                ("tags", Plain::map([("a", Plain::Null)])),
                ("on", Plain::List(vec![Plain::Number(512.0), Plain::Bool(true)])),
            ]),
        };
        assert_eq!(read(write(&record).as_bytes()), Some(record));
        assert_eq!(read(b"{}"), None);
        let first = br#"{"format":1,"owner":"o","service":"s","claimant":"c","writer":"w","progress":"complete","beat":1}"#;
        let first = read(first).unwrap();
        assert_eq!((first.incarnation.as_str(), first.children.len()), ("o", 0));
    }
}
