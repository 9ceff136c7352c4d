//! Records of the table's stream: which executions were started.

use eventual_core::ExecutionId;
use eventual_schema::deploy::table;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "dynamodb")]
    change: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    #[serde(default)]
    keys: BTreeMap<String, Attribute>,
    #[serde(default)]
    new_image: BTreeMap<String, Attribute>,
}

/// An attribute; those that are no strings are not looked at.
#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "S")]
    text: Option<String>,
}

/// A commit that no message covers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Uncovered {
    /// Names the record in the answer.
    pub(crate) record: String,
    /// The execution to wake; absent when the record is not ours.
    pub(crate) execution: Option<ExecutionId>,
}

/// The commits of an invocation by the stream that are marked as uncovered, in order.
pub(crate) fn uncovered(event: &str) -> Result<Vec<Uncovered>, serde_json::Error> {
    let batch: Batch = serde_json::from_str(event)?;
    let marked = batch
        .records
        .into_iter()
        .map(|it| it.change)
        .filter(|it| it.new_image.contains_key(table::UNCOVERED));
    Ok(marked
        .map(|change| {
            let id = change.keys.get(table::PARTITION).and_then(|it| it.text.as_deref());
            let execution = id.and_then(|it| ExecutionId::parse(it).ok());
            Uncovered { record: change.sequence_number, execution }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_items_are_woken() {
        let record = |number: &str, image: &str| {
            format!(
                r#"{{"eventID":"c4ca","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",
                "dynamodb":{{"ApproximateCreationDateTime":1479499740,"Keys":{{"execution":{{"S":"w/{number}"}},"item":{{"S":"meta"}}}},
                "NewImage":{{"execution":{{"S":"w/{number}"}},"item":{{"S":"meta"}}{image}}},"SequenceNumber":"{number}","SizeBytes":26,
                "StreamViewType":"NEW_IMAGE"}},"eventSourceARN":"arn"}}"#
            )
        };
        let marked = record("1", r#","uncovered":{"S":"start"},"expires":{"N":"12"}"#);
        let event = format!(r#"{{"Records":[{marked},{}]}}"#, record("2", ""));
        let found = uncovered(&event).unwrap();
        assert_eq!(found, [Uncovered { record: "1".into(), execution: ExecutionId::parse("w/1").ok() }]);
    }
}
