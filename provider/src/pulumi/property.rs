//! Pulumi's values and how they lie in a `google.protobuf.Struct`.
//!
//! A Struct is JSON, so Pulumi writes what JSON has not as a string that nobody else writes (unknown) or as an object
//! with a signature (secret, archive, reference). Those conventions begin and end in this file; what the values mean
//! to the provider is the business of [`super::from_wire`] and [`super::to_wire`].

use std::collections::BTreeMap;
use std::fmt;

use prost_types::value::Kind;
use prost_types::{ListValue, Struct};

/// The member that makes an object a signed one.
const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
/// Signature of a secret: `{value}`.
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
/// Signature of an output value: `{value?, secret?, dependencies?}`.
const OUTPUT: &str = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
/// Signature of an archive: `{path?, uri?, assets?, hash?}`.
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";
/// What engines write for a value that is not known yet, whatever its type.
const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/// All strings that stand for an unknown value: of any type, bool, number, array, object, asset, archive.
const UNKNOWNS: [&str; 7] = [
    UNKNOWN,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
];

/// The members of an object.
pub(crate) type Members = BTreeMap<String, Property>;

/// A value as the Pulumi engine knows it.
#[derive(Clone, PartialEq)]
pub(crate) enum Property {
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A double.
    Number(f64),
    /// Text.
    String(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Map(Members),
    /// Not known before something else is deployed.
    Unknown,
    /// Not to be shown, and encrypted in the state. Never directly within another secret.
    Secret(Box<Self>),
    /// Code or data: where it is (`path`, `uri` or `assets`) and its `hash`.
    Archive(Members),
    /// An object with any other signature (asset, resource reference), which this provider passes on as it came.
    Signed(String, Members),
}

impl Property {
    /// Marks the value secret; one that is already, stays as it is.
    pub(crate) fn secret(self) -> Self {
        match self {
            Self::Secret(_) => self,
            other => Self::Secret(Box::new(other)),
        }
    }

    /// The value without its own secret mark.
    pub(crate) fn reveal(&self) -> &Self {
        match self {
            Self::Secret(inner) => inner.reveal(),
            other => other,
        }
    }

    /// The text, also of a secret; `None` for everything else.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self.reveal() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for Property {
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
            Self::Archive(members) => write!(f, "archive {members:?}"),
            Self::Signed(signature, members) => write!(f, "{signature} {members:?}"),
        }
    }
}

/// Whether the engine writes this text for a value that it does not know yet.
pub(crate) fn is_unknown(text: &str) -> bool {
    UNKNOWNS.contains(&text)
}

/// The members of a Struct; none when there is no Struct.
pub(crate) fn decode(message: Option<Struct>) -> Members {
    message.map(|it| members(it.fields)).unwrap_or_default()
}

/// A Struct of these members.
pub(crate) fn encode(members: Members) -> Struct {
    Struct { fields: members.into_iter().map(|(key, value)| (key, to_value(value))).collect() }
}

fn members(fields: BTreeMap<String, prost_types::Value>) -> Members {
    fields.into_iter().map(|(key, value)| (key, from_value(value))).collect()
}

fn from_value(value: prost_types::Value) -> Property {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Property::Null,
        Some(Kind::BoolValue(truth)) => Property::Bool(truth),
        Some(Kind::NumberValue(number)) => Property::Number(number),
        Some(Kind::StringValue(text)) if is_unknown(&text) => Property::Unknown,
        Some(Kind::StringValue(text)) => Property::String(text),
        Some(Kind::ListValue(list)) => Property::List(list.values.into_iter().map(from_value).collect()),
        Some(Kind::StructValue(object)) => from_object(members(object.fields)),
    }
}

/// An object: plain when it has no signature that is a string.
fn from_object(mut members: Members) -> Property {
    let Some(Property::String(signature)) = members.get(SIGNATURE).cloned() else {
        return Property::Map(members);
    };
    members.remove(SIGNATURE);
    match signature.as_str() {
        SECRET => members.remove("value").unwrap_or(Property::Null).secret(),
        OUTPUT => {
            // Dependencies are the engine's own book-keeping: it adds them to a resource by itself.
            let value = members.remove("value").unwrap_or(Property::Unknown);
            if members.get("secret") == Some(&Property::Bool(true)) { value.secret() } else { value }
        }
        ARCHIVE => Property::Archive(members),
        _ => Property::Signed(signature, members),
    }
}

fn to_value(property: Property) -> prost_types::Value {
    let kind = match property {
        Property::Null => Kind::NullValue(0),
        Property::Bool(truth) => Kind::BoolValue(truth),
        Property::Number(number) => Kind::NumberValue(number),
        Property::String(text) => Kind::StringValue(text),
        Property::List(items) => {
            Kind::ListValue(ListValue { values: items.into_iter().map(to_value).collect() })
        }
        Property::Map(members) => Kind::StructValue(encode(members)),
        Property::Unknown => Kind::StringValue(UNKNOWN.to_owned()),
        Property::Secret(inner) => signed(SECRET, Members::from([("value".to_owned(), *inner)])),
        Property::Archive(members) => signed(ARCHIVE, members),
        Property::Signed(signature, members) => signed(&signature, members),
    };
    prost_types::Value { kind: Some(kind) }
}

fn signed(signature: &str, mut members: Members) -> Kind {
    members.insert(SIGNATURE.to_owned(), Property::String(signature.to_owned()));
    Kind::StructValue(encode(members))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any value, with secrets at any depth, but not directly in one another.
    fn any_property() -> impl Strategy<Value = Property> {
        let leaf = prop_oneof![
            Just(Property::Null),
            Just(Property::Unknown),
            any::<bool>().prop_map(Property::Bool),
            (-1e15..1e15).prop_map(Property::Number),
            "\\PC{0,12}".prop_map(Property::String),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            let members = prop::collection::btree_map("[a-zA-Z0-9_.\\[\\]\"]{0,8}", inner.clone(), 0..6);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Property::List),
                members.clone().prop_map(Property::Map),
                members.clone().prop_map(Property::Archive),
                ("[a-f0-9]{32}", members)
                    .prop_map(|(signature, members)| Property::Signed(signature, members)),
                inner.prop_map(Property::secret),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(value in prop::collection::btree_map("[a-z]{1,6}", any_property(), 0..6)) {
            prop_assert_eq!(decode(Some(encode(value.clone()))), value);
        }
    }

    fn text(text: &str) -> prost_types::Value {
        prost_types::Value { kind: Some(Kind::StringValue(text.to_owned())) }
    }

    fn object(members: &[(&str, prost_types::Value)]) -> prost_types::Value {
        let fields = members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        prost_types::Value { kind: Some(Kind::StructValue(Struct { fields })) }
    }

    #[test]
    fn every_unknown_string_is_unknown_and_a_longer_one_is_text() {
        for unknown in UNKNOWNS {
            assert_eq!(from_value(text(unknown)), Property::Unknown, "{unknown}");
        }
        let longer = format!("pre-{UNKNOWN}");
        assert_eq!(from_value(text(&longer)), Property::String(longer));
    }

    #[test]
    fn output_values_are_what_they_hold() {
        let output = |members: &[(&str, prost_types::Value)]| {
            from_value(object(&[members, &[(SIGNATURE, text(OUTPUT))]].concat()))
        };
        let yes = prost_types::Value { kind: Some(Kind::BoolValue(true)) };
        assert_eq!(output(&[]), Property::Unknown);
        assert_eq!(output(&[("value", text("a"))]), Property::String("a".to_owned()));
        assert_eq!(
            output(&[("value", text("a")), ("secret", yes.clone())]),
            Property::String("a".to_owned()).secret()
        );
        assert_eq!(output(&[("secret", yes)]), Property::Unknown.secret());
    }

    #[test]
    fn a_secret_in_a_secret_is_one_and_is_never_printed() {
        let secret = |value| object(&[(SIGNATURE, text(SECRET)), ("value", value)]);
        let value = from_value(secret(secret(text("hunter2"))));
        assert_eq!(value, Property::Secret(Box::new(Property::String("hunter2".to_owned()))));
        assert!(!format!("{value:?}").contains("hunter2"));
    }

    #[test]
    fn a_signature_that_is_no_string_makes_nothing_of_an_object() {
        let value =
            from_value(object(&[(SIGNATURE, prost_types::Value { kind: Some(Kind::NumberValue(1.0)) })]));
        assert!(matches!(value, Property::Map(_)), "{value:?}");
    }
}
