//! Values of user code to payloads and back: the one place of this crate that knows their format, JSON.

use eventual_core::Payload;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What may cross the wire: inputs, results, events and signals. Nobody implements it; deriving `Serialize`,
/// `Deserialize` and `JsonSchema` is enough.
///
/// It has what it needs of those traits as methods and not as supertraits: the compiler reports a missing supertrait by
/// itself, once for each of the three and in words of other crates, and a missing `Data` once and in ours.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the wire",
    label = "needs Serialize, Deserialize and JsonSchema, and must own what it holds",
    note = "write `#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]` above `{Self}`"
)]
pub trait Data: Sized + Send + 'static {
    /// The value as a payload.
    #[doc(hidden)]
    fn to_payload(&self) -> Result<Payload, String>;

    /// The value in a payload; the error says where it does not fit.
    #[doc(hidden)]
    fn from_payload(payload: &Payload) -> Result<Self, String>;

    /// The value as JSON; `null` when it cannot be.
    #[doc(hidden)]
    fn to_value(&self) -> Value;

    /// The type's schema.
    #[doc(hidden)]
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema + Send + 'static> Data for T {
    fn to_payload(&self) -> Result<Payload, String> {
        encode(self)
    }

    fn from_payload(payload: &Payload) -> Result<Self, String> {
        decode(payload)
    }

    fn to_value(&self) -> Value {
        to_value(self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

/// The value as a payload.
pub(crate) fn encode(value: &impl Serialize) -> Result<Payload, String> {
    serde_json::to_vec(value).map(Payload::from).map_err(|error| error.to_string())
}

/// The value in a payload; the error says where it does not fit.
pub(crate) fn decode<T: DeserializeOwned>(payload: &Payload) -> Result<T, String> {
    serde_json::from_slice(payload.as_bytes()).map_err(|plain| {
        // Payloads rarely fail to decode, so only those that do are read again to learn where.
        let mut reader = serde_json::Deserializer::from_slice(payload.as_bytes());
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(error) if error.path().iter().next().is_some() => {
                format!("{}: {}", error.path(), error.inner())
            }
            _ => plain.to_string(),
        }
    })
}

pub(crate) fn value_of(payload: &Payload) -> Value {
    serde_json::from_slice(payload.as_bytes()).unwrap_or_default()
}

pub(crate) fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named_by_its_path() {
        #[derive(serde::Deserialize, Debug)]
        #[expect(dead_code, reason = "only decoded")]
        struct Order {
            items: Vec<Item>,
        }
        #[derive(serde::Deserialize, Debug)]
        #[expect(dead_code, reason = "only decoded")]
        struct Item {
            count: u8,
        }
        let error = decode::<Order>(&Payload::from(r#"{"items":[{"count":1},{"count":300}]}"#)).unwrap_err();
        assert!(error.starts_with("items[1].count: invalid value: integer `300`, expected u8"), "{error}");
        assert!(
            decode::<u8>(&Payload::from("x")).unwrap_err().starts_with("expected value"),
            "no path at the root"
        );
    }

    #[test]
    fn falsy_values_survive() {
        fn there_and_back<T: Data + PartialEq + std::fmt::Debug>(value: &T) {
            assert_eq!(T::from_payload(&value.to_payload().unwrap()).as_ref(), Ok(value));
        }
        there_and_back(&0_u8);
        there_and_back(&String::new());
        there_and_back(&false);
        there_and_back(&None::<bool>);
        there_and_back(&Vec::<u8>::new());
        there_and_back(&());
    }
}
