//! Our values to Terraform's msgpack, by the declaration: objects with every attribute, unknowns in their plain form.

use eventual_provider_core::declaration::{Kind, Object};
use eventual_provider_core::diagnostic::{Diagnostic, Severity};
use eventual_provider_core::path::{Path, Step};
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{self, AttributePath, DynamicValue, attribute_path};
use rmpv::Value as Wire;

/// A value of ours that does not fit the declaration: a bug of this provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub(super) struct EncodeError {
    path: Path,
    what: String,
}

/// Encodes a whole object. Null is null, and what an object does not have is null in it.
///
/// # Errors
/// When it does not fit the declaration.
pub(super) fn object(object: &Object, value: &Value) -> Result<DynamicValue, EncodeError> {
    packed(&to_object(object, value, &Path::root())?)
}

/// Encodes a value of any kind, such as the result of a function.
///
/// # Errors
/// When it does not fit the kind.
pub(super) fn value(kind: &Kind, value: &Value) -> Result<DynamicValue, EncodeError> {
    packed(&to_wire(kind, value, &Path::root())?)
}

fn packed(wire: &Wire) -> Result<DynamicValue, EncodeError> {
    let mut msgpack = Vec::new();
    // Writing to memory does not fail.
    rmpv::encode::write_value(&mut msgpack, wire)
        .map_err(|error| EncodeError { path: Path::root(), what: error.to_string() })?;
    Ok(DynamicValue { msgpack, json: Vec::new() })
}

fn to_wire(kind: &Kind, value: &Value, path: &Path) -> Result<Wire, EncodeError> {
    Ok(match (kind, value.reveal()) {
        (_, Value::Null) => Wire::Nil,
        (_, Value::Unknown) => unknown(),
        (Kind::String, Value::String(text)) => Wire::from(text.as_str()),
        (Kind::Bool, Value::Bool(truth)) => Wire::Boolean(*truth),
        (Kind::Number, Value::Number(number)) => to_number(*number),
        (Kind::List(inner), Value::List(items)) => {
            let items =
                items.iter().enumerate().map(|(index, item)| to_wire(inner, item, &path.index(index)));
            Wire::Array(items.collect::<Result<_, _>>()?)
        }
        (Kind::Map(inner), Value::Map(members)) => {
            let members = members
                .iter()
                .map(|(key, member)| Ok((Wire::from(key.as_str()), to_wire(inner, member, &path.key(key))?)));
            Wire::Map(members.collect::<Result<_, _>>()?)
        }
        (Kind::Object(object), value) => to_object(object, value, path)?,
        (_, other) => {
            return Err(EncodeError {
                path: path.clone(),
                what: format!("{} does not fit the declaration", other.kind_name()),
            });
        }
    })
}

fn to_object(object: &Object, value: &Value, path: &Path) -> Result<Wire, EncodeError> {
    let members = match value.reveal() {
        Value::Null => return Ok(Wire::Nil),
        Value::Unknown => return Ok(unknown()),
        Value::Map(members) => members,
        other => {
            return Err(EncodeError {
                path: path.clone(),
                what: format!("{} where an object is declared", other.kind_name()),
            });
        }
    };
    if let Some(name) = members.keys().find(|name| object.attribute(name).is_none()) {
        return Err(EncodeError {
            path: path.attr(name),
            what: "an attribute that is not declared".to_owned(),
        });
    }
    let members = object.attributes.iter().map(|attribute| {
        let member = members.get(attribute.name).unwrap_or(&Value::Null);
        Ok((Wire::from(attribute.name), to_wire(&attribute.kind, member, &path.attr(attribute.name))?))
    });
    Ok(Wire::Map(members.collect::<Result<_, _>>()?))
}

/// The plain form of "unknown": an extension of type 0 whose one byte means nothing.
fn unknown() -> Wire {
    Wire::Ext(0, vec![0])
}

/// Numbers as decimal text, in which Terraform finds the very number of the user's file and of its own state. It is
/// allowed for all numbers, and needed even for whole ones: a number that came in binary has another precision in
/// Terraform's memory than the same one from a file, and `plan -refresh-only` takes that for a change.
fn to_number(number: f64) -> Wire {
    Wire::from(number.to_string())
}

/// The value with null for everything unknown, for states, in which nothing is unknown.
pub(super) fn settled(value: &Value) -> Value {
    match value {
        Value::Unknown => Value::Null,
        Value::Secret(inner) => settled(inner).secret(),
        Value::List(items) => Value::List(items.iter().map(settled).collect()),
        Value::Map(members) => {
            Value::Map(members.iter().map(|(key, member)| (key.clone(), settled(member))).collect())
        }
        plain => plain.clone(),
    }
}

/// The path as Terraform marks it in the user's file.
pub(super) fn path(path: &Path) -> AttributePath {
    use attribute_path::step::Selector;
    let steps = path.0.iter().map(|step| attribute_path::Step {
        selector: Some(match step {
            Step::Attr(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
        }),
    });
    AttributePath { steps: steps.collect() }
}

/// The message as Terraform shows it.
fn diagnostic(diagnostic: &Diagnostic) -> tfplugin6::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => tfplugin6::diagnostic::Severity::Error,
        Severity::Warning => tfplugin6::diagnostic::Severity::Warning,
    };
    // Terraform marks the attribute of a resource, and shows nothing of a path further in.
    let detail = match &diagnostic.path {
        Some(path) if path.0.len() > 1 => format!("{path}: {}", diagnostic.detail),
        _ => diagnostic.detail.clone(),
    };
    tfplugin6::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary.clone(),
        detail,
        attribute: diagnostic.path.as_ref().map(path),
    }
}

/// The messages as Terraform shows them.
pub(super) fn diagnostics(diagnostics: &[Diagnostic]) -> Vec<tfplugin6::Diagnostic> {
    diagnostics.iter().map(diagnostic).collect()
}
