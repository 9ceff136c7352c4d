//! Other engines on this machine, started as their makers say, with the same nine steps behind the same HTTP client as ours: Restate
//! (its server and its TypeScript SDK) and DBOS (its TypeScript SDK on PostgreSQL). Each value of ours stands beside one of theirs, taken
//! a moment before or after, so that what else the machine does is in both. What cannot be had is a figure without values.

mod dbos;
mod restate;
mod worked;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::Figure;
use super::engine::readings;
use crate::builds;
use crate::emulator::free_port;
use crate::failure::{Context, Failure, Result};
use crate::http;
use crate::places::Places;
use crate::prerequisites::on_path;
use crate::process::{self, Group, Terms};
use worked::worked;

/// How often each engine has its turn.
const ROUNDS: usize = 5;
/// Workflows one after the other, and connections and seconds at once, in one turn.
const RUNS: &str = "100";
const CLIENTS: &str = "64";
const SECONDS: &str = "4";
/// Longest start of an engine.
const START: Duration = Duration::from_secs(60);

/// Starts a peer out of the folder with the tools.
type Start = fn(&Path) -> Result<Engine>;

const PEERS: [(&str, Start); 2] = [("Restate", restate::start), ("DBOS", dbos::start)];

/// A running engine that answers the nine steps at `url`. Its processes and its data end with it.
struct Engine {
    name: &'static str,
    url: String,
    processes: Vec<Group>,
    _data: tempfile::TempDir,
    /// Milliseconds of nine steps, workflows a second, and milliseconds of processor time of a workflow, one value a round.
    values: [Vec<f64>; 3],
}

pub(super) fn figures(places: &Places, echo: bool) -> Result<Vec<Figure>> {
    let program = builds::engine_bench(places, echo)?;
    let mut engines = vec![ours(&program)?];
    let mut figures = Vec::new();
    let tools = tools(places, echo);
    for (name, start) in PEERS {
        match tools.as_deref().map_err(|failure| Failure::new(failure.to_string())).and_then(start) {
            Ok(engine) => engines.push(engine),
            Err(failure) => figures.push(absent(name, &failure)),
        }
    }
    for round in 0..ROUNDS {
        eprintln!("peers: round {} of {ROUNDS}", round + 1);
        for engine in &mut engines {
            engine.measure(&program)?;
        }
    }
    let [ours, peers @ ..] = engines.as_slice() else { return Ok(figures) };
    figures.extend(engines.iter().flat_map(Engine::figures));
    figures.extend(peers.iter().flat_map(|peer| peer.compared(ours)));
    Ok(figures)
}

impl Engine {
    fn measure(&mut self, program: &Path) -> Result<()> {
        let sequential = readings(program, &["sequential", &self.url, RUNS]).context(self.name)?;
        let leaders: Vec<u32> = self.processes.iter().map(Group::id).collect();
        let before = worked(&leaders);
        let concurrent =
            readings(program, &["concurrent", &self.url, CLIENTS, SECONDS]).context(self.name)?;
        let after = worked(&leaders);
        let ([(_, p50), ..], [(_, rate), (_, count)]) = (sequential.as_slice(), concurrent.as_slice()) else {
            return Err(Failure::new(format!("{}: other readings than expected", self.name)));
        };
        #[expect(clippy::cast_precision_loss, reason = "some seconds in milliseconds")]
        let each = after.saturating_sub(before) as f64 / count;
        for (all, value) in self.values.iter_mut().zip([*p50, *rate, each]) {
            all.push(value);
        }
        Ok(())
    }

    fn figures(&self) -> [Figure; 3] {
        let [p50, rate, each] = &self.values;
        let figure =
            |what: String, unit, values: &[f64]| Figure { what, unit, values: values.to_vec(), limit: None };
        [
            figure(format!("peers: {}: nine steps one after another, p50", self.name), "ms", p50),
            figure(format!("peers: {}: nine-step workflows, {CLIENTS} connections", self.name), "/s", rate),
            figure(format!("peers: {}: processor time of a workflow", self.name), "ms", each),
        ]
    }

    /// How many times slower than ours it is, round by round.
    fn compared(&self, ours: &Self) -> [Figure; 3] {
        let ratios = |over: &[f64], under: &[f64]| over.iter().zip(under).map(|(a, b)| a / b).collect();
        let figure = |what, values, limit| Figure { what, unit: "times", values, limit };
        let (name, restate) = (self.name, self.name == "Restate");
        [
            figure(
                format!("peers: p50 of {name} to ours"),
                ratios(&self.values[0], &ours.values[0]),
                restate.then_some(5.0),
            ),
            figure(
                format!("peers: our throughput to that of {name}"),
                ratios(&ours.values[1], &self.values[1]),
                Some(if restate { 20.0 } else { 10.0 }),
            ),
            figure(
                format!("peers: processor time of {name} to ours"),
                ratios(&self.values[2], &ours.values[2]),
                None,
            ),
        ]
    }
}

/// A peer that cannot be had: said in the table, and a failure of the command.
fn absent(name: &str, failure: &Failure) -> Figure {
    let reason = failure.to_string().replace('\n', " ");
    Figure {
        what: format!("peers: {name} cannot be had: {reason}"),
        unit: "/s",
        values: Vec::new(),
        limit: Some(0.0),
    }
}

fn ours(program: &Path) -> Result<Engine> {
    let data = folder()?;
    let address = format!("127.0.0.1:{}", free_port()?);
    let mut serve = Command::new(program);
    serve.arg("serve").arg("--store").arg(data.path().join("store")).args(["--listen", &address]);
    let process = Group::start(serve.env("RUST_LOG", "error").stdout(Stdio::null()))?;
    answering("eventual", format!("http://{address}/rpc/runNine"), vec![process], data)
}

/// An engine, once it answers.
fn answering(
    name: &'static str,
    url: String,
    processes: Vec<Group>,
    data: tempfile::TempDir,
) -> Result<Engine> {
    process::wait_for(&format!("{name} does not answer"), START, || {
        let answer = http::post(&url, &json!({ "number": 1 }))?;
        match answer.status {
            200 => Ok(Some(())),
            status => Err(Failure::new(format!("{status}: {}", answer.text))),
        }
    })?;
    Ok(Engine { name, url, processes, _data: data, values: [const { Vec::new() }; 3] })
}

/// The folder with the peers' npm packages, installed once per content of the lock file.
fn tools(places: &Places, echo: bool) -> Result<PathBuf> {
    let (from, to) = (places.root.join("benches/peers"), places.cache.join("peers"));
    for program in ["node", "npm"] {
        on_path(program).context(format!("{program} is not on the PATH: install Node.js 20 or later"))?;
    }
    fs::create_dir_all(&to).context(to.display())?;
    let stamp = to.join("installed");
    let lock =
        fs::read_to_string(from.join("package-lock.json")).context("benches/peers/package-lock.json")?;
    let fresh = fs::read_to_string(&stamp).is_ok_and(|it| it == lock);
    for entry in fs::read_dir(&from).context(from.display())?.flatten() {
        let target = to.join(entry.file_name());
        fs::copy(entry.path(), &target).context(target.display())?;
    }
    if !fresh {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&to);
        process::run(&mut npm, Terms { echo, ..Terms::seconds(600) })?.success("npm ci in benches/peers")?;
        fs::write(&stamp, lock).context(stamp.display())?;
    }
    Ok(to)
}

/// A folder for data, on the disk that temporary files are on.
fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().context("a temporary folder")
}

/// A Node program of ours, quiet: what it says goes into `folder`.
fn node(tools: &Path, folder: &Path, arguments: &[String]) -> Result<Group> {
    let log = fs::File::create(folder.join("node.log")).context("node.log")?;
    let errors = log.try_clone().context("node.log")?;
    let mut node = Command::new("node");
    node.args(arguments).current_dir(tools).env("NODE_ENV", "production");
    // A line for every invocation would be measured, too.
    node.env("RESTATE_LOGGING", "ERROR").stdout(log).stderr(errors);
    Group::start(&mut node)
}
