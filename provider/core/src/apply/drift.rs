//! Every setting of every child, changed behind our back one at a time: reading names it, planning repairs that child and
//! no other, applying makes it what it was. And every child, removed. How settings are read from AWS is not seen here.

use std::collections::{BTreeMap, BTreeSet};

use super::fake::Fake;
use super::tests::run;
use crate::request::{self, Action, Control, Drift, ReadBack};
use crate::resource::Kind;
use crate::state::{Recorded, State};
use crate::testing::{Shop, identity, lasting, minimal, scope, with};
use crate::value::Value;

/// What must be noticed of each kind. `authorizer` stands for each of them.
const SETTINGS: [(Kind, &[&str]); 13] = [
    (Kind::Api, &["authorizer", "cors", "endpoint", "name", "stage", "stage_tags", "tags"]),
    (
        Kind::Bucket,
        &["encryption", "lifecycle", "notifications", "policy", "public_access", "tags", "versioning"],
    ),
    (Kind::Bus, &["tags"]),
    (
        Kind::Function,
        &[
            "alias",
            "architecture",
            "description",
            "environment",
            "handler",
            "layers",
            "memory",
            "reserved_concurrency",
            "role",
            "runtime",
            "scratch_space",
            "tags",
            "timeout",
            "vpc",
        ],
    ),
    (Kind::InvokeConfig, &["on_failure", "on_success", "retries"]),
    (Kind::LogGroup, &["retention", "tags"]),
    (
        Kind::Mapping,
        &[
            "answers",
            "batch",
            "bisect",
            "concurrency",
            "enabled",
            "filter",
            "function",
            "on_failure",
            "retries",
            "tags",
            "window",
        ],
    ),
    (Kind::Permission, &["statement"]),
    (
        Kind::Queue,
        &["dead_letters", "delay", "encryption", "order", "policy", "retention", "tags", "visibility"],
    ),
    (Kind::Role, &["attached_policies", "inline_policies", "policy", "tags", "trust"]),
    (Kind::Route, &["payload", "routes", "target", "timeout"]),
    (Kind::Rule, &["pattern", "state", "tags", "targets"]),
    (
        Kind::Table,
        &[
            "billing",
            "deletion_protection",
            "index",
            "point_in_time_recovery",
            "stream",
            "tags",
            "time_to_live",
        ],
    ),
];

/// The whole service, with authorizers and CORS.
fn config() -> Value {
    let auth = Value::map([
        ("type", Value::from("jwt")),
        ("issuer", Value::from("https://issuer.example")),
        ("audience", Value::List(vec![Value::from("shop")])),
    ]);
    let override_ = Value::map([("auth", auth)]);
    let origins = Value::List(vec![Value::from("https://shop.example")]);
    let config = with(minimal(), "commands", Value::map([("placeOrder", override_)]));
    with(config, "cors", Value::map([("allow_origins", origins)]))
}

struct Deployed {
    cloud: Fake,
    shop: Shop,
    state: Value,
}

impl Deployed {
    fn new() -> Self {
        let (cloud, shop) = (Fake::default(), Shop::new());
        let mut deployed = Self { cloud, shop, state: Value::Null };
        deployed.state = deployed.applied(None);
        deployed.cloud.writes();
        deployed
    }

    fn applied(&self, prior: Option<&Value>) -> Value {
        let identity = identity();
        let scope = scope(&self.shop, Some(&identity));
        let planned = request::plan(&scope, prior, &config());
        assert_eq!(planned.diagnostics, []);
        let control = Control::new("tests");
        let applied =
            run(request::apply(&scope, &self.cloud, prior, &planned.planned, &control)).expect("it ends");
        assert_eq!(applied.diagnostics, []);
        applied.state.unwrap()
    }

    fn read(&self) -> ReadBack {
        let identity = identity();
        run(request::read(&scope(&self.shop, Some(&identity)), &self.cloud, &self.state)).expect("it ends")
    }

    fn planned(&self, state: &Value) -> Vec<(String, Action)> {
        let identity = identity();
        let planned = request::plan(&scope(&self.shop, Some(&identity)), Some(state), &config());
        planned.changes.into_iter().map(|change| (change.key, change.action)).collect()
    }

    fn children(&self) -> BTreeMap<String, Recorded> {
        State::from_value(&self.state).children
    }
}

#[test]
fn every_setting_of_every_child_is_seen_named_and_repaired() {
    let deployed = Deployed::new();
    let mut seen: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for (key, child) in deployed.children() {
        let before = deployed.cloud.settings(&child);
        for setting in before.keys() {
            deployed.cloud.tamper(&child, setting);
            let read = deployed.read();
            assert_eq!(read.drift, [Drift { key: key.clone(), changed: vec![setting.clone()] }]);
            let told = read.diagnostics[0].to_string();
            assert!(told.contains(&format!("{key}: {setting}")), "{told}");
            let state = read.state.unwrap();
            assert_eq!(deployed.planned(&state), [(key.clone(), Action::Update)], "{setting}");
            let repaired = deployed.applied(Some(&state));
            assert_eq!(deployed.cloud.settings(&child), before, "{key} {setting}");
            assert_eq!(lasting(&repaired), lasting(&deployed.state), "{key} {setting}");
            let read = deployed.read();
            assert_eq!(read.state.as_ref().map(lasting), Some(lasting(&repaired)));
            assert_eq!((read.drift, read.diagnostics), (Vec::new(), Vec::new()));
            let name = setting.split('/').next().unwrap().to_owned();
            seen.entry(child.kind).or_default().insert(name);
        }
    }
    let expected: BTreeMap<Kind, BTreeSet<String>> = SETTINGS
        .iter()
        .map(|(kind, names)| (*kind, names.iter().map(|name| (*name).to_owned()).collect()))
        .chain([(Kind::ScheduleGroup, ["tags".to_owned()].into())])
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn every_child_that_is_gone_is_seen_named_and_made_again() {
    let deployed = Deployed::new();
    for (key, child) in deployed.children() {
        if child.kind == Kind::Bucket {
            continue; // With it goes the record of whose everything is; that is another story.
        }
        let function = child.attribute("function");
        let name = match child.kind {
            Kind::Permission => format!("{function} {}", child.name),
            _ => child.name.clone(),
        };
        deployed.cloud.remove(child.kind, &name);
        let read = deployed.read();
        assert_eq!(read.drift, [Drift { key: key.clone(), changed: Vec::new() }]);
        assert!(read.diagnostics[0].to_string().contains(&format!("{key} is missing")));
        let state = read.state.unwrap();
        assert!(deployed.planned(&state).contains(&(key.clone(), Action::Create)), "{key}");
        let repaired = deployed.applied(Some(&state));
        assert_eq!(deployed.planned(&repaired), [], "{key}");
    }
    assert_eq!(deployed.read().drift, []);
}
