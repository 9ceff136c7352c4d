//! Whether a configuration has the shape that the declaration says: names, kinds, what is required.
//!
//! Ranges are not looked at here. Nulls and unknowns fit everywhere, except that a required attribute is not null.

use eventual_schema::nearest::nearest;

use crate::declaration::{Attribute, Kind, Mode, Object};
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::value::Value;

/// Adds a diagnostic for everything in `value` that does not fit `object`.
pub(super) fn check(object: &Object, value: &Value, path: &Path, diagnostics: &mut Vec<Diagnostic>) {
    let Some(members) = value.as_map() else { return };
    for (name, member) in members {
        match object.attribute(name) {
            Some(attribute) if attribute.mode == Mode::Computed => {}
            Some(attribute) => check_kind(&attribute.kind, member, &path.attr(name), diagnostics),
            None => diagnostics.push(unknown_attribute(object, name).at(path.attr(name))),
        }
    }
    for attribute in object.attributes.iter().filter(|it| it.mode == Mode::Required) {
        if value.get(attribute.name).is_null() {
            let detail = format!("The attribute {:?} is required. {}", attribute.name, attribute.description);
            diagnostics.push(Diagnostic::error("Missing attribute", detail).at(path.attr(attribute.name)));
        }
    }
}

fn unknown_attribute(object: &Object, name: &str) -> Diagnostic {
    let settable =
        || object.attributes.iter().filter(|it| it.mode != Mode::Computed).map(|it: &Attribute| it.name);
    let hint = match nearest(name, settable()) {
        Some(near) => format!("Did you mean {near:?}?"),
        None => format!("It has {}.", settable().collect::<Vec<_>>().join(", ")),
    };
    Diagnostic::error("Unknown attribute", format!("There is no attribute {name:?} here. {hint}"))
}

fn check_kind(kind: &Kind, value: &Value, path: &Path, diagnostics: &mut Vec<Diagnostic>) {
    let expected = match (kind, value.reveal()) {
        (_, Value::Null | Value::Unknown)
        | (Kind::String, Value::String(_))
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Number, Value::Number(_)) => return,
        (Kind::List(inner), Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                check_item(inner, item, &path.index(index), diagnostics);
            }
            return;
        }
        (Kind::Map(inner), Value::Map(members)) => {
            for (key, member) in members {
                check_kind(inner, member, &path.key(key), diagnostics);
            }
            return;
        }
        (Kind::Object(object), Value::Map(_)) => return check(object, value, path, diagnostics),
        (Kind::String, _) => "text",
        (Kind::Bool, _) => "true or false",
        (Kind::Number, _) => "a number",
        (Kind::List(_), _) => "a list",
        (Kind::Map(_), _) => "a map",
        (Kind::Object(_), _) => "an object",
    };
    let detail = format!("Expected {expected} here, found {}.", value.kind_name());
    diagnostics.push(Diagnostic::error("Wrong kind of value", detail).at(path.clone()));
}

/// A null in a map means "not set"; in a list it has no meaning, so it is an error.
fn check_item(kind: &Kind, item: &Value, path: &Path, diagnostics: &mut Vec<Diagnostic>) {
    if item.is_null() {
        diagnostics
            .push(Diagnostic::error("Wrong kind of value", "An item of a list is null.").at(path.clone()));
    } else {
        check_kind(kind, item, path, diagnostics);
    }
}
