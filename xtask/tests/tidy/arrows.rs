//! Which of our crates may know which: `xtask/arrows.txt` against what cargo says.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::tree::{none, root, text};

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).no_deps().exec().expect("cargo metadata")
}

/// `a -> b` where a is built from b, `a ~> b` where only a's tests are; and the folder of each crate.
fn actual(metadata: &Metadata) -> BTreeSet<String> {
    let ours: BTreeSet<_> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut arrows = BTreeSet::new();
    for package in &metadata.packages {
        for dependency in package.dependencies.iter().filter(|it| ours.contains(it.name.as_str())) {
            let arrow = if dependency.kind == DependencyKind::Development { "~>" } else { "->" };
            arrows.insert(format!("{} {arrow} {}", package.name, dependency.name));
        }
    }
    arrows
}

#[test]
fn crates_know_only_whom_they_may() {
    let allowed: BTreeSet<String> = text(&root().join("xtask/arrows.txt"))
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let actual = actual(&metadata());
    let new: Vec<_> = actual.difference(&allowed).cloned().collect();
    let gone: Vec<_> = allowed.difference(&actual).cloned().collect();
    none("not in xtask/arrows.txt: is it meant to be? then add it, with its reason", &new);
    none("in xtask/arrows.txt but not real: remove it", &gone);
}

#[test]
fn runtime_and_provider_meet_in_schema_only() {
    let metadata = metadata();
    let folder = |name: &str| {
        let package =
            metadata.packages.iter().find(|package| package.name.as_str() == name).expect("one of ours");
        let path = package.manifest_path.as_std_path().strip_prefix(root()).expect("inside of the checkout");
        path.components().next().expect("a folder").as_os_str().to_string_lossy().into_owned()
    };
    let crossing: Vec<_> = actual(&metadata)
        .into_iter()
        .filter(|arrow| {
            let mut ends = arrow.split([' ']).filter(|word| !word.ends_with('>')).map(folder);
            let ends = (ends.next().expect("from"), ends.next().expect("to"));
            matches!((ends.0.as_str(), ends.1.as_str()), ("runtime", "provider") | ("provider", "runtime"))
        })
        .collect();
    none("a runtime crate and a provider crate depend on each other", &crossing);
}
