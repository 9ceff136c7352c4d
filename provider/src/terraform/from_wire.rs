//! Terraform's values to ours, by the declaration: msgpack, and JSON as it stands in state files.
//!
//! An attribute that is null is left out of its object; a null in a map of the user stays. Whatever the schema calls
//! sensitive becomes [`Value::Secret`] here, so that nothing behind this point can show it.

use std::io::Cursor;

use eventual_provider_core::declaration::{Attribute, Kind, Object};
use eventual_provider_core::path::Path;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::DynamicValue;
use rmpv::decode::read_value_with_max_depth;

/// How deep a value may nest; no declaration comes near. Beyond it the stack of a thread would be at its end.
const DEPTH_MAX: usize = 64;

/// A value that Terraform sent and that does not fit the schema we gave it: a bug on one of the two sides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub(super) struct DecodeError {
    path: Path,
    what: String,
}

fn wrong<T>(path: &Path, what: impl Into<String>) -> Result<T, DecodeError> {
    Err(DecodeError { path: path.clone(), what: what.into() })
}

/// What to do with an attribute that the declaration does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    /// Terraform has our schema, so it is an error.
    Refuse,
    /// A state of another release may have it.
    Drop,
}

/// Decodes a whole object, in whichever of the two forms it came.
///
/// # Errors
/// When it is neither, or does not fit.
pub(super) fn object(object: &Object, value: Option<&DynamicValue>) -> Result<Value, DecodeError> {
    let root = Path::root();
    match value {
        Some(value) if !value.msgpack.is_empty() => {
            let mut bytes = Cursor::new(&value.msgpack);
            let decoded = read_value_with_max_depth(&mut bytes, DEPTH_MAX)
                .or_else(|error| wrong(&root, format!("not msgpack: {error}")))?;
            let rest = value.msgpack.len() as u64 - bytes.position();
            if rest > 0 {
                return wrong(&root, format!("{rest} bytes after the value"));
            }
            from_msgpack_object(object, decoded, &root)
        }
        Some(value) if !value.json.is_empty() => {
            let decoded = serde_json::from_slice(&value.json)
                .or_else(|error| wrong(&root, format!("not JSON: {error}")))?;
            from_json_object(object, decoded, &root, Extra::Refuse)
        }
        _ => Ok(Value::Null),
    }
}

/// Decodes an argument of a function that is text; `None` for anything else.
pub(super) fn text(value: &DynamicValue) -> Option<String> {
    if value.msgpack.is_empty() {
        return serde_json::from_slice(&value.json).ok();
    }
    let decoded = read_value_with_max_depth(&mut Cursor::new(&value.msgpack), DEPTH_MAX).ok()?;
    decoded.as_str().map(str::to_owned)
}

/// Decodes a saved state. Attributes that are not ours (any more) are dropped.
///
/// # Errors
/// When it is not JSON, or an attribute that is ours has another kind of value.
pub(super) fn state(object: &Object, json: &[u8]) -> Result<Value, DecodeError> {
    let root = Path::root();
    let decoded = serde_json::from_slice(json).or_else(|error| wrong(&root, format!("not JSON: {error}")))?;
    from_json_object(object, decoded, &root, Extra::Drop)
}

fn mark(attribute: &Attribute, value: Value) -> Value {
    if attribute.sensitive && !value.is_null() { value.secret() } else { value }
}

fn from_msgpack(kind: &Kind, value: rmpv::Value, path: &Path) -> Result<Value, DecodeError> {
    use rmpv::Value as Wire;
    Ok(match (kind, value) {
        (_, Wire::Nil) => Value::Null,
        // Unknown, plain (0) or with refinements (12); whatever comes later means no more to us than that.
        (_, Wire::Ext(..)) => Value::Unknown,
        (Kind::String, Wire::String(text)) => match text.into_str() {
            Some(text) => Value::String(text),
            None => return wrong(path, "text that is not UTF-8"),
        },
        (Kind::Bool, Wire::Boolean(truth)) => Value::Bool(truth),
        (Kind::Number, Wire::F32(number)) if number.is_nan() => return wrong(path, "not a number"),
        (Kind::Number, Wire::F64(number)) if number.is_nan() => return wrong(path, "not a number"),
        (Kind::Number, Wire::F32(number)) => Value::Number(f64::from(number)),
        (Kind::Number, Wire::F64(number)) => Value::Number(number),
        (Kind::Number, Wire::Integer(number)) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        (Kind::Number, Wire::String(text)) => number(text.as_str().unwrap_or_default(), path)?,
        (Kind::List(inner), Wire::Array(items)) => {
            let items = items
                .into_iter()
                .enumerate()
                .map(|(index, item)| from_msgpack(inner, item, &path.index(index)));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        (Kind::Map(inner), Wire::Map(members)) => {
            let members = members.into_iter().map(|(key, member)| {
                let key = msgpack_key(&key, path)?;
                let member = from_msgpack(inner, member, &path.key(&key))?;
                Ok((key, member))
            });
            Value::Map(members.collect::<Result<_, _>>()?)
        }
        (Kind::Object(object), value) => from_msgpack_object(object, value, path)?,
        (kind, value) => {
            return wrong(path, format!("{} where {} is declared", wire_kind(&value), declared(kind)));
        }
    })
}

fn from_msgpack_object(object: &Object, value: rmpv::Value, path: &Path) -> Result<Value, DecodeError> {
    let members = match value {
        rmpv::Value::Nil => return Ok(Value::Null),
        rmpv::Value::Ext(..) => return Ok(Value::Unknown),
        rmpv::Value::Map(members) => members,
        other => return wrong(path, format!("{} where an object is declared", wire_kind(&other))),
    };
    let mut decoded = Vec::with_capacity(members.len());
    for (key, member) in members {
        let name = msgpack_key(&key, path)?;
        let Some(attribute) = object.attribute(&name) else {
            return wrong(&path.attr(&name), "an attribute that is not declared");
        };
        let member = mark(attribute, from_msgpack(&attribute.kind, member, &path.attr(&name))?);
        if !member.is_null() {
            decoded.push((name, member));
        }
    }
    Ok(Value::map(decoded))
}

fn msgpack_key(key: &rmpv::Value, path: &Path) -> Result<String, DecodeError> {
    key.as_str().map_or_else(|| wrong(path, "a key that is not text"), |key| Ok(key.to_owned()))
}

fn wire_kind(value: &rmpv::Value) -> &'static str {
    match value {
        rmpv::Value::Nil => "null",
        rmpv::Value::Boolean(_) => "a truth value",
        rmpv::Value::Integer(_) | rmpv::Value::F32(_) | rmpv::Value::F64(_) => "a number",
        rmpv::Value::String(_) => "text",
        rmpv::Value::Binary(_) => "bytes",
        rmpv::Value::Array(_) => "a list",
        rmpv::Value::Map(_) => "a map",
        rmpv::Value::Ext(..) => "an unknown value",
    }
}

fn declared(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "text",
        Kind::Bool => "a truth value",
        Kind::Number => "a number",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
        Kind::Object(_) => "an object",
    }
}

/// A decimal number as text, which is how Terraform sends what is not exact in binary.
fn number(text: &str, path: &Path) -> Result<Value, DecodeError> {
    match text.parse::<f64>() {
        Ok(number) if !number.is_nan() => Ok(Value::Number(number)),
        _ => wrong(path, format!("{text:?} is not a number")),
    }
}

fn from_json(kind: &Kind, value: serde_json::Value, path: &Path, extra: Extra) -> Result<Value, DecodeError> {
    use serde_json::Value as Json;
    Ok(match (kind, value) {
        (_, Json::Null) => Value::Null,
        (Kind::String, Json::String(text)) => Value::String(text),
        (Kind::Bool, Json::Bool(truth)) => Value::Bool(truth),
        (Kind::Number, Json::Number(it)) => number(&it.to_string(), path)?,
        (Kind::Number, Json::String(text)) => number(&text, path)?,
        (Kind::List(inner), Json::Array(items)) => {
            let items = items
                .into_iter()
                .enumerate()
                .map(|(index, item)| from_json(inner, item, &path.index(index), extra));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        (Kind::Map(inner), Json::Object(members)) => {
            let members = members.into_iter().map(|(key, member)| {
                let member = from_json(inner, member, &path.key(&key), extra)?;
                Ok((key, member))
            });
            Value::Map(members.collect::<Result<_, _>>()?)
        }
        (Kind::Object(object), value) => from_json_object(object, value, path, extra)?,
        (kind, _) => return wrong(path, format!("not {}", declared(kind))),
    })
}

fn from_json_object(
    object: &Object,
    value: serde_json::Value,
    path: &Path,
    extra: Extra,
) -> Result<Value, DecodeError> {
    let members = match value {
        serde_json::Value::Null => return Ok(Value::Null),
        serde_json::Value::Object(members) => members,
        _ => return wrong(path, "not an object"),
    };
    let mut decoded = Vec::with_capacity(members.len());
    for (name, member) in members {
        let Some(attribute) = object.attribute(&name) else {
            match extra {
                Extra::Drop => continue,
                Extra::Refuse => return wrong(&path.attr(&name), "an attribute that is not declared"),
            }
        };
        let member = mark(attribute, from_json(&attribute.kind, member, &path.attr(&name), extra)?);
        if !member.is_null() {
            decoded.push((name, member));
        }
    }
    Ok(Value::map(decoded))
}
