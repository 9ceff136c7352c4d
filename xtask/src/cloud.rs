//! Questions to the emulated cloud, answered by `emulator/tools/ask.py`. Deliberately not the AWS SDK crates: they would make
//! xtask, which everybody waits for, slow to build.

use std::path::Path;

use serde_json::Value;

use crate::emulator::Emulator;
use crate::failure::{Context, Failure, Result};
use crate::process::{self, Terms};

/// How long an answer may take; an invocation waits for its function.
const LIMIT: Terms = Terms::seconds(100);

/// The outside view of an emulator's account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cloud<'a> {
    emulator: &'a Emulator,
}

impl<'a> Cloud<'a> {
    /// Looks at the account of `emulator`.
    pub(crate) const fn of(emulator: &'a Emulator) -> Self {
        Self { emulator }
    }

    fn ask(self, words: &[&str]) -> Result<Value> {
        let mut script = self.emulator.script("tools/ask.py");
        let done = process::run(script.args(words), LIMIT)?.success(format!("ask.py {}", words.join(" ")))?;
        serde_json::from_str(&done.stdout).context(format!("the answer of ask.py {}", words[0]))
    }

    /// Everything in the account, one text a resource.
    pub(crate) fn inventory(self) -> Result<Vec<String>> {
        Ok(texts(&self.ask(&["inventory"])?))
    }

    /// What is in the account beyond `before`.
    pub(crate) fn left_since(self, before: &[String]) -> Result<Vec<String>> {
        Ok(self.inventory()?.into_iter().filter(|each| !before.contains(each)).collect())
    }

    /// The functions of a deployment: name, memory, timeout, code, role, live (version), environment.
    pub(crate) fn functions(self, deployment: &str) -> Result<Vec<Value>> {
        Ok(list(self.ask(&["functions", &format!("{deployment}-")])?))
    }

    /// The queues of a deployment: name, waiting, `in_flight`, delayed.
    pub(crate) fn queues(self, deployment: &str) -> Result<Vec<Value>> {
        Ok(list(self.ask(&["queues", &format!("{deployment}-")])?))
    }

    /// Calls a function; its own error is a failure.
    pub(crate) fn invoke(self, function: &str, payload: &Value) -> Result<Value> {
        let answer = self.ask(&["invoke", function, &payload.to_string()])?;
        if answer["error"].is_null() {
            return Ok(answer["payload"].clone());
        }
        Err(Failure::new(format!("{function} failed: {}", answer["payload"])))
    }

    /// The last lines of a function's log group.
    pub(crate) fn logs(self, group: &str) -> Result<Vec<String>> {
        Ok(texts(&self.ask(&["logs", group])?))
    }

    /// Takes an action out of a role; the answer restores it with [`Cloud::permit`].
    pub(crate) fn forbid(self, role: &str, action: &str) -> Result<Value> {
        self.ask(&["forbid", role, action])
    }

    /// Writes a role's inline policies as [`Cloud::forbid`] answered them.
    pub(crate) fn permit(self, role: &str, policies: &Value) -> Result<()> {
        self.ask(&["permit", role, &policies.to_string()]).map(drop)
    }

    /// SHA-256 of the bootstrap in an artifact, in hexadecimal, taken from its bytes and not from its manifest.
    pub(crate) fn bootstrap(self, artifact: &Path) -> Result<String> {
        let answer = self.ask(&["bootstrap", &artifact.to_string_lossy()])?;
        answer.as_str().map(str::to_owned).context("the hash of the bootstrap")
    }

    /// Deletes a function behind the provider's back.
    pub(crate) fn remove_function(self, function: &str) -> Result<()> {
        self.ask(&["remove_function", function]).map(drop)
    }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        _ => Vec::new(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|each| each.as_str().map(str::to_owned)).collect()
}
