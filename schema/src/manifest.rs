//! The manifest: everything a service declares. Plain data with a format version; made by the service's own binary.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::functions::Function;
use crate::name::{HandlerName, ServiceName};
use crate::schedule::Schedule;

/// The manifest format that this crate writes, and the only one that it reads. It changes when an older reader would
/// misunderstand a newer manifest; a new optional member does not change it.
pub const FORMAT: u32 = 1;

/// Everything a service declares. `eventual.json` in an artifact is this, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Name of the service crate; the default name of a deployment.
    pub service: ServiceName,
    /// Version of the service crate's package.
    pub version: String,
    /// The binary that this manifest was packed with. Absent until `cargo eventual build` packs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Functions to deploy, and the handlers that each of them runs.
    pub functions: Vec<Function>,
    /// Typed functions over HTTP.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// Units of work that workflows call.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// Durable functions.
    #[serde(default)]
    pub workflows: Vec<Workflow>,
    /// Functions that react to events.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
    /// Facts that the service publishes or reacts to.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Messages into executions.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// Schedules that stand in the code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// JSON Schemas of all named types, to which `{"$ref": "#/schemas/<Name>"}` in the handlers points.
    #[serde(default)]
    pub schemas: BTreeMap<String, Value>,
}

/// The compiled binary of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// SHA-256 of `bootstrap`, in lower-case hexadecimal.
    pub sha256: String,
    /// The processor that it runs on, by Lambda's name: `x86_64` or `arm64`.
    pub architecture: String,
}

/// Where a handler is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Path of the file as the compiler was given it, relative to the workspace.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

/// A typed function over HTTP: always as RPC (`POST /rpc/<name>`), and at its own route when it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Name on the wire.
    pub name: HandlerName,
    /// First sentence of the doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Whole doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the input; `null` when the command takes none.
    pub input: Value,
    /// JSON Schema of the result.
    pub output: Value,
    /// JSON Schema of the error that the command declares; `null` for one that carries only class and message.
    #[serde(default)]
    pub error: Value,
    /// REST route beside the RPC route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// Who may call it. Absent: whatever the deployment says; it must say something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// What the command may touch.
    #[serde(default)]
    pub needs: BTreeSet<Need>,
    /// Longest run in seconds; absent for the deployment's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    /// Memory in MB; absent for the deployment's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    /// Where it is written.
    pub source: Source,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `DELETE`; path and query parameters only.
    Delete,
    /// `GET`; path and query parameters only.
    Get,
    /// `PATCH`.
    Patch,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

impl Method {
    /// The method as it stands in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// Whether a request of this method carries a body from which input is read.
    #[must_use]
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Patch | Self::Post | Self::Put)
    }
}

/// A REST route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path with parameters in braces: `/orders/{id}`.
    pub path: String,
}

/// Who may call a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Auth {
    /// Callers signed with AWS credentials that may `execute-api:Invoke` the route.
    Iam,
    /// Callers with a JSON Web Token of this issuer for one of these audiences.
    Jwt {
        /// URL of the issuer, as in the token's `iss`.
        issuer: String,
        /// Accepted `aud` (or `client_id`) values.
        audience: Vec<String>,
    },
    /// Everybody.
    None,
}

/// Something that a handler may touch. It decides what the role of the handler's function permits, and every host
/// refuses a call that is not covered by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "lowercase")]
pub enum Need {
    /// Publish this event.
    Event(HandlerName),
    /// Send this signal to executions.
    Signal(HandlerName),
    /// Read and write what is kept of attempts of this task: its own heartbeats and token, or answers for it.
    Task(HandlerName),
    /// Start, read and wait for executions of this workflow.
    Workflow(HandlerName),
}

/// A unit of work that workflows call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Name on the wire.
    pub name: HandlerName,
    /// First sentence of the doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// JSON Schema of the input.
    pub input: Value,
    /// JSON Schema of the result.
    pub output: Value,
    /// JSON Schema of the declared error, or `null`.
    #[serde(default)]
    pub error: Value,
    /// Whether it runs inside the orchestrator instead of in a function of its own.
    #[serde(default)]
    pub inline: bool,
    /// What the task may touch.
    #[serde(default)]
    pub needs: BTreeSet<Need>,
    /// Longest run of one attempt in seconds; absent for 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    /// Memory in MB; absent for the deployment's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    /// Where it is written.
    pub source: Source,
}

/// A durable function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// Name on the wire.
    pub name: HandlerName,
    /// First sentence of the doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// JSON Schema of the input.
    pub input: Value,
    /// JSON Schema of the result.
    pub output: Value,
    /// JSON Schema of the declared error, or `null`.
    #[serde(default)]
    pub error: Value,
    /// Whether its executions stay on the code that they were started on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Where it is written.
    pub source: Source,
}

/// A function that reacts to events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Name on the wire.
    pub name: HandlerName,
    /// First sentence of the doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Name of the event that it reacts to.
    pub event: HandlerName,
    /// What the subscription may touch.
    #[serde(default)]
    pub needs: BTreeSet<Need>,
    /// Longest run in seconds; absent for the deployment's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    /// Memory in MB; absent for the deployment's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    /// Where it is written.
    pub source: Source,
}

/// A fact that can be published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Name on the wire; EventBridge's `detail-type`.
    pub name: HandlerName,
    /// First sentence of the doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// JSON Schema of the event.
    pub payload: Value,
    /// Where it is written.
    pub source: Source,
}

/// A message into an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Name on the wire.
    pub name: HandlerName,
    /// First sentence of the doc comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// JSON Schema of the payload.
    pub payload: Value,
    /// Where it is written.
    pub source: Source,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or JSON of another shape.
    #[error("eventual.json is not a manifest: {0}")]
    Shape(#[from] serde_json::Error),
    /// Written by a newer or older `cargo eventual`.
    #[error(
        "eventual.json has manifest format {found}, this program reads format {FORMAT}: build the artifact and the provider from the same release"
    )]
    Format {
        /// The format that the manifest says it has.
        found: u64,
    },
}

impl Manifest {
    /// Reads a manifest from its JSON.
    ///
    /// # Errors
    /// When the text is not JSON, has another shape, or is of another [`FORMAT`]. The format is looked at first, so
    /// that a newer manifest is named as such.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ManifestError> {
        let value: Value = serde_json::from_slice(bytes)?;
        match value.get("format").and_then(Value::as_u64) {
            Some(found) if found != u64::from(FORMAT) => Err(ManifestError::Format { found }),
            _ => Ok(serde_json::from_value(value)?),
        }
    }

    /// The manifest as JSON, the same bytes for the same manifest.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The command of that name.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|it| it.name.as_str() == name)
    }

    /// The task of that name.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|it| it.name.as_str() == name)
    }

    /// The subscription of that name.
    #[must_use]
    pub fn subscription(&self, name: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|it| it.name.as_str() == name)
    }

    /// The workflow of that name.
    #[must_use]
    pub fn workflow(&self, name: &str) -> Option<&Workflow> {
        self.workflows.iter().find(|it| it.name.as_str() == name)
    }
}
