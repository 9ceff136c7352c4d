//! Why a build failed. What cargo and the service's own binary said was passed on when they said it; only what they
//! cannot know is said here.

use std::path::{Path, PathBuf};

use eventual_schema::ManifestError;
use eventual_schema::artifact::ArtifactProblem;

use super::target::Architecture;

/// Why `cargo eventual build` failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("the built artifact is not right: {0}")]
    Artifact(#[source] ArtifactProblem),
    #[error("cargo could not build {package}; what it said stands above")]
    Cargo { package: String, code: Option<i32> },
    #[error("{path} is not TOML: {source}")]
    Config { path: PathBuf, source: Box<toml::de::Error> },
    #[error("cannot {verb} {}: {source}", path.display())]
    File { verb: &'static str, path: PathBuf, source: std::io::Error },
    #[error(
        "the binary needs glibc {version} ({symbols}), and Lambda (provided.al2023) has 2.34: build with `--zig` (`pip install ziglang` gives it), or on a system whose glibc is not newer, such as Amazon Linux 2023 or Debian 11"
    )]
    Glibc { version: String, symbols: String },
    #[error("this machine ({0}) is of no processor that Lambda has: say `--arch x86_64` or `--arch arm64`")]
    Host(String),
    #[error(
        "the binary printed what is not a manifest: {0}; its eventual-runtime and this program must be of the same release"
    )]
    Manifest(#[source] ManifestError),
    #[error("cargo metadata: {0}")]
    Metadata(#[source] cargo_metadata::Error),
    #[error("cargo made no binary {0}")]
    NoBinary(String),
    #[error("{0}")]
    Package(String),
    #[error(
        "the binary did not print its manifest within {seconds} s and was stopped: its `main` must be `eventual::main!(...)` and nothing else"
    )]
    PrinterHangs { seconds: u64 },
    #[error("the binary could not describe the service; what it said stands above")]
    PrinterFailed,
    #[error("the binary printed no manifest: its `main` must be `eventual::main!(...)` and nothing else")]
    PrinterSilent,
    #[error("cannot run {program}: {source}")]
    Program { program: String, source: std::io::Error },
    #[error(
        "the Rust standard library for {} is not installed: run `rustup target add {}`",
        .0.lambda_name(),
        .0.triple()
    )]
    Std(Architecture),
    #[error("cannot read the toolchain from `rustc -vV`: {0}")]
    Toolchain(String),
    #[error(
        "linking for {} needs zig, and neither `zig` nor `python3 -m ziglang` runs: run `pip install ziglang`, or name another linker in CARGO_TARGET_{}_LINKER",
        .0.lambda_name(),
        .0.variable()
    )]
    Zig(Architecture),
}

impl BuildError {
    pub(crate) fn file(verb: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File { verb, path: path.to_owned(), source }
    }

    /// The exit code of cargo when cargo failed, so that scripts see the same as with `cargo build`; else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Cargo { code: Some(code), .. } => u8::try_from(*code).unwrap_or(1),
            _ => 1,
        }
    }
}
