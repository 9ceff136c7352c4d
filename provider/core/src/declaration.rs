//! The one declaration of the provider's configuration and of the service resource.
//!
//! The Terraform schema, the Pulumi package schema, the documentation of both and the validation of shapes are made
//! from it. Ranges and cross-attribute rules are in [`crate::config`]; whether a name is one of the service's own is
//! in the planning, which has the manifest.

use std::sync::LazyLock;

mod actions;
mod credentials;
pub mod identity;
mod lookup;
mod provider;
mod service;

pub use service::DEPLOYMENT;

/// What a value of an attribute looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// True or false.
    Bool,
    /// A number; all of ours are whole.
    Number,
    /// Values of one kind in order.
    List(Box<Self>),
    /// Values of one kind by keys that the user chooses.
    Map(Box<Self>),
    /// Named attributes.
    Object(Object),
}

/// An object with named attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Name of the type, UpperCamelCase, for languages that name types: `CommandSettings`. Two objects of the same
    /// name are the same.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub description: &'static str,
    /// Its attributes, in the order of the documentation.
    pub attributes: Vec<Attribute>,
}

impl Object {
    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|it| it.name == name)
    }
}

/// Who gives an attribute its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The user must.
    Required,
    /// The user may.
    Optional,
    /// The provider does.
    Computed,
}

/// One attribute of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, snake_case.
    pub name: &'static str,
    /// What its values look like.
    pub kind: Kind,
    /// Who gives it its value.
    pub mode: Mode,
    /// Whether it must never be shown, even when the user did not mark it.
    pub sensitive: bool,
    /// Whether it reaches the provider and nothing else: neither plan nor state keep it. Terraform only.
    pub write_only: bool,
    /// Whether another value means another resource.
    pub replace_on_change: bool,
    /// What it is, with units, default and limits, in Markdown.
    pub description: &'static str,
    /// Environment variables that stand in for it when it is absent, first to last.
    pub environment: &'static [&'static str],
}

impl Attribute {
    fn new(mode: Mode, name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            kind,
            mode,
            sensitive: false,
            write_only: false,
            replace_on_change: false,
            description,
            environment: &[],
        }
    }

    fn required(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self::new(Mode::Required, name, kind, description)
    }

    fn optional(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self::new(Mode::Optional, name, kind, description)
    }

    /// One that the provider gives its value.
    #[must_use]
    pub fn computed(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self::new(Mode::Computed, name, kind, description)
    }

    fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    fn write_only(self) -> Self {
        Self { write_only: true, sensitive: true, ..self }
    }

    fn replaces(self) -> Self {
        Self { replace_on_change: true, ..self }
    }

    fn or_environment(self, environment: &'static [&'static str]) -> Self {
        Self { environment, ..self }
    }
}

fn list(kind: Kind) -> Kind {
    Kind::List(Box::new(kind))
}

fn map(kind: Kind) -> Kind {
    Kind::Map(Box::new(kind))
}

fn object(name: &'static str, description: &'static str, attributes: Vec<Attribute>) -> Kind {
    Kind::Object(Object { name, description, attributes })
}

/// The provider's own configuration.
#[must_use]
pub fn provider() -> &'static Object {
    static PROVIDER: LazyLock<Object> = LazyLock::new(provider::declare);
    &PROVIDER
}

/// The resource: `eventual_service` of Terraform, `eventual:index:Service` of Pulumi.
#[must_use]
pub fn service() -> &'static Object {
    static SERVICE: LazyLock<Object> = LazyLock::new(service::declare);
    &SERVICE
}

/// The resource with what only Terraform has beside: write-only attributes.
#[must_use]
pub fn terraform_service() -> &'static Object {
    static SERVICE: LazyLock<Object> = LazyLock::new(service::declare_for_terraform);
    &SERVICE
}

/// What identifies a service in the world, also where its state is lost.
#[must_use]
pub fn identity() -> &'static Object {
    static IDENTITY: LazyLock<Object> = LazyLock::new(identity::declare);
    &IDENTITY
}

/// A service that is there, looked up by its name: a data source.
#[must_use]
pub fn lookup() -> &'static Object {
    static LOOKUP: LazyLock<Object> = LazyLock::new(lookup::declare);
    &LOOKUP
}

/// How services are listed: there is nothing to choose.
#[must_use]
pub fn listing() -> &'static Object {
    static LISTING: LazyLock<Object> = LazyLock::new(lookup::declare_listing);
    &LISTING
}

/// Short-lived credentials for a service.
#[must_use]
pub fn credentials() -> &'static Object {
    static CREDENTIALS: LazyLock<Object> = LazyLock::new(credentials::declare);
    &CREDENTIALS
}

/// The action that calls a command.
#[must_use]
pub fn invoke_command() -> &'static Object {
    static ACTION: LazyLock<Object> = LazyLock::new(actions::invoke_command);
    &ACTION
}

/// The action that asks the system function.
#[must_use]
pub fn invoke_system() -> &'static Object {
    static ACTION: LazyLock<Object> = LazyLock::new(actions::invoke_system);
    &ACTION
}

/// The action that redrives dead letters.
#[must_use]
pub fn redrive() -> &'static Object {
    static ACTION: LazyLock<Object> = LazyLock::new(actions::redrive);
    &ACTION
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn walk<'a>(object: &'a Object, seen: &mut BTreeMap<&'static str, &'a Object>) {
        assert!(!object.description.is_empty(), "{}", object.name);
        if let Some(other) = seen.insert(object.name, object) {
            assert_eq!(other, object, "two types are called {}", object.name);
        }
        for attribute in &object.attributes {
            assert!(attribute.description.ends_with('.'), "{}.{}", object.name, attribute.name);
            assert!(
                attribute.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                "{}",
                attribute.name
            );
            let mut kind = &attribute.kind;
            while let Kind::List(inner) | Kind::Map(inner) = kind {
                kind = inner;
            }
            if let Kind::Object(inner) = kind {
                walk(inner, seen);
            }
        }
    }

    #[test]
    fn everything_is_described_and_types_of_one_name_are_one_type() {
        let mut seen = BTreeMap::new();
        walk(provider(), &mut seen);
        walk(terraform_service(), &mut seen);
        for object in
            [identity(), lookup(), listing(), credentials(), invoke_command(), invoke_system(), redrive()]
        {
            walk(object, &mut seen);
        }
        assert!(seen.contains_key("CommandSettings") && seen.contains_key("Grants"));
    }
}
