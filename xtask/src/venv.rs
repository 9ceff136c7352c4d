//! Virtual environments of Python: made once per content of a `requirements.txt`, in the cache. Deliberately installs by
//! hash only, because the emulator's layers patch private names of exactly one version.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Terms};

/// The Python of the environment `name` with what the file `requirements` of the checkout lists; makes the environment
/// first if it is missing or out of date.
pub(crate) fn python(places: &Places, name: &str, requirements: &str, echo: bool) -> Result<PathBuf> {
    let folder = places.cache.join(name);
    let python = folder.join("bin/python");
    let wanted = places.root.join(requirements);
    let stamp = folder.join("requirements.txt");
    let text = fs::read_to_string(&wanted).context(wanted.display())?;

    // Two commands may come here at the same time; the second waits and finds it made.
    let lock = places.cache.join(format!("{name}.lock"));
    let lock = File::create(&lock).context(lock.display())?;
    lock.lock().context(format!("cannot lock {name}"))?;
    let current = fs::read_to_string(&stamp).is_ok_and(|made| made == text);
    if current && python.is_file() {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context(folder.display())?;
    }
    let terms = Terms { echo, ..Terms::seconds(600) };
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder), terms)?
        .success(format!("making the virtual environment {name}"))?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--require-hashes",
        "-r",
    ]);
    process::run(pip.arg(&wanted), terms)?.success(format!("installing {requirements} with pip"))?;
    // Written last: an installation that was cut short has no stamp and is made anew.
    fs::write(&stamp, text).context(stamp.display())?;
    Ok(python)
}
