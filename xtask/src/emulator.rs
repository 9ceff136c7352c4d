//! The emulated AWS: MiniStack under our layers (`emulator/`), with IAM enforcement on, started for one command and ended with
//! everything that runs in it. Deliberately offers no way to switch the layers off.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::failure::{Context, Failure, Result};
use crate::places::Places;
use crate::process::{self, Group};
use crate::{http, prerequisites, venv};

/// How long it may take to answer; it takes a third of a second on an idle machine.
const START: Duration = Duration::from_secs(90);

/// Name of the file in which it notes what it is asked.
const CALLS: &str = "calls.jsonl";

/// Knobs without any delay of AWS: for tests that deploy again and again.
pub(crate) const WITHOUT_DELAYS: [(&str, &str); 6] = [
    ("MS_DDB_DELAY", "0"),
    ("MS_IAM_DELAY", "0"),
    ("MS_LAMBDA_DELAY", "0"),
    ("MS_SCHEDULER_DELAY", "0"),
    ("MS_SQS_COOLDOWN", "0"),
    ("MS_TTL_COOLDOWN", "0"),
];

/// The region of every call, of emulator, provider and functions.
pub(crate) const REGION: &str = "us-east-1";

/// A running emulator. Dropping it ends it, its functions, and removes what it wrote.
#[derive(Debug)]
pub(crate) struct Emulator {
    // The order matters: processes end before their folder goes.
    group: Group,
    work: Option<TempDir>,
    log: PathBuf,
    port: u16,
    python: PathBuf,
    root: PathBuf,
}

/// How an emulator is started.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Settings<'a> {
    /// Delays and throttling, by the names of `emulator/README.md`.
    pub(crate) knobs: &'a [(&'a str, &'a str)],
    /// Whether it may outlive us. Otherwise the kernel ends it when we end, however we end.
    pub(crate) outlives: bool,
    /// Whether pip's lines go to the terminal.
    pub(crate) echo: bool,
}

impl Emulator {
    /// Makes the virtual environment if needed, starts the emulator on a free port and waits until it answers.
    pub(crate) fn start(places: &Places, settings: Settings<'_>) -> Result<Self> {
        prerequisites::for_emulator()?;
        let python = venv::python(places, "emulator-venv", "emulator/requirements.txt", settings.echo)?;
        let mut last = None;
        // Between finding a free port and opening it somebody else may take it: then the emulator ends at once.
        for _ in 0..3 {
            match Self::attempt(places, settings, &python) {
                Ok(emulator) => return Ok(emulator),
                Err(failure) => last = Some(failure),
            }
            process::go_on()?;
        }
        Err(last.unwrap_or_else(|| Failure::new("the emulator was not started")))
    }

    fn attempt(places: &Places, settings: Settings<'_>, python: &Path) -> Result<Self> {
        let work = TempDir::with_prefix("eventual-emulator-").context("cannot make a temporary folder")?;
        let port = free_port()?;
        let log = work.path().join("emulator.log");
        let mut command = Self::command(places, settings, python, work.path(), port);
        let output = File::create(&log).context(log.display())?;
        command.stderr(output.try_clone().context(log.display())?).stdout(output);
        let group = Group::start(command.stdin(std::process::Stdio::null()))?;
        let mut emulator = Self {
            group,
            work: Some(work),
            log,
            port,
            python: python.to_path_buf(),
            root: places.root.clone(),
        };
        let health = format!("{}/_ministack/health", emulator.endpoint());
        let healthy =
            process::wait_for("the emulator did not start", START, || match emulator.group.ended()? {
                // Ended for good: `Some` ends the waiting, the answer is judged below.
                Some(status) => Ok(Some(Err(Failure::new(format!("the emulator ended at once ({status})"))))),
                None => Ok(http::get(&health).is_ok_and(|answer| answer.status == 200).then_some(Ok(()))),
            });
        healthy
            .and_then(|ended| ended)
            .map_err(|failure| Failure::new(format!("{failure}\n{}", emulator.tail(40))))?;
        Ok(emulator)
    }

    fn command(places: &Places, settings: Settings<'_>, python: &Path, work: &Path, port: u16) -> Command {
        let mut words = Vec::new();
        if !settings.outlives {
            words.extend(["setpriv", "--pdeathsig", "KILL", "--"]);
        }
        words.extend(prerequisites::isolation());
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(python).arg(places.root.join("emulator/launcher.py")).current_dir(work);
        // A clean environment: nothing of the developer's (keys, proxies, endpoints) may reach the emulated cloud.
        command
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"), ("BIND_HOST", "127.0.0.1")]);
        command.envs([
            ("AUTH", "true"),
            ("IOT_MTLS_ENABLED", "0"),
            ("SFTP_ENABLED", "0"),
            ("MINISTACK_HOST", "localhost"),
        ]);
        command.env("HOME", work).env("TMPDIR", work).env("MS_SANDBOX", work.join("sandbox"));
        command
            .env("GATEWAY_PORT", port.to_string())
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
        // Python would write its caches beside the sources, which are the checkout.
        command.env("PYTHONPYCACHEPREFIX", places.cache.join("pycache")).env("PYTHONUNBUFFERED", "1");
        command.env("MS_RECORD", work.join(CALLS));
        command.envs(settings.knobs.iter().copied());
        command
    }

    /// Where all its services answer.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What an AWS client needs to use it as the account's root.
    pub(crate) fn credentials(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_DEFAULT_REGION", REGION.into()),
            // Otherwise SDKs ask a metadata server that is not there.
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
    }

    /// Python of the virtual environment with a script of `emulator/`, its path given relative to that folder, set up to call
    /// this emulator.
    pub(crate) fn script(&self, script: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.root.join("emulator").join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN").envs(self.credentials());
        command
    }

    /// The file in which it notes what it is asked, see `emulator/record.py`.
    pub(crate) fn calls(&self) -> PathBuf {
        self.log.with_file_name(CALLS)
    }

    /// Requests since its start that are not what the published models of their services allow, and how many different
    /// operations there were.
    pub(crate) fn judged(&self) -> Result<(Vec<String>, usize)> {
        let text = fs::read_to_string(self.calls()).context(self.calls().display())?;
        let (mut wrong, mut operations) = (BTreeSet::new(), BTreeSet::new());
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).context("a note of the emulator")?;
            let (Some(model), Some(found)) = (line["model"].as_str(), line["wrong"].as_array()) else {
                continue;
            };
            operations.insert(format!("{model} {}", line["operation"]));
            wrong.extend(found.iter().map(|it| format!("{model} {}", it.as_str().unwrap_or_default())));
        }
        Ok((wrong.into_iter().collect(), operations.len()))
    }

    /// The last lines of its log.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Lets it outlive us; the answer says how to end it.
    pub(crate) fn keep(mut self) -> Kept {
        self.group.keep();
        let folder = self.work.take().map(TempDir::keep).unwrap_or_default();
        Kept { id: self.group.id(), folder }
    }
}

/// An emulator that was left running.
#[derive(Debug)]
pub(crate) struct Kept {
    id: u32,
    folder: PathBuf,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kill -9 -- -{} && rm -rf {}", self.id, self.folder.display())
    }
}

/// A port of the loopback that nobody has right now.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot open a port of the loopback")?;
    Ok(listener.local_addr().context("cannot open a port of the loopback")?.port())
}
