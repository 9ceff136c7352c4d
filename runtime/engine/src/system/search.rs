//! Lists and counts as operators ask for them, in JSON.

use eventual_core::limits::LIST_PAGE_MAX;
use eventual_core::{Attribute, Millis};
use serde::{Deserialize, Serialize};

use super::{SystemError, SystemResponse, line, parse_status};
use crate::codec::AttributeText;
use crate::engine::Engine;
use crate::ports::{AttributeFilter, AttributeTest, Count, ListQuery, Span};

/// What `list` and `count` look for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SearchRequest {
    /// Only of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Only with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those that were started then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<SpanRequest>,
    /// Only those that ended then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<SpanRequest>,
    /// Only those with such attributes, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<FilterRequest>,
    /// At most so many on a page, up to 100, which is also the default. Not for counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// `next` of the page before. Not for counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A stretch of time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SpanRequest {
    /// The first moment in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Millis>,
    /// The first moment after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Millis>,
}

/// A condition on an attribute: `is`, or `from` and `below`, or `startsWith`. Values are JSON: `true`, `1`, `1.5`, `"text"`,
/// `{"time": 1893456000000}`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterRequest {
    /// Name of the attribute.
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<AttributeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<AttributeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below: Option<AttributeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_with: Option<String>,
}

impl Engine {
    pub(super) async fn count(&self, search: SearchRequest) -> Result<SystemResponse, SystemError> {
        let Count { count, complete } = self.client().count(&search.query()?).await?;
        Ok(SystemResponse::Counted { count, complete })
    }

    pub(super) async fn list(&self, search: SearchRequest) -> Result<SystemResponse, SystemError> {
        let page = self.client().list(&search.query()?).await?;
        let executions = page.executions.iter().map(line).collect();
        Ok(SystemResponse::List { executions, next: page.next })
    }
}

impl SearchRequest {
    /// The query that it asks for.
    fn query(self) -> Result<ListQuery, SystemError> {
        let span = |it: Option<SpanRequest>| {
            it.map_or_else(Span::default, |it| Span { from: it.from, below: it.below })
        };
        Ok(ListQuery {
            workflow: self.workflow,
            status: self.status.map(|it| parse_status(&it)).transpose()?,
            started: span(self.started),
            closed: span(self.closed),
            attributes: self.attributes.into_iter().map(FilterRequest::filter).collect::<Result<_, _>>()?,
            limit: self.limit.unwrap_or(LIST_PAGE_MAX),
            after: self.after,
        })
    }
}

impl FilterRequest {
    fn filter(self) -> Result<AttributeFilter, SystemError> {
        let Self { name, is, from, below, starts_with } = self;
        let (from, below) = (from.map(Attribute::from), below.map(Attribute::from));
        let test = match (is, starts_with, from, below) {
            (Some(is), None, None, None) => AttributeTest::Is(is.into()),
            (None, Some(prefix), None, None) => AttributeTest::StartsWith(prefix),
            (None, None, from, below) if from.is_some() || below.is_some() => {
                AttributeTest::Within(from, below)
            }
            _ => {
                return Err(SystemError::Invalid(format!(
                    "the condition on attribute `{name}` says one of `is`, `startsWith`, or `from` and `below`"
                )));
            }
        };
        Ok(AttributeFilter { name, test })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemRequest;

    fn query(text: &str) -> Result<ListQuery, String> {
        let request = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let (SystemRequest::List(search) | SystemRequest::Count(search)) = request else {
            panic!("{request:?}")
        };
        search.query().map_err(|error| error.to_string())
    }

    #[test]
    fn requests_are_read() {
        let text = r#"{"op":"list","workflow":"order","status":"failed","started":{"from":5},"limit":7,
            "attributes":[{"name":"customer","is":"ada"},{"name":"cents","from":1,"below":9},{"name":"rate","is":1.0},
            {"name":"due","below":{"time":8}},{"name":"note","startsWith":"a"}]}"#;
        let query = query(text).unwrap();
        let tests: Vec<_> = query.attributes.into_iter().map(|it| it.test).collect();
        assert_eq!(
            tests,
            [
                AttributeTest::Is("ada".into()),
                AttributeTest::Within(Some(1_i64.into()), Some(9_i64.into())),
                AttributeTest::Is(1.0.into()),
                AttributeTest::Within(None, Some(Attribute::Time(8))),
                AttributeTest::StartsWith("a".into()),
            ]
        );
        assert_eq!((query.limit, query.started.from), (7, Some(5)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            (r#"{"op":"list","stauts":"failed"}"#, "stauts"),
            (r#"{"op":"count","status":"fine"}"#, "fine"),
            (r#"{"op":"count","attributes":[{"name":"a"}]}"#, "`a`"),
            (r#"{"op":"count","attributes":[{"name":"a","is":1,"from":2}]}"#, "`a`"),
        ] {
            assert!(query(text).unwrap_err().contains(named), "{text}");
        }
        assert_eq!(query(r#"{"op":"list"}"#).unwrap().limit, 100);
    }
}
