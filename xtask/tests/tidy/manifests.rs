//! Rules for Cargo.toml files: each dependency is declared once, with its reason, and used.

use crate::tree::{files, none, root, text};

/// The lines of `[workspace.dependencies]` that declare somebody else's crate: name, line.
fn foreign() -> Vec<(String, String)> {
    let manifest = text(&root().join("Cargo.toml"));
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the section is there");
    let section = section.split("\n[").next().unwrap_or_default();
    let declares =
        |line: &&str| !line.trim_start().starts_with('#') && line.contains('=') && !line.contains("path = ");
    let name = |line: &str| line.split(['=', '.', ' ']).next().unwrap_or_default().to_owned();
    section.lines().filter(declares).map(|line| (name(line), line.to_owned())).collect()
}

fn members() -> Vec<(String, String)> {
    let manifests = files("").into_iter().filter(|path| path.ends_with("Cargo.toml"));
    manifests
        .map(|path| (crate::tree::shown(&path), text(&path)))
        .filter(|(path, _)| path != "Cargo.toml")
        .collect()
}

#[test]
fn every_dependency_has_its_reason() {
    let bare = |line: &str| line.rsplit_once(" # ").is_none_or(|(_, reason)| reason.trim().len() < 5);
    let findings: Vec<_> =
        foreign().into_iter().filter(|(_, line)| bare(line)).map(|(_, line)| line).collect();
    none("write the reason behind it, as `# ...`", &findings);
}

#[test]
fn every_dependency_is_used() {
    let members = members();
    let uses = |name: &str| {
        let named = |text: &str| {
            text.lines().any(|line| {
                line.trim_start().starts_with(name) && line[name.len()..].starts_with([' ', '.', '='])
            })
        };
        members.iter().any(|(_, text)| named(text))
    };
    let findings: Vec<_> = foreign().into_iter().map(|(name, _)| name).filter(|name| !uses(name)).collect();
    none("declared in [workspace.dependencies], used by no crate: remove it", &findings);
}

#[test]
fn crates_take_versions_and_lints_from_the_workspace() {
    let mut findings = Vec::new();
    for (path, text) in members() {
        // A workspace of its own, such as the emulator's probe, stands for a user's project.
        let own = text.contains("[workspace]") || path.starts_with("emulator/");
        if own {
            continue;
        }
        if !text.contains("[lints]\nworkspace = true") {
            findings.push(format!("{path}: no `[lints] workspace = true`"));
        }
        for line in text.lines().filter(|line| line.contains("version = \"")) {
            findings.push(format!("{path}: {line}: belongs into [workspace.dependencies]"));
        }
    }
    none("crates go their own way", &findings);
}
