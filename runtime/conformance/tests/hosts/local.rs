//! The local host as its users run it: the service's own binary serves on a free port, over a store of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::host::{Host, Refused};

pub(crate) struct Local {
    child: Child,
    url: String,
    agent: ureq::Agent,
    began: Instant,
    _store: TempDir,
}

impl Local {
    pub(crate) fn start() -> Self {
        let store = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_conformance"))
            // Every turn by two instances of the code, as `cargo eventual dev` has it.
            .args(["serve", "--listen", "127.0.0.1:0", "--twins", "2", "--store"])
            .arg(store.path())
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(" on ").nth(1).and_then(|it| it.split(',').next());
        let url = address.unwrap_or_else(|| panic!("it says {line:?}")).to_owned();
        Self { child, url, agent: agent(), began: Instant::now(), _store: store }
    }
}

/// Waits as long as an operation may.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    config.timeout_global(Some(Duration::from_secs(60))).build().into()
}

impl Host for Local {
    fn system(&self, request: &Value) -> Result<Value, Refused> {
        let (status, answer) = self.request("POST", "/_eventual/system", request);
        if status == 200 {
            return Ok(answer);
        }
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Err(Refused { class: text("class"), message: text("message") })
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.url);
        let answer = match method {
            "GET" => self.agent.get(&url).call(),
            _ => self.agent.post(&url).send_json(body),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text:?}")))
    }

    fn pause(&self) {
        std::thread::sleep(Duration::from_millis(25));
    }

    fn clock(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
