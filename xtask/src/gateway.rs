//! The payments gateway as demo and tests use it: a process of ours (see [`crate::payments`]) and what it has seen.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator::free_port;
use crate::failure::{Result, require};
use crate::http;
use crate::process::{self, Group};

/// A running gateway. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Gateway {
    group: Group,
    url: String,
}

impl Gateway {
    /// Starts it on a free port and waits until it answers.
    pub(crate) fn start() -> Result<Self> {
        let port = free_port()?;
        // Not by its path: `cargo test`, a stage of ours, replaces that file while we run.
        let mut command = Command::new("/proc/self/exe");
        command
            .args(["payments", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let gateway = Self { group: Group::start(&mut command)?, url: format!("http://127.0.0.1:{port}") };
        let health = format!("{}/health", gateway.url);
        process::wait_for("the payments gateway did not start", Duration::from_secs(10), || {
            Ok(http::get(&health)?.status.eq(&200).then_some(()))
        })?;
        Ok(gateway)
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All charges that it has recorded: key, id, request, calls.
    pub(crate) fn charges(&self) -> Result<Vec<Value>> {
        let answer = http::get(&format!("{}/charges", self.url))?.json();
        Ok(answer.as_array().cloned().unwrap_or_default())
    }

    /// The charges whose request mentions `text`, such as an order's id.
    pub(crate) fn charges_for(&self, text: &str) -> Result<Vec<Value>> {
        let mentions = |charge: &Value| {
            charge["request"].to_string().contains(text) || charge["key"].to_string().contains(text)
        };
        Ok(self.charges()?.into_iter().filter(mentions).collect())
    }

    /// Refuses the next charges.
    pub(crate) fn refuse(&self, times: u64) -> Result<()> {
        self.tell("fail-next", &json!({ "times": times }))
    }

    /// Holds back the answers to charges, so that there is time to end their caller.
    pub(crate) fn hold(&self, seconds: f64) -> Result<()> {
        self.tell("hold", &json!({ "seconds": seconds }))
    }

    fn tell(&self, call: &str, body: &Value) -> Result<()> {
        let answer = http::post(&format!("{}/{call}", self.url), body)?;
        require(answer.status == 200, || {
            format!("the payments gateway answered {}: {}", answer.status, answer.text)
        })
    }

    /// Lets it outlive us; the answer says how to end it.
    pub(crate) fn keep(mut self) -> String {
        self.group.keep();
        format!("kill {}", self.group.id())
    }
}
