//! What a case may do to a host, the same on all of them, and what every case needs to say it briefly.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};

/// Longest wait for anything, on the host's clock. Most take less than a second; a machine that does much else takes longer.
const PATIENCE: Duration = Duration::from_secs(90);

/// A place where the service runs.
pub(crate) trait Host {
    /// Asks a system operation; class and message of the refusal when it is refused.
    fn system(&self, request: &Value) -> Result<Value, Refused>;

    /// Sends a request to the service's HTTP API, with a body unless it is null: status and body of the answer.
    fn request(&self, method: &str, path: &str, body: &Value) -> (u16, Value);

    /// Lets the world go on for a moment, between two looks at it.
    fn pause(&self);

    /// The host's clock: how much time has passed since some moment.
    fn clock(&self) -> Duration;

    /// Says that the next attempt of the task `import` falls silent. Real workers do so when their script says it; the test
    /// environment, which performs a task to its end before it goes on, has a mock for it.
    fn silence(&self) {}
}

/// Why a system operation was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) class: String,
    pub(crate) message: String,
}

/// A case at work on a host.
pub(crate) struct Site<'a> {
    host: &'a dyn Host,
    /// Goes into the names of executions, so that cases can share a deployment.
    case: String,
    started: Cell<u32>,
}

impl<'a> Site<'a> {
    pub(crate) fn new(host: &'a dyn Host, case: &str) -> Self {
        Self { host, case: case.replace("::", "."), started: Cell::new(0) }
    }

    pub(crate) const fn host(&self) -> &dyn Host {
        self.host
    }

    /// A name that nobody else uses.
    #[track_caller]
    pub(crate) fn name(&self) -> String {
        self.started.set(self.started.get() + 1);
        format!("{}-{}", self.case, self.started.get())
    }

    /// Asks a system operation that must work.
    #[track_caller]
    pub(crate) fn ask(&self, request: Value) -> Value {
        self.host.system(&request).unwrap_or_else(|refused| panic!("{request}: {refused:?}"))
    }

    /// Asks one that must be refused; the class of the refusal.
    #[track_caller]
    pub(crate) fn refused(&self, request: Value) -> String {
        match self.host.system(&request) {
            Err(refused) => {
                assert!(refused.message.len() > 10, "it says why: {refused:?}");
                refused.class
            }
            Ok(answer) => panic!("{request} was not refused: {answer}"),
        }
    }

    /// Starts an execution under a name of its own; its id.
    #[track_caller]
    pub(crate) fn start(&self, workflow: &str, input: Value) -> String {
        let start = json!({ "op": "start", "workflow": workflow, "name": self.name(), "input": input });
        text(&self.ask(start)["execution"])
    }

    /// What is known of an execution.
    #[track_caller]
    pub(crate) fn get(&self, execution: &str) -> Value {
        self.ask(json!({ "op": "get", "execution": execution }))
    }

    /// Waits for the end of an execution; what is known of it then.
    #[track_caller]
    pub(crate) fn end(&self, execution: &str) -> Value {
        self.until(&format!("{execution} to end"), || {
            let known = self.ask(json!({ "op": "wait", "execution": execution, "longestMs": 4_000 }));
            known["closed"].is_u64().then_some(known)
        })
    }

    /// Waits for the end of an execution, which must be a result.
    #[track_caller]
    pub(crate) fn result(&self, execution: &str) -> Value {
        let known = self.end(execution);
        assert_eq!(known["status"], "succeeded", "{known}");
        known["result"].clone()
    }

    /// Starts an execution and waits for its result.
    #[track_caller]
    pub(crate) fn run(&self, workflow: &str, input: Value) -> Value {
        self.result(&self.start(workflow, input))
    }

    /// Waits until `look` finds something.
    #[track_caller]
    pub(crate) fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let began = self.host.clock();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(self.host.clock() - began < PATIENCE, "waited in vain for {what}");
            self.host.pause();
        }
    }

    /// Waits until an execution has this status.
    #[track_caller]
    pub(crate) fn until_status(&self, execution: &str, status: &str) -> Value {
        self.until(&format!("{execution} to be {status}"), || {
            let known = self.get(execution);
            (known["status"] == status).then_some(known)
        })
    }

    #[track_caller]
    pub(crate) fn signal(&self, execution: &str, signal: &str, payload: Value) {
        self.ask(json!({ "op": "signal", "execution": execution, "signal": signal, "payload": payload }));
    }

    #[track_caller]
    pub(crate) fn query(&self, execution: &str, query: &str) -> Value {
        self.ask(json!({ "op": "query", "execution": execution, "query": query }))["answer"].clone()
    }

    /// Something that is asked with an execution only: `cancel`, `pause`, ...
    #[track_caller]
    pub(crate) fn tell(&self, op: &str, execution: &str) {
        self.ask(json!({ "op": op, "execution": execution }));
    }

    /// The turns of an execution.
    #[track_caller]
    pub(crate) fn turns(&self, execution: &str) -> Vec<Value> {
        let turns = self.ask(json!({ "op": "history", "execution": execution }))["turns"].take();
        turns.as_array().cloned().unwrap_or_default()
    }

    /// Calls a command that must work.
    #[track_caller]
    pub(crate) fn command(&self, command: &str, input: &Value) -> Value {
        let (status, answer) = self.host.request("POST", &format!("/rpc/{command}"), input);
        assert_eq!(status, 200, "{command} {input}: {answer}");
        answer
    }
}

/// A text in JSON.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// How long an execution lasted, in milliseconds.
#[track_caller]
pub(crate) fn lasted(known: &Value) -> u64 {
    let moment = |name: &str| known[name].as_u64().unwrap_or_else(|| panic!("no `{name}` in {known}"));
    moment("closed") - moment("started")
}
