//! Finding executions: what a list or a count asks for, and which executions that is, the same on every host.
//!
//! Hosts use what they have an index for and leave the rest to [`ListQuery::matches`]; so an execution is in a list only
//! if it is what was asked for when its meta was read. It deliberately knows no index.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use eventual_core::limits::{ATTRIBUTES_MAX, COUNT_MAX, LIST_FILTERS_MAX, LIST_PAGE_MAX};
use eventual_core::{Attribute, Millis, Status, Turn, check_name, check_settable};

use crate::engine::Engine;
use crate::ports::{Fault, Meta, Page, Store};

/// Which executions to list; newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListQuery {
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only with this status; all without.
    pub status: Option<Status>,
    /// Only those that were started then.
    pub started: Span,
    /// Only those that ended then; those that have not ended are in no such span.
    pub closed: Span,
    /// Only those whose attributes are so, all of them.
    pub attributes: Vec<AttributeFilter>,
    /// Most executions in the answer.
    pub limit: usize,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// A stretch of time, in milliseconds since 1970. Without ends: always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first moment in it.
    pub from: Option<Millis>,
    /// The first moment after it.
    pub below: Option<Millis>,
}

impl Span {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_always(self) -> bool {
        self.from.is_none() && self.below.is_none()
    }

    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(self, moment: Millis) -> bool {
        self.from.is_none_or(|it| moment >= it) && self.below.is_none_or(|it| moment < it)
    }
}

/// What an attribute of an execution has to be.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeFilter {
    /// Name of the attribute.
    pub name: String,
    /// What its value has to be.
    pub test: AttributeTest,
}

/// What the value of an attribute has to be. An attribute of another kind passes no test, nor does one that is not set.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeTest {
    /// This value. Where a host has an index, this is what it is for.
    Is(Attribute),
    /// At least the first, and less than the second.
    Within(Option<Attribute>, Option<Attribute>),
    /// A text that begins so.
    StartsWith(String),
}

impl AttributeTest {
    /// Whether a value passes.
    #[must_use]
    pub fn passes(&self, value: &Attribute) -> bool {
        match (self, value) {
            (Self::Is(wanted), value) => wanted == value,
            (Self::StartsWith(prefix), Attribute::Text(text)) => text.starts_with(prefix),
            (Self::StartsWith(_), _) => false,
            (Self::Within(from, below), value) => {
                let least = |it: &Attribute| value.order(it).is_some_and(Ordering::is_ge);
                let less = |it: &Attribute| value.order(it).is_some_and(Ordering::is_lt);
                from.as_ref().is_none_or(least) && below.as_ref().is_none_or(less)
            }
        }
    }
}

impl ListQuery {
    /// Whether an execution is one that was asked for.
    #[must_use]
    pub fn matches(&self, meta: &Meta) -> bool {
        let attribute =
            |it: &AttributeFilter| meta.attributes.get(&it.name).is_some_and(|is| it.test.passes(is));
        self.workflow.as_ref().is_none_or(|wanted| wanted == meta.id.workflow())
            && self.status.is_none_or(|wanted| wanted == meta.status)
            && self.started.contains(meta.started)
            && (self.closed.is_always() || meta.closed.is_some_and(|it| self.closed.contains(it)))
            && self.attributes.iter().all(attribute)
    }

    /// The value that an attribute has to be equal to, if the query asks for one: the first such.
    #[must_use]
    pub fn equality(&self) -> Option<(&str, &Attribute)> {
        self.attributes.iter().find_map(|it| match &it.test {
            AttributeTest::Is(value) => Some((it.name.as_str(), value)),
            _ => None,
        })
    }

    /// When an execution that matches can have been started: one that ended in a span was started before its end.
    #[must_use]
    pub fn started_within(&self) -> Span {
        let below = [self.started.below, self.closed.below].into_iter().flatten().min();
        Span { from: self.started.from, below }
    }

    /// Whether the query can be asked.
    ///
    /// # Errors
    /// When a limit is exceeded or an attribute cannot be; says which, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.limit == 0 || self.limit > LIST_PAGE_MAX {
            return Err(format!(
                "a page of a list has 1 to {LIST_PAGE_MAX} executions, not {}: ask for the next page with what `next` says",
                self.limit
            ));
        }
        if self.attributes.len() > LIST_FILTERS_MAX {
            return Err(format!(
                "a list has at most {LIST_FILTERS_MAX} conditions on attributes, this one {}: leave the others to the \
                 caller",
                self.attributes.len()
            ));
        }
        for AttributeFilter { name, test } in &self.attributes {
            check_name(name).map_err(String::from)?;
            match test {
                AttributeTest::Is(value) => value.check(name).map_err(String::from)?,
                AttributeTest::Within(None, None) => {
                    return Err(format!(
                        "the condition on attribute `{name}` says neither `from` nor `below`"
                    ));
                }
                AttributeTest::Within(Some(from), Some(below)) if from.kind() != below.kind() => {
                    let (from, below) = (from.kind(), below.kind());
                    return Err(format!("the condition on attribute `{name}` is from a {from} to a {below}"));
                }
                AttributeTest::Within(..) | AttributeTest::StartsWith(_) => {}
            }
        }
        Ok(())
    }
}

/// How many executions a query finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// So many were found.
    pub count: u64,
    /// Whether these are all: a count ends after [`COUNT_MAX`].
    pub complete: bool,
}

/// Shows every execution that a query finds, up to [`COUNT_MAX`], and counts them: by listing.
pub(crate) async fn visit(
    store: &dyn Store,
    query: &ListQuery,
    mut see: impl FnMut(&Meta) + Send,
) -> Result<Count, Fault> {
    let mut query = ListQuery { limit: LIST_PAGE_MAX, ..query.clone() };
    let mut count = 0;
    loop {
        let Page { executions, next } = store.list(&query).await?;
        count += executions.len() as u64;
        executions.iter().for_each(&mut see);
        match next {
            None => return Ok(Count { count, complete: true }),
            Some(_) if count >= COUNT_MAX => return Ok(Count { count, complete: false }),
            next => query.after = next,
        }
    }
}

/// Whether an execution can be started with these attributes.
pub fn check_attributes(attributes: &BTreeMap<String, Attribute>) -> Result<(), String> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(format!(
            "an execution is started with at most {ATTRIBUTES_MAX} attributes, not {}: keep those that it is found by",
            attributes.len()
        ));
    }
    let check = |(name, value): (&String, &Attribute)| {
        check_settable(name)?;
        value.check(name)
    };
    attributes.iter().try_for_each(check).map_err(String::from)
}

impl Meta {
    /// Takes over the attributes that turns set or removed, and the markers that they met; what of it was not known.
    pub(crate) fn learn<'a>(&mut self, turns: impl IntoIterator<Item = &'a Turn>) -> Learnt {
        let mut changed = BTreeSet::new();
        let markers = self.markers.len();
        for turn in turns {
            self.as_of = self.as_of.max(turn.number);
            self.markers.extend(turn.markers.iter().cloned());
            for (name, value) in &turn.attributes {
                let differs = self.attributes.get(name) != value.as_ref();
                match value {
                    Some(value) => self.attributes.insert(name.clone(), value.clone()),
                    None => self.attributes.remove(name),
                };
                if differs {
                    changed.insert(name.clone());
                }
            }
        }
        Learnt { attributes: changed, markers: self.markers.len() > markers }
    }
}

/// What turns say of an execution that is not known yet where it is looked up.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    /// Names of attributes that differ.
    pub(crate) attributes: BTreeSet<String>,
    /// Whether there are new markers.
    pub(crate) markers: bool,
}

impl Engine {
    /// Writes attributes and markers where executions are looked up. When it fails the execution is forgotten here, so that the
    /// next turn, whoever takes it, reads the history and finds that they are missing.
    pub(crate) async fn keep_attributes(&self, meta: &Meta, learnt: Learnt) -> Result<(), Fault> {
        if learnt.attributes.is_empty() && !learnt.markers {
            return Ok(());
        }
        let changed: Vec<String> = learnt.attributes.into_iter().collect();
        self.ports.store.set_attributes(meta, &changed).await.inspect_err(|_| self.forget(&meta.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventual_core::ExecutionId;

    fn meta() -> Meta {
        let id = ExecutionId::new("order", "17").unwrap();
        let mut meta = Meta::new(id, "null".into(), 1_000, 1, "code", None);
        let attributes = [
            ("customer", Attribute::from("ada")),
            ("cents", Attribute::from(250_i64)),
            ("rush", Attribute::from(true)),
            ("due", Attribute::Time(5_000)),
        ];
        meta.attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        meta
    }

    fn with(name: &str, test: AttributeTest) -> ListQuery {
        ListQuery {
            attributes: vec![AttributeFilter { name: name.to_owned(), test }],
            limit: 1,
            ..ListQuery::default()
        }
    }

    #[test]
    fn attributes_are_typed() {
        let meta = meta();
        let within =
            |a: Option<i64>, b: Option<i64>| AttributeTest::Within(a.map(Into::into), b.map(Into::into));
        let all = [
            (with("customer", AttributeTest::Is("ada".into())), true),
            (with("customer", AttributeTest::Is("bob".into())), false),
            (with("customer", AttributeTest::StartsWith("a".into())), true),
            (with("customer", AttributeTest::StartsWith("b".into())), false),
            (with("cents", AttributeTest::Is("250".into())), false),
            (with("cents", within(Some(250), Some(251))), true),
            (with("cents", within(Some(251), None)), false),
            (with("cents", within(None, Some(250))), false),
            (with("cents", AttributeTest::StartsWith("2".into())), false),
            (with("due", within(Some(1), None)), false),
            (with("due", AttributeTest::Within(Some(Attribute::Time(5_000)), None)), true),
            (with("unset", within(Some(1), None)), false),
        ];
        for (query, expected) in all {
            assert_eq!(query.matches(&meta), expected, "{query:?}");
            assert_eq!(query.check(), Ok(()));
        }
    }

    #[test]
    fn times_are_from_and_below() {
        let meta = Meta { closed: Some(2_000), ..meta() };
        let span = |from, below| Span { from: Some(from), below: Some(below) };
        assert!(ListQuery { started: span(1_000, 1_001), ..ListQuery::default() }.matches(&meta));
        assert!(!ListQuery { started: span(900, 1_000), ..ListQuery::default() }.matches(&meta));
        let closed = ListQuery { closed: span(1_500, 2_001), ..ListQuery::default() };
        assert!(closed.matches(&meta) && !closed.matches(&Meta { closed: None, ..meta.clone() }));
        assert_eq!(closed.started_within(), Span { from: None, below: Some(2_001) });
    }

    #[test]
    fn limits_say_their_number() {
        assert!(ListQuery { limit: 101, ..ListQuery::default() }.check().unwrap_err().contains("100"));
        let one = with("a", AttributeTest::Is(1_i64.into())).attributes;
        let many = ListQuery { attributes: vec![one[0].clone(); 9], limit: 1, ..ListQuery::default() };
        assert!(many.check().unwrap_err().contains('8'));
        let mixed = AttributeTest::Within(Some(1_i64.into()), Some("b".into()));
        assert!(
            with("a", mixed).check().is_err() && with("a b", AttributeTest::Is(true.into())).check().is_err()
        );
        let attributes = (0..33).map(|it| (format!("a{it}"), Attribute::from(it))).collect();
        assert!(check_attributes(&attributes).unwrap_err().contains("32"));
    }

    #[test]
    fn later_turns_win_and_only_differences_are_written() {
        let mut meta = meta();
        let turn = |number, attributes: &[(&str, Option<i64>)]| Turn {
            number,
            attributes: attributes
                .iter()
                .map(|(name, it)| ((*name).to_owned(), it.map(Attribute::from)))
                .collect(),
            ..Turn::default()
        };
        let turns = [
            turn(1, &[("cents", Some(1)), ("gone", Some(1))]),
            turn(2, &[("cents", Some(2)), ("rush", None)]),
        ];
        let changed = meta.learn(&turns);
        assert_eq!(changed.attributes.into_iter().collect::<Vec<_>>(), ["cents", "gone", "rush"]);
        assert_eq!((meta.attributes.get("cents"), meta.as_of), (Some(&2_i64.into()), 2));
        assert!(!meta.attributes.contains_key("rush"));
        assert_eq!(meta.learn(&turns[1..]).attributes.len(), 0, "read again, nothing differs");
    }
}
