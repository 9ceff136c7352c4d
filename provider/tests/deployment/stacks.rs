//! The benchmark's service as CloudFormation is given it, step by step. With `EVENTUAL_BENCH_FOLDER` set, as `cargo xtask bench --only
//! deploy` sets it, the steps are written there for `emulator/tools/stack.py`; without, only that the templates hold together is shown.

use std::collections::BTreeMap;
use std::path::Path;

use eventual_provider_core::cloud::Identity;
use eventual_provider_core::config;
use eventual_provider_core::desired::{self, Inputs, Place};
use eventual_provider_core::resource::{Resource, Spec};
use eventual_provider_core::value::Value;
use eventual_schema::digest;
use serde_json::{Value as Json, json};

use super::bench::manifest;
use super::formation::{Template, template};
use super::{Probe, zip};

/// Where the code lies before there is a stack.
const CODE: &str = "bench-formation-code";

/// What the stack is like: with that generation of the code, and perhaps other memory for one command.
fn resources(folder: &Path, generation: u32, memory: &[(&str, f64)]) -> BTreeMap<String, Resource> {
    let path = folder.join(format!("{generation}.zip")).to_string_lossy().into_owned();
    let probe = Probe { path: path.clone(), generation, needed: 0, manifest: manifest() };
    let manifest = probe.manifest();
    zip(Path::new(&path), generation, 0, &manifest);
    let commands = memory.iter().map(|(name, mb)| (*name, Value::map([("memory_mb", Value::Number(*mb))])));
    let configured = Value::map([
        ("name", Value::String("formation".to_owned())),
        ("artifact", Value::String(path.clone())),
        ("tags", Value::map([("team", Value::String("tests".to_owned()))])),
        ("commands", Value::map(commands)),
    ]);
    let (configured, wrong) = config::service(&configured);
    assert_eq!(wrong, []);
    let identity = Identity {
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
    };
    let inputs = Inputs {
        manifest: &manifest,
        sha256: &digest::sha256_hex(&std::fs::read(&path).unwrap()),
        path: &path,
        config: &configured,
        place: &Place::new("formation", &identity),
        default_tags: &BTreeMap::new(),
    };
    let (desired, wrong) = desired::desired(&inputs);
    assert_eq!(wrong, []);
    desired.resources
}

/// Logical ids that a definition needs.
fn needs(definition: &Json, found: &mut Vec<String>) {
    match definition {
        Json::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("Ref", Json::String(id)) => found.push(id.clone()),
                    ("Fn::GetAtt", Json::Array(parts)) => found.extend(parts[0].as_str().map(str::to_owned)),
                    ("DependsOn", Json::Array(ids)) => {
                        found.extend(ids.iter().filter_map(Json::as_str).map(str::to_owned));
                    }
                    (_, value) => needs(value, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|it| needs(it, found)),
        _ => {}
    }
}

/// How many resources, at most, wait for one another.
fn chain(template: &Template) -> usize {
    fn length(template: &Template, id: &str, known: &mut BTreeMap<String, usize>) -> usize {
        if let Some(length) = known.get(id) {
            return *length;
        }
        let mut needed = Vec::new();
        needs(&template[id], &mut needed);
        let before = needed.iter().map(|it| length(template, it, known)).max().unwrap_or_default();
        known.insert(id.to_owned(), before + 1);
        before + 1
    }
    let mut known = BTreeMap::new();
    template.keys().map(|id| length(template, id, &mut known)).max().unwrap_or_default()
}

fn step(what: &str, folder: &Path, generation: u32, memory: &[(&str, f64)]) -> Json {
    let resources = resources(folder, generation, memory);
    let object = resources.values().find_map(|it| match &it.spec {
        Spec::Artifact(spec) => Some(spec.object.clone()),
        _ => None,
    });
    let template = template(&resources, CODE);
    json!({
        "what": what, "stack": "formation", "bucket": CODE, "object": object.unwrap(),
        "code": folder.join(format!("{generation}.zip")), "chain": chain(&template),
        "template": {"AWSTemplateFormatVersion": "2010-09-09", "Resources": template},
    })
}

#[test]
fn templates_hold_together_and_differ_where_the_service_does() {
    let temporary = tempfile::TempDir::new().unwrap();
    let folder = std::env::var("EVENTUAL_BENCH_FOLDER").map_or(temporary.path().to_owned(), Into::into);
    let steps = [
        step("create", &folder, 1, &[]),
        step("one override", &folder, 1, &[("command1", 1024.0)]),
        step("new code", &folder, 2, &[("command1", 1024.0)]),
    ];
    let resources = |step: &Json| step["template"]["Resources"].as_object().unwrap().clone();
    let first = resources(&steps[0]);
    let functions = first.values().filter(|it| it["Type"] == "AWS::Lambda::Function").count();
    assert_eq!(functions, 20);
    for (id, definition) in &first {
        let mut needed = Vec::new();
        needs(definition, &mut needed);
        assert!(needed.iter().all(|it| first.contains_key(it)), "{id} needs one of {needed:?}");
    }
    let changed = |from: &Json, to: &Json| {
        let (from, to) = (resources(from), resources(to));
        to.iter().filter(|(id, definition)| from.get(*id) != Some(definition)).count()
    };
    assert_eq!(changed(&steps[0], &steps[1]), 3, "a function, its version, its alias");
    assert_eq!(changed(&steps[1], &steps[2]), 60, "those of every function");
    std::fs::write(folder.join("steps.json"), json!(steps).to_string()).unwrap();
}
