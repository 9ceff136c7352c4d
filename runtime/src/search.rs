//! Finding executions: attributes that their code gives them, and lists and counts by workflow, status, time and attribute.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::Range;
use std::pin::Pin;
use std::time::SystemTime;

use eventual_core::Attribute as Value;
use eventual_core::limits::LIST_PAGE_MAX;
use eventual_engine::ambient;
use eventual_engine::ports::{AttributeFilter, AttributeTest, Count, ListQuery, Span};

use crate::error::Error;
use crate::execution::{ClientError, Execution, Status, client, outside};
use crate::timers::Moment;

/// The value of an attribute by which executions are found: made `From` booleans, whole numbers, numbers, texts and
/// [`SystemTime`].
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute(pub(crate) Value);

macro_rules! from {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Attribute {
            fn from(value: $kind) -> Self {
                Self(value.into())
            }
        }
    )*};
}

from!(bool, f64, i64, i32, u32, u16, String, &String, &str);

impl From<SystemTime> for Attribute {
    fn from(time: SystemTime) -> Self {
        Self(Value::Time(Moment::from(time).as_millis()))
    }
}

impl Attribute {
    /// A truth value, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = &self.0 { Some(*value) } else { None }
    }

    /// A whole number, if it is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        if let Value::Integer(value) = &self.0 { Some(*value) } else { None }
    }

    /// A number that was given as a floating-point one, if it is one.
    #[must_use]
    pub const fn as_float(&self) -> Option<f64> {
        if let Value::Float(value) = &self.0 { Some(*value) } else { None }
    }

    /// A text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(value) = &self.0 { Some(value) } else { None }
    }

    /// A moment, if it is one.
    #[must_use]
    pub fn as_time(&self) -> Option<SystemTime> {
        let Value::Time(millis) = &self.0 else { return None };
        Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(*millis))
    }
}

/// Gives this execution an attribute, by which it is found from the end of the turn on: `set_attribute("customer", id)?`.
/// It stays until it is set again or [removed](remove_attribute). In workflows only; the same on every replay.
///
/// A name has up to 64 ASCII letters, digits and `_`, a text up to 1,024 bytes; an execution's code sets at most 32. On AWS
/// each attribute that a turn sets is one write to the table and one to its index; those that nobody sets cost nothing.
///
/// # Errors
/// When a limit is reached, or the code is no workflow's.
pub fn set_attribute(name: &str, value: impl Into<Attribute>) -> Result<(), Error> {
    change(name, Some(value.into().0))
}

/// Takes an attribute from this execution. In workflows only.
///
/// # Errors
/// As of [`set_attribute`].
pub fn remove_attribute(name: &str) -> Result<(), Error> {
    change(name, None)
}

fn change(name: &str, value: Option<Value>) -> Result<(), Error> {
    match ambient::set_attribute(name, value) {
        Some(set) => set.map_err(|problem| Error::new("InvalidAttribute", problem)),
        None => {
            let message = outside("only a workflow has attributes; they are set");
            Err(Error::new("Outside", message))
        }
    }
}

/// Executions of a workflow, newest first: `process_order::list().status(Status::Failed).attribute("customer", "ada").await?`.
/// In a handler that declares `uses(<the workflow>)`.
///
/// Await it for a [`ListPage`], or [`count`](Self::count). A list is as new as its index: on AWS it may lag behind by what
/// DynamoDB's indexes lag, usually less than a second, and what is listed is checked against the execution itself; locally
/// and in tests it is exact. An execution that does not change meanwhile is on exactly one page.
///
/// What it costs on AWS: equality of an attribute reads what has that value, through an index; everything else
/// (ranges, beginnings of texts, end times) is looked for among the executions of that status and start time, newest first, at most 1,000 for a page.
#[must_use = "nothing is listed until it is awaited"]
pub struct List {
    query: ListQuery,
}

impl List {
    pub(crate) fn new(workflow: &str) -> Self {
        let query =
            ListQuery { workflow: Some(workflow.to_owned()), limit: LIST_PAGE_MAX, ..ListQuery::default() };
        Self { query }
    }

    /// Only with this status.
    pub const fn status(mut self, status: Status) -> Self {
        self.query.status = Some(status.to_core());
        self
    }

    /// Only those that were started then: `from..below`.
    pub fn started<T: Into<Moment>>(mut self, span: Range<T>) -> Self {
        self.query.started = span_of(span);
        self
    }

    /// Only those that ended then: `from..below`.
    pub fn closed<T: Into<Moment>>(mut self, span: Range<T>) -> Self {
        self.query.closed = span_of(span);
        self
    }

    /// Only those with this value of an attribute. Values of different types are never equal.
    pub fn attribute(self, name: &str, is: impl Into<Attribute>) -> Self {
        self.filter(name, AttributeTest::Is(is.into().0))
    }

    /// Only those with a value from the first on and below the second, of their type.
    pub fn attribute_within<T: Into<Attribute>>(self, name: &str, span: Range<T>) -> Self {
        let (from, below) = (span.start.into().0, span.end.into().0);
        self.filter(name, AttributeTest::Within(Some(from), Some(below)))
    }

    /// Only those with a text that begins so.
    pub fn attribute_starts_with(self, name: &str, prefix: impl Into<String>) -> Self {
        self.filter(name, AttributeTest::StartsWith(prefix.into()))
    }

    fn filter(mut self, name: &str, test: AttributeTest) -> Self {
        self.query.attributes.push(AttributeFilter { name: name.to_owned(), test });
        self
    }

    /// At most so many on a page: 1 to 100, by default 100.
    pub const fn limit(mut self, executions: usize) -> Self {
        self.query.limit = executions;
        self
    }

    /// The page after the one that said `next`.
    pub fn after(mut self, next: impl Into<String>) -> Self {
        self.query.after = Some(next.into());
        self
    }

    /// How many there are. It costs what listing them costs and ends after 10,000, which [`Counted::complete`] says.
    ///
    /// # Errors
    /// When they cannot be read, or a limit is exceeded.
    pub async fn count(self) -> Result<Counted, ClientError> {
        let Count { count, complete } = client()?.count(&ListQuery { after: None, ..self.query }).await?;
        Ok(Counted { count, complete })
    }
}

fn span_of<T: Into<Moment>>(span: Range<T>) -> Span {
    Span { from: Some(span.start.into().as_millis()), below: Some(span.end.into().as_millis()) }
}

impl IntoFuture for List {
    type Output = Result<ListPage, ClientError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let page = client()?.list(&self.query).await?;
            let executions = page.executions.into_iter().map(|meta| Listed {
                status: Status::of(meta.status),
                started: at(meta.started),
                closed: meta.closed.map(at),
                attributes: meta.attributes.into_iter().map(|(name, it)| (name, Attribute(it))).collect(),
                execution: Execution::from_id(meta.id),
            });
            Ok(ListPage { executions: executions.collect(), next: page.next })
        })
    }
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(millis)
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("query", &self.query).finish()
    }
}

/// Some executions.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListPage {
    /// Newest first. May be fewer than the limit, even none, although there are more.
    pub executions: Vec<Listed>,
    /// What [`List::after`] takes for the next page; absent at the end.
    pub next: Option<String>,
}

/// An execution in a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Listed {
    /// Which it is.
    pub execution: Execution,
    /// Where it stood.
    pub status: Status,
    /// When it was started.
    pub started: SystemTime,
    /// When it ended.
    pub closed: Option<SystemTime>,
    /// What it is found by.
    pub attributes: std::collections::BTreeMap<String, Attribute>,
}

/// How many executions were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counted {
    /// So many.
    pub count: u64,
    /// Whether these are all.
    pub complete: bool,
}
