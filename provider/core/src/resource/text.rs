//! Text of which parts may be known later, or must not be shown.

use std::fmt;

use serde::{Serialize, Serializer};

/// Part of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Known.
    Literal(String),
    /// The attribute of another resource, known when that was made.
    Attribute {
        /// The other resource.
        key: String,
        /// Its attribute, `arn` or one that its kind gives.
        name: String,
    },
}

/// A reference that cannot be resolved: the resource has not that attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} has no attribute {name} yet")]
pub struct Missing {
    /// The resource.
    pub key: String,
    /// The attribute.
    pub name: String,
}

/// Text in a spec.
#[derive(Clone, PartialEq, Eq)]
pub enum Text {
    /// Known.
    Known(String),
    /// Known, and not to be shown.
    Secret(String),
    /// Known when other resources were made.
    Pieces(Vec<Piece>),
    /// Not known before something outside of the deployment is.
    Unknown,
}

impl Text {
    /// The attribute `name` of the resource `key`.
    pub fn attribute(key: impl Into<String>, name: &str) -> Self {
        Self::Pieces(vec![Piece::Attribute { key: key.into(), name: name.to_owned() }])
    }

    /// An attribute between two literals.
    pub fn around(
        before: impl Into<String>,
        key: impl Into<String>,
        name: &str,
        after: impl Into<String>,
    ) -> Self {
        Self::Pieces(vec![
            Piece::Literal(before.into()),
            Piece::Attribute { key: key.into(), name: name.to_owned() },
            Piece::Literal(after.into()),
        ])
    }

    /// The text, when it is known; empty otherwise, which a resolved spec never has.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(text) | Self::Secret(text) => text,
            Self::Pieces(_) | Self::Unknown => "",
        }
    }

    /// The same text with all references replaced.
    ///
    /// # Errors
    /// The first reference that `lookup` does not know.
    pub fn resolve<'a>(&self, lookup: &dyn Fn(&str, &str) -> Option<&'a str>) -> Result<Self, Missing> {
        let Self::Pieces(pieces) = self else { return Ok(self.clone()) };
        let mut whole = String::new();
        for piece in pieces {
            match piece {
                Piece::Literal(text) => whole.push_str(text),
                Piece::Attribute { key, name } => {
                    whole.push_str(
                        lookup(key, name).ok_or_else(|| Missing { key: key.clone(), name: name.clone() })?,
                    );
                }
            }
        }
        Ok(Self::Known(whole))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Known(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Known(text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(text) => f.write_str(text),
            Self::Secret(_) => f.write_str("(secret)"),
            Self::Unknown => f.write_str("(known later)"),
            Self::Pieces(pieces) => pieces.iter().try_for_each(|piece| match piece {
                Piece::Literal(text) => f.write_str(text),
                Piece::Attribute { key, name } => write!(f, "${{{key}.{name}}}"),
            }),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// For fingerprints only: the secret itself goes into the hash, so that a changed secret is a change.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Secret(text) => serializer.serialize_str(text),
            other => serializer.collect_str(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_in_the_hash_and_nowhere_else() {
        let secret = Text::Secret("hunter2".to_owned());
        assert!(!format!("{secret:?} {secret}").contains("hunter2"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"hunter2\"");
    }

    #[test]
    fn resolving_names_the_missing_reference() {
        let text = Text::around("arn:", "api", "api_id", "/*");
        assert_eq!(text.resolve(&|_, _| Some("x")).unwrap(), Text::from("arn:x/*"));
        assert_eq!(text.resolve(&|_, _| None).unwrap_err().to_string(), "api has no attribute api_id yet");
    }
}
