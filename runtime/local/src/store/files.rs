//! The files beside the embedded store: which format it has, who has it open, and how much of it was acknowledged.
//! What is inside of the store is not looked at here.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Version of the format: tables, keys and values. One that is newer is refused.
pub(crate) const FORMAT: u32 = 1;
/// First line of the file `format`, before the version.
const MAGIC: &str = "eventual store";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something in the store is not what was written.
    #[error("the store is damaged: {file}: {what}\nSafe to do: {safe}")]
    Damaged {
        /// The file or folder.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What can be done without losing more.
        safe: String,
    },
    /// Another process has it open.
    #[error(
        "{0} is in use by another process; one process serves a store. Stop that process, or choose another folder with --store"
    )]
    InUse(PathBuf),
    /// It is of another version, or no store.
    #[error("{file}: {what}")]
    Format {
        /// The file.
        file: PathBuf,
        /// What is in the way, and what to do.
        what: String,
    },
    /// The file system failed.
    #[error("{file}: {source}")]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

pub(crate) fn io(file: &Path) -> impl Fn(io::Error) -> OpenError {
    let file = file.to_owned();
    move |source| OpenError::Io { file: file.clone(), source }
}

/// The lock of a store's folder, held until it is dropped. The kernel drops it with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`, which is made if it is not there.
    pub(crate) fn take(folder: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(folder).map_err(io(folder))?;
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { file: path, source }),
        }
    }
}

/// Checks the format of the store in `folder`, or writes it into an empty one.
pub(crate) fn check_format(folder: &Path) -> Result<(), OpenError> {
    let path = folder.join("format");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if folder.join("data").exists() {
                let what = "the file is gone, but there is data beside it".to_owned();
                let safe = format!(
                    "restore it from a copy of the store; or, when this version of the program wrote the store, write \"{MAGIC} {FORMAT}\" into it"
                );
                return Err(OpenError::Damaged { file: path, what, safe });
            }
            return write_synced(folder, &path, format!("{MAGIC} {FORMAT}\n").as_bytes());
        }
        Err(source) => return Err(OpenError::Io { file: path, source }),
    };
    match text.trim().strip_prefix(MAGIC).map(|it| it.trim().parse::<u32>()) {
        Some(Ok(FORMAT)) => Ok(()),
        Some(Ok(version)) => Err(OpenError::Format {
            file: path,
            what: format!(
                "the store has format {version}, this program reads format {FORMAT}: use the program that wrote it, or another folder"
            ),
        }),
        _ => {
            let what = format!("{:?} is no format of a store", text.chars().take(40).collect::<String>());
            Err(OpenError::Format {
                file: path,
                what: format!("{what}: choose an empty folder with --store"),
            })
        }
    }
}

fn write_synced(folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes).map_err(io(&fresh))?;
    File::open(&fresh).and_then(|it| it.sync_all()).map_err(io(&fresh))?;
    fs::rename(&fresh, path).map_err(io(path))?;
    File::open(folder).and_then(|it| it.sync_all()).map_err(io(folder))
}

/// How much of the store was acknowledged: the number of the last group whose writers were told that it is durable.
///
/// The embedded store ends its log at the first entry that it cannot read, as it must for a torn last write. This
/// number tells a torn last write, which nobody was told of, from one that was damaged later. It is written without
/// fsync: after a power failure it may be older than the store, never newer.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    file: File,
    path: PathBuf,
}

impl Acknowledged {
    pub(crate) fn open(folder: &Path) -> Result<(Self, u64), OpenError> {
        let path = folder.join("acknowledged");
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(io(&path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io(&path))?;
        let number = match <[u8; 16]>::try_from(bytes.as_slice()) {
            _ if bytes.is_empty() => 0,
            Ok(bytes) => {
                let (number, check) = bytes.split_at(8);
                let number = u64::from_be_bytes(number.try_into().unwrap_or_default());
                if check != checked(number) {
                    return Err(Self::damaged(path));
                }
                number
            }
            Err(_) => return Err(Self::damaged(path)),
        };
        Ok((Self { file, path }, number))
    }

    fn damaged(file: PathBuf) -> OpenError {
        let what = "its number does not go with its check".to_owned();
        let safe = "remove this file: nothing is in it but the number that tells whether the end of the store's log is missing".to_owned();
        OpenError::Damaged { file, what, safe }
    }

    /// Notes that everything up to group `number` is durable.
    pub(crate) fn note(&self, number: u64) -> io::Result<()> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes[8..].copy_from_slice(&checked(number));
        self.file.write_all_at(&bytes, 0)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A check that zeros, ones and torn writes fail.
fn checked(number: u64) -> [u8; 8] {
    (number ^ 0x6576_656e_7475_616c).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()
}
