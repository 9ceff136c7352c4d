//! The emulator's virtual environment: made once per content of `emulator/requirements.txt`, in the cache. Deliberately
//! installs by hash only, because the emulator's layers patch private names of exactly one version.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Terms};

/// The Python of the environment; makes the environment first if it is missing or out of date.
pub(crate) fn python(places: &Places, echo: bool) -> Result<PathBuf> {
    let folder = places.cache.join("emulator-venv");
    let python = folder.join("bin/python");
    let wanted = places.root.join("emulator/requirements.txt");
    let stamp = folder.join("requirements.txt");
    let text = fs::read_to_string(&wanted).context(wanted.display())?;

    // Two commands may come here at the same time; the second waits and finds it made.
    let lock = places.cache.join("emulator-venv.lock");
    let lock = File::create(&lock).context(lock.display())?;
    lock.lock().context("cannot lock the emulator's environment")?;
    let current = fs::read_to_string(&stamp).is_ok_and(|made| made == text);
    if current && python.is_file() {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context(folder.display())?;
    }
    let terms = Terms { echo, ..Terms::seconds(600) };
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder), terms)?
        .success("making the emulator's virtual environment")?;
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
    process::run(pip.arg(&wanted), terms)?.success("installing emulator/requirements.txt with pip")?;
    // Written last: an installation that was cut short has no stamp and is made anew.
    fs::write(&stamp, text).context(stamp.display())?;
    Ok(python)
}
