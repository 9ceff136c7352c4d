//! The programs that are kept beside a store, `programs/<hash>`: the one that serves, once an execution is pinned to it, and former
//! ones, as long as open executions are. Deliberately only the files; who runs them is in `former.rs`, who needs them the engine
//! knows.
//!
//! A program is copied and not linked: what a compiler writes over must not change under a store. It is there whole or not at all, and
//! its name, the hash of what is in it, tells whether it still is what it was.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::code;

/// Digits of a program's hash.
const DIGITS: usize = 32;
/// How the name of a copy begins that is not whole yet.
const FRESH: &str = "new-";

/// The folder, and which of its programs is the one that runs.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    own: OnceLock<String>,
    /// Whether the one that runs was kept, or could not be.
    kept: OnceCell<()>,
}

impl Programs {
    /// The programs beside the store in `store`.
    pub(crate) fn new(store: &Path) -> Self {
        Self { folder: store.join("programs"), own: OnceLock::new(), kept: OnceCell::new() }
    }

    /// Says what the program that runs is called: only then is it ever kept.
    pub(crate) fn runs(&self, code: &str) {
        // Said once, by whoever serves.
        let _ = self.own.set(code.to_owned());
    }

    /// Whether this is the program that runs, and may be kept.
    pub(crate) fn is_own(&self, code: &str) -> bool {
        self.own.get().is_some_and(|it| it == code)
    }

    /// Keeps the program that runs, if that is `code`; before the first execution that is pinned to it is written. One that
    /// cannot be kept is said once: its executions then wait for it, when another one serves.
    pub(crate) async fn keep(&self, code: &str) {
        if !self.is_own(code) {
            return;
        }
        let (folder, code) = (self.folder.clone(), code.to_owned());
        let keep = async {
            let copied = spawn_blocking(move || copy(&folder, &code)).await;
            let copied = copied.unwrap_or_else(|error| Err(io::Error::other(error)));
            if let Err(error) = copied {
                tracing::warn!(
                    folder = %self.folder.display(), %error,
                    "this program cannot be kept: executions that are pinned to it will go on only when it serves the store"
                );
            }
        };
        self.kept.get_or_init(|| keep).await;
    }

    /// The hashes of all that are kept.
    pub(crate) fn all(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|it| it.file_name().into_string().ok()).filter(|it| is_hash(it)).collect()
    }

    /// The file of a program, if it is kept.
    pub(crate) fn find(&self, code: &str) -> Option<PathBuf> {
        let file = self.folder.join(Some(code).filter(|it| is_hash(it))?);
        file.is_file().then_some(file)
    }

    /// Whether a program that is kept is what it was when it was kept.
    pub(crate) async fn is_whole(&self, code: &str) -> io::Result<bool> {
        let (file, code) = (self.folder.join(code), code.to_owned());
        let hashed = spawn_blocking(move || code::hash(&file)).await.map_err(io::Error::other)?;
        Ok(hashed? == code)
    }

    /// Deletes a program that nobody needs any more; never the one that runs.
    pub(crate) fn delete(&self, code: &str) {
        if self.is_own(code) || !is_hash(code) {
            return;
        }
        match fs::remove_file(self.folder.join(code)) {
            Ok(()) => tracing::info!(code, "a former program is deleted: no open execution is pinned to it"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(code, %error, "a former program that nobody needs cannot be deleted");
            }
        }
    }

    /// Deletes what processes left that died while they kept their program: before this one keeps any.
    pub(crate) fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|it| it.starts_with(FRESH)) {
                // The next process tries again.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether this can be the name of a program; what is not is no file that may be looked for.
fn is_hash(code: &str) -> bool {
    code.len() == DIGITS && code.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

/// Copies the program that runs to where it is kept, unless it is there.
fn copy(folder: &Path, code: &str) -> io::Result<()> {
    let place = folder.join(code);
    match code::hash(&place) {
        Ok(hash) if hash == code => return Ok(()),
        Ok(_) => tracing::warn!(program = %place.display(), "was damaged, and is kept anew"),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // It is run as who serves: nobody else may write it.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let fresh = folder.join(format!("{FRESH}{}-{number}", std::process::id()));
    let copied = copy_whole(&fresh, code).and_then(|()| fs::rename(&fresh, &place));
    if copied.is_err() {
        // Where it could not be made there is nothing to remove.
        let _ = fs::remove_file(&fresh);
    }
    copied?;
    File::open(folder)?.sync_all()
}

fn copy_whole(fresh: &Path, code: &str) -> io::Result<()> {
    let program = code::this_program()?;
    fs::copy(&program, fresh)?;
    fs::set_permissions(fresh, Permissions::from_mode(0o700))?;
    if code::hash(fresh)? != code {
        let problem = format!("{} is not the program any more that this process runs", program.display());
        return Err(io::Error::other(problem));
    }
    File::open(fresh)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(digit: char) -> String {
        digit.to_string().repeat(DIGITS)
    }

    #[tokio::test]
    async fn the_program_that_runs_is_kept_once_it_is_needed_and_mended() {
        let store = tempfile::tempdir().unwrap();
        let code = code::of_this_process(true).unwrap();
        let programs = Programs::new(store.path());
        programs.keep(&code).await;
        assert_eq!(programs.all(), [""; 0], "nobody said that it serves this store");
        programs.runs(&code);
        programs.keep(&name('a')).await;
        assert_eq!(programs.all(), [""; 0], "it is another one's");
        programs.keep(&code).await;
        assert_eq!(programs.all().iter().collect::<Vec<_>>(), [&code]);
        let file = programs.find(&code).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o700, 0o700));
        assert!(programs.is_whole(&code).await.unwrap());

        fs::write(&file, "damaged").unwrap();
        assert!(!programs.is_whole(&code).await.unwrap());
        let later = Programs::new(store.path());
        later.runs(&code);
        later.keep(&code).await;
        assert!(later.is_whole(&code).await.unwrap(), "whoever serves with it mends it");
        assert_eq!(fs::read_dir(store.path().join("programs")).unwrap().count(), 1, "nothing is left behind");
        later.delete(&code);
        assert!(later.find(&code).is_some(), "it runs");
    }

    #[test]
    fn nothing_but_programs_is_found_and_deleted() {
        let store = tempfile::tempdir().unwrap();
        let folder = store.path().join("programs");
        let programs = Programs::new(store.path());
        assert!(programs.all().is_empty() && programs.find(&name('a')).is_none());
        fs::create_dir(&folder).unwrap();
        for file in [&name('a'), "new-1-0", "notes"] {
            fs::write(folder.join(file), "").unwrap();
        }
        fs::write(store.path().join("format"), "").unwrap();
        assert_eq!(programs.all(), [name('a')]);
        assert!(programs.find("notes").is_none() && programs.find("../format").is_none());
        programs.delete("notes");
        programs.delete("../format");
        programs.sweep();
        programs.delete(&name('a'));
        programs.delete(&name('a'));
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["notes"]);
        assert!(store.path().join("format").exists());
    }
}
