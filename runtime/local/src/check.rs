//! `<service> check`: reads everything in a store that no process has open, and says what cannot be read. Deliberately repairs
//! nothing: what is safe to do depends on what is there besides the store.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::store::LocalStore;

/// What `check` takes.
pub const CHECK_USAGE: &str = "check [--store DIR]
  --store DIR           folder of the durable store (default: .eventual); no process may have it open";

/// Checks a store. `arguments` are those after `check`. Fails when anything in it is damaged.
#[must_use]
pub fn check(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let (text, is_whole) = report(arguments);
    // Nobody is left to be told when this fails.
    let _ = if is_whole { write!(std::io::stdout(), "{text}") } else { write!(std::io::stderr(), "{text}") };
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(arguments: impl IntoIterator<Item = String>) -> (String, bool) {
    let mut arguments = arguments.into_iter();
    let folder: PathBuf = match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => ".eventual".into(),
        (Some("--store"), Some(folder), None) => folder.into(),
        _ => return (format!("usage: {CHECK_USAGE}\n"), false),
    };
    if !folder.join("format").is_file() {
        return (format!("{}: no store is there; name its folder with --store\n", folder.display()), false);
    }
    // Nothing expires while nobody serves.
    let store = match LocalStore::open(&folder, u64::MAX) {
        Ok(store) => store,
        Err(error) => return (format!("{error}\n"), false),
    };
    let mut text = String::new();
    let mut is_whole = true;
    for found in store.read_all() {
        text += &format!("{}: {} entries\n", found.table, found.entries);
        for problem in &found.problems {
            is_whole = false;
            text += &format!("  {problem}\n");
        }
    }
    if is_whole {
        text += "The store is whole: its logs and everything in its tables can be read.\n";
    } else {
        text += &format!("The store is damaged. Safe to do: {}\n", crate::store::SAFE);
    }
    (text, is_whole)
}
