//! Batches of SQS messages, and the answer that names the ones to deliver again.

use serde::{Deserialize, Serialize};

/// One message.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// Names the message in the answer.
    pub(crate) message_id: String,
    /// Its text.
    pub(crate) body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: Option<String>,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

impl Record {
    /// Whether the message was handed out before.
    pub(crate) fn redelivered(&self) -> bool {
        let count = self.attributes.approximate_receive_count.as_ref().and_then(|it| it.parse::<u32>().ok());
        // Unknown counts as "perhaps": looking twice is slow, not looking is wrong.
        count.is_none_or(|count| count > 1)
    }
}

/// The messages of an invocation by a queue, in order.
pub(crate) fn records(event: &str) -> Result<Vec<Record>, serde_json::Error> {
    Ok(serde_json::from_str::<Batch>(event)?.records)
}

/// Which messages of a batch are to be delivered again; none of them means that all are done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchAnswer {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl BatchAnswer {
    pub(crate) fn failed(ids: impl IntoIterator<Item = String>) -> Self {
        let batch_item_failures =
            ids.into_iter().map(|item_identifier| ItemFailure { item_identifier }).collect();
        Self { batch_item_failures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_batch_as_aws_sends_it() {
        let event = r#"{"Records":[{
            "messageId":"11d6ee51-4cc7-4302-9e22-7cd8afdaadf5","receiptHandle":"AQEB","body":"{\"execution\":\"w/n\"}",
            "attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1573251510774","SequenceNumber":"18849496460467696128",
              "MessageGroupId":"w/n","SenderId":"AIDAIO23YVJENQZJOL4VO","MessageDeduplicationId":"1","ApproximateFirstReceiveTimestamp":"1573251510774"},
            "messageAttributes":{},"md5OfBody":"e4e68fb7bd0e697a0ae8f1bb342846b3","eventSource":"aws:sqs",
            "eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:fifo.fifo","awsRegion":"us-east-2"}]}"#;
        let records = records(event).unwrap();
        assert_eq!((records[0].body.as_str(), records[0].redelivered()), (r#"{"execution":"w/n"}"#, true));
    }

    #[test]
    fn names_failures_as_aws_reads_them() {
        let json = serde_json::to_string(&BatchAnswer::failed(["a".to_owned()])).unwrap();
        assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#);
        assert_eq!(serde_json::to_string(&BatchAnswer::default()).unwrap(), r#"{"batchItemFailures":[]}"#);
    }
}
