//! Where things are: the checkout, the cache outside of it, the folder that cargo builds into. Deliberately creates
//! nothing but the cache folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Context, Result};

/// The folders that every command of xtask works in.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The root of the checkout.
    pub(crate) root: PathBuf,
    /// What is made once and used again: the emulator's virtual environment, OpenTofu. Outside of the checkout, so
    /// that a fresh clone on the same machine starts warm and `git clean` cannot empty it.
    pub(crate) cache: PathBuf,
    /// Where cargo builds: `CARGO_TARGET_DIR`, or a folder of the cache.
    pub(crate) target: PathBuf,
}

impl Places {
    /// Finds them, and creates the cache folder.
    pub(crate) fn find() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let here = manifest.as_deref().and_then(Path::parent).map(Path::to_path_buf);
        let root = match here.filter(|folder| folder.join("emulator/launcher.py").is_file()) {
            Some(root) => root,
            None => env::current_dir()
                .context("cannot tell the current folder")?
                .ancestors()
                .find(|folder| folder.join("emulator/launcher.py").is_file())
                .context("not inside a checkout of eventual: run `cargo xtask` from the checkout")?
                .to_path_buf(),
        };
        let cache = match env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
                .join(".cache"),
        }
        .join("eventual");
        fs::create_dir_all(&cache).context(format!("cannot create the cache folder {}", cache.display()))?;
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
            Some(folder) => std::path::absolute(folder).context("CARGO_TARGET_DIR")?,
            None => cache.join("target"),
        };
        Ok(Self { root, cache, target })
    }

    /// Cargo, set to work in the checkout and to build into [`Places::target`].
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        cargo
    }
}
