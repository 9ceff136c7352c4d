//! A service that serves on a free port of this machine, from a store of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Context, Failure, Result};
use crate::process::Group;

/// It ends when this is dropped.
pub(super) struct Serving {
    /// Where it serves.
    pub(super) url: String,
    _group: Group,
}

impl Serving {
    /// Starts it on an empty store.
    pub(super) fn start(binary: &Path, store: &Path) -> Result<Self> {
        if store.exists() {
            std::fs::remove_dir_all(store).context(store.display())?;
        }
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--store"]).arg(store);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut group = Group::start(&mut command)?;
        let mut line = String::new();
        let stdout = group.stdout().context("the service has no output")?;
        BufReader::new(stdout).read_line(&mut line).context("the service says nothing")?;
        let url = line.split(" on ").nth(1).and_then(|it| it.split(',').next());
        let url =
            url.ok_or_else(|| Failure::new(format!("{} serve says {line:?}", binary.display())))?.to_owned();
        Ok(Self { url, _group: group })
    }
}
