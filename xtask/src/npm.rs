//! Programs from npm that tests need: installed once per content of a lockfile, in the cache. Deliberately by lockfile
//! only, and without running anybody's installation scripts.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Result};
use crate::places::Places;
use crate::prerequisites;
use crate::process::{self, Terms};

/// The `node_modules` of the `package.json` and lockfile in `folder` of the checkout, installed into the cache as `name`.
pub(crate) fn modules(places: &Places, name: &str, folder: &str, echo: bool) -> Result<PathBuf> {
    prerequisites::node()?;
    let wanted = places.root.join(folder);
    let made = places.cache.join(name);
    let lock = places.cache.join(format!("{name}.lock"));
    let lock = File::create(&lock).context(lock.display())?;
    lock.lock().context(format!("cannot lock {name}"))?;
    let read = |file: &str| fs::read_to_string(wanted.join(file)).context(wanted.join(file).display());
    let (package, versions) = (read("package.json")?, read("package-lock.json")?);
    let stamp = made.join("installed");
    let content = format!("{package}{versions}");
    if fs::read_to_string(&stamp).is_ok_and(|it| it == content) {
        return Ok(made.join("node_modules"));
    }
    if made.exists() {
        fs::remove_dir_all(&made).context(made.display())?;
    }
    fs::create_dir_all(&made).context(made.display())?;
    for (file, text) in [("package.json", &package), ("package-lock.json", &versions)] {
        fs::write(made.join(file), text).context(made.join(file).display())?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&made);
    process::run(&mut npm, Terms { echo, ..Terms::seconds(300) })?.success(format!("npm ci of {folder}"))?;
    // Written last: an installation that was cut short has no stamp and is made anew.
    fs::write(&stamp, content).context(stamp.display())?;
    Ok(made.join("node_modules"))
}
