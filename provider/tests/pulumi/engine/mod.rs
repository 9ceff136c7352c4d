//! A small Pulumi engine: as faithful as a test of one provider with one resource type needs, and no further.
//!
//! It starts a fresh process for every command, calls in the order of the real engine, keeps state by the same rules,
//! and fails the test where the real engine would fail or a user would lose a secret. What it calls is compared with what
//! the real one calls (`sequences/`). It has no dependencies between resources, no aliases, and does not replace providers.
#![allow(dead_code, reason = "each test target drives a part of it")]

mod calls;
mod deploy;
pub(crate) mod interrupt;
mod log;
mod maintain;
mod monitor;
pub(crate) mod plugin;
mod programs;
pub(crate) mod state;
pub(crate) mod values;
pub(crate) mod views;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use eventual_provider_wire::google_rpc;
use eventual_provider_wire::pulumirpc::parameterize_request::{Parameters, ParametersValue};
use eventual_provider_wire::pulumirpc::{
    ConfigureRequest, ErrorResourceInitFailed, ParameterizeRequest, ProviderHandshakeRequest,
};
use log::Log;
use plugin::{Plugin, Started};
use prost::Message;
use serde_json::{Value, json};
use state::State;
use tempfile::TempDir;
use tonic::{Code, Status};
use values::{leaks, revealed, to_struct};

pub(crate) use interrupt::Interrupt;

use crate::trace::Answer;
use views::Stage;

/// What a user's program registers.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Configuration of the provider.
    pub(crate) provider: Value,
    /// Services: logical name and inputs.
    pub(crate) services: Vec<(String, Value)>,
    /// The resource option of all of them.
    pub(crate) option: ResourceOption,
}

/// The resource option that matters to a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResourceOption {
    /// None.
    #[default]
    None,
    /// `import`, of that id.
    Import(String),
    /// `get`, of that id.
    Get(String),
    /// `deleteBeforeReplace: true`.
    DeleteBeforeReplace,
}

/// What came of a command.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Operation and logical name, in order: `("create", "orders")`.
    pub(crate) operations: Vec<(&'static str, String)>,
    /// Errors, as the user sees them.
    pub(crate) errors: Vec<String>,
    /// What refresh found unhealthy.
    pub(crate) warnings: Vec<String>,
    /// Nested differences by path, with their kind: `("commands.placeOrder.memoryMb", "Update")`.
    pub(crate) details: BTreeMap<String, String>,
    /// Outputs of the services, also those of a preview.
    pub(crate) outputs: BTreeMap<String, Value>,
}

impl Report {
    /// The operations on all services.
    pub(crate) fn did(&self) -> Vec<&'static str> {
        self.operations.iter().map(|(operation, _)| *operation).collect()
    }
}

/// The engine, and the stack that it manages.
pub(crate) struct Engine {
    folder: TempDir,
    environment: Vec<(String, String)>,
    log: Log,
    address: String,
    stage: Stage,
    stage_address: String,
    /// The type of the services.
    pub(crate) kind: String,
    /// The parameter of their package, if it has one: every process of the provider gets it first.
    parameter: Option<Vec<u8>>,
    secrets: Vec<String>,
    trace: Mutex<Vec<String>>,
    /// Whether the next command replaces all services: `--replace`, `--target-replace`.
    pub(crate) replace: bool,
    /// The stack's state.
    pub(crate) state: State,
    /// Interferes with the next command.
    pub(crate) interrupt: Option<Interrupt>,
}

impl Engine {
    /// An engine with an empty stack. Programs run in `folder`.
    pub(crate) async fn new(folder: TempDir, environment: &[(&str, &str)]) -> Self {
        let (log, address) = Log::serve().await;
        let (stage, stage_address) = Stage::serve().await;
        let environment =
            environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self {
            folder,
            environment,
            log,
            address,
            stage,
            stage_address,
            kind: "eventual:index:Service".to_owned(),
            parameter: None,
            secrets: Vec::new(),
            trace: Mutex::default(),
            replace: false,
            state: State::default(),
            interrupt: None,
        }
    }

    /// The program's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything that the provider said, in one text.
    pub(crate) fn said(&self) -> String {
        self.log.lines().iter().map(|it| format!("{}\n", it.message)).collect()
    }

    /// The calls since the last time, as the trace has them.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.trace.lock().unwrap())
    }

    /// A fresh process, with the first calls of every command.
    async fn start(&self, provider: &Value) -> Plugin {
        let mut environment = self.environment.clone();
        // The engine really puts secrets here, in clear.
        environment.push(("PULUMI_CONFIG".to_owned(), revealed(provider).to_string()));
        let mut plugin =
            Plugin::start(self.folder.path(), Started::ByEngine(&self.address), &environment).await;
        let folder = self.folder.path().display().to_string();
        let handshake = ProviderHandshakeRequest {
            engine_address: self.address.clone(),
            root_directory: Some(folder.clone()),
            program_directory: Some(folder),
            configure_with_urn: true,
            supports_views: true,
            supports_refresh_before_update: true,
            invoke_with_preview: true,
        };
        let answer = plugin.client.handshake(handshake).await.unwrap().into_inner();
        assert!(answer.accept_secrets, "secrets must stay marked");
        let info = plugin.client.get_plugin_info(()).await.unwrap().into_inner();
        assert!(info.version.starts_with(|c: char| c.is_ascii_digit()), "{}", info.version);
        if let Some(value) = self.parameter.clone() {
            let value = ParametersValue { name: "orders".to_owned(), version: "0.1.0".to_owned(), value };
            let request = ParameterizeRequest { parameters: Some(Parameters::Value(value)) };
            plugin.client.parameterize(request).await.unwrap();
        }
        plugin
    }

    async fn configure(&self, plugin: &mut Plugin, provider: &Value) -> Result<(), Status> {
        let plain = revealed(provider);
        let variables = plain.as_object().unwrap().iter();
        let unknown = || values::unknown().as_str().unwrap().to_owned();
        let id = self.state.provider_id.clone().unwrap_or_else(unknown);
        let request = ConfigureRequest {
            variables: variables
                .map(|(key, it)| (format!("eventual:config:{key}"), it.to_string()))
                .collect(),
            args: Some(to_struct(provider)),
            accept_secrets: true,
            accept_resources: true,
            sends_old_inputs: true,
            sends_old_inputs_to_delete: true,
            // Only in a preview is there none yet.
            id: Some(id.clone()),
            urn: Some(provider_urn()),
            name: Some("default".to_owned()),
            r#type: Some("pulumi:providers:eventual".to_owned()),
        };
        let answer = plugin.client.configure(request).await?.into_inner();
        self.note("Configure", &json!({ "id": id, "args": provider }), &Answer::Is(json!({})));
        assert!(answer.accept_secrets && answer.supports_preview);
        Ok(())
    }

    /// The URN of a service.
    fn urn(&self, name: &str) -> String {
        format!("urn:pulumi:test::orders::{}::{name}", self.kind)
    }

    /// The normal end of a command. Nothing secret may have been said by then.
    async fn finish(&mut self, plugin: Plugin, report: &Report) {
        self.assert_discreet(&plugin, report);
        plugin.end().await;
        let stored =
            self.state.entries.iter().map(|it| json!({ "inputs": it.inputs, "outputs": it.outputs }));
        for entry in stored {
            self.assert_marked("the state", &entry);
        }
    }

    fn assert_discreet(&self, plugin: &Plugin, report: &Report) {
        let said =
            [self.said(), plugin.stderr(), report.errors.join("\n"), report.warnings.join("\n")].join("\n");
        for secret in &self.secrets {
            assert!(!said.contains(secret), "a message holds a secret:\n{said}");
        }
    }

    fn assert_marked(&self, what: &str, value: &Value) {
        let leaks = leaks(value, &self.secrets);
        assert!(leaks.is_empty(), "{what} holds a secret in clear at {leaks:?}");
    }
}

fn provider_urn() -> String {
    "urn:pulumi:test::orders::pulumi:providers:eventual::default".to_owned()
}

/// An id that no other entry of any state has.
fn made_up_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The state that a failed call reached, when it says so.
fn init_failed(status: &Status) -> Option<ErrorResourceInitFailed> {
    let full = google_rpc::Status::decode(status.details()).ok()?;
    let detail =
        full.details.iter().find(|it| it.type_url.ends_with("/pulumirpc.ErrorResourceInitFailed"))?;
    // The engine takes these for a provider that may be broken.
    assert!(![Code::Internal, Code::Unknown, Code::DataLoss].contains(&status.code()), "{status}");
    let failed = ErrorResourceInitFailed::decode(&detail.value[..]).unwrap();
    assert!(!failed.id.is_empty() && !failed.reasons.is_empty(), "{failed:?}");
    Some(failed)
}
