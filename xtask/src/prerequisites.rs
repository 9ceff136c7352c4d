//! What must be on the machine before anything starts. Each check answers with one line that says what is missing and how
//! to get it. Deliberately installs nothing.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process::{self, Terms};

const ANSWER: Terms = Terms::seconds(30);

/// The oldest Terraform and OpenTofu that the provider is tested with.
const TERRAFORM: (u32, u32) = (1, 11);

/// The file that `program` on the PATH is.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    process::run(Command::new(program).args(arguments), ANSWER).is_ok_and(|done| done.status.success())
}

fn missing(words: &str) -> Result<()> {
    Err(Failure::new(words))
}

/// What the emulator needs: Linux with namespaces, and Python.
pub(crate) fn for_emulator() -> Result<()> {
    if cfg!(not(target_os = "linux")) {
        return missing(
            "the emulator runs on Linux only (it starts functions as native processes in namespaces): use a Linux machine, virtual machine or container",
        );
    }
    for program in ["unshare", "setpriv", "mount"] {
        if on_path(program).is_none() {
            return Err(Failure::new(format!(
                "{program} is not on the PATH: install the package util-linux"
            )));
        }
    }
    let namespaces = isolation();
    if !answers(namespaces[0], &[&namespaces[1..], &["true"]].concat()) {
        return missing(
            "this user may not make namespaces (`unshare -r -m -p true` fails): run as root, allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), or give the container --privileged",
        );
    }
    if on_path("python3").is_none() {
        return missing(
            "python3 is not on the PATH: install Python 3.10+ with its venv module (Debian: python3 python3-venv)",
        );
    }
    if !answers("python3", &["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"]) {
        return missing(
            "python3 is older than 3.10 or has no venv module: install Python 3.10+ with venv (Debian: python3-venv)",
        );
    }
    Ok(())
}

/// The command that keeps the emulator and its functions apart: mounts and process ids of their own, so that ending the
/// first process ends every function, even one that runs away. An ordinary user becomes root of a user namespace.
pub(crate) fn isolation() -> Vec<&'static str> {
    let mut words = vec!["unshare"];
    if !rustix::process::geteuid().is_root() {
        words.push("--map-root-user");
    }
    words.extend(["--mount", "--pid", "--fork", "--kill-child=KILL"]);
    words
}

/// Terraform on the PATH, new enough.
pub(crate) fn terraform() -> Result<PathBuf> {
    let how = "install it from https://developer.hashicorp.com/terraform/install or run with --bin tofu";
    let Some(file) = on_path("terraform") else {
        return Err(Failure::new(format!("terraform 1.11+ is not on the PATH: {how}")));
    };
    let done =
        process::run(Command::new(&file).args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1"), ANSWER)?;
    let version = serde_json::from_str::<serde_json::Value>(&done.stdout)
        .ok()
        .and_then(|answer| answer["terraform_version"].as_str().map(str::to_owned))
        .unwrap_or_default();
    let mut numbers = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < TERRAFORM {
        return Err(Failure::new(format!("terraform on the PATH is {version}, 1.11+ is needed: {how}")));
    }
    Ok(file)
}

/// Go, for building OpenTofu.
pub(crate) fn go() -> Result<()> {
    let Some(file) = on_path("go") else {
        return missing(
            "go is not on the PATH, and OpenTofu is built with it: install Go 1.26+ from https://go.dev/dl",
        );
    };
    // Unlike `go version`, this does not look at a go.mod and fetch another toolchain.
    let done =
        process::run(Command::new(file).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"), ANSWER)?;
    let version = done.stdout.trim().trim_start_matches("go");
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (1, 26) {
        return Err(Failure::new(format!(
            "go on the PATH is {version}, OpenTofu needs 1.26+: install it from https://go.dev/dl"
        )));
    }
    Ok(())
}

/// What generated clients are tested with: Node with npm, Python.
pub(crate) fn for_clients() -> Result<()> {
    node()?;
    let newer = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    if on_path("python3").is_none() || !answers("python3", &["-c", newer]) {
        return missing(
            "generated clients need Python 3.11+, and python3 on the PATH is older or has no venv module: install it with venv",
        );
    }
    Ok(())
}

/// Node and npm.
pub(crate) fn node() -> Result<()> {
    let how = "the tests of generated clients need Node 20+ with npm: install it from https://nodejs.org";
    for program in ["node", "npm"] {
        if on_path(program).is_none() {
            return Err(Failure::new(format!("{program} is not on the PATH, and {how}")));
        }
    }
    let done = process::run(Command::new("node").arg("--version"), ANSWER)?;
    let version = done.stdout.trim().trim_start_matches('v').to_owned();
    let major = version.split('.').next().and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
    if major < 20 { Err(Failure::new(format!("node on the PATH is {version:?}, and {how}"))) } else { Ok(()) }
}

/// curl, which the scripted functions of the emulator's own tests speak HTTP with.
pub(crate) fn curl() -> Result<()> {
    if on_path("curl").is_none() {
        return missing(
            "curl is not on the PATH, and the emulator's own tests need it: install the package curl",
        );
    }
    Ok(())
}
