//! Archives whose bytes follow from their members alone: fixed order, times, owners and permissions.

use std::io::{Cursor, Write};

use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::failure::{Context, Result};

/// A block of tar, in bytes.
const BLOCK: usize = 512;

/// A file of an archive.
#[derive(Debug)]
pub(super) struct Member<'a> {
    name: String,
    mode: u32,
    bytes: &'a [u8],
}

impl<'a> Member<'a> {
    /// One that can be run.
    pub(super) fn program(name: String, bytes: &'a [u8]) -> Self {
        Self { name, mode: 0o755, bytes }
    }

    /// One that can be read.
    pub(super) fn text(name: &str, bytes: &'a [u8]) -> Self {
        Self { name: name.to_owned(), mode: 0o644, bytes }
    }
}

/// A zip.
pub(super) fn zip(members: &[Member<'_>]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::DEFAULT);
    for member in members {
        zip.start_file(&member.name, options.unix_permissions(member.mode)).context(&member.name)?;
        zip.write_all(member.bytes).context(&member.name)?;
    }
    Ok(zip.finish().context("a zip")?.into_inner())
}

/// A tar in gzip.
pub(super) fn tar_gz(members: &[Member<'_>]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    for member in members {
        let mut write = |bytes: &[u8]| gzip.write_all(bytes).context(&member.name);
        write(&header(member))?;
        write(member.bytes)?;
        write(&vec![0; member.bytes.len().next_multiple_of(BLOCK) - member.bytes.len()])?;
    }
    gzip.write_all(&[0; 2 * BLOCK]).context("a tar")?;
    gzip.finish().context("a tar")
}

/// The header of a member, in the format `ustar`: texts that end with zeros, numbers in octal, and a sum of its own bytes.
fn header(member: &Member<'_>) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, &member.name);
    put(100, &format!("{:07o}", member.mode));
    put(108, "0000000"); // Owner and group: root, for whoever unpacks as root; others own what they unpack.
    put(116, "0000000");
    put(124, &format!("{:011o}", member.bytes.len()));
    put(136, "00000000000"); // 1970.
    put(148, "        "); // The sum counts itself as spaces.
    put(156, "0"); // A file.
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
