//! The processors of Lambda, and the Rust toolchain that builds for them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;

use super::error::BuildError;

/// A processor that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    /// 64-bit ARM (Graviton)
    Arm64,
    /// 64-bit x86
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// As Lambda and manifests name it.
    pub(crate) const fn lambda_name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// As rustc names it, with Lambda's system.
    pub(crate) const fn triple(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }

    /// The triple as it stands in names of environment variables.
    pub(crate) fn variable(self) -> String {
        self.triple().to_uppercase().replace('-', "_")
    }

    /// The processor of a triple, whatever its system.
    pub(crate) fn of_triple(triple: &str) -> Option<Self> {
        match triple.split('-').next() {
            Some("aarch64") => Some(Self::Arm64),
            Some("x86_64") => Some(Self::X86_64),
            _ => None,
        }
    }
}

/// The Rust toolchain that cargo uses in this folder.
#[derive(Debug)]
pub(crate) struct Toolchain {
    /// Triple of this machine.
    pub(crate) host: String,
    /// Hash of the compiler's commit, as it stands in the paths of its standard library.
    pub(crate) commit: String,
    /// Where the toolchain is.
    pub(crate) sysroot: PathBuf,
}

impl Toolchain {
    /// Asks `rustc`, or the compiler that `RUSTC` names.
    pub(crate) fn find() -> Result<Self, BuildError> {
        let about = rustc(&["-vV"])?;
        let field = |name: &str| {
            let value = about.lines().find_map(|line| line.strip_prefix(name)).map(|it| it.trim().to_owned());
            value.ok_or_else(|| BuildError::Toolchain(format!("no line {name:?}")))
        };
        let sysroot = rustc(&["--print", "sysroot"])?.trim().into();
        Ok(Self { host: field("host:")?, commit: field("commit-hash:")?, sysroot })
    }

    /// Fails with what to install when the toolchain has no standard library for `architecture`.
    pub(crate) fn require_std(&self, architecture: Architecture) -> Result<(), BuildError> {
        let libraries = self.sysroot.join("lib/rustlib").join(architecture.triple()).join("lib");
        if libraries.is_dir() { Ok(()) } else { Err(BuildError::Std(architecture)) }
    }

    /// The `cfg`s of a target, as `cargo` compares them with `[target.'cfg(...)']`.
    pub(crate) fn cfgs(&self, triple: &str) -> Result<Vec<cargo_metadata::cargo_platform::Cfg>, BuildError> {
        let printed = rustc(&["--print", "cfg", "--target", triple])?;
        Ok(printed.lines().filter_map(|line| line.parse().ok()).collect())
    }
}

/// Cargo: the one that runs this program as its subcommand.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn rustc(arguments: &[&str]) -> Result<String, BuildError> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let failed = |source| BuildError::Program { program: program.display().to_string(), source };
    let output = Command::new(&program).args(arguments).output().map_err(failed)?;
    if !output.status.success() {
        return Err(BuildError::Toolchain(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_found_whatever_the_system() {
        for (triple, expected) in [
            ("x86_64-unknown-linux-gnu", Some(Architecture::X86_64)),
            ("aarch64-apple-darwin", Some(Architecture::Arm64)),
            ("riscv64gc-unknown-linux-gnu", None),
        ] {
            assert_eq!(Architecture::of_triple(triple), expected);
        }
    }

    #[test]
    fn this_toolchain_is_found_with_its_own_std() {
        let toolchain = Toolchain::find().unwrap();
        assert!(toolchain.sysroot.join("lib/rustlib").join(&toolchain.host).is_dir());
        assert_eq!(toolchain.commit.len(), 40, "{}", toolchain.commit);
    }
}
