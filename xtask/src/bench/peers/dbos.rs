//! DBOS: its TypeScript SDK on a PostgreSQL of its own with its defaults, which write every commit with fsync.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Engine, answering, folder, node};
use crate::emulator::free_port;
use crate::failure::{Context, Result};
use crate::prerequisites::on_path;
use crate::process::{self, Group, Terms};

/// Whom PostgreSQL runs as when we are root, which it refuses to be.
const NOBODY: [&str; 5] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];

pub(super) fn start(tools: &Path) -> Result<Engine> {
    for program in ["initdb", "postgres"] {
        on_path(program)
            .context(format!("{program} is not on the PATH: install the server of PostgreSQL"))?;
    }
    let data = folder()?;
    let cluster = data.path().join("cluster");
    fs::create_dir(&cluster).context(cluster.display())?;
    if is_root() {
        for folder in [data.path(), &cluster] {
            std::os::unix::fs::chown(folder, Some(65_534), Some(65_534)).context(folder.display())?;
        }
    }
    let mut initdb = unprivileged("initdb");
    initdb.args(["--auth=trust", "--username=bench", "--encoding=UTF8", "-D"]).arg(&cluster);
    process::run(initdb.current_dir(data.path()), Terms::seconds(120))?.success("initdb")?;
    let port_of_database = free_port()?;
    let log = fs::File::create(data.path().join("postgres.log")).context("postgres.log")?;
    let errors = log.try_clone().context("postgres.log")?;
    let mut server = unprivileged("postgres");
    server
        .arg("-D")
        .arg(&cluster)
        .args(["-p", &port_of_database.to_string(), "-h", "127.0.0.1", "-k"])
        .arg(data.path());
    let server = Group::start(server.current_dir(data.path()).stdout(log).stderr(errors))?;
    let port = free_port()?;
    let database = format!("postgresql://bench@127.0.0.1:{port_of_database}/bench");
    // It makes the database itself, once the server is there.
    let starting =
        ["--unhandled-rejections=strict".to_owned(), "dbos.mjs".into(), port.to_string(), database];
    process::wait_for("PostgreSQL does not answer", super::START, || {
        Ok(std::net::TcpStream::connect(("127.0.0.1", port_of_database)).ok().map(drop))
    })?;
    let served = node(tools, data.path(), &starting)?;
    answering("DBOS", format!("http://127.0.0.1:{port}/"), vec![served, server], data)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn unprivileged(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new(NOBODY[0]);
    command.args(&NOBODY[1..]).arg(program);
    command
}
