//! Computed attributes of the resource: what is known before applying, and all of them after.

use std::collections::BTreeMap;

use eventual_schema::openapi;

use super::Artifact;
use crate::declaration::DEPLOYMENT;
use crate::desired::{Desired, Place};
use crate::plan::{Change, Plan};
use crate::policy;
use crate::resource::Resource;
use crate::state::{Recorded, State, to_value};
use crate::value::Value;

/// Names of all computed attributes.
pub(super) const COMPUTED: [&str; 13] = [
    "id",
    "url",
    "account_id",
    "region",
    "event_bus_arn",
    "artifact_sha256",
    "functions",
    "resources",
    "openapi_json",
    "grants",
    "tags_all",
    "incarnation",
    DEPLOYMENT,
];

/// Everything from which computed attributes follow.
pub(super) struct Facts<'a> {
    pub(super) artifact: &'a Artifact,
    pub(super) place: &'a Place,
    pub(super) desired: &'a Desired,
    pub(super) tags_unknown: bool,
    pub(super) state: &'a State,
    /// What has yet to be applied.
    pub(super) plan: &'a Plan,
}

fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

fn optional(document: Option<String>) -> Value {
    document.map_or(Value::Null, Value::String)
}

impl Facts<'_> {
    /// All computed attributes but that of the run, which does not follow from facts.
    pub(super) fn computed(&self) -> BTreeMap<&'static str, Value> {
        let manifest = &self.artifact.manifest;
        let names =
            manifest.functions.iter().map(|it| (it.name.clone(), text(self.place.alias_arn(&it.name))));
        let bus = (!manifest.events.is_empty()).then(|| self.place.bus_arn());
        let incarnation =
            if self.state.incarnation.is_empty() { Value::Unknown } else { text(&self.state.incarnation) };
        let tags = self.desired.tags.iter().map(|(key, value)| (key.clone(), text(value)));
        BTreeMap::from([
            ("id", text(self.place.service())),
            ("url", self.api("url")),
            ("account_id", text(&self.place.identity().account)),
            ("region", text(&self.place.identity().region)),
            ("event_bus_arn", optional(bus)),
            ("artifact_sha256", text(&self.artifact.sha256)),
            ("functions", Value::map(names)),
            ("resources", self.resources()),
            ("openapi_json", self.openapi()),
            ("grants", self.grants()),
            ("tags_all", if self.tags_unknown { Value::Unknown } else { Value::map(tags) }),
            ("incarnation", incarnation),
        ])
    }

    /// An attribute of the API: null without an API, unknown before it is made.
    fn api(&self, name: &str) -> Value {
        if !self.desired.resources.contains_key("api") {
            return Value::Null;
        }
        let made_anew = matches!(self.plan.changes.get("api"), Some(Change::Create(_)));
        match self.state.lookup("api", name) {
            Some(value) if !made_anew => text(value),
            _ => Value::Unknown,
        }
    }

    fn openapi(&self) -> Value {
        let url = self.api("url");
        if url.is_unknown() {
            return Value::Unknown;
        }
        text(openapi::openapi(&self.artifact.manifest, url.as_str()).to_string())
    }

    fn grants(&self) -> Value {
        let id = self.api("api_id");
        let grants = policy::grants(&self.artifact.manifest, self.place, id.as_str());
        Value::map([
            ("start_execution_json", optional(grants.start_execution)),
            ("send_signal_json", optional(grants.send_signal)),
            ("emit_events_json", optional(grants.emit_events)),
            ("invoke_json", if id.is_unknown() { Value::Unknown } else { optional(grants.invoke) }),
        ])
    }

    /// `resources`: what is, and for what changes what is known of it.
    fn resources(&self) -> Value {
        let mut resources = BTreeMap::new();
        for (key, child) in &self.state.children {
            resources.insert(key.clone(), to_value(child));
        }
        for (key, change) in &self.plan.changes {
            match change {
                Change::Create(resource) => resources.insert(key.clone(), planned(resource, None)),
                Change::Update(resource, recorded) => {
                    resources.insert(key.clone(), planned(resource, Some(recorded)))
                }
                Change::Delete(_) => resources.remove(key),
            };
        }
        Value::Map(resources)
    }
}

fn planned(resource: &Resource, recorded: Option<&Recorded>) -> Value {
    let arn = match (&resource.arn, recorded) {
        (Some(arn), _) => text(arn),
        // What has an ARN of the cloud's choice keeps it, unless what it refers to is made anew.
        (None, Some(recorded)) if resource.spec.references().is_empty() => text(&recorded.arn),
        (None, _) => Value::Unknown,
    };
    Value::map([
        ("type", text(resource.kind().as_str())),
        ("name", text(&resource.name)),
        ("arn", arn),
        ("fingerprint", resource.fingerprint().map_or(Value::Unknown, Value::String)),
        ("attributes", Value::Unknown),
    ])
}
