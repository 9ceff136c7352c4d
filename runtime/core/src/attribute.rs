//! What an execution is found by: named, typed values that its code or its starter gave it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;

use crate::id::Millis;
use crate::limits::{ATTRIBUTE_NAME_MAX, ATTRIBUTE_TEXT_MAX};

/// The value of an attribute. Values of different kinds are never equal and have no order.
#[derive(Clone, PartialEq, Debug)]
pub enum Attribute {
    /// Yes or no.
    Bool(bool),
    /// A number with a fraction; finite.
    Float(f64),
    /// A whole number.
    Integer(i64),
    /// A text of at most [`ATTRIBUTE_TEXT_MAX`] bytes.
    Text(String),
    /// A moment.
    Time(Millis),
}

/// Why an attribute was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttributeError(String);

impl AttributeError {
    /// Refused for this reason.
    pub(crate) const fn new(reason: String) -> Self {
        Self(reason)
    }
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for AttributeError {}

impl From<AttributeError> for String {
    fn from(error: AttributeError) -> Self {
        error.0
    }
}

impl Attribute {
    /// Whether this is an attribute of that name.
    ///
    /// # Errors
    /// When the name is no name, the text is too long, or the number is not finite.
    pub fn check(&self, name: &str) -> Result<(), AttributeError> {
        check_name(name)?;
        match self {
            Self::Float(value) if !value.is_finite() => {
                Err(AttributeError(format!("attribute `{name}` is {value}; a number is finite")))
            }
            Self::Text(text) if text.len() > ATTRIBUTE_TEXT_MAX => Err(AttributeError(format!(
                "attribute `{name}` has {} bytes, the most is {ATTRIBUTE_TEXT_MAX}: keep what executions are found by, \
                 and the rest in their input or result",
                text.len()
            ))),
            _ => Ok(()),
        }
    }

    /// Which of two values of one kind is less.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The kind, as it stands in messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Float(_) => "float",
            Self::Integer(_) => "integer",
            Self::Text(_) => "text",
            Self::Time(_) => "time",
        }
    }

    /// Kind and value as one text, the same for equal values only: a key of an index.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Bool(value) => format!("b:{value}"),
            // Both zeros are equal.
            Self::Float(value) => format!("f:{:016x}", (value + 0.0).to_bits()),
            Self::Integer(value) => format!("i:{value}"),
            Self::Text(value) => format!("s:{value}"),
            Self::Time(value) => format!("t:{value}"),
        }
    }
}

/// How the names of attributes begin that the engine sets. Anybody may look for them.
pub(crate) const RESERVED: &str = "eventual";

/// Whether code and starters may set an attribute of that name.
///
/// # Errors
/// When it is no name, or one of the engine's.
pub fn check_settable(name: &str) -> Result<(), AttributeError> {
    check_name(name)?;
    if name.starts_with(RESERVED) {
        return Err(AttributeError(format!(
            "attribute `{name}` is the engine's to set: choose a name that does not begin with `{RESERVED}`"
        )));
    }
    Ok(())
}

/// Whether a text can name an attribute.
///
/// # Errors
/// When it cannot; the error says what a name is.
pub fn check_name(name: &str) -> Result<(), AttributeError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.len() <= ATTRIBUTE_NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(fine)
    {
        return Ok(());
    }
    Err(AttributeError(format!(
        "{name:?} is no name of an attribute: 1 to {ATTRIBUTE_NAME_MAX} ASCII letters, digits and _, beginning with a letter"
    )))
}

impl From<bool> for Attribute {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Attribute {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Attribute {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Attribute {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u16> for Attribute {
    fn from(value: u16) -> Self {
        Self::Integer(value.into())
    }
}

impl From<String> for Attribute {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Attribute {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn names_and_values_that_do_not_fit_are_refused_with_the_number() {
        let fits = |name: &str, value: Attribute| value.check(name).map_err(|it| it.to_string());
        assert_eq!(fits("customer_2", "ada".into()), Ok(()));
        for bad in ["", "2nd", "a-b", "ä", &"a".repeat(65)] {
            assert!(fits(bad, true.into()).unwrap_err().contains("64"), "{bad}");
        }
        let long = Attribute::from("x".repeat(1_025));
        assert!(fits("note", long).unwrap_err().contains("1024"), "the most is named");
        assert!(fits("rate", f64::NAN.into()).is_err());
    }

    #[test]
    fn only_equal_values_have_one_key() {
        let values: [Attribute; 8] = [
            1_i64.into(),
            1.0.into(),
            true.into(),
            "1".into(),
            "i:1".into(),
            Attribute::Time(1),
            (-1_i64).into(),
            "".into(),
        ];
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                assert_eq!(a.key() == b.key(), i == j, "{a:?} {b:?}");
                assert!(a.kind() == b.kind() || a.order(b).is_none());
            }
        }
        assert_eq!(Attribute::from(-0.0).key(), Attribute::from(0.0).key());
    }
}
