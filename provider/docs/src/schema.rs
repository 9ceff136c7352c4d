//! The schema section of a page: attributes by who gives them their value, nested objects further below, each with an anchor.

use std::collections::VecDeque;
use std::fmt::Write;

use eventual_provider_core::declaration::{Attribute, Kind, Mode, Object};

use crate::catalog::Function;

const WRITE_ONLY: &str = "[Write-only](https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments)";

/// A nested object that is still to be described.
struct Nested<'a> {
    path: Vec<&'a str>,
    object: &'a Object,
}

/// The schema of a whole thing.
pub(crate) fn object(object: &Object) -> String {
    if object.attributes.is_empty() {
        return "\n## Schema\n\nThere is nothing to configure.\n".to_owned();
    }
    let mut text = "\n## Schema\n".to_owned();
    let mut open = VecDeque::new();
    groups(&mut text, "### ", object, &[], &mut open);
    while let Some(nested) = open.pop_front() {
        let (anchor, path) = (anchor(&nested.path), nested.path.join("."));
        // Writing into a text does not fail.
        let _ = write!(text, "\n<a id=\"{anchor}\"></a>\n### Nested Schema for `{path}`\n");
        let mut inner = VecDeque::new();
        groups(&mut text, "", nested.object, &nested.path, &mut inner);
        // Depth first: what is nested further follows at once.
        while let Some(next) = inner.pop_back() {
            open.push_front(next);
        }
    }
    text
}

fn groups<'a>(
    text: &mut String,
    level: &str,
    object: &'a Object,
    path: &[&'a str],
    open: &mut VecDeque<Nested<'a>>,
) {
    for (mode, name) in
        [(Mode::Required, "Required"), (Mode::Optional, "Optional"), (Mode::Computed, "Read-Only")]
    {
        let group: Vec<&Attribute> = object.attributes.iter().filter(|it| it.mode == mode).collect();
        if group.is_empty() {
            continue;
        }
        let colon = if level.is_empty() { ":" } else { "" };
        let _ = write!(text, "\n{level}{name}{colon}\n\n");
        for attribute in group {
            let _ = write!(text, "- `{}` ({}) {}", attribute.name, label(attribute), attribute.description);
            if let Some(inner) = nested(&attribute.kind) {
                let path: Vec<&str> = path.iter().copied().chain([attribute.name]).collect();
                let _ = write!(text, " (see [below for nested schema](#{}))", anchor(&path));
                open.push_back(Nested { path, object: inner });
            }
            text.push('\n');
        }
    }
}

fn anchor(path: &[&str]) -> String {
    format!("nestedatt--{}", path.join("--"))
}

fn nested(kind: &Kind) -> Option<&Object> {
    match kind {
        Kind::Object(object) => Some(object),
        Kind::List(inner) | Kind::Map(inner) => nested(inner),
        Kind::String | Kind::Bool | Kind::Number => None,
    }
}

fn label(attribute: &Attribute) -> String {
    let mut label = of(&attribute.kind);
    if attribute.sensitive {
        label.push_str(", Sensitive");
    }
    if attribute.write_only {
        label.push_str(", ");
        label.push_str(WRITE_ONLY);
    }
    label
}

fn of(kind: &Kind) -> String {
    match kind {
        Kind::String => "String".to_owned(),
        Kind::Bool => "Boolean".to_owned(),
        Kind::Number => "Number".to_owned(),
        Kind::Object(_) => "Attributes".to_owned(),
        Kind::List(inner) if nested(inner).is_some() => "Attributes List".to_owned(),
        Kind::Map(inner) if nested(inner).is_some() => "Attributes Map".to_owned(),
        Kind::List(inner) => format!("List of {}", of(inner)),
        Kind::Map(inner) => format!("Map of {}", of(inner)),
    }
}

/// The signature of a function, its argument, and what it answers.
pub(crate) fn function(name: &str, function: &Function) -> String {
    let mut text = format!(
        "\n## Signature\n\n```text\n{name}(path string) {}\n```\n\n## Arguments\n\n1. `path` (String) {}\n",
        function.returns, function.argument
    );
    if !function.members.is_empty() {
        text.push_str("\n## Return Value\n\nAn object with these attributes:\n\n");
        for (name, kind, description) in &function.members {
            let _ = writeln!(text, "- `{name}` ({}) {description}", of(kind));
        }
    }
    text
}
