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

/// Any other declared object, in which nothing is secret.
pub(crate) fn object(object: &Object, value: &Value) -> Members {
    let archives = Archives::none();
    Writer { archives: &archives, secrets: Vec::new() }.object(object, value)
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
        if self.secrets.iter().any(|secret| text.contains(secret.as_str())) {
            property.secret()
        } else {
            property
        }
    }

    fn archive(&self, value: &Value) -> Property {
        match value {
            Value::Secret(inner) => self.archive(inner).secret(),
            Value::String(name) => {
                let hash = hash_of(name);
                let path = hash.map_or_else(|| Some(name.clone()), |hash| self.archives.path(hash));
                let member =
                    |key: &str, text: Option<String>| Some((key.to_owned(), Property::String(text?)));
                let members = [member("hash", hash.map(str::to_owned)), member("path", path)];
                Property::Archive(members.into_iter().flatten().collect::<BTreeMap<_, _>>())
            }
            Value::Unknown => Property::Unknown,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                Property::Null
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::from_wire;
    use super::*;

    fn text(text: &str) -> Property {
        Property::String(text.to_owned())
    }

    fn map(members: &[(&str, Property)]) -> Property {
        Property::Map(members.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect())
    }

    /// A value or its secret or nothing known of it.
    fn wrapped(plain: impl Strategy<Value = Property> + 'static) -> BoxedStrategy<Property> {
        let plain = plain.boxed();
        prop_oneof![
            plain.clone(),
            plain.prop_map(Property::secret),
            Just(Property::Unknown),
            Just(Property::Unknown.secret())
        ]
        .boxed()
    }

    fn environment() -> BoxedStrategy<Property> {
        let value = wrapped("[a-z]{0,9}".prop_map(Property::String));
        wrapped(prop::collection::btree_map("[A-Z_.]{1,5}", value, 0..4).prop_map(Property::Map))
    }

    fn command() -> BoxedStrategy<Property> {
        let memory = wrapped((128..10_240_u32).prop_map(|it| Property::Number(f64::from(it))));
        let actions = wrapped(
            prop::collection::vec(wrapped("[a-z]{5,9}".prop_map(Property::String)), 0..3)
                .prop_map(Property::List),
        );
        let command = (memory, environment(), actions).prop_map(|(memory, environment, actions)| {
            let statement = map(&[("actions", actions.clone()), ("resources", actions)]);
            map(&[
                ("memoryMb", memory),
                ("environment", environment),
                ("policies", Property::List(vec![statement])),
            ])
        });
        wrapped(command)
    }

    proptest! {
        /// What the user gave comes back as it was, each mark at its place, also when the core loses all marks.
        #[test]
        fn inputs_echo_with_every_secret(
            environment in environment(),
            commands in prop::collection::btree_map("[a-z_]{1,8}", command(), 0..3),
        ) {
            let given = Members::from([("environment".to_owned(), environment), ("commands".to_owned(), Property::Map(commands))]);
            let config = from_wire::inputs(&given, &Archives::none());
            prop_assert!(config.diagnostics.is_empty());
            let planned = config.value.revealed();
            let echoed = state(&planned, &[&config.value], &Archives::none());
            prop_assert!(without_marks_of_derived(&echoed, &given), "{:?}\n{:?}", echoed, given);
            prop_assert_eq!(state(&config.value, &[], &Archives::none()), given);
        }
    }

    /// Whether both are the same, except that `echoed` may mark more: a text that holds another secret by chance, and
    /// whole lists.
    fn without_marks_of_derived(echoed: &Members, given: &Members) -> bool {
        fn covers(echoed: &Property, given: &Property) -> bool {
            match (echoed, given) {
                (Property::Secret(echoed), given) => bare(echoed) == bare(given),
                (_, Property::Secret(_)) => false,
                (Property::Map(a), Property::Map(b)) => {
                    a.len() == b.len()
                        && a.iter().all(|(key, it)| b.get(key).is_some_and(|other| covers(it, other)))
                }
                (Property::List(a), Property::List(b)) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| covers(a, b))
                }
                (a, b) => a == b,
            }
        }
        fn bare(property: &Property) -> Property {
            match property.reveal() {
                Property::Map(members) => {
                    Property::Map(members.iter().map(|(key, it)| (key.clone(), bare(it))).collect())
                }
                Property::List(items) => Property::List(items.iter().map(bare).collect()),
                plain => plain.clone(),
            }
        }
        covers(&Property::Map(echoed.clone()), &Property::Map(given.clone()))
    }

    #[test]
    fn outputs_made_of_a_secret_are_secret() {
        let config = Value::map([("environment", Value::map([("TOKEN", Value::from("hunter2").secret())]))]);
        let made = Value::map([
            ("url", Value::from("https://hunter2.example.com")),
            ("event_bus_arn", Value::from("arn")),
        ]);
        let outputs = state(&made, &[&config], &Archives::none());
        assert!(matches!(outputs["url"], Property::Secret(_)));
        assert_eq!(outputs["eventBusArn"], text("arn"));
    }

    #[test]
    fn a_list_that_changed_its_length_is_secret_as_a_whole() {
        let list = |items: &[Value]| {
            Value::map([("cors", Value::map([("allow_origins", Value::List(items.to_vec()))]))])
        };
        let shape = list(&[Value::from("a").secret(), Value::from("b")]);
        let outputs = state(&list(&[Value::from("b")]), &[&shape], &Archives::none());
        assert_eq!(outputs["cors"], map(&[("allowOrigins", Property::List(vec![text("b")]).secret())]));
    }

    #[test]
    fn messages_hold_no_secret_and_name_things_as_the_user_does() {
        let config = Value::map([("environment", Value::map([("TOKEN", Value::from("hunter2").secret())]))]);
        let path = eventual_provider_core::path::Path::of("commands").key("a").attr("memory_mb");
        let diagnostic = Diagnostic::error("Out of range", "\"memory_mb\" is not hunter2").at(path);
        assert_eq!(
            reason(&diagnostic, &secrets(&config)),
            "commands.a.memoryMb: Out of range: \"memoryMb\" is not [secret]"
        );
    }

    #[test]
    fn a_refresh_changes_only_the_inputs_that_drifted() {
        let given = Members::from([
            ("artifact".to_owned(), Property::Archive(Members::from([("hash".to_owned(), text("aa"))]))),
            ("environment".to_owned(), map(&[("TOKEN", text("hunter2").secret())])),
            ("forceDestroy".to_owned(), Property::Bool(false)),
        ]);
        let before = from_wire::inputs(&given, &Archives::none()).value;
        let mut after = before.clone();
        after.set("force_destroy", Value::Bool(true));
        let mut wanted = given.clone();
        assert_eq!(drifted(given.clone(), &before, &before, &Archives::none()), wanted);
        wanted.insert("forceDestroy".to_owned(), Property::Bool(true));
        assert_eq!(drifted(given, &before, &after, &Archives::none()), wanted);
    }
}
