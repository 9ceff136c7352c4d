//! Who is asking, told the same after a crash: the working directory and its workspace. Terraform says nothing better.

use std::env;
use std::fs;
use std::path::PathBuf;

/// The claimant of this process.
pub(super) fn here() -> String {
    let folder = env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
    let data = env::var_os("TF_DATA_DIR").map_or_else(|| PathBuf::from(".terraform"), PathBuf::from);
    let selected = fs::read_to_string(data.join("environment")).ok();
    let workspace = env::var("TF_WORKSPACE").ok().or(selected).unwrap_or_default();
    of(&folder.to_string_lossy(), &workspace)
}

fn of(folder: &str, workspace: &str) -> String {
    let workspace = if workspace.trim().is_empty() { "default" } else { workspace.trim() };
    format!("terraform\n{folder}\n{workspace}")
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn no_workspace_is_the_default_one() {
        assert_eq!(of("/a", ""), of("/a", "default\n"));
        assert_ne!(of("/a", "staging"), of("/a", "default"));
    }
}
