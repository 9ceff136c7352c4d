//! What the engine sends, as values of the core: keyed by declared names, without the attributes that are null.
//!
//! Only the shape is looked at here: names that nothing has and values that no declaration can hold. Whether the
//! values make sense is the core's business.

use std::collections::BTreeMap;

use eventual_provider_core::declaration::{Attribute, Kind, Object, provider, service};
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::path::Path;
use eventual_provider_core::value::Value;
use eventual_schema::nearest::nearest;

use super::archives::{Archives, Handle};
use super::names;
use super::property::{Members, Property};

/// A configuration of the user, and what is wrong with its shape.
pub(crate) struct Given {
    /// The configuration; what could not be read is absent or unknown in it.
    pub(crate) value: Value,
    /// Errors only.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// The inputs of a service. Archives in it are remembered, so that the core can open them.
pub(crate) fn inputs(members: &Members, archives: &Archives) -> Given {
    let mut reader = Reader { archives: Some(archives), strict: true, diagnostics: Vec::new() };
    let value = reader.object(service(), members, &Path::root());
    Given { value, diagnostics: reader.diagnostics }
}

/// The outputs of a service as an earlier run of this or another version of the provider left them: what has no
/// place any more is dropped.
pub(crate) fn state(id: &str, members: &Members) -> Value {
    let mut reader = Reader { archives: None, strict: false, diagnostics: Vec::new() };
    let mut state = reader.object(service(), members, &Path::root());
    state.set("id", Value::from(id));
    if state.get("name").is_null() {
        state.set("name", Value::from(id));
    }
    state
}

/// The configuration of the provider. Programs and `pulumi config` give what is no string as JSON within a string.
pub(crate) fn configuration(members: &Members) -> Given {
    let mut reader = Reader { archives: None, strict: true, diagnostics: Vec::new() };
    let mut members = members.clone();
    members.retain(|key, _| !OF_THE_ENGINE.contains(&key.as_str()));
    for attribute in names::inputs(provider()) {
        let key = names::camel(attribute.name);
        if let Some(value) = members.get_mut(&key).filter(|_| attribute.kind != Kind::String) {
            reader.unpack(value, attribute);
        }
    }
    let value = reader.object(provider(), &members, &Path::root());
    Given { value, diagnostics: reader.diagnostics }
}

/// Members of a provider's configuration that are the engine's own.
const OF_THE_ENGINE: [&str; 3] = ["version", "pluginDownloadURL", "__internal"];

struct Reader<'a> {
    /// Where archives of inputs are remembered.
    archives: Option<&'a Archives>,
    /// Whether members that nothing declares are errors.
    strict: bool,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn object(&mut self, object: &Object, members: &Members, path: &Path) -> Value {
        let mut value = Value::Map(BTreeMap::new());
        for (key, property) in members {
            let found = names::attributes(object).find(|it| names::camel(it.name) == *key);
            let found = found.filter(|it| !self.strict || names::inputs(object).any(|input| input.name == it.name));
            match found {
                Some(_) if *property == Property::Null => {}
                Some(attribute) if names::is_archive(object, attribute) => {
                    let archive = self.archive(property, &path.attr(attribute.name));
                    value.set(attribute.name, archive);
                }
                Some(attribute) => {
                    let read = self.value(&attribute.kind, property, &path.attr(attribute.name));
                    value.set(attribute.name, read);
                }
                None if self.strict => self.diagnostics.push(no_such(object, key, path)),
                None => {}
            }
        }
        value
    }

    fn value(&mut self, kind: &Kind, property: &Property, path: &Path) -> Value {
        match (property, kind) {
            (Property::Null, _) => Value::Null,
            (Property::Unknown, _) => Value::Unknown,
            (Property::Secret(inner), _) => self.value(kind, inner, path).secret(),
            (Property::Bool(truth), _) => Value::Bool(*truth),
            (Property::Number(number), _) => Value::Number(*number),
            (Property::String(text), _) => Value::from(text.as_str()),
            (Property::List(items), _) => {
                let kind = if let Kind::List(inner) = kind { inner } else { kind };
                let items = items.iter().enumerate();
                Value::List(items.map(|(index, it)| self.value(kind, it, &path.index(index))).collect())
            }
            (Property::Map(members), Kind::Object(object)) => self.object(object, members, path),
            (Property::Map(members), _) => {
                let kind = if let Kind::Map(inner) = kind { inner } else { kind };
                Value::map(members.iter().map(|(key, it)| (key.clone(), self.value(kind, it, &path.key(key)))))
            }
            (Property::Archive(_) | Property::Signed(..), _) => {
                self.refuse("Value of another kind", "an archive, asset or resource has no place here", path)
            }
        }
    }

    /// The archive as the name under which the core can open it.
    fn archive(&mut self, property: &Property, path: &Path) -> Value {
        const WANTED: &str = "the artifact is a FileArchive of the zip that `cargo eventual build` wrote";
        match property {
            Property::Null => Value::Null,
            Property::Unknown => Value::Unknown,
            Property::Secret(inner) => self.archive(inner, path).secret(),
            Property::Archive(members) => match Handle::of(members) {
                Some(handle) => {
                    let name = handle.name();
                    if let Some(archives) = self.archives {
                        archives.remember(handle);
                    }
                    Value::from(name)
                }
                None => self.refuse("Archive of another kind", WANTED, path),
            },
            _ => self.refuse("Value of another kind", WANTED, path),
        }
    }

    /// A value that could not be read: unknown, so that nothing else is said about it.
    fn refuse(&mut self, summary: &str, detail: &str, path: &Path) -> Value {
        if self.strict {
            self.diagnostics.push(Diagnostic::error(summary, detail).at(path.clone()));
        }
        Value::Unknown
    }

    /// Replaces a string of JSON by the value that it holds. Members of that value are not secret by themselves:
    /// the whole stays marked when the string was.
    fn unpack(&mut self, property: &mut Property, attribute: &Attribute) {
        let Some(text) = property.as_str() else { return };
        match serde_json::from_str(text) {
            Ok(json) => {
                let unpacked = from_json(json);
                *property = if matches!(property, Property::Secret(_)) { unpacked.secret() } else { unpacked };
            }
            Err(_) => {
                let detail = format!("`{}` is not a string, and the string given for it is not JSON", attribute.name);
                *property = self.unreadable(&detail, attribute);
            }
        }
    }

    fn unreadable(&mut self, detail: &str, attribute: &Attribute) -> Property {
        self.refuse("Not JSON", detail, &Path::of(attribute.name));
        Property::Unknown
    }
}

fn no_such(object: &Object, key: &str, path: &Path) -> Diagnostic {
    let known: Vec<String> = names::inputs(object).map(|it| names::camel(it.name)).collect();
    let hint = match nearest(key, known.iter().map(String::as_str)) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("known are {}", known.join(", ")),
    };
    Diagnostic::error("no such property", hint).at(path.key(key))
}

fn from_json(json: serde_json::Value) -> Property {
    match json {
        serde_json::Value::Null => Property::Null,
        serde_json::Value::Bool(truth) => Property::Bool(truth),
        serde_json::Value::Number(number) => Property::Number(number.as_f64().unwrap_or_default()),
        serde_json::Value::String(text) => Property::String(text),
        serde_json::Value::Array(items) => Property::List(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(members) => {
            Property::Map(members.into_iter().map(|(key, value)| (key, from_json(value))).collect())
        }
    }
}
