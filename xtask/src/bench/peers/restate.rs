//! Restate: one node with its defaults, which write every step with fsync, and a handler of its TypeScript SDK.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Engine, START, answering, folder, node};
use crate::emulator::free_port;
use crate::failure::{Context, Failure, Result};
use crate::http;
use crate::process::{self, Group};

pub(super) fn start(tools: &Path) -> Result<Engine> {
    let data = folder()?;
    let (handler, ingress, admin, internal) = (free_port()?, free_port()?, free_port()?, free_port()?);
    let served = node(tools, data.path(), &["restate.mjs".into(), handler.to_string()])?;
    let log = fs::File::create(data.path().join("restate.log")).context("restate.log")?;
    let errors = log.try_clone().context("restate.log")?;
    let mut server = Command::new(tools.join("node_modules/.bin/restate-server"));
    server.args(["--no-logo", "--listen-mode", "tcp", "--base-dir"]).arg(data.path().join("data"));
    server
        .env("RESTATE_BIND_ADDRESS", format!("127.0.0.1:{internal}"))
        .env("RESTATE_ADVERTISED_ADDRESS", format!("http://127.0.0.1:{internal}/"))
        .env("RESTATE_ADMIN__BIND_ADDRESS", format!("127.0.0.1:{admin}"))
        .env("RESTATE_INGRESS__BIND_ADDRESS", format!("127.0.0.1:{ingress}"))
        .env("RESTATE_DISABLE_TELEMETRY", "true")
        .env("RUST_LOG", "warn");
    let server = Group::start(server.stdout(log).stderr(errors))?;
    let deployment = json!({ "uri": format!("http://127.0.0.1:{handler}") });
    process::wait_for("Restate does not take the handler", START, || {
        let answer = http::post(&format!("http://127.0.0.1:{admin}/deployments"), &deployment)?;
        match answer.status {
            200..300 => Ok(Some(())),
            status => Err(Failure::new(format!("{status}: {}", answer.text))),
        }
    })?;
    answering("Restate", format!("http://127.0.0.1:{ingress}/bench/nine"), vec![served, server], data)
}
