//! Makes the paths of this machine disappear from the binary, so that it is the same wherever it is built.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;

use super::target::Toolchain;

/// The flags for rustc. Of several that fit a path, rustc takes the last: the more particular come later.
pub(crate) fn flags(metadata: &Metadata, toolchain: &Toolchain) -> Vec<String> {
    let mut mapped: Vec<(PathBuf, String)> = Vec::new();
    if let Some(home) = cargo_home() {
        mapped.push((home, "/cargo".to_owned()));
    }
    let sources = toolchain.sysroot.join("lib/rustlib/src/rust");
    mapped.push((toolchain.sysroot.clone(), "/rust".to_owned()));
    mapped.push((sources, format!("/rustc/{}", toolchain.commit)));
    mapped.extend(registries(metadata).into_iter().map(|folder| (folder, "/crates".to_owned())));
    let root = metadata.workspace_root.as_std_path();
    mapped.push((root.to_owned(), "/workspace".to_owned()));
    mapped.extend(outside(metadata, root));
    mapped.push((metadata.target_directory.as_std_path().to_owned(), "/target".to_owned()));
    mapped.into_iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect()
}

/// Where registries were unpacked; their names hold a hash of the registry's address, which mirrors change.
fn registries(metadata: &Metadata) -> BTreeSet<PathBuf> {
    let from_registry = metadata.packages.iter().filter(|it| {
        it.source
            .as_ref()
            .is_some_and(|source| source.repr.starts_with("registry+") || source.repr.starts_with("sparse+"))
    });
    from_registry
        .filter_map(|it| Some(it.manifest_path.parent()?.parent()?.as_std_path().to_owned()))
        .collect()
}

/// Packages that the workspace reaches by path and that are not in its folder.
fn outside(metadata: &Metadata, root: &Path) -> Vec<(PathBuf, String)> {
    let by_path =
        metadata.packages.iter().filter(|it| it.source.is_none() && !it.manifest_path.starts_with(root));
    by_path
        .filter_map(|it| {
            Some((it.manifest_path.parent()?.as_std_path().to_owned(), format!("/packages/{}", it.name)))
        })
        .collect()
}

fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| std::env::home_dir().map(|it| it.join(".cargo")))
}
