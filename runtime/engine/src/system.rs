//! What operators and outside clients ask of a service: start, get, list, count, history, versions, signal, query, update,
//! cancel, terminate, pause, resume. JSON in, JSON out; who may ask is the host's matter (IAM on AWS).

mod refusal;
mod schedules;
mod search;
mod versions;

use std::collections::BTreeMap;
use std::time::Duration;

mod tasks;

use eventual_core::{Attribute, ExecutionId, Outcome, Payload, Status, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::ClientError;
use crate::codec::{self, AttributeText};
use crate::engine::Engine;
use crate::ports::Meta;
use crate::schedule::{ScheduleDescription, ScheduleLine};
use crate::token::TokenText;
use crate::updates::UpdateRequest;

pub use refusal::SystemError;
pub use schedules::ScheduleRequest;
pub use search::{FilterRequest, SearchRequest, SpanRequest};
pub use versions::{VersionReport, VersionsReport};

/// Longest wait for an end in one request: less than any gateway on the way gives up after.
const WAIT_MAX_MS: u64 = 20_000;

/// What is asked, by `op`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SystemRequest {
    /// Ask an execution to cancel itself.
    Cancel {
        /// `<workflow>/<name>`.
        execution: String,
        /// Why, for people.
        #[serde(default)]
        reason: String,
    },
    /// How many executions there are, up to 10,000.
    Count(SearchRequest),
    /// Answer for a task with its result.
    CompleteTask {
        /// What the task handed out.
        token: TokenText,
        /// The result; `null` without.
        #[serde(default)]
        result: Value,
    },
    /// Answer for a task with an error. Its policy may make another attempt, which has another token.
    FailTask {
        /// What the task handed out.
        token: TokenText,
        /// Class of the error: `PayError::Declined`.
        class: String,
        /// The error for people.
        message: String,
        /// The error as its type serializes it; `null` without.
        #[serde(default)]
        data: Value,
    },
    /// Say that a task which is completed later is alive, and learn whether anybody waits for it.
    HeartbeatTask {
        /// What the task handed out.
        token: TokenText,
        /// How far it is.
        #[serde(default)]
        details: Value,
    },
    /// Start an execution that has the first turns of another one and goes on by itself.
    Fork {
        /// `<workflow>/<name>`.
        execution: String,
        /// The last turn that both have, as `history` numbers it.
        turn: u64,
        /// Name of the new execution; random without.
        #[serde(default)]
        name: Option<String>,
    },
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
    /// Executions, newest first. A page may have fewer than its limit although `next` says that there are more.
    List(SearchRequest),
    /// Let the code of an execution stand still until it is resumed.
    Pause {
        /// `<workflow>/<name>`.
        execution: String,
        /// Why, for people.
        #[serde(default)]
        reason: String,
    },
    /// Ask the code of an execution.
    Query {
        /// `<workflow>/<name>`.
        execution: String,
        /// Name of the query.
        query: String,
        /// What is asked; `null` without.
        #[serde(default)]
        input: Value,
    },
    /// Fork an open execution and terminate it.
    Reset {
        /// `<workflow>/<name>`.
        execution: String,
        /// The last turn that both have, as `history` numbers it.
        turn: u64,
        /// Name of the new execution; random without.
        #[serde(default)]
        name: Option<String>,
    },
    /// Let a paused execution go on, and look at a parked one again: after a fix was deployed, or to see why it is parked.
    Resume {
        /// `<workflow>/<name>`.
        execution: String,
    },
    /// Something of a schedule: `{"op": "schedule", "do": "pause", "schedule": "nightly"}`.
    Schedule(ScheduleRequest),
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
    /// End an execution without its code.
    Terminate {
        /// `<workflow>/<name>`.
        execution: String,
        /// Why, for people.
        #[serde(default)]
        reason: String,
    },
    /// Send a signal to an execution, which is started first if there is none of its id.
    SignalWithStart {
        /// `<workflow>/<name>`.
        execution: String,
        /// Its input, if it is started; `null` without.
        #[serde(default)]
        input: Value,
        /// Name of the signal.
        signal: String,
        /// Its payload; `null` without.
        #[serde(default)]
        payload: Value,
        /// What it is found by, if it is started; by name.
        #[serde(default)]
        attributes: BTreeMap<String, AttributeText>,
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
        /// What it is found by, by name.
        #[serde(default)]
        attributes: BTreeMap<String, AttributeText>,
    },
    /// Ask an execution for a change, and wait for its answer for 20 seconds.
    Update {
        /// `<workflow>/<name>`.
        execution: String,
        /// Name of the update.
        update: String,
        /// What is asked; `null` without.
        #[serde(default)]
        input: Value,
        /// Names this update, so that asking again is not asking twice; random without.
        #[serde(default)]
        id: Option<String>,
    },
    /// Which versions of the code, and which markers, open executions need.
    Versions {
        /// Only of this workflow.
        #[serde(default)]
        workflow: Option<String>,
    },
    /// What is known of an execution when it has ended, or after a while.
    Wait {
        /// `<workflow>/<name>`.
        execution: String,
        /// The longest wait, in milliseconds, up to 20,000, which is also the default.
        #[serde(default)]
        longest_ms: Option<u64>,
    },
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum SystemResponse {
    /// To `query` and `update`.
    Answered {
        /// The execution.
        execution: String,
        /// What its code answered, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<Box<RawValue>>,
        /// The error that its code answered, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Value>,
    },
    /// To `heartbeatTask`.
    Beaten {
        /// The execution.
        execution: String,
        /// Whether nobody waits for the attempt any more.
        cancelled: bool,
    },
    /// To `get` and `wait`.
    Execution(Box<ExecutionSummary>),
    /// To `history`.
    History {
        /// The execution.
        execution: String,
        /// Its turns, in order.
        turns: Vec<Value>,
    },
    /// To `count`.
    Counted {
        /// So many were found.
        count: u64,
        /// Whether these are all.
        complete: bool,
    },
    /// To `list`.
    List {
        /// Newest first.
        executions: Vec<ExecutionSummary>,
        /// `after` of the next page.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// To `schedule`, `describe`.
    Schedule(Box<ScheduleDescription>),
    /// To `schedule`, `list`.
    Schedules {
        /// The newest first.
        schedules: Vec<ScheduleLine>,
        /// `after` of the next page.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// To `versions`.
    Versions(VersionsReport),
    /// To everything else of a schedule.
    Scheduled {
        /// The schedule.
        schedule: String,
    },
    /// To `start` (new or found), `fork` and `reset` (the new one), `completeTask`, `failTask`, `signal`, `signalWithStart`,
    /// `cancel`, `terminate`, `pause` and
    /// `resume`.
    Done {
        /// The execution.
        execution: String,
    },
}

/// An execution, for people and programs outside.
#[derive(Debug, Serialize)]
pub struct ExecutionSummary {
    /// `<workflow>/<name>`.
    pub execution: String,
    /// Tells it from the executions that had its name before, or have it later. Absent for those that were started by
    /// version 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
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
    /// What it is found by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeText>,
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
            SystemRequest::History { execution } => self.history(execution).await,
            SystemRequest::Count(search) => self.count(search).await,
            SystemRequest::List(search) => self.list(search).await,
            SystemRequest::CompleteTask { token, result } => self.complete_task(&token, &result).await,
            SystemRequest::FailTask { token, class, message, data } => {
                self.fail_task(&token, &class, message, &data).await
            }
            SystemRequest::HeartbeatTask { token, details } => self.heartbeat_task(&token, &details).await,
            SystemRequest::Cancel { execution, reason } => {
                self.client.cancel(&parse(&execution)?, &reason).await?;
                Ok(SystemResponse::Done { execution })
            }
            SystemRequest::Pause { execution, reason } => {
                self.client.pause(&parse(&execution)?, &reason).await?;
                Ok(SystemResponse::Done { execution })
            }
            SystemRequest::Query { execution, query, input } => {
                let answer = self.client.query(&parse(&execution)?, &query, payload_of(&input)).await?;
                let (answer, error) = ended(&answer);
                Ok(SystemResponse::Answered { execution, answer, error })
            }
            SystemRequest::Fork { execution, turn, name } => {
                let fork = self.client.fork(&parse(&execution)?, turn, name.as_deref()).await?;
                Ok(SystemResponse::Done { execution: fork.to_string() })
            }
            SystemRequest::Reset { execution, turn, name } => {
                let fork = self.client.reset(&parse(&execution)?, turn, name.as_deref()).await?;
                Ok(SystemResponse::Done { execution: fork.to_string() })
            }
            SystemRequest::Resume { execution } => {
                self.client.resume(&parse(&execution)?).await?;
                Ok(SystemResponse::Done { execution })
            }
            SystemRequest::Schedule(request) => self.schedule(request).await,
            SystemRequest::Terminate { execution, reason } => {
                self.client.terminate(&parse(&execution)?, &reason).await?;
                Ok(SystemResponse::Done { execution })
            }
            SystemRequest::Signal { execution, signal, payload } => {
                self.client.signal(&parse(&execution)?, &signal, payload_of(&payload)).await?;
                Ok(SystemResponse::Done { execution })
            }
            SystemRequest::SignalWithStart { execution, input, signal, payload, attributes } => {
                let (id, input) = (parse(&execution)?, payload_of(&input));
                let signal = (signal.as_str(), payload_of(&payload));
                self.client.signal_with_start(&id, input, given(attributes), signal).await?;
                Ok(SystemResponse::Done { execution })
            }
            SystemRequest::Update { execution, update, input, id } => {
                let request = UpdateRequest { name: update, input: payload_of(&input), id, start: None };
                let (answer, error) = ended(&self.client.update(&parse(&execution)?, request).await?);
                Ok(SystemResponse::Answered { execution, answer, error })
            }
            SystemRequest::Start { workflow, name, input, attributes } => {
                let (name, input) = (name.as_deref(), payload_of(&input));
                let id = self.client.start_with(&workflow, name, input, given(attributes)).await?;
                Ok(SystemResponse::Done { execution: id.to_string() })
            }
            SystemRequest::Versions { workflow } => self.versions(workflow).await,
            SystemRequest::Wait { execution, longest_ms } => self.wait_for_end(&execution, longest_ms).await,
        }
    }

    async fn history(&self, execution: String) -> Result<SystemResponse, SystemError> {
        let id = parse(&execution)?;
        self.client.get(&id).await?;
        let turns = self.ports.store.turns(&id, 0).await.map_err(ClientError::from)?;
        Ok(SystemResponse::History { execution, turns: turns.iter().map(turn).collect() })
    }

    async fn wait_for_end(
        &self,
        execution: &str,
        longest_ms: Option<u64>,
    ) -> Result<SystemResponse, SystemError> {
        let longest = Duration::from_millis(longest_ms.unwrap_or(WAIT_MAX_MS).min(WAIT_MAX_MS));
        let meta = self.client.wait(&parse(execution)?, longest).await?;
        Ok(SystemResponse::Execution(Box::new(summary(&meta))))
    }
}

/// Attributes as the engine has them.
fn given(attributes: BTreeMap<String, AttributeText>) -> BTreeMap<String, Attribute> {
    attributes.into_iter().map(|(name, it)| (name, it.into())).collect()
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

/// What an outcome is to somebody outside: a result or an error.
fn ended(outcome: &Outcome) -> (Option<Box<RawValue>>, Option<Value>) {
    let error = |class: &str, message: &str| Some(json!({ "class": class, "message": message }));
    let error = match outcome {
        Outcome::Succeeded(value) => return (Some(raw(value)), None),
        Outcome::Failed(failure) => {
            let data: Value = serde_json::from_slice(failure.data.as_bytes()).unwrap_or_default();
            Some(json!({ "class": failure.class, "message": failure.message, "data": data }))
        }
        Outcome::Crashed(message) => error("Crashed", message),
        Outcome::Cancelled => error("Cancelled", "cancelled"),
        Outcome::Terminated(reason) => error("Terminated", reason),
        Outcome::TimedOut => error("TimedOut", "ran out of time"),
        Outcome::HeartbeatLost => error("HeartbeatLost", "its heartbeat stopped"),
    };
    (None, error)
}

fn summary(meta: &Meta) -> ExecutionSummary {
    let (result, error) = meta.end.as_ref().map(ended).unwrap_or_default();
    ExecutionSummary {
        execution: meta.id.to_string(),
        run: meta.run.map(|it| it.to_string()),
        status: meta.status.as_str(),
        started: meta.started,
        closed: meta.closed,
        input: Some(raw(&meta.input)),
        result,
        error,
        parked: meta.parked.clone(),
        code: meta.code.clone(),
        attributes: meta.attributes.iter().map(|(name, it)| (name.clone(), it.into())).collect(),
    }
}
