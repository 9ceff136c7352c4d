//! The service as a process of its own on a store on the disk, as its users run it: started, asked, killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::load::Client;
use crate::service::MARKS;

/// A process that serves; ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Host {
    child: Child,
    /// Where it serves.
    pub(crate) url: String,
}

impl Host {
    /// Starts one on `store`, whose marks go into the file `marks`; returns when it serves.
    pub(crate) fn start(store: &Path, marks: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--store").arg(store).args(["--listen", "127.0.0.1:0"]).env(MARKS, marks);
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let stdout = child.stdout.take();
        let line =
            stdout.and_then(|it| BufReader::new(it).lines().next()).and_then(Result::ok).unwrap_or_default();
        let address = line.split_once(" on http://").and_then(|(_, rest)| rest.split(',').next());
        let url = format!("http://{}", address.ok_or("the service does not say where it serves")?);
        Ok(Self { child, url })
    }

    /// Asks a system operation.
    pub(crate) fn ask(&self, client: &Client, request: &Value) -> Result<Value, String> {
        client.post(&format!("{}/_eventual/system", self.url), request)
    }

    /// Starts an execution.
    pub(crate) fn begin(
        &self,
        client: &Client,
        workflow: &str,
        name: &str,
        input: &Value,
    ) -> Result<(), String> {
        let request = json!({ "op": "start", "workflow": workflow, "name": name, "input": input });
        self.ask(client, &request).map(|_| ())
    }

    /// Megabytes of memory that the kernel has given it.
    pub(crate) fn resident_mb(&self) -> Result<f64, String> {
        let file = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let line = text.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap_or_default();
        let kilobytes: f64 =
            line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("{file}: no VmRSS"))?;
        Ok(kilobytes / 1000.0)
    }

    /// Processor time that it has taken, in ticks of the kernel.
    pub(crate) fn ticks(&self) -> Result<u64, String> {
        let file = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        Ok(fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum())
    }

    /// Waits until it has nothing more to do: it takes no processor time for a second.
    pub(crate) fn settle(&self) -> Result<(), String> {
        let began = Instant::now();
        let mut before = self.ticks()?;
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let now = self.ticks()?;
            if now <= before + 1 {
                return Ok(());
            }
            before = now;
            if began.elapsed() > Duration::from_secs(120) {
                return Err("the service is still busy after two minutes".to_owned());
            }
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        self.child.kill().and_then(|()| self.child.wait()).map(|_| ()).map_err(|error| error.to_string())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Gone already where it was killed.
        let _ = self.kill();
    }
}
