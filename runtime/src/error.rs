//! What can go wrong: errors of user code ([`Failure`], [`Error`]), and how a call ended without a result
//! ([`CallError`]).

use std::any::{Any, type_name};
use std::convert::Infallible;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use eventual_core::{Outcome, RetryAdvice};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::codec::{self, Data};
use crate::execution::ClientError;
use crate::retry::millis;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of any kind, in the form in which it crosses the wire. `?` makes one of every error of the standard
/// library's trait, and of every [`CallError`]. Its [`Details`] are its fields: `error.class`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Error(Box<Details>);

/// What an [`Error`] says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct Details {
    /// Name of the error's type and variant: `PaymentError::Declined`. Programs tell errors apart by it.
    pub class: String,
    /// The error for people.
    pub message: String,
    /// The error itself, as its type serializes it; `null` when it carries nothing.
    #[serde(default)]
    pub data: Value,
    /// HTTP status with which a command answers it. Default 500.
    #[serde(default = "internal_error")]
    pub status: u16,
    /// What it says of another attempt. It does not cross the wire with the error: whoever gets it is not who retries.
    #[serde(skip)]
    #[schemars(skip)]
    advice: RetryAdvice,
}

const fn internal_error() -> u16 {
    500
}

impl Error {
    /// An error of class `class` with status 500.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        let (class, message) = (class.into(), message.into());
        let advice = RetryAdvice::AsPolicy;
        Self(Box::new(Details { class, message, data: Value::Null, status: internal_error(), advice }))
    }

    /// The same error, answered by commands with this HTTP status (400 to 599).
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same error; a task that returns it, and whose policy retries errors, is tried again after this time instead of
    /// the policy's.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.advice = RetryAdvice::After(millis(pause));
        self
    }

    /// The same error; a task that returns it is not tried again, whatever its policy says.
    #[must_use]
    pub fn finally(mut self) -> Self {
        self.advice = RetryAdvice::Never;
        self
    }

    /// The same error with something for programs in it.
    #[must_use]
    pub fn with_data(mut self, data: impl Serialize) -> Self {
        self.data = codec::to_value(&data);
        self
    }

    pub(crate) fn from_core(failure: eventual_core::Failure) -> Self {
        let eventual_core::Failure { class, message, data, status, advice } = failure;
        Self(Box::new(Details { class, message, data: codec::value_of(&data), status, advice }))
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        let Details { class, message, data, status, advice } = *self.0;
        let data = codec::encode(&data).unwrap_or_else(|_| eventual_core::Payload::null());
        Outcome::Failed(eventual_core::Failure { class, message, data, status, advice })
    }
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl std::error::Error for Details {}

impl JsonSchema for Error {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Details::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        Details::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Details::json_schema(generator)
    }
}

// `Error` itself is no `std::error::Error`, or this would overlap with `From<T> for T` (as in anyhow). What it derefs
// to is one, which is all that `#[error(transparent)]` of thiserror asks for.
impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        if let Some(known) = (&error as &dyn Any).downcast_ref::<ClientError>() {
            return known.to_error();
        }
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            message = format!("{message}: {source}");
            cause = source.source();
        }
        Self::new(class_of::<E>(), message)
    }
}

impl<E: Failure> From<CallError<E>> for Error {
    fn from(error: CallError<E>) -> Self {
        let message = error.to_string();
        match error {
            CallError::Failed(failed) => error_of(failed),
            CallError::Invalid(error) => error,
            CallError::Cancelled => Self::new("Cancelled", message),
            CallError::Crashed(_) => Self::new("Crashed", message),
            CallError::HeartbeatLost => Self::new("HeartbeatLost", message),
            CallError::Terminated(_) => Self::new("Terminated", message),
            CallError::Timeout => Self::new("Timeout", message).with_status(504),
        }
    }
}

impl From<Error> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: Error) -> Self {
        error.to_string().into()
    }
}

impl<E: Failure> From<CallError<E>> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: CallError<E>) -> Self {
        error.to_string().into()
    }
}

impl<E: Failure> From<CallError<E>> for Box<dyn std::error::Error> {
    fn from(error: CallError<E>) -> Self {
        error.to_string().into()
    }
}

/// The last segment of a type's path: `io::Error` is `Error`.
fn class_of<E>() -> String {
    let path = type_name::<E>().split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default().to_owned()
}

/// An error that a handler may return. Derive it: [`derive(Failure)`](derive@crate::Failure).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error that a handler can return",
    label = "does not implement eventual::Failure",
    note = "derive it: `#[derive(Debug, thiserror::Error, eventual::Failure, Serialize, Deserialize, JsonSchema)]`, or return `eventual::Error`, into which `?` turns any error"
)]
pub trait Failure: Send + Sized + 'static {
    /// What callers get of it, as the `data` of the error.
    type Wire: Data;

    /// Whether [`Failure::Wire`] says more than class and message, so that its schema belongs into the manifest.
    const DECLARED: bool = true;

    /// Name of the type and variant.
    fn class(&self) -> String;

    /// The error for people.
    fn message(&self) -> String;

    /// HTTP status with which a command answers it. Default 500.
    fn status(&self) -> u16 {
        internal_error()
    }

    /// How long another attempt of a task that returns it should wait, as HTTP's `Retry-After` says. Counts where the
    /// call's policy retries errors, and instead of its pause. Default: as the policy says.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// Whether no other attempt of a task that returns it makes sense, whatever the call's policy says. Default no.
    fn is_final(&self) -> bool {
        false
    }

    /// What callers get.
    fn into_wire(self) -> Self::Wire;

    /// The error again, at a caller; `None` when that cannot be.
    fn from_wire(wire: Self::Wire) -> Option<Self>;

    /// The error again, from everything that is known of it.
    ///
    /// # Errors
    /// What was given, when it is an error of another type.
    fn from_error(error: Error) -> std::result::Result<Self, Error> {
        let wire = codec::encode(&error.data).and_then(|data| Self::Wire::from_payload(&data));
        wire.ok().and_then(Self::from_wire).ok_or(error)
    }
}

pub(crate) fn error_of<E: Failure>(failed: E) -> Error {
    let mut error = Error::new(failed.class(), failed.message()).with_status(failed.status());
    if failed.is_final() {
        error = error.finally();
    } else if let Some(pause) = failed.retry_after() {
        error = error.with_retry_after(pause);
    }
    error.with_data(failed.into_wire().to_value())
}

impl Failure for Error {
    type Wire = Value;
    const DECLARED: bool = false;

    fn class(&self) -> String {
        self.class.clone()
    }

    fn message(&self) -> String {
        self.message.clone()
    }

    fn status(&self) -> u16 {
        self.status
    }

    fn retry_after(&self) -> Option<Duration> {
        match self.advice {
            RetryAdvice::After(pause) => Some(Duration::from_millis(pause)),
            RetryAdvice::AsPolicy | RetryAdvice::Never => None,
        }
    }

    fn is_final(&self) -> bool {
        self.advice == RetryAdvice::Never
    }

    fn into_wire(self) -> Value {
        self.0.data
    }

    fn from_wire(_: Value) -> Option<Self> {
        None
    }

    fn from_error(error: Self) -> std::result::Result<Self, Self> {
        Ok(error)
    }
}

/// Text as an error: for small services and tests. Its class is `Error`, its status 500.
impl Failure for String {
    type Wire = Self;
    const DECLARED: bool = false;

    fn class(&self) -> String {
        "Error".to_owned()
    }

    fn message(&self) -> String {
        self.clone()
    }

    fn into_wire(self) -> Self {
        self
    }

    fn from_wire(wire: Self) -> Option<Self> {
        Some(wire)
    }
}

/// The error of handlers that return no `Result`.
impl Failure for Infallible {
    type Wire = ();
    const DECLARED: bool = false;

    fn class(&self) -> String {
        match *self {}
    }

    fn message(&self) -> String {
        match *self {}
    }

    fn into_wire(self) {}

    fn from_wire((): ()) -> Option<Self> {
        None
    }
}

/// How a call ended without a result.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// It was cancelled.
    Cancelled,
    /// The code that performed it panicked, or its workers were lost too often. Says what is known.
    Crashed(String),
    /// Its code returned this error.
    Failed(E),
    /// Its heartbeat stopped.
    HeartbeatLost,
    /// It could not be made (its input was refused, or there is no engine here), or its answer is of another type.
    Invalid(Error),
    /// Somebody ended the execution without its code. Says why.
    Terminated(String),
    /// It took longer than allowed.
    Timeout,
}

impl<E: Failure> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the call was cancelled"),
            Self::Crashed(message) => write!(f, "the call crashed: {message}"),
            Self::Failed(error) => f.write_str(&error.message()),
            Self::HeartbeatLost => f.write_str("the call's heartbeat stopped"),
            Self::Invalid(error) => error.fmt(f),
            Self::Terminated(reason) => write!(f, "the execution was terminated: {reason}"),
            Self::Timeout => f.write_str("the call took longer than allowed"),
        }
    }
}

/// The typed result of a call that ended so.
pub(crate) fn result_of<T: Data, E: Failure>(outcome: Outcome) -> std::result::Result<T, CallError<E>> {
    match outcome {
        Outcome::Succeeded(payload) => T::from_payload(&payload).map_err(|problem| {
            let message =
                format!("the call returned {payload:?}, which is no {}: {problem}", type_name::<T>());
            CallError::Invalid(Error::new("UnexpectedResult", message))
        }),
        Outcome::Failed(failure) => match E::from_error(Error::from_core(failure)) {
            Ok(error) => Err(CallError::Failed(error)),
            Err(error) => Err(CallError::Invalid(error)),
        },
        Outcome::Cancelled => Err(CallError::Cancelled),
        Outcome::Crashed(message) => Err(CallError::Crashed(message)),
        Outcome::HeartbeatLost => Err(CallError::HeartbeatLost),
        Outcome::Terminated(reason) => Err(CallError::Terminated(reason)),
        Outcome::TimedOut => Err(CallError::Timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_mark_takes_anything_and_keeps_what_it_knows() {
        fn parse(text: &str) -> Result<u8> {
            Ok(text.parse::<u8>()?)
        }
        let error = parse("x").unwrap_err();
        assert_eq!(
            (error.class.as_str(), error.message.as_str()),
            ("ParseIntError", "invalid digit found in string")
        );
        let failed: CallError<String> = CallError::Failed("no".to_owned());
        assert_eq!(Error::from(failed), Error::new("Error", "no").with_data("no"));
        assert_eq!(Error::from(CallError::<Infallible>::Timeout).status, 504);
    }

    #[test]
    fn an_error_of_another_type_is_not_lost() {
        let refused = Error::new("InvalidInput", "items is missing").with_status(400);
        let result = result_of::<u8, String>(refused.clone().into_outcome());
        assert_eq!(result, Err(CallError::Invalid(refused.clone())));
        assert_eq!(result_of::<u8, Error>(refused.clone().into_outcome()), Err(CallError::Failed(refused)));
        let result = result_of::<u8, String>(Outcome::Succeeded(eventual_core::Payload::from("300")));
        assert!(matches!(result, Err(CallError::Invalid(it)) if it.message.contains("300, which is no u8")));
    }
}
