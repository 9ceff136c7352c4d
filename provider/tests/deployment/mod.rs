//! A deployment on the emulated AWS, driven through the core as the wires drive it.
//!
//! Its artifact's bootstrap is a shell script that echoes what it is invoked with: what runs is the functions' own matter. Asked
//! how many executions there are, it says that one is pinned to the code that the deployment says is needed.

mod bench;
mod checkup;
mod faults;
mod formation;
mod life;
mod policy;
mod stacks;
mod tampering;
pub(crate) mod tap;
mod versions;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use eventual_provider::ports::Session;
use eventual_provider::{Limits, connect_through};
use eventual_provider_core::config;
use eventual_provider_core::diagnostic::any_error;
use eventual_provider_core::request::{self, Action, Artifact, Artifacts, Control, Drift};
use eventual_provider_core::value::Value;
use eventual_schema::deploy::Names;
use eventual_schema::functions::default_functions;
use eventual_schema::{Manifest, digest};
use tempfile::TempDir;

use crate::emulated;
use tap::Tap;

const ECHO: &str = r#"#!/bin/sh
H=$(mktemp)
while true; do
 B=$(curl -sS -LD "$H" "http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next") || exit 1
 R=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$H" | tr -d "[:space:]" | cut -d: -f2)
 case "$B" in
  *NEEDED*'"op"'*'"count"'*) B='{"count":1,"complete":true}' ;;
  *'"op"'*'"count"'*) B='{"count":0,"complete":true}' ;;
 esac
 curl -sS "http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/$R/response" -d "$B" >/dev/null
done
"#;

const MANIFEST: &str = r#"{
    "format": 1, "service": "probe", "version": "1.0.0", "code": {"sha256": "CODE", "architecture": "x86_64"}, "functions": [],
    "commands": [
        {"name": "ping", "input": {}, "output": {}, "route": {"method": "GET", "path": "/ping/{id}"}, "auth": {"type": "none"}, "source": {"file": "src/lib.rs", "line": 1}},
        {"name": "begin", "input": {}, "output": {}, "auth": {"type": "iam"}, "needs": [{"kind": "workflow", "name": "flow"}], "source": {"file": "src/lib.rs", "line": 2}},
        {"name": "tell", "input": {}, "output": {}, "auth": {"type": "jwt", "issuer": "https://issuer.example", "audience": ["probe"]}, "needs": [{"kind": "event", "name": "Noted"}], "source": {"file": "src/lib.rs", "line": 3}}
    ],
    "tasks": [{"name": "work", "input": {}, "output": {}, "source": {"file": "src/lib.rs", "line": 4}}],
    "workflows": [{"name": "flow", "pinned": true, "input": {}, "output": {}, "source": {"file": "src/lib.rs", "line": 5}}],
    "subscriptions": [{"name": "noted", "event": "Noted", "source": {"file": "src/lib.rs", "line": 6}}],
    "events": [{"name": "Noted", "payload": {}, "source": {"file": "src/lib.rs", "line": 7}}]
}"#;

/// An artifact of our own.
struct Probe {
    path: String,
    generation: u32,
    /// The generation whose code an open execution is pinned to; 0 for none.
    needed: u32,
    manifest: String,
}

/// Hash of the code of a generation.
fn code_of(generation: u32) -> String {
    digest::sha256_hex(format!("bootstrap {generation}").as_bytes())
}

impl Artifacts for Probe {
    fn open(&self, path: &str) -> Result<Artifact, String> {
        assert_eq!(path, self.path);
        let zip = std::fs::read(path).map_err(|it| it.to_string())?;
        Ok(Artifact { manifest: self.manifest(), sha256: digest::sha256_hex(&zip), path: path.to_owned() })
    }
}

impl Probe {
    fn manifest(&self) -> Manifest {
        let code = code_of(self.generation);
        let mut manifest = Manifest::from_json(self.manifest.replace("CODE", &code).as_bytes()).unwrap();
        manifest.functions = default_functions(&manifest);
        manifest
    }

    fn write(&self) {
        zip(std::path::Path::new(&self.path), self.generation, self.needed, &self.manifest());
    }
}

/// One deployment.
pub(crate) struct Deployment {
    name: String,
    _folder: TempDir,
    probe: Probe,
    session: Session,
    endpoint: String,
    pub(crate) tap: Tap,
}

/// The configuration of the probe, with the memory of some commands.
pub(crate) fn service(deployment: &Deployment, memory: &[(&str, f64)]) -> Value {
    let commands = memory.iter().map(|(name, mb)| (*name, Value::map([("memory_mb", Value::Number(*mb))])));
    Value::map([
        ("name", Value::String(deployment.name.clone())),
        ("artifact", Value::String(deployment.probe.path.clone())),
        ("environment", Value::map([("GREETING", Value::String("hello".to_owned()).secret())])),
        ("tags", Value::map([("team", Value::String("tests".to_owned()))])),
        ("commands", Value::map(commands)),
        ("timeouts", Value::map([("create", Value::String("2m".to_owned()))])),
    ])
}

fn zip(path: &std::path::Path, generation: u32, needed: u32, manifest: &Manifest) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    let script = ECHO.replace("NEEDED", &code_of(needed));
    zip.write_all(format!("{script}# {generation}\n").as_bytes()).unwrap();
    zip.start_file("eventual.json", options).unwrap();
    zip.write_all(manifest.to_json().as_bytes()).unwrap();
    zip.finish().unwrap();
}

impl Deployment {
    /// Nothing is deployed yet.
    pub(crate) async fn new(name: &str) -> Self {
        Self::by(name, None).await
    }

    /// Nothing is deployed yet, and calls are as slow as AWS wants them to be.
    pub(crate) async fn paced(name: &str) -> Self {
        Self::with(name, None, Limits::Aws).await
    }

    /// One that is deployed by that role, or by who the environment says.
    pub(crate) async fn by(name: &str, role: Option<&str>) -> Self {
        Self::with(name, role, Limits::Endpoint).await
    }

    async fn with(name: &str, role: Option<&str>, limits: Limits) -> Self {
        let endpoint = emulated::setting("EVENTUAL_TEST_ENDPOINT");
        let role = role.map(|arn| Value::map([("role_arn", Value::String(arn.to_owned()))]));
        let settings = Value::map([
            ("assume_role", role.unwrap_or_default()),
            ("region", Value::String("us-east-1".to_owned())),
            ("endpoint", Value::String(endpoint.clone())),
            ("default_tags", Value::map([("made", Value::String("by a test".to_owned()))])),
        ]);
        let (settings, wrong) = config::provider(&settings);
        assert_eq!(wrong, []);
        let tap = Tap::new();
        let session = connect_through(&settings, tap.clone(), limits)
            .await
            .expect("credentials of the emulated AWS are in the environment");
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("probe.zip");
        let (path, manifest) = (path.to_string_lossy().into_owned(), MANIFEST.to_owned());
        let probe = Probe { path, generation: 1, needed: 0, manifest };
        probe.write();
        let name = format!("{name}-{}", std::process::id());
        Self { name, _folder: folder, probe, session, endpoint, tap }
    }

    /// One of another service, of which nothing is deployed yet.
    pub(crate) async fn of(name: &str, manifest: String) -> Self {
        let mut deployment = Self::new(name).await;
        deployment.probe.manifest = manifest;
        deployment.probe.write();
        deployment
    }

    /// How many functions its service has.
    pub(crate) fn functions(&self) -> usize {
        self.probe.open(&self.probe.path).unwrap().manifest.functions.len()
    }

    /// Another build of the same service.
    pub(crate) fn rebuild(&mut self) {
        self.probe.generation += 1;
        self.write();
    }

    /// Writes the artifact of this generation.
    fn write(&self) {
        self.probe.write();
    }

    /// What a plan changes.
    pub(crate) fn changes(&self, state: &Value, config: &Value) -> Vec<(String, Action)> {
        let planned = request::plan(&self.session.scope(&self.probe), Some(state), config);
        assert!(!any_error(&planned.diagnostics), "{:?}", planned.diagnostics);
        if planned.changes.is_empty() {
            assert_eq!(planned.planned, *state, "a plan without changes is the state");
        }
        planned.changes.into_iter().map(|change| (change.key, change.action)).collect()
    }

    /// Plans and applies, as the wires do.
    pub(crate) async fn apply(&self, prior: Option<&Value>, config: &Value) -> Value {
        let applied = self.attempt("tests", prior, config).await;
        assert_eq!(applied.diagnostics, []);
        applied.state.expect("it was made")
    }

    async fn attempt(&self, claimant: &str, prior: Option<&Value>, config: &Value) -> request::Applied {
        self.attempt_with(&Control::new(claimant), prior, config).await
    }

    /// Plans and applies, and answers whatever came out.
    pub(crate) async fn attempt_with(
        &self,
        control: &Control,
        prior: Option<&Value>,
        config: &Value,
    ) -> request::Applied {
        let scope = self.session.scope(&self.probe);
        let planned = request::plan(&scope, prior, config);
        assert!(!any_error(&planned.diagnostics), "{:?}", planned.diagnostics);
        let applied = request::apply(&scope, &*self.session.cloud, prior, &planned.planned, control).await;
        if let (Some(state), []) = (&applied.state, &applied.diagnostics[..]) {
            kept_promise(&planned.planned, state, "");
        }
        applied
    }

    /// The first deployment.
    pub(crate) async fn create(&self, config: &Value) -> Value {
        self.apply(None, config).await
    }

    /// What a creation in the name of somebody else says.
    pub(crate) async fn refused_as(&self, claimant: &str, config: &Value) -> String {
        let applied = self.attempt(claimant, None, config).await;
        assert_eq!(applied.state, None);
        applied.diagnostics.iter().map(ToString::to_string).collect()
    }

    /// A creation that ends in the middle, as if the process were killed: whatever is under way is dropped.
    pub(crate) async fn create_and_die(&self, config: &Value, after_ms: u64) {
        let ended = tokio::time::timeout(Duration::from_millis(after_ms), self.create(config)).await;
        assert!(ended.is_err(), "it was to be killed after {after_ms} ms and was done before");
    }

    /// Reads.
    pub(crate) async fn read(&self, state: &Value) -> Option<Value> {
        let read = request::read(&self.session.scope(&self.probe), &*self.session.cloud, state).await;
        assert_eq!(read.diagnostics, []);
        read.state
    }

    /// Reads what somebody changed: the state, what changed, and what the user is told.
    pub(crate) async fn read_changed(&self, state: &Value) -> (Value, Vec<Drift>, String) {
        let read = request::read(&self.session.scope(&self.probe), &*self.session.cloud, state).await;
        assert!(!any_error(&read.diagnostics), "{:?}", read.diagnostics);
        let told = read.diagnostics.iter().map(ToString::to_string).collect();
        (read.state.expect("most of it is there"), read.drift, told)
    }

    /// Destroys, and answers whatever came out.
    pub(crate) async fn attempt_destroy(&self, state: &Value) -> request::Applied {
        let control = Control::new("tests");
        request::destroy(&self.session.scope(&self.probe), &*self.session.cloud, state, &control).await
    }

    /// How many APIs bear the deployment's name, and how many integrations, routes and mappings it has.
    pub(crate) async fn counted(&self, state: &Value) -> [usize; 4] {
        let settings = self.settings().await;
        let gateway = aws_sdk_apigatewayv2::Client::new(&settings);
        let apis = gateway.get_apis().max_results("500").send().await.unwrap();
        let apis = apis.items().iter().filter(|it| it.name() == Some(&self.name)).count();
        let state = eventual_provider_core::state::State::from_value(state);
        let id = state.children["api"].attribute("api_id");
        let integrations = gateway.get_integrations().api_id(id).send().await.unwrap().items().len();
        let routes = gateway.get_routes().api_id(id).send().await.unwrap().items().len();
        let lambda = aws_sdk_lambda::Client::new(&settings);
        let mappings = lambda.list_event_source_mappings().send().await.unwrap();
        let ours = format!(":{}-", self.name);
        let mappings = mappings.event_source_mappings().iter();
        let mappings = mappings.filter(|it| it.function_arn().is_some_and(|arn| arn.contains(&ours))).count();
        [apis, integrations, routes, mappings]
    }

    /// Its name, account and region.
    pub(crate) fn place(&self) -> (&str, &str, &str) {
        (&self.name, &self.session.identity.account, &self.session.identity.region)
    }

    /// Destroys all of it.
    pub(crate) async fn destroy(&self, state: &Value) {
        let applied = self.attempt_destroy(state).await;
        assert_eq!(applied.diagnostics, []);
        assert_eq!(applied.state, None);
    }

    /// Calls a command over HTTP; the bootstrap's echo proves that the function ran.
    pub(crate) async fn answers(&self, state: &Value, command: &str) {
        let url = state.get("url").as_str().expect("there is an API").to_owned();
        let id =
            url.split("://").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or_default().to_owned();
        let url = format!("{}/_aws/execute-api/{id}/$default/rpc/{command}", self.endpoint);
        let client = reqwest::Client::new();
        let nonce = format!("nonce-{}", std::process::id());
        let answer = client.post(&url).json(&serde_json::json!({"nonce": nonce})).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{text}");
        assert!(text.contains(&nonce), "{text}");
    }

    /// Versions of a function.
    pub(crate) async fn versions(&self, function: &str) -> Vec<String> {
        let lambda = aws_sdk_lambda::Client::new(&self.settings().await);
        let name = format!("{}-{function}", self.name);
        let answer = lambda.list_versions_by_function().function_name(name).send().await.unwrap();
        answer.versions().iter().map(|it| it.version().unwrap_or_default().to_owned()).collect()
    }

    /// How many objects the bucket holds.
    pub(crate) async fn objects(&self) -> usize {
        let bucket =
            Names::new(&self.name, &self.session.identity.account, &self.session.identity.region).bucket();
        let settings = self.settings().await;
        let s3 = aws_sdk_s3::config::Builder::from(&settings).force_path_style(true).build();
        let listed = aws_sdk_s3::Client::from_conf(s3).list_objects_v2().bucket(bucket).send().await.unwrap();
        listed.contents().len()
    }

    pub(crate) async fn settings(&self) -> aws_config::SdkConfig {
        emulated::clients(&self.endpoint).await
    }

    /// Nothing in the account bears the deployment's name.
    pub(crate) async fn nothing_left(&self) {
        let settings = self.settings().await;
        let mut left: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut note = |kind, names: Vec<String>| {
            let ours: Vec<String> = names.into_iter().filter(|name| name.contains(&self.name)).collect();
            if !ours.is_empty() {
                left.insert(kind, ours);
            }
        };
        let text = |it: Option<&str>| it.unwrap_or_default().to_owned();
        let lambda = aws_sdk_lambda::Client::new(&settings);
        let functions = lambda
            .list_functions()
            .max_items(50)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .unwrap();
        note("functions", functions.iter().map(|it| text(it.function_name())).collect());
        let mappings = lambda.list_event_source_mappings().send().await.unwrap();
        note("mappings", mappings.event_source_mappings().iter().map(|it| text(it.function_arn())).collect());
        let roles = aws_sdk_iam::Client::new(&settings).list_roles().max_items(1000).send().await.unwrap();
        note("roles", roles.roles().iter().map(|it| it.role_name().to_owned()).collect());
        note(
            "queues",
            aws_sdk_sqs::Client::new(&settings).list_queues().send().await.unwrap().queue_urls().to_vec(),
        );
        let tables = aws_sdk_dynamodb::Client::new(&settings).list_tables().send().await.unwrap();
        let tables: Vec<String> = tables.table_names().to_vec();
        note("tables", tables);
        let logs = aws_sdk_cloudwatchlogs::Client::new(&settings).describe_log_groups().send().await.unwrap();
        note("log groups", logs.log_groups().iter().map(|it| text(it.log_group_name())).collect());
        let buckets = aws_sdk_s3::Client::new(&settings).list_buckets().send().await.unwrap();
        note("buckets", buckets.buckets().iter().map(|it| text(it.name())).collect());
        let events = aws_sdk_eventbridge::Client::new(&settings).list_event_buses().send().await.unwrap();
        note("event buses", events.event_buses().iter().map(|it| text(it.name())).collect());
        let groups = aws_sdk_scheduler::Client::new(&settings).list_schedule_groups().send().await.unwrap();
        note("schedule groups", groups.schedule_groups().iter().map(|it| text(it.name())).collect());
        let apis = aws_sdk_apigatewayv2::Client::new(&settings).get_apis().send().await.unwrap();
        note("APIs", apis.items().iter().map(|it| text(it.name())).collect());
        // A table that is being deleted is listed for a moment.
        left.remove("tables");
        assert_eq!(left, BTreeMap::new());
    }
}

/// Terraform refuses an apply whose result differs from what the plan said was known.
fn kept_promise(planned: &Value, state: &Value, at: &str) {
    match (planned, state) {
        (Value::Unknown, _) => {}
        (Value::Map(planned), Value::Map(state)) => {
            assert_eq!(planned.keys().collect::<Vec<_>>(), state.keys().collect::<Vec<_>>(), "{at}");
            for (key, value) in planned {
                kept_promise(value, &state[key], &format!("{at}.{key}"));
            }
        }
        _ => assert_eq!(planned, state, "{at}"),
    }
}
