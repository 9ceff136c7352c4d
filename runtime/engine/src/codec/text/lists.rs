//! The shape of a list's query between two processes of one host. Deliberately not what operators write, who have other words for
//! it and make mistakes (`system/search.rs`).

use eventual_core::{Attribute, Status};
use serde::{Deserialize, Serialize};

use super::AttributeText;
use crate::search::{AttributeFilter, AttributeTest, ListQuery, Span};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codec) struct ListText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(default)]
    started: (Option<u64>, Option<u64>),
    #[serde(default)]
    closed: (Option<u64>, Option<u64>),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<(String, TestText)>,
    limit: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum TestText {
    Is(AttributeText),
    StartsWith(String),
    Within(Option<AttributeText>, Option<AttributeText>),
}

impl From<&ListQuery> for ListText {
    fn from(query: &ListQuery) -> Self {
        let span = |it: Span| (it.from, it.below);
        let test = |it: &AttributeTest| match it {
            AttributeTest::Is(value) => TestText::Is(value.into()),
            AttributeTest::StartsWith(prefix) => TestText::StartsWith(prefix.clone()),
            AttributeTest::Within(from, below) => {
                TestText::Within(from.as_ref().map(Into::into), below.as_ref().map(Into::into))
            }
        };
        Self {
            workflow: query.workflow.clone(),
            status: query.status.map(|it| it.as_str().to_owned()),
            started: span(query.started),
            closed: span(query.closed),
            attributes: query.attributes.iter().map(|it| (it.name.clone(), test(&it.test))).collect(),
            limit: query.limit,
            after: query.after.clone(),
        }
    }
}

impl TryFrom<ListText> for ListQuery {
    type Error = String;
    fn try_from(text: ListText) -> Result<Self, String> {
        let span = |(from, below)| Span { from, below };
        let status = |it: String| Status::parse(&it).ok_or_else(|| format!("unknown status {it:?}"));
        let filter = |(name, test)| {
            let test = match test {
                TestText::Is(value) => AttributeTest::Is(value.into()),
                TestText::StartsWith(prefix) => AttributeTest::StartsWith(prefix),
                TestText::Within(from, below) => {
                    AttributeTest::Within(from.map(Attribute::from), below.map(Attribute::from))
                }
            };
            AttributeFilter { name, test }
        };
        Ok(Self {
            workflow: text.workflow,
            status: text.status.map(status).transpose()?,
            started: span(text.started),
            closed: span(text.closed),
            attributes: text.attributes.into_iter().map(filter).collect(),
            limit: text.limit,
            after: text.after,
        })
    }
}
