//! The manifest of an artifact of which only the end is at hand: what is stored far away need not be fetched whole to be
//! looked into.
//!
//! It checks nothing about the binary, which is at the beginning: for artifacts that were checked before they were stored.

use std::io::{Error, ErrorKind, Read, Result as IoResult, Seek, SeekFrom};

use zip::ZipArchive;

use super::{ArtifactProblem, MANIFEST_MAX, member};
use crate::deploy::MANIFEST_FILE;
use crate::manifest::Manifest;

/// The manifest of an artifact of `size` bytes, of which `tail` are the last.
///
/// # Errors
/// When it is no artifact, or when its manifest begins before the tail does: then more of it is needed.
pub fn manifest_of(tail: &[u8], size: u64) -> Result<Manifest, ArtifactProblem> {
    let missing = size.saturating_sub(tail.len() as u64);
    let mut archive =
        ZipArchive::new(Tail { tail, missing, at: missing }).map_err(ArtifactProblem::Damaged)?;
    let manifest = member(&mut archive, MANIFEST_FILE, MANIFEST_MAX)?;
    Manifest::from_json(&manifest).map_err(ArtifactProblem::Manifest)
}

/// A file whose first `missing` bytes are not there.
struct Tail<'a> {
    tail: &'a [u8],
    missing: u64,
    at: u64,
}

impl Read for Tail<'_> {
    fn read(&mut self, into: &mut [u8]) -> IoResult<usize> {
        let from = self.at.checked_sub(self.missing);
        let from = from.ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "this part was not fetched"))?;
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.tail.len());
        let read = (&self.tail[from..]).read(into)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Tail<'_> {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        let size = self.missing + self.tail.len() as u64;
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "before the beginning"))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::pack;

    #[test]
    fn the_end_of_an_artifact_is_enough() {
        let manifest =
            Manifest::from_json(br#"{"format":1,"service":"orders","version":"1.0.0","functions":[]}"#);
        let manifest = manifest.unwrap();
        // Nothing that packs well: the beginning has to be long.
        let noise: Vec<u8> =
            (0_u32..50_000).flat_map(|it| it.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let zip = pack(&noise, &manifest).unwrap();
        assert!(zip.len() > 20_000, "{}", zip.len());
        assert_eq!(manifest_of(&zip[zip.len() - 4000..], zip.len() as u64).unwrap(), manifest);
        assert_eq!(manifest_of(&zip, zip.len() as u64).unwrap(), manifest);
        assert!(manifest_of(&zip[zip.len() - 100..], zip.len() as u64).is_err());
        assert!(manifest_of(b"hello", 5).is_err());
    }
}
