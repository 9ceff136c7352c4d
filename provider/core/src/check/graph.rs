//! The graph itself: whatever a resource waits for is there, nothing waits for itself, and what lies in something or points
//! to something finds it.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::resource::{Kind, Resource, Spec};

/// References that lead nowhere, circles, and ends without a resource.
pub(super) fn check(desired: &Desired) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let mut waits = BTreeMap::new();
    for (key, resource) in &desired.resources {
        let needs = resource.depends_on();
        for missing in needs.iter().filter(|it| !desired.resources.contains_key(*it)) {
            wrong.push(format!("{key} needs {missing}, which is not there"));
        }
        waits.insert(key.as_str(), needs);
        wrong.extend(ends(desired, resource));
    }
    if wrong.is_empty() {
        wrong.extend(circle(waits));
    }
    let bug = |what: String| {
        let detail = format!("{what}. This is a bug of the provider, please report it; nothing was changed.");
        Diagnostic::error("The graph does not hold", detail)
    };
    wrong.into_iter().map(bug).collect()
}

fn named(desired: &Desired, kind: Kind, name: &str) -> bool {
    desired.resources.values().any(|it| it.kind() == kind && it.name == name)
}

fn at(desired: &Desired, kind: Kind, arn: &str) -> bool {
    desired.resources.values().any(|it| it.kind() == kind && it.arn.as_deref() == Some(arn))
}

/// The alias of a function of ours.
fn alias(desired: &Desired, arn: &str) -> bool {
    arn.rsplit_once(':').is_some_and(|(function, _)| at(desired, Kind::Function, function))
}

/// Whatever the spec names must be one of ours.
fn ends(desired: &Desired, resource: &Resource) -> Vec<String> {
    let mut missing = Vec::new();
    let mut need = |there: bool, what: &str, which: &str| {
        if !there {
            missing.push(format!("{}: there is no {what} {which}", resource.key));
        }
    };
    match &resource.spec {
        Spec::Function(spec) => {
            need(at(desired, Kind::Role, &spec.role), "role", &spec.role);
            need(named(desired, Kind::Artifact, &spec.code_object), "artifact", &spec.code_object);
            need(named(desired, Kind::Bucket, &spec.code_bucket), "bucket", &spec.code_bucket);
        }
        Spec::InvokeConfig(spec) => {
            need(named(desired, Kind::Function, &spec.function), "function", &spec.function);
            need(at(desired, Kind::Queue, &spec.on_failure), "queue", &spec.on_failure);
        }
        Spec::Mapping(spec) => {
            need(named(desired, Kind::Function, &spec.function), "function", &spec.function)
        }
        Spec::Permission(spec) => {
            need(named(desired, Kind::Function, &spec.function), "function", &spec.function);
        }
        Spec::Queue(spec) => {
            if let Some(dead) = &spec.dead_letters {
                let same = |it: &&Resource| matches!(&it.spec, Spec::Queue(other) if other.fifo == spec.fifo);
                let queue = desired.resources.values().find(|it| it.arn.as_deref() == Some(&dead.arn));
                need(queue.as_ref().is_some_and(same), "dead-letter queue of the same kind", &dead.arn);
            }
        }
        Spec::Route(spec) => need(alias(desired, &spec.target), "function behind", &spec.target),
        Spec::Rule(spec) => {
            need(named(desired, Kind::Bus, &spec.bus), "event bus", &spec.bus);
            need(alias(desired, &spec.target), "function behind", &spec.target);
            need(at(desired, Kind::Queue, &spec.dead_letters), "queue", &spec.dead_letters);
        }
        _ => {}
    }
    missing
}

/// The resources that wait for each other, if some do; of each, what it waits for.
fn circle(mut waits: BTreeMap<&str, BTreeSet<String>>) -> Option<String> {
    loop {
        let free: Vec<&str> = waits
            .iter()
            .filter(|(_, needs)| !needs.iter().any(|it| waits.contains_key(it.as_str())))
            .map(|it| *it.0)
            .collect();
        if free.is_empty() {
            break;
        }
        for key in free {
            waits.remove(key);
        }
    }
    let left: Vec<&str> = waits.into_keys().collect();
    (!left.is_empty()).then(|| format!("{} wait for each other", left.join(", ")))
}
