//! Who is asking: a random id in the resource's private state, made when it is first applied, since plans are made of nothing by
//! chance; and where that is, for people.
//!
//! The id is not told the same after a crash before the state was written. It need not be: a creation of which nobody was
//! told is adopted without it. A working directory would be told the same, and is not unique.

use std::env;
use std::fs;
use std::path::PathBuf;

const CLAIMANT: &str = "claimant";

/// The private state with a claimant in it; as it is when it has one.
pub(super) fn keep(private: Vec<u8>) -> Vec<u8> {
    if of(&private).is_some() {
        return private;
    }
    let mut bytes = [0; 16];
    // Without a random id the deployment belongs to nobody in particular, which refuses more, not less.
    if getrandom::getrandom(&mut bytes).is_err() {
        return private;
    }
    let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    serde_json::json!({ CLAIMANT: id }).to_string().into_bytes()
}

/// The claimant in private state.
pub(super) fn of(private: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(private).ok()?;
    value[CLAIMANT].as_str().map(str::to_owned)
}

/// Where this process works: directory and workspace, for people.
pub(super) fn here() -> String {
    let folder = env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
    let data = env::var_os("TF_DATA_DIR").map_or_else(|| PathBuf::from(".terraform"), PathBuf::from);
    let selected = fs::read_to_string(data.join("environment")).ok();
    let workspace = env::var("TF_WORKSPACE").ok().or(selected).unwrap_or_default();
    place(&folder.to_string_lossy(), &workspace)
}

fn place(folder: &str, workspace: &str) -> String {
    let workspace = if workspace.trim().is_empty() { "default" } else { workspace.trim() };
    format!("Terraform in {folder}, workspace {workspace}")
}

#[cfg(test)]
mod tests {
    use super::{keep, of, place};

    #[test]
    fn no_workspace_is_the_default_one() {
        assert_eq!(place("/a", ""), place("/a", "default\n"));
        assert_ne!(place("/a", "staging"), place("/a", "default"));
    }

    #[test]
    fn a_claimant_is_made_once_and_kept() {
        let first = keep(Vec::new());
        assert!(of(&first).is_some_and(|id| id.len() == 32));
        assert_ne!(of(&first), of(&keep(Vec::new())));
        assert_eq!(keep(first.clone()), first);
    }
}
