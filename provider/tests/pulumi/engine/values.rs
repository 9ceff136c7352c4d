//! Values as the engine keeps them: JSON, with Pulumi's signed objects as they lie on the wire.
//!
//! Written apart from the provider's own codec on purpose, so that a mistake there is not made here as well.

use eventual_schema::digest::sha256_hex;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct};
use serde_json::{Map, Value, json};

const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";
const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/// A value that is not known yet.
pub(crate) fn unknown() -> Value {
    json!(UNKNOWN)
}

/// `value`, secret.
pub(crate) fn secret(value: impl Into<Value>) -> Value {
    json!({ SIGNATURE: SECRET, "value": value.into() })
}

/// A `FileArchive`: the path as written, and the hash of the file's content.
pub(crate) fn archive(folder: &std::path::Path, path: &str) -> Value {
    let bytes = std::fs::read(folder.join(path))
        .unwrap_or_else(|error| panic!("the engine reads {path} itself: {error}"));
    json!({ SIGNATURE: ARCHIVE, "path": path, "hash": sha256_hex(&bytes) })
}

/// The value with the hash of every archive that a program gave by its path.
pub(crate) fn with_hashes(folder: &std::path::Path, value: &Value) -> Value {
    map(value, &|object| {
        let path = (object.get(SIGNATURE)? == ARCHIVE).then(|| object.get("path")?.as_str())??;
        Some(archive(folder, path))
    })
}

/// The value as it is given for old state and for Diff: archives by their hash alone.
pub(crate) fn by_hash(value: &Value) -> Value {
    map(value, &|object| {
        (object.get(SIGNATURE)? == ARCHIVE).then(|| json!({ SIGNATURE: ARCHIVE, "hash": object.get("hash") }))
    })
}

/// The value as the engine keeps what a provider read: an archive without a path is one of no files.
pub(crate) fn without_files(value: &Value) -> Value {
    map(value, &|object| {
        let bare = object.get(SIGNATURE)? == ARCHIVE && object.get("path").is_none();
        bare.then(|| json!({ SIGNATURE: ARCHIVE, "hash": object.get("hash"), "assets": {} }))
    })
}

/// The value with its secrets in clear.
pub(crate) fn revealed(value: &Value) -> Value {
    map(value, &|object| {
        (object.get(SIGNATURE)? == SECRET).then(|| revealed(object.get("value").unwrap_or(&Value::Null)))
    })
}

fn map(value: &Value, change: &dyn Fn(&Map<String, Value>) -> Option<Value>) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|it| map(it, change)).collect(),
        Value::Object(object) => change(object).unwrap_or_else(|| {
            Value::Object(object.iter().map(|(key, it)| (key.clone(), map(it, change))).collect())
        }),
        plain => plain.clone(),
    }
}

/// Whether anything in it is not known.
pub(crate) fn has_unknown(value: &Value) -> bool {
    value.to_string().contains(UNKNOWN)
}

/// Whether this is a secret.
pub(crate) fn is_secret(value: &Value) -> bool {
    value.get(SIGNATURE).is_some_and(|it| it == SECRET)
}

/// Every text within a secret.
pub(crate) fn secret_texts(value: &Value) -> Vec<String> {
    fn collect(value: &Value, within: bool, texts: &mut Vec<String>) {
        match value {
            Value::String(text) if within && text != SECRET && text != UNKNOWN => texts.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|it| collect(it, within, texts)),
            Value::Object(object) => {
                object.values().for_each(|it| collect(it, within || is_secret(value), texts))
            }
            _ => {}
        }
    }
    let mut texts = Vec::new();
    collect(value, false, &mut texts);
    texts
}

/// Where one of the texts stands outside of any secret.
pub(crate) fn leaks(value: &Value, texts: &[String]) -> Vec<String> {
    fn collect(value: &Value, path: &str, texts: &[String], found: &mut Vec<String>) {
        match value {
            Value::String(text) if texts.iter().any(|it| text.contains(it)) => found.push(path.to_owned()),
            Value::Array(items) => items.iter().for_each(|it| collect(it, path, texts, found)),
            Value::Object(object) if !is_secret(value) => {
                for (key, it) in object {
                    collect(it, &format!("{path}.{key}"), texts, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, "", texts, &mut found);
    found
}

/// The message of an object.
pub(crate) fn to_struct(value: &Value) -> Struct {
    let object = value.as_object().unwrap_or_else(|| panic!("inputs are an object: {value}"));
    Struct { fields: object.iter().map(|(key, it)| (key.clone(), to_message(it))).collect() }
}

fn to_message(value: &Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(to_message).collect() }),
        Value::Object(_) => Kind::StructValue(to_struct(value)),
    };
    prost_types::Value { kind: Some(kind) }
}

/// The object of a message; empty without one.
pub(crate) fn from_struct(message: Option<Struct>) -> Value {
    let fields = message.unwrap_or_default().fields;
    Value::Object(fields.into_iter().map(|(key, it)| (key, from_message(it))).collect())
}

fn from_message(value: prost_types::Value) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => json!(truth),
        Some(Kind::NumberValue(number)) => json!(number),
        Some(Kind::StringValue(text)) => json!(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(from_message).collect(),
        Some(Kind::StructValue(object)) => from_struct(Some(object)),
    }
}
