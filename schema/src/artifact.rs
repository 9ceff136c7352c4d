//! The artifact: a zip with a service's binary and its manifest, written and read here and nowhere else.
//!
//! [`open`] believes nothing that it did not check: an artifact that gets through it is one that Lambda can run and
//! whose manifest tells the truth about its binary. It deliberately never runs the binary, so that an artifact for
//! another processor, or of somebody else, can be opened anywhere.

mod binary;
mod error;
mod tail;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

pub use self::binary::{Binary, Handler};
pub use self::error::{ArtifactError, ArtifactProblem};
pub use self::tail::manifest_of;
use crate::deploy::{BOOTSTRAP_FILE, MANIFEST_FILE};
use crate::digest::sha256_hex;
use crate::manifest::Manifest;

/// Lambda's limit for the unpacked code of a function, in bytes. A zip that is larger than that packed is no artifact.
pub const UNPACKED_MAX: u64 = 250 * 1024 * 1024;
/// Longest manifest that is read, in bytes: hundreds of times what a large service has.
pub const MANIFEST_MAX: u64 = 16 * 1024 * 1024;

/// An artifact that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What the service declares. `code` is there, and is true.
    pub manifest: Manifest,
    /// SHA-256 of the zip file, in lower-case hexadecimal.
    pub sha256: String,
    /// Size of the zip file in bytes.
    pub size: u64,
    /// Size of the unpacked `bootstrap` in bytes.
    pub bootstrap_size: u64,
}

/// Reads the artifact at `path` and checks it: a zip with exactly `bootstrap` and `eventual.json`, a manifest of our
/// format, a binary that has the manifest's hash, runs on the manifest's processor, and holds exactly the manifest's
/// handlers.
///
/// # Errors
/// Says which of these does not hold, and what to do.
pub fn open(path: &Path) -> Result<Opened, ArtifactError> {
    let at = |problem| ArtifactError { path: path.to_owned(), problem: Box::new(problem) };
    let bytes = read_file(path).map_err(at)?;
    check(&bytes).map_err(at)
}

/// The bytes of an artifact. The same input gives the same bytes: order, times, permissions and compression are fixed.
///
/// # Errors
/// When the input is larger than a zip without extensions can hold.
pub fn pack(bootstrap: &[u8], manifest: &Manifest) -> std::io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::DEFAULT);
    zip.start_file(BOOTSTRAP_FILE, options.unix_permissions(0o755))?;
    zip.write_all(bootstrap)?;
    zip.start_file(MANIFEST_FILE, options.unix_permissions(0o644))?;
    zip.write_all(manifest.to_json().as_bytes())?;
    Ok(zip.finish()?.into_inner())
}

fn read_file(path: &Path) -> Result<Vec<u8>, ArtifactProblem> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ArtifactProblem::Missing,
        _ => ArtifactProblem::Unreadable(error),
    };
    // Asked before it is opened, because opening a pipe would wait for its writer.
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(ArtifactProblem::NotFile);
    }
    if about.len() > UNPACKED_MAX {
        return Err(ArtifactProblem::TooLarge { what: "the file", limit: UNPACKED_MAX });
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(UNPACKED_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// The same checks of an artifact that is not in a file yet.
///
/// # Errors
/// As [`open`].
pub fn check(bytes: &[u8]) -> Result<Opened, ArtifactProblem> {
    let mut archive = archive(bytes)?;
    let manifest = member(&mut archive, MANIFEST_FILE, MANIFEST_MAX)?;
    let manifest = Manifest::from_json(&manifest).map_err(ArtifactProblem::Manifest)?;
    let bootstrap = member(&mut archive, BOOTSTRAP_FILE, UNPACKED_MAX)?;
    check_code(&manifest, &bootstrap)?;
    let mode = archive.by_name(BOOTSTRAP_FILE).map_err(ArtifactProblem::Damaged)?.unix_mode();
    if mode.is_none_or(|mode| mode & 0o111 != 0o111) {
        return Err(ArtifactProblem::NotExecutable);
    }
    Ok(Opened {
        manifest,
        sha256: sha256_hex(bytes),
        size: bytes.len() as u64,
        bootstrap_size: bootstrap.len() as u64,
    })
}

/// The zip, when it holds our two files and nothing else.
fn archive(bytes: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, ArtifactProblem> {
    if !bytes.starts_with(b"PK") {
        return Err(ArtifactProblem::NotZip);
    }
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(ArtifactProblem::Damaged)?;
    let mut names: Vec<String> =
        archive.file_names_raw().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    names.sort();
    if names != [BOOTSTRAP_FILE, MANIFEST_FILE] || archive.has_duplicate_names() {
        return Err(ArtifactProblem::Foreign { names });
    }
    Ok(archive)
}

/// One file of the zip, unpacked. It is read no further than `limit`, whatever size the zip claims.
fn member(
    archive: &mut ZipArchive<impl Read + Seek>,
    name: &'static str,
    limit: u64,
) -> Result<Vec<u8>, ArtifactProblem> {
    let file = archive.by_name(name).map_err(ArtifactProblem::Damaged)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| ArtifactProblem::Damaged(error.into()))?;
    if bytes.len() as u64 > limit {
        return Err(ArtifactProblem::TooLarge { what: name, limit });
    }
    Ok(bytes)
}

/// Whether the binary is the one that the manifest was made of.
fn check_code(manifest: &Manifest, bootstrap: &[u8]) -> Result<(), ArtifactProblem> {
    let Some(code) = &manifest.code else {
        return Err(ArtifactProblem::NotPacked);
    };
    let found = sha256_hex(bootstrap);
    if found != code.sha256 {
        return Err(ArtifactProblem::Hash { manifest: code.sha256.clone(), found });
    }
    let binary = Binary::read(bootstrap)?;
    if binary.architecture != code.architecture {
        let manifest = code.architecture.clone();
        return Err(ArtifactProblem::Architecture { manifest, found: binary.architecture.to_owned() });
    }
    binary.agrees(manifest)
}
