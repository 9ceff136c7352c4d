//! The shape of an attribute's value: JSON's own kinds, and an object for what JSON has no kind for.

use eventual_core::Attribute;
use serde::{Deserialize, Serialize};

/// The value of an attribute as JSON: `true`, `1`, `1.5`, `"text"`, `{"time": 1893456000000}`. A number with a point is a
/// float, one without is an integer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeText {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// A text.
    Text(String),
    /// A moment.
    Time {
        /// In milliseconds since 1970.
        time: u64,
    },
}

impl From<&Attribute> for AttributeText {
    fn from(value: &Attribute) -> Self {
        match value {
            Attribute::Bool(it) => Self::Bool(*it),
            Attribute::Float(it) => Self::Float(*it),
            Attribute::Integer(it) => Self::Integer(*it),
            Attribute::Text(it) => Self::Text(it.clone()),
            Attribute::Time(it) => Self::Time { time: *it },
        }
    }
}

impl From<AttributeText> for Attribute {
    fn from(text: AttributeText) -> Self {
        match text {
            AttributeText::Bool(it) => Self::Bool(it),
            AttributeText::Integer(it) => Self::Integer(it),
            AttributeText::Float(it) => Self::Float(it),
            AttributeText::Text(it) => Self::Text(it),
            AttributeText::Time { time } => Self::Time(time),
        }
    }
}
