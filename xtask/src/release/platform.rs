//! The platforms by the names of rustc, and by those of Go, which archives of plugins bear.

use std::process::Command;

use crate::failure::{Context, Failure, Result};
use crate::process::{self, Terms};

/// A platform by Go's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Platform {
    pub(super) os: &'static str,
    pub(super) arch: &'static str,
}

const KNOWN: [(&str, &str, &str); 9] = [
    ("x86_64-unknown-linux-gnu", "linux", "amd64"),
    ("x86_64-unknown-linux-musl", "linux", "amd64"),
    ("aarch64-unknown-linux-gnu", "linux", "arm64"),
    ("aarch64-unknown-linux-musl", "linux", "arm64"),
    ("x86_64-apple-darwin", "darwin", "amd64"),
    ("aarch64-apple-darwin", "darwin", "arm64"),
    ("x86_64-pc-windows-msvc", "windows", "amd64"),
    ("x86_64-pc-windows-gnu", "windows", "amd64"),
    ("aarch64-pc-windows-msvc", "windows", "arm64"),
];

impl Platform {
    /// The platform of a target.
    pub(super) fn of(target: &str) -> Result<Self> {
        let known = KNOWN.iter().find(|(name, ..)| *name == target);
        known.map(|(_, os, arch)| Self { os, arch }).ok_or_else(|| {
            let names: Vec<&str> = KNOWN.iter().map(|(name, ..)| *name).collect();
            Failure::new(format!("{target} is not released; released are {}", names.join(", ")))
        })
    }

    /// What names of programs end with.
    pub(super) fn suffix(self) -> &'static str {
        if self.os == "windows" { ".exe" } else { "" }
    }
}

/// This machine's target.
pub(super) fn host() -> Result<String> {
    let done = process::run(Command::new("rustc").arg("-vV"), Terms::seconds(30))?.success("rustc -vV")?;
    let host = done.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}
