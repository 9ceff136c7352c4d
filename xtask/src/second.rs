//! moto, another emulation of AWS by other people, as a second opinion on the requests of the provider: `emulator/second`. It
//! enforces no permissions and runs no functions; deliberately none of our layers is in it, only what its launcher lists.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::emulator::{REGION, free_port};
use crate::failure::{Context, Failure, Result};
use crate::places::Places;
use crate::process::{self, Group};
use crate::{http, venv};

/// Generous: it loads all of its services, and other builds use the machine as well.
const START: Duration = Duration::from_secs(120);

/// A running moto. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Second {
    // The order matters: the process ends before its folder goes.
    _group: Group,
    log: PathBuf,
    _work: TempDir,
    port: u16,
}

impl Second {
    /// Makes the virtual environment if needed, starts it on a free port and waits until it answers.
    pub(crate) fn start(places: &Places, echo: bool) -> Result<Self> {
        let python = venv::python(places, "moto-venv", "emulator/second/requirements.txt", echo)?;
        let work = TempDir::with_prefix("eventual-moto-").context("cannot make a temporary folder")?;
        let port = free_port()?;
        let log = work.path().join("moto.log");
        let output = File::create(&log).context(log.display())?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&python);
        command.arg(places.root.join("emulator/second/launcher.py")).arg(port.to_string());
        // Nothing of the developer's (keys, proxies, endpoints) may reach it.
        command.env_clear().envs([("PATH", "/usr/local/bin:/usr/bin:/bin")]).env("HOME", work.path());
        command.env("PYTHONPYCACHEPREFIX", places.cache.join("pycache")).env("PYTHONUNBUFFERED", "1");
        command.env("AWS_DEFAULT_REGION", REGION).current_dir(work.path());
        command.stderr(output.try_clone().context(log.display())?).stdout(output);
        let mut group = Group::start(command.stdin(std::process::Stdio::null()))?;
        let answers = format!("http://127.0.0.1:{port}/moto-api/config");
        let started = process::wait_for("moto did not start", START, || match group.ended()? {
            Some(status) => Ok(Some(Err(Failure::new(format!("moto ended at once ({status})"))))),
            None => Ok(http::get(&answers)
                .is_ok_and(|answer| (200..300).contains(&answer.status))
                .then_some(Ok(()))),
        });
        let text = || fs::read_to_string(&log).unwrap_or_default();
        started.and_then(|ended| ended).map_err(|failure| Failure::new(format!("{failure}\n{}", text())))?;
        Ok(Self { _group: group, log, _work: work, port })
    }

    /// What tests need to find it.
    pub(crate) fn environment(&self) -> [(&'static str, String); 6] {
        let endpoint = format!("http://127.0.0.1:{}", self.port);
        [
            ("EVENTUAL_TEST_ENDPOINT", endpoint.clone()),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
    }

    /// What is not moto's own in it, by its launcher's words.
    pub(crate) fn mended(&self) -> Result<Vec<String>> {
        let text = fs::read_to_string(&self.log).context(self.log.display())?;
        Ok(text.lines().filter_map(|line| line.strip_prefix("not moto: ")).map(str::to_owned).collect())
    }
}
