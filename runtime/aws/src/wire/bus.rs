//! Events as EventBridge delivers them.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A delivered event.
#[derive(Debug, Deserialize)]
pub(crate) struct Delivered {
    /// Of this delivery; EventBridge gives a second delivery the same one.
    pub(crate) id: String,
    /// Name of the event.
    #[serde(rename = "detail-type")]
    pub(crate) name: String,
    detail: Box<RawValue>,
}

impl Delivered {
    /// The event, as the text that was published.
    pub(crate) fn payload(&self) -> &str {
        self.detail.get()
    }
}

pub(crate) fn delivered(event: &str) -> Result<Delivered, serde_json::Error> {
    serde_json::from_str(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_stay_the_text_that_they_are() {
        let event = r#"{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"OrderCreated","source":"orders",
            "account":"111122223333","time":"2017-12-22T18:43:48Z","region":"us-west-1","resources":[],
            "detail":{"total":10000000000000000001,"id":"17"}}"#;
        let event = delivered(event).unwrap();
        assert_eq!(event.name, "OrderCreated");
        assert_eq!(event.payload(), r#"{"total":10000000000000000001,"id":"17"}"#);
    }
}
