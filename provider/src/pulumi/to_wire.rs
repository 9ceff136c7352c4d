//! Values of the core as the engine wants them: Pulumi's names, nothing where there is nothing, and every secret marked.

use std::collections::BTreeMap;

use eventual_provider_core::declaration::{Kind, Object, service};
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::value::Value;

use super::archives::{Archives, hash_of};
use super::names;
use super::property::{Members, Property};

/// The outputs of a service. What is secret in any of the shapes, or holds a text that is, is secret in them.
pub(crate) fn state(value: &Value, shapes: &[&Value], archives: &Archives) -> Members {
    let writer = Writer { archives, secrets: shapes.iter().flat_map(|shape| secrets(shape)).collect() };
    writer.object(service(), &shapes.iter().fold(value.clone(), |value, shape| mark(value, shape)))
}

/// The inputs of a service as they are now: those that were given, changed where the state was found changed, so that
/// the user's spelling stays.
pub(crate) fn drifted(given: Members, before: &Value, after: &Value, archives: &Archives) -> Members {
    let mut inputs = given;
    let now = state(after, &[before], archives);
    for attribute in names::inputs(service()) {
        if before.get(attribute.name).same(after.get(attribute.name)) {
            continue;
        }
        let key = names::camel(attribute.name);
        match now.get(&key) {
            Some(value) => inputs.insert(key, value.clone()),
            None => inputs.remove(&key),
        };
    }
    inputs
}

/// The inputs that would have made this state: for import, where nothing was given.
pub(crate) fn reconstructed(state_members: &Members) -> Members {
    let keys = names::inputs(service()).map(|it| names::camel(it.name));
    keys.filter_map(|key| state_members.get(&key).map(|value| (key, value.clone()))).collect()
}

/// Marks what is secret in `shape` in `value`, too. A list of another length is secret as a whole when an item was.
fn mark(value: Value, shape: &Value) -> Value {
    match (value, shape) {
        (Value::Null, _) => Value::Null,
        (value, Value::Secret(_)) => value.secret(),
        (Value::List(items), Value::List(shapes)) if items.len() == shapes.len() => {
            Value::List(items.into_iter().zip(shapes).map(|(item, shape)| mark(item, shape)).collect())
        }
        (Value::List(items), Value::List(_)) if shape.has_secret() => Value::List(items).secret(),
        (Value::Map(members), Value::Map(shapes)) => Value::Map(
            members
                .into_iter()
                .map(|(key, value)| match shapes.get(&key) {
                    Some(shape) => (key, mark(value, shape)),
                    None => (key, value),
                })
                .collect(),
        ),
        (value, _) => value,
    }
}

/// All texts that are secret in `value`. Shorter ones than four letters would be found everywhere by chance.
pub(crate) fn secrets(value: &Value) -> Vec<String> {
    fn collect(value: &Value, secret: bool, texts: &mut Vec<String>) {
        match value {
            Value::Secret(inner) => collect(inner, true, texts),
            Value::String(text) if secret && text.len() >= 4 => texts.push(text.clone()),
            Value::List(items) => items.iter().for_each(|it| collect(it, secret, texts)),
            Value::Map(members) => members.values().for_each(|it| collect(it, secret, texts)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Unknown => {}
        }
    }
    let mut texts = Vec::new();
    collect(value, false, &mut texts);
    texts.sort_by_key(|it| std::cmp::Reverse(it.len()));
    texts
}

/// The text without any of the secrets.
pub(crate) fn redact(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[secret]"))
}

/// What a diagnostic says to a user of Pulumi: the path first, since the engine is not told it in any other way.
pub(crate) fn reason(diagnostic: &Diagnostic, secrets: &[String]) -> String {
    let path = diagnostic.path.as_ref().map(names::path).filter(|it| !it.is_empty());
    let path = path.map(|it| format!("{it}: ")).unwrap_or_default();
    let text = format!("{path}{}: {}", diagnostic.summary, names::prose(&diagnostic.detail));
    redact(&text, secrets)
}

struct Writer<'a> {
    archives: &'a Archives,
    secrets: Vec<String>,
}

impl Writer<'_> {
    fn object(&self, object: &Object, value: &Value) -> Members {
        let mut members = Members::new();
        for attribute in names::attributes(object) {
            let found = value.get(attribute.name);
            let property = match found {
                Value::Null => continue,
                _ if names::is_archive(object, attribute) => self.archive(found),
                _ => self.value(&attribute.kind, found),
            };
            let property = if attribute.sensitive { property.secret() } else { property };
            members.insert(names::camel(attribute.name), property);
        }
        members
    }

    fn value(&self, kind: &Kind, value: &Value) -> Property {
        match (value, kind) {
            (Value::Null, _) => Property::Null,
            (Value::Unknown, _) => Property::Unknown,
            (Value::Secret(inner), _) => self.value(kind, inner).secret(),
            (Value::Bool(truth), _) => Property::Bool(*truth),
            (Value::Number(number), _) => Property::Number(*number),
            (Value::String(text), _) => self.text(text),
            (Value::List(items), _) => {
                let kind = if let Kind::List(inner) = kind { inner } else { kind };
                Property::List(items.iter().map(|it| self.value(kind, it)).collect())
            }
            (Value::Map(_), Kind::Object(object)) => Property::Map(self.object(object, value)),
            (Value::Map(members), _) => {
                let kind = if let Kind::Map(inner) = kind { inner } else { kind };
                Property::Map(members.iter().map(|(key, it)| (key.clone(), self.value(kind, it))).collect())
            }
        }
    }

    /// A text that holds a secret was made of one, so it is one.
    fn text(&self, text: &str) -> Property {
        let property = Property::String(text.to_owned());
        if self.secrets.iter().any(|secret| text.contains(secret.as_str())) { property.secret() } else { property }
    }

    fn archive(&self, value: &Value) -> Property {
        match value {
            Value::Secret(inner) => self.archive(inner).secret(),
            Value::String(name) => {
                let hash = hash_of(name);
                let path = hash.map_or_else(|| Some(name.clone()), |hash| self.archives.path(hash));
                let member = |key: &str, text: Option<String>| Some((key.to_owned(), Property::String(text?)));
                let members = [member("hash", hash.map(str::to_owned)), member("path", path)];
                Property::Archive(members.into_iter().flatten().collect::<BTreeMap<_, _>>())
            }
            Value::Unknown => Property::Unknown,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => Property::Null,
        }
    }
}
