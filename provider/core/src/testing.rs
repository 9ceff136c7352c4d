//! What the crate's own tests share: a small service, and where it is deployed.

use std::collections::BTreeMap;

use eventual_schema::Manifest;
use eventual_schema::functions::default_functions;

use crate::config;
use crate::declaration::DEPLOYMENT;
use crate::desired::{Desired, Inputs, Place, desired};
use crate::diagnostic::Diagnostic;
use crate::request::{Artifact, Artifacts, Identity, Scope};
use crate::value::Value;

/// The manifest of a service with one of everything.
const MANIFEST: &str = r#"{
    "format": 1, "service": "shop", "version": "1.0.0", "code": {"sha256": "c0de", "architecture": "arm64"}, "functions": [],
    "commands": [
        {"name": "placeOrder", "input": {}, "output": {}, "route": {"method": "POST", "path": "/orders"}, "auth": {"type": "none"},
         "needs": [{"kind": "workflow", "name": "processOrder"}], "source": {"file": "src/lib.rs", "line": 1}},
        {"name": "shipOrder", "input": {}, "output": {}, "auth": {"type": "iam"},
         "needs": [{"kind": "signal", "name": "orderShipped"}], "source": {"file": "src/lib.rs", "line": 2}},
        {"name": "health", "input": {}, "output": {}, "auth": {"type": "none"}, "source": {"file": "src/lib.rs", "line": 3}}
    ],
    "tasks": [
        {"name": "pay", "input": {}, "output": {}, "needs": [{"kind": "event", "name": "Paid"}], "timeout_s": 20, "source": {"file": "src/lib.rs", "line": 4}},
        {"name": "note", "inline": true, "input": {}, "output": {}, "source": {"file": "src/lib.rs", "line": 5}}
    ],
    "workflows": [{"name": "processOrder", "input": {}, "output": {}, "source": {"file": "src/lib.rs", "line": 6}}],
    "subscriptions": [{"name": "onPaid", "event": "Paid", "source": {"file": "src/lib.rs", "line": 7}}],
    "events": [{"name": "Paid", "payload": {}, "source": {"file": "src/lib.rs", "line": 8}}]
}"#;

/// The artifact of that service, or of a part of it.
pub(crate) struct Shop {
    pub(crate) manifest: Manifest,
    pub(crate) sha256: String,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let mut manifest = Manifest::from_json(MANIFEST.as_bytes()).unwrap();
        manifest.functions = default_functions(&manifest);
        Self { manifest, sha256: "a".repeat(64) }
    }

    /// Only its commands that need nothing.
    pub(crate) fn commands_only() -> Self {
        let mut shop = Self::new();
        let manifest = &mut shop.manifest;
        manifest.commands.retain(|it| it.needs.is_empty());
        (manifest.tasks, manifest.workflows, manifest.subscriptions, manifest.events) = Default::default();
        manifest.functions = default_functions(manifest);
        shop
    }

    /// With one command, one workflow and one subscription.
    pub(crate) fn small() -> Self {
        let mut shop = Self::new();
        let manifest = &mut shop.manifest;
        manifest.commands.truncate(1);
        manifest.tasks.clear();
        manifest.functions = default_functions(manifest);
        shop
    }

    /// The same without the workflow, and with another command.
    pub(crate) fn smaller() -> Self {
        let mut shop = Self::new();
        let manifest = &mut shop.manifest;
        manifest.commands.drain(..2);
        (manifest.tasks, manifest.workflows) = Default::default();
        manifest.functions = default_functions(manifest);
        shop
    }

    /// Another build of the same service.
    pub(crate) fn rebuilt(mut self) -> Self {
        self.sha256 = "b".repeat(64);
        self.manifest.code.as_mut().unwrap().sha256 = "c0de2".to_owned();
        self
    }

    pub(crate) fn desired(&self, config: &Value) -> (Desired, Vec<Diagnostic>) {
        self.desired_at(&identity(), config)
    }

    /// The same, deployed there.
    pub(crate) fn desired_at(&self, identity: &Identity, config: &Value) -> (Desired, Vec<Diagnostic>) {
        let (config, wrong) = config::service(config);
        assert_eq!(wrong, []);
        let place = Place::new("shop", identity);
        let default_tags = BTreeMap::new();
        desired(&Inputs {
            manifest: &self.manifest,
            sha256: &self.sha256,
            path: "shop.zip",
            config: &config,
            place: &place,
            default_tags: &default_tags,
        })
    }
}

impl Artifacts for Shop {
    fn open(&self, path: &str) -> Result<Artifact, String> {
        if path != "shop.zip" {
            return Err(format!("{path} is not there"));
        }
        Ok(Artifact { manifest: self.manifest.clone(), sha256: self.sha256.clone(), path: path.to_owned() })
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
    }
}

/// No tags of the provider.
pub(crate) const NO_TAGS: &BTreeMap<String, String> = &BTreeMap::new();

pub(crate) fn scope<'a>(shop: &'a Shop, identity: Option<&'a Identity>) -> Scope<'a> {
    Scope { artifacts: shop, identity, default_tags: NO_TAGS }
}

/// The least configuration.
pub(crate) fn minimal() -> Value {
    Value::map([
        ("name", Value::String("shop".to_owned())),
        ("artifact", Value::String("shop.zip".to_owned())),
    ])
}

/// The configuration with one more attribute.
pub(crate) fn with(mut config: Value, name: &str, value: Value) -> Value {
    config.set(name, value);
    config
}

/// The state without what the last run came to, which no two runs share.
pub(crate) fn lasting(state: &Value) -> Value {
    with(state.clone(), DEPLOYMENT, Value::Null)
}
