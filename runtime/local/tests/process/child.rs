//! A child process that serves, and what tests ask of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{EFFECTS, SERVE};

/// A deadline for everything that a test waits for.
const LONGEST: Duration = Duration::from_secs(30);

pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    client: reqwest::Client,
}

fn command(store: &Path, more: &str) -> Command {
    command_of(&std::env::current_exe().unwrap(), store, more)
}

fn command_of(program: &Path, store: &Path, more: &str) -> Command {
    let mut command = Command::new(program);
    let arguments = format!("--store {} --listen 127.0.0.1:0{more}", store.display());
    command.args(["--exact", "service::child_process", "--nocapture", "--test-threads=1"]);
    command.env(SERVE, arguments).env(EFFECTS, store.with_extension("effects")).env("RUST_LOG", "error");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a process that is expected to refuse; answers what it said.
pub(crate) fn refused(store: &Path, more: &str) -> String {
    let output = command(store, more).output().unwrap();
    assert!(!output.status.success(), "it served");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether `check` finds the store whole, and what it says.
pub(crate) fn checked(store: &Path) -> (bool, String) {
    let output =
        command(store, "").env(SERVE, format!("check --store {}", store.display())).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

impl Served {
    pub(crate) fn start(store: &Path) -> Self {
        Self::start_with(store, "")
    }

    pub(crate) fn start_with(store: &Path, more: &str) -> Self {
        Self::of(command(store, more).stderr(Stdio::inherit()).spawn().unwrap())
    }

    /// Starts a process of another program, which is this one at another place.
    pub(crate) fn start_program(program: &Path, store: &Path) -> Self {
        Self::of(command_of(program, store, "").stderr(Stdio::inherit()).spawn().unwrap())
    }

    /// Starts a process that has much to say, and to which nobody listens any more.
    pub(crate) fn start_unheard(store: &Path) -> Self {
        let mut child = command(store, "").env("RUST_LOG", "trace").spawn().unwrap();
        drop(child.stderr.take());
        Self::of(child)
    }

    /// Starts a process that complains into a file.
    pub(crate) fn start_saying(store: &Path, said: &Path) -> Self {
        Self::of(command(store, "").stderr(std::fs::File::create(said).unwrap()).spawn().unwrap())
    }

    /// Waits until it ended by itself; whether it ended well.
    pub(crate) async fn ended(&mut self) -> bool {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(begun.elapsed() < LONGEST, "it goes on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn of(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("it says where it serves").unwrap();
            if let Some((_, rest)) = line.split_once(" on http://") {
                break format!("http://{}", rest.split(',').next().unwrap());
            }
        };
        // What user code prints later must find somebody who reads.
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::Client::new();
        Self { child, url, client }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends an execution a signal.
    pub(crate) async fn signal(&self, execution: &str, payload: Value) {
        let request = json!({ "op": "signal", "execution": execution, "signal": "Go", "payload": payload });
        let sent = self.ask(request).await.unwrap();
        assert!(sent.get("class").is_none(), "{execution}: {sent}");
    }

    /// Asks the code of an execution.
    pub(crate) async fn query(&self, execution: &str, query: &str) -> Value {
        self.ask(json!({ "op": "query", "execution": execution, "query": query })).await.unwrap()
    }

    /// SIGTERM, and whether it ended well.
    pub(crate) fn stop(&mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    /// Asks a system operation; an error when the process is gone.
    pub(crate) async fn ask(&self, request: Value) -> Result<Value, reqwest::Error> {
        self.request("POST", "/_eventual/system").json(&request).send().await?.json().await
    }

    pub(crate) async fn start_execution(&self, workflow: &str, name: &str, input: Value) -> bool {
        let request = json!({ "op": "start", "workflow": workflow, "name": name, "input": input });
        self.ask(request).await.is_ok_and(|it| it["execution"].is_string())
    }

    /// Waits until an execution has this status; what is known of it then.
    pub(crate) async fn standing(&self, execution: &str, status: &str) -> Value {
        let begun = Instant::now();
        loop {
            let known = self.ask(json!({ "op": "get", "execution": execution })).await.unwrap();
            if known["status"] == status {
                return known;
            }
            assert!(begun.elapsed() < LONGEST, "{execution} is not {status}: {known}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an execution has succeeded; answers its result.
    pub(crate) async fn result(&self, execution: &str) -> Value {
        let begun = Instant::now();
        loop {
            let known = self.ask(json!({ "op": "get", "execution": execution })).await.unwrap();
            if known["status"] == "succeeded" {
                return known["result"].clone();
            }
            assert!(begun.elapsed() < LONGEST && known["status"] == "running", "{execution}: {known}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Gone already where a test killed or stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
