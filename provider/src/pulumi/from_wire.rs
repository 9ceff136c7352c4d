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

/// What the user set for this wire alone.
pub(crate) const VIEWS: &str = "views";
/// What it does, for the schema.
pub(crate) const VIEWS_ARE: &str = "Experimental: whether the AWS resources of a service are shown as rows and kept as \
    entries of their own in the stack. Do not switch it on for services with the resource options `retainOnDelete` or \
    `deletedWith`, and off before one is renamed with `aliases`: the engine leaves entries behind that only \
    `pulumi state delete` removes. Default: `false`.";

/// Whether the user wants views; `None` for what is neither true nor false.
pub(crate) fn views(members: &Members) -> Option<bool> {
    match members.get(VIEWS).map(Property::reveal) {
        None | Some(Property::Null | Property::Unknown) => Some(false),
        Some(Property::Bool(wanted)) => Some(*wanted),
        Some(Property::String(text)) => text.parse().ok(),
        Some(_) => None,
    }
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
    if views(&members).is_none() {
        reader.refuse("Neither true nor false", "`views` switches something on or off", &Path::of(VIEWS));
    }
    members.retain(|key, _| key != VIEWS && !OF_THE_ENGINE.contains(&key.as_str()));
    for attribute in names::inputs(provider()) {
        let key = names::camel(attribute.name);
        if let Some(value) = members.get_mut(&key).filter(|_| attribute.kind != Kind::String) {
            reader.unpack(value, attribute);
        }
    }
    let value = reader.object(provider(), &members, &Path::root());
    Given { value, diagnostics: reader.diagnostics }
}

/// The configuration without what is none of the provider's. A project that is called as its service keeps its own settings in
/// the namespace of the service's package, and the engine hands all of them over. What may be a misspelt setting stays, to be
/// refused.
pub(crate) fn of_provider(members: Members) -> Members {
    let known: Vec<String> = names::inputs(provider()).map(|it| names::camel(it.name)).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).chain([VIEWS]).collect();
    let ours = |key: &str| OF_THE_ENGINE.contains(&key) || nearest(key, known.iter().copied()).is_some();
    members.into_iter().filter(|(key, _)| ours(key)).collect()
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
            let found =
                found.filter(|it| !self.strict || names::inputs(object).any(|input| input.name == it.name));
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
                Value::map(
                    members.iter().map(|(key, it)| (key.clone(), self.value(kind, it, &path.key(key)))),
                )
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
                *property =
                    if matches!(property, Property::Secret(_)) { unpacked.secret() } else { unpacked };
            }
            Err(_) => {
                let detail =
                    format!("`{}` is not a string, and the string given for it is not JSON", attribute.name);
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

#[cfg(test)]
mod tests {
    use super::super::to_wire::reason;
    use super::*;

    fn text(text: &str) -> Property {
        Property::String(text.to_owned())
    }

    fn members(members: &[(&str, Property)]) -> Members {
        members.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect()
    }

    fn map(of: &[(&str, Property)]) -> Property {
        Property::Map(members(of))
    }

    fn read(of: &[(&str, Property)]) -> (Value, Vec<String>) {
        let given = inputs(&members(of), &Archives::none());
        (given.value, given.diagnostics.iter().map(|it| reason(it, &[])).collect())
    }

    #[test]
    fn attributes_are_renamed_and_keys_are_not() {
        let command =
            map(&[("memoryMb", Property::Number(512.0)), ("environment", map(&[("memoryMb", text("x"))]))]);
        let (value, problems) =
            read(&[("commands", map(&[("place_order", command)])), ("tags", Property::Null)]);
        assert_eq!(problems, [""; 0]);
        let command = value.get("commands").get("place_order");
        assert_eq!(command.get("memory_mb").as_f64(), Some(512.0));
        assert_eq!(command.get("environment").get("memoryMb").as_str(), Some("x"));
        assert_eq!(value.as_map().unwrap().len(), 1, "nulls of objects are left out: {value:?}");
    }

    #[test]
    fn a_property_that_nothing_has_is_named_at_every_depth() {
        // What Python passes on unconverted when a program misspells a key.
        let command = map(&[("memory_mb", Property::Number(512.0))]);
        let (_, problems) = read(&[
            ("commands", map(&[("placeOrder", command)])),
            ("enviroment", map(&[])),
            ("url", text("https://example.com")),
            ("timeouts", map(&[])),
        ]);
        assert!(
            problems.contains(
                &"commands.placeOrder.memory_mb: no such property: did you mean memoryMb?".to_owned()
            ),
            "{problems:?}"
        );
        assert!(
            problems.contains(&"enviroment: no such property: did you mean environment?".to_owned()),
            "{problems:?}"
        );
        assert!(problems.iter().any(|it| it.starts_with("url: no such property")), "{problems:?}");
        assert!(problems.iter().any(|it| it.starts_with("timeouts: no such property")), "{problems:?}");
    }

    #[test]
    fn an_artifact_is_an_archive_of_a_file() {
        let by_hash = Property::Archive(members(&[("hash", text("aa")), ("path", text("./orders.zip"))]));
        let (value, problems) = read(&[("artifact", by_hash)]);
        assert_eq!((value.get("artifact").as_str(), problems.len()), (Some("sha256:aa"), 0));
        let url = Property::Archive(members(&[
            ("uri", text("https://example.com/orders.zip")),
            ("hash", text("aa")),
        ]));
        for other in [text("./orders.zip"), url] {
            let (value, problems) = read(&[("artifact", other)]);
            assert!(
                problems[0].starts_with("artifact: ") && problems[0].contains("FileArchive"),
                "{problems:?}"
            );
            assert!(value.get("artifact").is_unknown(), "nothing else is said about it");
        }
    }

    #[test]
    fn secrets_and_unknowns_stay_where_they_are() {
        let (value, problems) = read(&[
            ("environment", map(&[("TOKEN", text("hunter2").secret()), ("LATER", Property::Unknown)])),
            ("defaults", map(&[("memoryMb", Property::Number(1.0).secret())]).secret()),
            ("commands", Property::Unknown),
        ]);
        assert_eq!(problems, [""; 0]);
        assert_eq!(*value.get("environment").get("TOKEN"), Value::from("hunter2").secret());
        assert!(value.get("environment").get("LATER").is_unknown() && value.get("commands").is_unknown());
        assert!(matches!(value.get("defaults"), Value::Secret(_)));
    }

    #[test]
    fn settings_of_a_project_are_not_the_provider_s() {
        let all =
            ["region", "regoin", "defaultTag", "view", "version", "apiToken", "name", "paymentMemoryMb"];
        let kept = of_provider(members(&all.map(|key| (key, text("x")))));
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["defaultTag", "region", "regoin", "version", "view"]);
    }

    #[test]
    fn configuration_may_be_json_in_strings() {
        let role = r#"{"roleArn": "arn:aws:iam::123456789012:role/deployer"}"#;
        let given = configuration(&members(&[
            ("version", text("0.1.0")),
            ("region", text("eu-central-1")),
            ("assumeRole", text(role).secret()),
            ("defaultTags", map(&[("team", text("orders"))])),
        ]));
        assert!(given.diagnostics.is_empty(), "{:?}", given.diagnostics);
        let role = given.value.get("assume_role");
        assert!(
            matches!(role, Value::Secret(_))
                && role.get("role_arn").as_str().is_some_and(|it| it.ends_with("deployer"))
        );
        assert_eq!(given.value.get("default_tags").get("team").as_str(), Some("orders"));

        let given = configuration(&members(&[("assumeRole", text("the deployer"))]));
        assert!(given.diagnostics[0].detail.contains("not JSON"), "{:?}", given.diagnostics);
    }
}
