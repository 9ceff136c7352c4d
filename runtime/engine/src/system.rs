//! What operators and outside clients ask of a service: start, get, list, history, signal, resume. JSON in, JSON out; who may
//! ask is the host's matter (IAM on AWS).

use eventual_core::{ExecutionId, Outcome, Payload, Status, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::ClientError;
use crate::codec;
use crate::engine::Engine;
use crate::ports::{ListQuery, Message, Meta};

/// Most executions in one answer of `list`.
const LIST_MAX: usize = 100;

/// What is asked, by `op`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SystemRequest {
    /// What is known of an execution.
    Get {
        /// `<workflow>/<name>`.
        execution: String,
    },
    /// Everything that an execution remembers, turn by turn.
    History {
        /// `<workflow>/<name>`.
        execution: String,
    },
    /// Executions, newest first.
    List {
        /// Only of this workflow.
        #[serde(default)]
        workflow: Option<String>,
        /// Only with this status.
        #[serde(default)]
        status: Option<String>,
        /// At most so many, up to 100, which is also the default.
        #[serde(default)]
        limit: Option<usize>,
        /// `next` of the page before.
        #[serde(default)]
        after: Option<String>,
    },
    /// Look at a parked execution again: after a fix was deployed, or to see why it is parked.
    Resume {
        /// `<workflow>/<name>`.
        execution: String,
    },
    /// Send a signal.
    Signal {
        /// `<workflow>/<name>`.
        execution: String,
        /// Name of the signal.
        signal: String,
        /// Its payload; `null` without.
        #[serde(default)]
        payload: Value,
    },
    /// Start an execution.
    Start {
        /// The workflow.
        workflow: String,
        /// Name of the execution; random without.
        #[serde(default)]
        name: Option<String>,
        /// Its input; `null` without.
        #[serde(default)]
        input: Value,
    },
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum SystemResponse {
    /// To `get`.
    Execution(Box<ExecutionSummary>),
    /// To `history`.
    History {
        /// The execution.
        execution: String,
        /// Its turns, in order.
        turns: Vec<Value>,
    },
    /// To `list`.
    List {
        /// Newest first.
        executions: Vec<ExecutionSummary>,
        /// `after` of the next page.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// To `resume`.
    Resumed {
        /// The execution.
        execution: String,
    },
    /// To `signal`.
    Signalled {
        /// The receiver.
        execution: String,
    },
    /// To `start`.
    Started {
        /// The execution, new or found.
        execution: String,
    },
}

/// An execution, for people and programs outside.
#[derive(Debug, Serialize)]
pub struct ExecutionSummary {
    /// `<workflow>/<name>`.
    pub execution: String,
    /// `running`, `succeeded`, `failed`, ...
    pub status: &'static str,
    /// When it was started, in milliseconds since 1970.
    pub started: u64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<u64>,
    /// What it was started with. Not in lists, where the largest values would count a hundred times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Box<RawValue>>,
    /// What it returned. Present, and perhaps `null`, exactly when it succeeded; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// Why it did not succeed: `class`, `message`, `data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// Why it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<String>,
    /// Hash of the code that it started on.
    pub code: String,
}

/// Why a request was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The request itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// It could not be done.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Engine {
    /// Answers an operator or an outside client.
    ///
    /// # Errors
    /// When the request names what does not exist, or the world fails.
    pub async fn system(&self, request: SystemRequest) -> Result<SystemResponse, SystemError> {
        match request {
            SystemRequest::Get { execution } => {
                let meta = self.client.get(&parse(&execution)?).await?;
                Ok(SystemResponse::Execution(Box::new(summary(&meta))))
            }
            SystemRequest::History { execution } => {
                let id = parse(&execution)?;
                self.client.get(&id).await?;
                let turns = self.ports.store.turns(&id, 0).await.map_err(ClientError::from)?;
                Ok(SystemResponse::History { execution, turns: turns.iter().map(turn).collect() })
            }
            SystemRequest::List { workflow, status, limit, after } => {
                let status = status.map(|it| parse_status(&it)).transpose()?;
                let limit = limit.unwrap_or(LIST_MAX).clamp(1, LIST_MAX);
                let page = self.client.list(&ListQuery { workflow, status, limit, after }).await?;
                Ok(SystemResponse::List {
                    executions: page.executions.iter().map(line).collect(),
                    next: page.next,
                })
            }
            SystemRequest::Resume { execution } => {
                let id = parse(&execution)?;
                self.client.get(&id).await?;
                self.ports.dispatch.wake(&id, &Message::default()).await.map_err(ClientError::from)?;
                Ok(SystemResponse::Resumed { execution })
            }
            SystemRequest::Signal { execution, signal, payload } => {
                self.client.signal(&parse(&execution)?, &signal, payload_of(&payload)).await?;
                Ok(SystemResponse::Signalled { execution })
            }
            SystemRequest::Start { workflow, name, input } => {
                let id = self.client.start(&workflow, name.as_deref(), payload_of(&input)).await?;
                Ok(SystemResponse::Started { execution: id.to_string() })
            }
        }
    }
}

fn parse(text: &str) -> Result<ExecutionId, SystemError> {
    ExecutionId::parse(text).map_err(|error| SystemError::Invalid(error.into()))
}

fn parse_status(text: &str) -> Result<Status, SystemError> {
    Status::parse(text).ok_or_else(|| {
        let known = Status::ALL.map(Status::as_str).join(", ");
        SystemError::Invalid(format!("{text:?} is not a status; there are {known}"))
    })
}

fn payload_of(value: &Value) -> Payload {
    Payload::from(value.to_string().as_str())
}

fn raw(payload: &Payload) -> Box<RawValue> {
    let text = String::from_utf8_lossy(payload.as_bytes()).into_owned();
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn turn(it: &Turn) -> Value {
    codec::turn_value(it)
}

/// An execution in a list.
fn line(meta: &Meta) -> ExecutionSummary {
    ExecutionSummary { input: None, result: None, ..summary(meta) }
}

fn summary(meta: &Meta) -> ExecutionSummary {
    let (result, error) = match &meta.end {
        None => (None, None),
        Some(Outcome::Succeeded(value)) => (Some(raw(value)), None),
        Some(Outcome::Failed(failure)) => {
            let data: Value = serde_json::from_slice(failure.data.as_bytes()).unwrap_or_default();
            (None, Some(json!({ "class": failure.class, "message": failure.message, "data": data })))
        }
        Some(Outcome::Crashed(message)) => (None, Some(json!({ "class": "Crashed", "message": message }))),
        Some(Outcome::Cancelled) => (None, Some(json!({ "class": "Cancelled", "message": "cancelled" }))),
        Some(Outcome::TimedOut | Outcome::HeartbeatLost) => {
            (None, Some(json!({ "class": "TimedOut", "message": "ran out of time" })))
        }
    };
    ExecutionSummary {
        execution: meta.id.to_string(),
        status: meta.status.as_str(),
        started: meta.started,
        closed: meta.closed,
        input: Some(raw(&meta.input)),
        result,
        error,
        parked: meta.parked.clone(),
        code: meta.code.clone(),
    }
}
