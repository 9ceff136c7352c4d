//! What differs between the state of a service and what was planned for it, attribute by attribute.
//!
//! The core decides whether anything changes; this only says where, in Pulumi's terms, for the display of `--diff`.

use std::collections::BTreeMap;

use eventual_provider_core::declaration::{Attribute, DEPLOYMENT, Kind, Mode, Object, service};
use eventual_provider_core::path::{Path, Step};
use eventual_provider_core::value::Value;
use eventual_provider_wire::pulumirpc::property_diff::Kind as Change;
use eventual_provider_wire::pulumirpc::{DiffResponse, PropertyDiff, diff_response::DiffChanges};

use super::names;

/// The answer to Diff.
pub(crate) fn between(prior: &Value, planned: &Value, replace: &[Path]) -> DiffResponse {
    let mut found = Found::default();
    found.object(service(), prior, planned, &Path::root(), |mode| mode != Mode::Computed);
    let of_inputs = !found.changes.is_empty();
    if !of_inputs {
        // Nothing that the user wrote changed, so it is the cloud or the provider's own configuration.
        found.object(service(), prior, planned, &Path::root(), |mode| mode == Mode::Computed);
    }
    answer(&found.changes, of_inputs, replace)
}

fn answer(changes: &BTreeMap<Path, Change>, of_inputs: bool, replace: &[Path]) -> DiffResponse {
    let mut response = DiffResponse {
        // Physical names are made of the service's name: the new one cannot stand beside the old one.
        delete_before_replace: true,
        changes: if changes.is_empty() { DiffChanges::DiffNone } else { DiffChanges::DiffSome }.into(),
        has_detailed_diff: !changes.is_empty(),
        ..DiffResponse::default()
    };
    for (path, change) in changes {
        let top = top_level(path);
        let replaces = replace.iter().any(|it| related(it, path));
        let change = if replaces { replacing(*change) } else { *change };
        if replaces && !response.replaces.contains(&top) {
            response.replaces.push(top.clone());
        }
        if !response.diffs.contains(&top) {
            response.diffs.push(top);
        }
        let difference = PropertyDiff { kind: change.into(), input_diff: of_inputs };
        response.detailed_diff.insert(names::path(path), difference);
    }
    if response.replaces.is_empty() {
        response.stables = STABLES.map(names::camel).to_vec();
    }
    response
}

/// Outputs that live as long as the service.
const STABLES: [&str; 3] = ["name", "event_bus_arn", "incarnation"];

fn top_level(path: &Path) -> String {
    match path.0.first() {
        Some(Step::Attr(name)) => names::camel(name),
        Some(Step::Key(_) | Step::Index(_)) | None => String::new(),
    }
}

/// Whether one of the paths leads to or through the other.
fn related(one: &Path, other: &Path) -> bool {
    one.0.iter().zip(&other.0).all(|(a, b)| a == b)
}

fn replacing(change: Change) -> Change {
    match change {
        Change::Add | Change::AddReplace => Change::AddReplace,
        Change::Delete | Change::DeleteReplace => Change::DeleteReplace,
        Change::Update | Change::UpdateReplace => Change::UpdateReplace,
    }
}

#[derive(Default)]
struct Found {
    changes: BTreeMap<Path, Change>,
}

impl Found {
    fn object(&mut self, object: &Object, old: &Value, new: &Value, path: &Path, wanted: fn(Mode) -> bool) {
        let told = |it: &&Attribute| wanted(it.mode) && it.name != DEPLOYMENT;
        for attribute in names::attributes(object).filter(told) {
            let (old, new) = (old.get(attribute.name), new.get(attribute.name));
            self.value(&attribute.kind, old, new, &path.attr(attribute.name));
        }
    }

    fn value(&mut self, kind: &Kind, old: &Value, new: &Value, path: &Path) {
        if old.same(new) {
            return;
        }
        match (old, new, kind) {
            (Value::Map(_), Value::Map(_), Kind::Object(object)) => {
                self.object(object, old, new, path, |_| true)
            }
            (Value::Map(before), Value::Map(after), Kind::Map(inner)) => {
                let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                for key in keys {
                    self.value(inner, old.get(key), new.get(key), &path.key(key));
                }
            }
            (Value::List(before), Value::List(after), Kind::List(inner)) => {
                for index in 0..before.len().max(after.len()) {
                    let item = |items: &[Value]| items.get(index).cloned().unwrap_or_default();
                    self.value(inner, &item(before), &item(after), &path.index(index));
                }
            }
            _ if old.is_null() => self.note(path, Change::Add),
            _ if new.is_null() => self.note(path, Change::Delete),
            _ => self.note(path, Change::Update),
        }
    }

    fn note(&mut self, path: &Path, change: Change) {
        self.changes.insert(path.clone(), change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(megabytes: u32) -> Value {
        Value::map([("memory_mb", Value::from(megabytes))])
    }

    fn service(members: Vec<(&str, Value)>) -> Value {
        Value::map([vec![("name", Value::from("orders"))], members].concat())
    }

    fn details(response: &DiffResponse) -> Vec<(String, Change)> {
        response
            .detailed_diff
            .iter()
            .map(|(path, it)| (path.clone(), it.kind()))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect()
    }

    #[test]
    fn nested_changes_are_told_by_their_path() {
        let old =
            service(vec![("commands", Value::map([("place_order", memory(256)), ("gone", memory(1))]))]);
        let new = service(vec![("commands", Value::map([("place_order", memory(512)), ("new", memory(1))]))]);
        let response = between(&old, &new, &[]);
        assert_eq!(
            details(&response),
            [
                ("commands.gone".to_owned(), Change::Delete),
                ("commands.new".to_owned(), Change::Add),
                ("commands.place_order.memoryMb".to_owned(), Change::Update),
            ]
        );
        assert_eq!(response.diffs, ["commands"]);
        assert!(response.replaces.is_empty() && response.delete_before_replace);
        assert_eq!(response.changes(), DiffChanges::DiffSome);
    }

    #[test]
    fn a_replacing_path_replaces_at_its_top() {
        let response =
            between(&service(vec![]), &Value::map([("name", Value::from("other"))]), &[Path::of("name")]);
        assert_eq!(details(&response), [("name".to_owned(), Change::UpdateReplace)]);
        assert_eq!(response.replaces, ["name"]);
        assert!(response.stables.is_empty());
    }

    #[test]
    fn what_only_the_cloud_changed_is_no_difference_of_inputs() {
        let table = Value::map([("type", Value::from("table"))]);
        let old = service(vec![("resources", Value::map([("table", table.clone())]))]);
        let new = service(vec![("resources", Value::map([("table", table), ("queue", Value::Unknown)]))]);
        let response = between(&old, &new, &[]);
        assert_eq!(details(&response), [("resources.queue".to_owned(), Change::Add)]);
        assert!(!response.detailed_diff["resources.queue"].input_diff);
    }

    #[test]
    fn marks_of_secrets_are_no_change_and_their_insides_are_not_told() {
        let plain = |text: &str| Value::map([("TOKEN", Value::from(text))]);
        let marked = |text: &str| service(vec![("environment", plain(text).secret())]);
        assert_eq!(
            between(&service(vec![("environment", plain("a"))]), &marked("a"), &[]).changes(),
            DiffChanges::DiffNone
        );
        assert_eq!(
            details(&between(&marked("a"), &marked("b"), &[])),
            [("environment".to_owned(), Change::Update)]
        );
    }
}
