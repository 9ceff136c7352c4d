//! Artifacts as Pulumi hands them over: sometimes a path and a hash, sometimes the hash alone.
//!
//! The core is given one name for both, made of the hash, so that where a file lies is never a change. What was opened
//! in Check is kept for Diff, which is not told the path. Opening and checking the file itself is the port's business.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use eventual_provider_core::request::{Artifact, Artifacts};

use super::property::{Members, Property};

/// Before the hash in a name.
const BY_HASH: &str = "sha256:";

/// An archive in a message: where it is, by which hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handle {
    hash: Option<String>,
    path: Option<String>,
}

impl Handle {
    /// Reads the members of an archive. `None` for one that is no file (`uri`, `assets`) or has nothing.
    pub(crate) fn of(members: &Members) -> Option<Self> {
        let text = |key: &str| {
            members.get(key).and_then(Property::as_str).filter(|it| !it.is_empty()).map(str::to_owned)
        };
        let handle = Self { hash: text("hash"), path: text("path") };
        // The engine keeps an archive of which it was told the hash alone as one of no files.
        let files = members.get("assets").is_some_and(|it| *it != Property::Map(Members::new()));
        let elsewhere = members.contains_key("uri") || files;
        let by_hash = handle.hash.is_some() && !elsewhere;
        (handle.path.is_some() || by_hash).then_some(handle)
    }

    /// The name under which [`Archives`] opens it.
    pub(crate) fn name(&self) -> String {
        match (&self.hash, &self.path) {
            (Some(hash), _) => by_hash(hash),
            (None, path) => path.clone().unwrap_or_default(),
        }
    }
}

/// The name of the archive with that hash.
pub(crate) fn by_hash(hash: &str) -> String {
    format!("{BY_HASH}{hash}")
}

/// The hash in a name that [`Handle::name`] made of one.
pub(crate) fn hash_of(name: &str) -> Option<&str> {
    name.strip_prefix(BY_HASH)
}

/// All archives that this process was told of.
pub(crate) struct Archives {
    files: Arc<dyn Artifacts>,
    known: Mutex<BTreeMap<String, Known>>,
}

#[derive(Default, Clone)]
struct Known {
    path: Option<String>,
    opened: Option<Artifact>,
}

impl Archives {
    pub(crate) fn new(files: Arc<dyn Artifacts>) -> Self {
        Self { files, known: Mutex::default() }
    }

    /// None at all.
    pub(crate) fn none() -> Self {
        struct NoFiles;
        impl Artifacts for NoFiles {
            fn open(&self, path: &str) -> Result<Artifact, String> {
                Err(format!("{path} is not opened here"))
            }
        }
        Self::new(Arc::new(NoFiles))
    }

    /// Keeps where the archive of that hash is.
    pub(crate) fn remember(&self, handle: Handle) {
        let Handle { hash: Some(hash), path } = handle else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.entry(hash).or_default();
        // A later message knows better: the file may have been built again under another path.
        entry.path = path.or(entry.path.take());
    }

    /// Whether the archive of that name can be opened, or was.
    pub(crate) fn has(&self, name: &str) -> bool {
        hash_of(name).is_none_or(|hash| {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(hash).is_some_and(|it| it.path.is_some() || it.opened.is_some())
        })
    }

    /// Where the archive of that hash is, when a message has told.
    pub(crate) fn path(&self, hash: &str) -> Option<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(hash).and_then(|it| it.path.clone())
    }

    fn known(&self, hash: &str) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned().unwrap_or_default()
    }
}

impl Artifacts for Archives {
    fn open(&self, name: &str) -> Result<Artifact, String> {
        let Some(hash) = hash_of(name) else { return self.files.open(name) };
        let known = self.known(hash);
        if let Some(artifact) = known.opened {
            return Ok(artifact);
        }
        let Some(path) = known.path else {
            return Err(format!(
                "the artifact with SHA-256 {hash} is not here: this operation is not told its path"
            ));
        };
        let artifact = self.files.open(&path)?;
        if artifact.sha256 != hash {
            return Err(format!(
                "{path} is not the file that Pulumi hashed a moment ago ({hash}, now {}): it was built again in between; run the command again",
                artifact.sha256
            ));
        }
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(hash.to_owned()).or_default().opened = Some(artifact.clone());
        Ok(artifact)
    }
}

#[cfg(test)]
mod tests {
    use eventual_schema::Manifest;

    use super::*;

    /// One file, whatever the path, that counts how often it was opened.
    struct OneFile(Mutex<u32>);

    impl Artifacts for OneFile {
        fn open(&self, path: &str) -> Result<Artifact, String> {
            *self.0.lock().unwrap() += 1;
            let text = r#"{"format":1,"service":"orders","version":"1.0.0","functions":[]}"#;
            let manifest = Manifest::from_json(text.as_bytes()).unwrap();
            Ok(Artifact { manifest, sha256: "aa".to_owned(), path: path.to_owned() })
        }
    }

    fn handle(members: &[(&str, &str)]) -> Option<Handle> {
        let members =
            members.iter().map(|(key, text)| ((*key).to_owned(), Property::String((*text).to_owned())));
        Handle::of(&members.collect())
    }

    #[test]
    fn what_was_opened_by_path_is_there_by_hash() {
        let file = Arc::new(OneFile(Mutex::new(0)));
        let archives = Archives::new(file.clone());
        let by_hash = handle(&[("hash", "aa")]).unwrap();
        archives.remember(by_hash.clone());
        assert!(!archives.has(&by_hash.name()));
        assert!(archives.open(&by_hash.name()).unwrap_err().contains("not told its path"));

        archives.remember(handle(&[("hash", "aa"), ("path", "./orders.zip")]).unwrap());
        archives.remember(by_hash.clone());
        assert!(archives.has(&by_hash.name()));
        assert_eq!(archives.open(&by_hash.name()).unwrap().path, "./orders.zip");
        archives.open(&by_hash.name()).unwrap();
        assert_eq!(*file.0.lock().unwrap(), 1, "opened once");
    }

    #[test]
    fn a_file_that_changed_after_it_was_hashed_is_refused() {
        let archives = Archives::new(Arc::new(OneFile(Mutex::new(0))));
        let stale = handle(&[("hash", "bb"), ("path", "orders.zip")]).unwrap();
        archives.remember(stale.clone());
        assert!(archives.open(&stale.name()).unwrap_err().contains("built again"));
    }

    #[test]
    fn only_files_have_a_handle() {
        assert_eq!(handle(&[("uri", "https://example.com/a.zip"), ("hash", "aa")]), None);
        assert_eq!(handle(&[]), None);
        let kept = |assets: Members| {
            let hash = Property::String("aa".to_owned());
            Handle::of(&Members::from([
                ("assets".to_owned(), Property::Map(assets)),
                ("hash".to_owned(), hash),
            ]))
        };
        assert_eq!(kept(Members::new()).unwrap().name(), "sha256:aa");
        assert_eq!(kept(Members::from([("a".to_owned(), Property::Null)])), None);
        assert_eq!(handle(&[("path", "a.zip")]).unwrap().name(), "a.zip");
    }
}
