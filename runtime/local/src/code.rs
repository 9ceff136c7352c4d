//! Which code this process runs. It deliberately looks into the file only when somebody asks: a service without pinned
//! workflows starts at once, however large its binary is.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

/// What code is called that no execution is pinned to.
const ANY: &str = "local";
const CHUNK_BYTES: usize = 1 << 16;

/// A hash of the program that runs, if it has `pinned` workflows: another one for every build that differs.
///
/// # Errors
/// When the program's file cannot be read; it names the file.
pub(crate) fn of_this_process(pinned: bool) -> Result<String, String> {
    if !pinned {
        return Ok(ANY.to_owned());
    }
    let file = this_program().map_err(|error| format!("cannot tell which program this is: {error}"))?;
    hash(&file).map_err(|error| {
        format!("{}: {error}; the code that executions are pinned to is told by this file", file.display())
    })
}

/// The file of the program that runs. On Linux that is the very file, also when another one has its name by now.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if link.exists() { Ok(link.to_owned()) } else { std::env::current_exe() }
}

/// The hash of a file.
pub(crate) fn hash(file: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(file)?, Xxh3::new());
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(format!("{:032x}", hash.digest128())),
            count => hash.update(&chunk[..count]),
        }
    }
}
