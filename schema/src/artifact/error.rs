//! Why an artifact was refused, in words that say what to do.

use std::path::PathBuf;

use crate::deploy::{BOOTSTRAP_FILE, MANIFEST_FILE};
use crate::manifest::ManifestError;

/// An artifact that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("artifact {}: {problem}", path.display())]
pub struct ArtifactError {
    /// The file, as it was given.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Box<ArtifactProblem>,
}

/// What is wrong with an artifact.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactProblem {
    /// The binary is for another processor than the manifest says.
    #[error(
        "{BOOTSTRAP_FILE} is built for {found}, {MANIFEST_FILE} says {manifest}: build it again with `cargo eventual build`"
    )]
    Architecture {
        /// By the manifest.
        manifest: String,
        /// By the header of the binary.
        found: String,
    },
    /// The zip starts as one and cannot be read to its end.
    #[error("truncated or damaged ({0}): copy it again, or build it again with `cargo eventual build`")]
    Damaged(#[source] zip::result::ZipError),
    /// A zip of something else.
    #[error(
        "not an artifact of eventual: it holds {}, and should hold exactly {BOOTSTRAP_FILE} and {MANIFEST_FILE}; name the .zip file that `cargo eventual build` wrote",
        listed(names)
    )]
    Foreign {
        /// The files in the zip.
        names: Vec<String>,
    },
    /// Binary and manifest declare different handlers.
    #[error(
        "{BOOTSTRAP_FILE} and {MANIFEST_FILE} declare different handlers{}{}; build it again with `cargo eventual build`, and when that does not help, look for handlers behind `cfg`s of features or processors",
        side(MANIFEST_FILE, in_manifest_only),
        side(BOOTSTRAP_FILE, in_binary_only)
    )]
    Handlers {
        /// `<kind> <name>` of what only the manifest has.
        in_manifest_only: Vec<String>,
        /// `<kind> <name>` of what only the binary has.
        in_binary_only: Vec<String>,
    },
    /// The binary is not the one that the manifest was made of.
    #[error(
        "the SHA-256 of {BOOTSTRAP_FILE} is {found}, {MANIFEST_FILE} says {manifest}: one of them was replaced; build it again with `cargo eventual build`"
    )]
    Hash {
        /// By the manifest.
        manifest: String,
        /// Of the bytes in the zip.
        found: String,
    },
    /// The manifest cannot be read.
    #[error("{0}")]
    Manifest(#[source] ManifestError),
    /// Nothing is there.
    #[error("no such file: build it with `cargo eventual build`, or correct the path")]
    Missing,
    /// The binary is not an ELF file for a processor of Lambda.
    #[error(
        "{BOOTSTRAP_FILE} is not a Linux program for x86_64 or arm64 ({0}): build it with `cargo eventual build`"
    )]
    NotBinary(String),
    /// The zip was made by a program that keeps no permissions; on Lambda every start would fail.
    #[error(
        "the zip does not mark {BOOTSTRAP_FILE} as executable, so it was packed again by another program: build it with `cargo eventual build`"
    )]
    NotExecutable,
    /// A folder, a pipe or a device.
    #[error("is a folder or a device: name the .zip file that `cargo eventual build` wrote")]
    NotFile,
    /// The manifest names no binary.
    #[error("{MANIFEST_FILE} does not say which binary it belongs to: build it with `cargo eventual build`")]
    NotPacked,
    /// The file is no zip.
    #[error("not a zip file: name the .zip file that `cargo eventual build` wrote")]
    NotZip,
    /// Over a limit.
    #[error("{what} is larger than {} MB, the most that is accepted", limit / 1024 / 1024)]
    TooLarge {
        /// The file, or which file within it.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// There and not readable.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names {
        [] => "nothing".to_owned(),
        names if names.len() <= SHOWN => names.join(", "),
        names => format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}

fn side(file: &str, names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; only in {file}: {}", listed(names)) }
}
