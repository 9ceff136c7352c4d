//! Values as users configure them and as states hold them: plain data, plus "not known yet" and "secret".
//!
//! Deliberately not a serialization format (each wire has its own codec) and not typed (that is [`crate::config`]).

use std::collections::BTreeMap;
use std::fmt;

/// A value of either wire.
///
/// Two values are equal when they are the same data and marked secret at the same places; [`Value::same`] compares
/// the data only. `Debug` never shows what is inside [`Value::Secret`].
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    /// Absent, or explicitly nothing.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A number; both wires promise no more than a double.
    Number(f64),
    /// Text.
    String(String),
    /// Values in order.
    List(Vec<Self>),
    /// Values by name: a map of the user, or an object by its attributes' snake_case names.
    Map(BTreeMap<String, Self>),
    /// Will be known after something else is applied.
    Unknown,
    /// A value that must not be shown. Never nested directly in another `Secret`.
    Secret(Box<Self>),
}

impl Value {
    /// An object or map of these members.
    pub fn map<K: Into<String>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// Marks the value secret; one that is already, stays as it is.
    #[must_use]
    pub fn secret(self) -> Self {
        match self {
            Self::Secret(_) => self,
            other => Self::Secret(Box::new(other)),
        }
    }

    /// The value without its own secret mark; marks further inside stay.
    #[must_use]
    pub fn reveal(&self) -> &Self {
        match self {
            Self::Secret(inner) => inner.reveal(),
            other => other,
        }
    }

    /// The value without any secret mark, at any depth.
    #[must_use]
    pub fn revealed(&self) -> Self {
        match self.reveal() {
            Self::List(items) => Self::List(items.iter().map(Self::revealed).collect()),
            Self::Map(members) => {
                Self::Map(members.iter().map(|(key, it)| (key.clone(), it.revealed())).collect())
            }
            plain => plain.clone(),
        }
    }

    /// The text, also of a secret; `None` for everything else.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.reveal() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, also of a secret; `None` for everything else.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self.reveal() {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, also of a secret; `None` for everything else.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.reveal() {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The items, also of a secret list; `None` for everything else.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self.reveal() {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The members, also of a secret map; `None` for everything else.
    #[must_use]
    pub fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        match self.reveal() {
            Self::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The member of that name; [`Value::Null`] when there is none or this is not a map. The member of an unknown
    /// map is unknown.
    #[must_use]
    pub fn get(&self, key: &str) -> &Self {
        match self.reveal() {
            Self::Map(members) => members.get(key).unwrap_or(&Self::Null),
            Self::Unknown => &Self::Unknown,
            _ => &Self::Null,
        }
    }

    /// Sets a member of a map; a value that is no map becomes one, and a secret map stays secret.
    pub fn set(&mut self, key: &str, value: Self) {
        match self {
            Self::Secret(inner) => inner.set(key, value),
            Self::Map(members) => {
                members.insert(key.to_owned(), value);
            }
            other => *other = Self::map([(key, value)]),
        }
    }

    /// Whether this is null, also a secret one.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.reveal(), Self::Null)
    }

    /// Whether this value itself is unknown, also a secret one.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.reveal(), Self::Unknown)
    }

    /// Whether anything in it, at any depth, is unknown.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        match self.reveal() {
            Self::Unknown => true,
            Self::List(items) => items.iter().any(Self::has_unknown),
            Self::Map(members) => members.values().any(Self::has_unknown),
            _ => false,
        }
    }

    /// Whether anything in it, at any depth, is secret.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(items) => items.iter().any(Self::has_secret),
            Self::Map(members) => members.values().any(Self::has_secret),
            _ => false,
        }
    }

    /// Whether both hold the same data, whatever is marked secret. A missing member of a map is the same as a null one.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self.reveal(), other.reveal()) {
            (Self::List(a), Self::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Self::Map(a), Self::Map(b)) => a.keys().chain(b.keys()).all(|key| {
                let of = |map: &BTreeMap<String, Self>| map.get(key).cloned().unwrap_or_default();
                of(a).same(&of(b))
            }),
            (a, b) => a == b,
        }
    }

    /// What kind of value this is, for messages: `text`, `a number`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.reveal() {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::String(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Unknown | Self::Secret(_) => "a value that is not known yet",
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(members) => f.debug_map().entries(members).finish(),
            Self::Unknown => f.write_str("(unknown)"),
            Self::Secret(_) => f.write_str("(secret)"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_through_and_never_printed() {
        let value = Value::map([("environment", Value::map([("TOKEN", Value::from("hunter2").secret())]))]);
        assert_eq!(value.get("environment").get("TOKEN").as_str(), Some("hunter2"));
        assert!(value.has_secret() && !value.has_unknown());
        assert!(!format!("{value:?}").contains("hunter2"), "{value:?}");
        assert!(value.same(&value.revealed()) && value != value.revealed());
    }

    #[test]
    fn members_of_an_unknown_map_are_unknown() {
        let value = Value::map([("defaults", Value::Unknown.secret())]);
        assert!(value.get("defaults").get("memory_mb").is_unknown());
        assert!(value.get("artifact").is_null() && value.has_unknown());
    }

    #[test]
    fn a_missing_member_is_a_null_one() {
        let some = Value::map([("a", Value::Null), ("b", Value::from(1))]);
        assert!(some.same(&Value::map([("b", Value::from(1))])));
        assert!(!some.same(&Value::map([("a", Value::from(1))])));
    }
}
