//! How long Terraform waits for the provider before it can ask the first question: from the start of the process to its line on
//! standard output, mutual TLS included.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Figure, milliseconds};
use crate::builds;
use crate::failure::{Context, Result, require};
use crate::places::Places;
use crate::process::Group;

const RUNS: usize = 20;
/// A certificate of the kind that Terraform makes for every start (P-521); nobody has its key.
const CERTIFICATE: &str = include_str!("terraform.pem");

pub(super) fn figures(places: &Places, echo: bool) -> Result<Vec<Figure>> {
    let provider = builds::release_provider(places, echo)?;
    let values = (0..RUNS).map(|_| handshake(&provider)).collect::<Result<_>>()?;
    let what = "provider handshake: process start to its line".to_owned();
    Ok(vec![Figure { what, unit: "ms", values, limit: Some(30.0) }])
}

fn handshake(provider: &Path) -> Result<f64> {
    let mut command = Command::new(provider);
    command.env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
    command.env("PLUGIN_PROTOCOL_VERSIONS", "6").env("PLUGIN_CLIENT_CERT", CERTIFICATE);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let started = Instant::now();
    let mut group = Group::start(&mut command)?;
    let stdout = group.stdout().context("the provider has no standard output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).context("the provider's line")?;
    let took = started.elapsed();
    require(line.starts_with("1|6|unix|") && line.contains("|grpc|"), || {
        format!("the provider says {line:?}")
    })?;
    Ok(milliseconds(took))
}
