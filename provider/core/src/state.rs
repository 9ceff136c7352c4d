//! What is: the children of a deployment that were made, as the state of the resource keeps them.

use std::collections::BTreeMap;

use crate::resource::Kind;
use crate::value::Value;

/// Attribute of a [`Recorded`]: the settings that it was made with, each by its name with a hash of its value.
pub const SETTINGS: &str = "settings";

/// Attribute of a [`Recorded`] that nobody has seen to be ours yet: its creation did not answer, or it was read from an
/// ownership record. It is changed and deleted only after the cloud has said whose it is.
pub const UNVERIFIED: &str = "unverified";

/// The owner id in an incarnation.
#[must_use]
pub fn owner_of(incarnation: &str) -> &str {
    incarnation.split('.').next().unwrap_or_default()
}

/// One child that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What it is.
    pub kind: Kind,
    /// Its name in the cloud.
    pub name: String,
    /// Its ARN; empty for kinds that have none.
    pub arn: String,
    /// Hash of the (symbolic) spec that it was made from; empty when it was found to be otherwise.
    pub fingerprint: String,
    /// What others refer to, and what later operations on it need.
    pub attributes: BTreeMap<String, String>,
}

impl Recorded {
    /// An attribute; empty when it has none of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        if name == "arn" { &self.arn } else { self.attributes.get(name).map_or("", String::as_str) }
    }

    /// Whether nobody has seen yet that it is ours.
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        self.attributes.contains_key(UNVERIFIED)
    }

    /// The same, to be made as it should be after the cloud has said whose it is.
    #[must_use]
    pub fn unverified(mut self) -> Self {
        self.fingerprint.clear();
        self.attributes.insert(UNVERIFIED.to_owned(), "true".to_owned());
        self
    }
}

/// What there is of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The incarnation, [`crate::cloud::Ownership::incarnation`]; empty before the first creation.
    pub incarnation: String,
    /// Children by key.
    pub children: BTreeMap<String, Recorded>,
}

impl State {
    /// Reads `incarnation` and `resources` of a state of the resource. What is unknown or of another shape (a state of
    /// another release) is left out, and so planned to be made again.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        let incarnation = value.get("incarnation").as_str().unwrap_or_default().to_owned();
        let mut children = BTreeMap::new();
        if let Some(resources) = value.get("resources").as_map() {
            for (key, child) in resources {
                children.extend(recorded(child).map(|child| (key.clone(), child)));
            }
        }
        Self { incarnation, children }
    }

    /// `resources` of a state of the resource.
    #[must_use]
    pub fn resources(&self) -> Value {
        Value::map(self.children.iter().map(|(key, child)| (key.clone(), to_value(child))))
    }

    /// The attribute `name` of the child `key`.
    #[must_use]
    pub fn lookup(&self, key: &str, name: &str) -> Option<&str> {
        self.children.get(key).map(|child| child.attribute(name)).filter(|text| !text.is_empty())
    }
}

fn recorded(value: &Value) -> Option<Recorded> {
    let text = |name: &str| value.get(name).as_str().map(str::to_owned);
    let attributes = value.get("attributes").as_map();
    Some(Recorded {
        kind: Kind::parse(&text("type")?)?,
        name: text("name")?,
        arn: text("arn").unwrap_or_default(),
        fingerprint: text("fingerprint").unwrap_or_default(),
        attributes: attributes
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
    })
}

/// One child as it stands in `resources`.
#[must_use]
pub fn to_value(child: &Recorded) -> Value {
    Value::map([
        ("type", Value::String(child.kind.as_str().to_owned())),
        ("name", Value::String(child.name.clone())),
        ("arn", Value::String(child.arn.clone())),
        ("fingerprint", Value::String(child.fingerprint.clone())),
        (
            "attributes",
            Value::map(
                child.attributes.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))),
            ),
        ),
    ])
}
