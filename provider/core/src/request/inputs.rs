//! What the user configured, kept in the ownership record so that an import finds it again.
//!
//! Nothing secret is kept: of environment variables only the names are, and an import asks the functions for the values.

use std::collections::BTreeMap;

use crate::config::Confidential;
use crate::declaration::{Attribute, Kind, Mode, terraform_service};
use crate::value::Value;

const ENVIRONMENT: &str = "environment";
/// Attributes with settings of functions by a name, and what a function's name begins with.
const BY_NAME: [(&str, &str); 3] =
    [("commands", "command-"), ("tasks", "task-"), ("subscriptions", "subscription-")];

/// Environment variables by the function's name.
pub(super) type Environments = BTreeMap<String, BTreeMap<String, Confidential>>;

/// What a user sets, of both wires, but for what is to leave no trace.
fn settable() -> impl Iterator<Item = &'static Attribute> {
    terraform_service().attributes.iter().filter(|it| it.mode != Mode::Computed && !it.write_only)
}

/// What is kept of a configuration.
pub(super) fn kept(config: &Value) -> Value {
    let members = settable().filter_map(|attribute| {
        let value = attribute_kept(attribute, config.get(attribute.name));
        (!value.is_null()).then_some((attribute.name, value))
    });
    Value::map(members)
}

fn attribute_kept(attribute: &Attribute, value: &Value) -> Value {
    match value.reveal() {
        _ if attribute.name != ENVIRONMENT => plain(&attribute.kind, value),
        Value::Map(variables) => Value::map(variables.keys().map(|name| (name.clone(), Value::Null))),
        _ => Value::Null,
    }
}

/// The value without anything in it that the user calls secret.
fn plain(kind: &Kind, value: &Value) -> Value {
    match (kind, value) {
        (_, Value::Unknown | Value::Secret(_)) => Value::Null,
        (Kind::List(inner), Value::List(items)) => {
            Value::List(items.iter().map(|item| plain(inner, item)).collect())
        }
        (Kind::Map(inner), Value::Map(members)) => {
            Value::Map(members.iter().map(|(name, member)| (name.clone(), plain(inner, member))).collect())
        }
        (Kind::Object(object), Value::Map(_)) => {
            let members = object.attributes.iter().filter_map(|attribute| {
                let member = attribute_kept(attribute, value.get(attribute.name));
                (!member.is_null()).then_some((attribute.name, member))
            });
            Value::map(members)
        }
        (_, value) => value.clone(),
    }
}

/// Puts what was kept into the state of an import, with the values of the environment variables that the functions have.
pub(super) fn restore(state: &mut Value, inputs: &Value, environments: &Environments) {
    let mut inputs = inputs.clone();
    let no_names = BTreeMap::new();
    let of = |function: &str| environments.get(function).unwrap_or(&no_names);
    for (attribute, prefix) in BY_NAME {
        let Some(entries) = inputs.get(attribute).as_map().cloned() else { continue };
        let filled = entries.into_iter().map(|(name, mut settings)| {
            fill(&mut settings, |key| of(&format!("{prefix}{name}")).get(key));
            (name, settings)
        });
        inputs.set(attribute, Value::Map(filled.collect()));
    }
    if inputs.get("orchestrator").as_map().is_some() {
        let mut settings = inputs.get("orchestrator").clone();
        fill(&mut settings, |key| of("orchestrator").get(key));
        inputs.set("orchestrator", settings);
    }
    let own = |function: &str, key: &str| names(&inputs, function).is_some_and(|it| it.contains_key(key));
    let in_defaults =
        |key: &str| inputs.get("defaults").get(ENVIRONMENT).as_map().is_some_and(|it| it.contains_key(key));
    let outer = |key: &str| {
        environments
            .iter()
            .filter(|(function, _)| !own(function, key))
            .find_map(|(_, variables)| variables.get(key))
    };
    let mut defaults = inputs.get("defaults").clone();
    fill(&mut defaults, outer);
    let mut service = Value::map([(ENVIRONMENT, inputs.get(ENVIRONMENT).clone())]);
    // What `defaults` says as well wins in every function: the outermost value is nowhere to be read.
    fill(&mut service, |key| if in_defaults(key) { None } else { outer(key) });
    if !defaults.is_null() {
        inputs.set("defaults", defaults);
    }
    if !inputs.get(ENVIRONMENT).is_null() {
        inputs.set(ENVIRONMENT, service.get(ENVIRONMENT).clone());
    }
    for attribute in settable() {
        let value = inputs.get(attribute.name);
        if !value.is_null() && state.get(attribute.name).is_null() {
            state.set(attribute.name, value.clone());
        }
    }
}

/// The names in the environment of a function's own settings.
fn names<'a>(inputs: &'a Value, function: &str) -> Option<&'a BTreeMap<String, Value>> {
    let settings = BY_NAME.iter().find_map(|(attribute, prefix)| {
        function.strip_prefix(prefix).map(|name| inputs.get(attribute).get(name))
    });
    let settings = settings.or_else(|| (function == "orchestrator").then(|| inputs.get("orchestrator")))?;
    settings.get(ENVIRONMENT).as_map()
}

/// Gives the names in the environment of some settings their values; a name without one goes.
fn fill<'a>(settings: &mut Value, value: impl Fn(&str) -> Option<&'a Confidential>) {
    let Some(names) = settings.get(ENVIRONMENT).as_map() else { return };
    let filled = names.keys().filter_map(|name| Some((name.clone(), Value::from(value(name)?.reveal()))));
    let filled = Value::map(filled);
    settings.set(ENVIRONMENT, filled);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::from(text)
    }

    #[test]
    fn what_is_kept_holds_no_value_of_an_environment_and_an_import_finds_them() {
        let environment = |entries: &[(&'static str, &str)]| {
            Value::map(entries.iter().map(|(name, value)| (*name, text(value).secret())))
        };
        let config = Value::map([
            ("name", text("orders")),
            ("artifact", text("a.zip")),
            ("environment", environment(&[("A", "1"), ("B", "2")])),
            (
                "defaults",
                Value::map([("environment", environment(&[("B", "3")])), ("memory_mb", Value::from(512))]),
            ),
            ("commands", Value::map([("place", Value::map([("environment", environment(&[("A", "4")]))]))])),
            ("tags", Value::map([("environment", text("prod"))])),
            ("environment_wo", environment(&[("KEY", "hunter2")])),
            ("environment_wo_version", text("v7")),
            ("url", text("computed")),
        ]);
        let kept = kept(&config);
        for secret in ["\"1\"", "\"2\"", "\"3\"", "\"4\"", "computed", "hunter2", "KEY"] {
            assert!(!format!("{:?}", kept.revealed()).contains(secret), "{kept:?}");
        }
        let variables = |entries: &[(&str, &str)]| {
            entries.iter().map(|(name, value)| ((*name).to_owned(), Confidential::new(*value))).collect()
        };
        let environments = Environments::from([
            (
                "command-place".to_owned(),
                variables(&[("A", "4"), ("B", "3"), ("EVENTUAL_SERVICE", "orders")]),
            ),
            ("system".to_owned(), variables(&[("A", "1"), ("B", "3")])),
        ]);
        let mut state = Value::map([("name", text("orders"))]);
        restore(&mut state, &kept, &environments);
        assert_eq!(state.get("environment").revealed(), Value::map([("A", text("1"))]));
        assert_eq!(state.get("defaults").get("environment").revealed(), Value::map([("B", text("3"))]));
        let place = state.get("commands").get("place").get("environment").revealed();
        assert_eq!(place, Value::map([("A", text("4"))]));
        assert_eq!((state.get("artifact"), state.get("tags")), (&text("a.zip"), config.get("tags")));
        assert_eq!(state.get("environment_wo_version"), &text("v7"));
    }
}
