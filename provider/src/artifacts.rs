//! Artifacts as files.

use std::path::Path;

use eventual_provider_core::request::{Artifact, Artifacts};

/// Opens artifacts by their paths, relative to the working directory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Files;

impl Artifacts for Files {
    fn open(&self, path: &str) -> Result<Artifact, String> {
        let opened = eventual_schema::artifact::open(Path::new(path)).map_err(|error| error.to_string())?;
        Ok(Artifact { manifest: opened.manifest, sha256: opened.sha256, path: path.to_owned() })
    }
}
