//! The files of the checkout, as tidy tests read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask has a parent folder")
}

/// Everything that is, or would be, in the repository below `folder`, sorted.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    const OTHERS: [&str; 6] = ["target", ".git", "node_modules", "__pycache__", ".terraform", ".venv"];
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry of a folder").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !OTHERS.contains(&name.as_str()) {
                walk(&path, found);
            }
        } else if name != ".git" {
            // In a worktree `.git` is a file that says where the repository is.
            found.push(path);
        }
    }
}

/// The Rust sources below `folder`; none if it is not there.
pub(crate) fn sources(folder: &str) -> Vec<PathBuf> {
    if !root().join(folder).exists() {
        return Vec::new();
    }
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

/// The text of a file, or nothing if it is not text.
pub(crate) fn text(path: &Path) -> String {
    fs::read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The lines of a Rust source that are code: without comments, and without its `#[cfg(test)]` module at the end.
pub(crate) fn code(path: &Path) -> Vec<(usize, String)> {
    let text = text(path);
    let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let uncommented = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    product.lines().enumerate().map(|(index, line)| (index + 1, uncommented(line))).collect()
}

/// A path as it stands in a failure, relative to the checkout.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails with all findings at once, so that one run shows them all.
pub(crate) fn none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}

/// What git keeps although `.gitignore` names it was generated, and committed before anybody said that it should not be.
#[test]
fn nothing_that_is_ignored_is_committed() {
    let mut git = std::process::Command::new("git");
    let listed =
        git.args(["ls-files", "--cached", "--ignored", "--exclude-standard"]).current_dir(root()).output();
    let listed = listed.expect("git, without which there is no checkout");
    // A copy of the sources without a repository has nothing that could be committed.
    let kept = String::from_utf8_lossy(&listed.stdout);
    assert!(kept.is_empty(), "remove them with `git rm -r --cached`:\n{kept}");
}
