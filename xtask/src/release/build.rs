//! The build of a release. The binary is to be the same wherever and whenever it is built from the same sources by the same
//! toolchain: no path of the machine gets into it (rustc's and the C compiler's are mapped to fixed ones), no build id, and
//! Cargo.lock decides every dependency. What is not fixed is the C compiler, which builds the cryptography: the same release
//! of it is needed for the same bytes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Terms};

/// Generous: everything from nothing, optimized, on two cores that others use as well.
const LIMIT: Terms = Terms::seconds(7200);

/// Folders of this machine, and what they are called in the binary. Of several that fit, compilers take the last.
fn mapped(places: &Places) -> Result<Vec<(PathBuf, String)>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo =
        home.or_else(|| std::env::home_dir().map(|it| it.join(".cargo"))).context("no home folder")?;
    let sysroot = process::run(Command::new("rustc").args(["--print", "sysroot"]), Terms::seconds(30))?
        .success("rustc --print sysroot")?;
    let mut mapped = vec![
        (PathBuf::from(sysroot.stdout.trim()), "/rust".to_owned()),
        (cargo.clone(), "/cargo".to_owned()),
    ];
    // Names of unpacked registries hold a hash of their address, which mirrors change.
    for registry in fs::read_dir(cargo.join("registry/src")).into_iter().flatten().flatten() {
        mapped.push((registry.path(), "/crates".to_owned()));
    }
    mapped.push((places.root.clone(), "/eventual".to_owned()));
    mapped.push((folder(places), "/target".to_owned()));
    Ok(mapped)
}

/// Where releases are built: other flags than those of development would make each build the other's again.
fn folder(places: &Places) -> PathBuf {
    places.target.join("releases")
}

/// Builds the provider for a target, and gives its file.
pub(super) fn provider(places: &Places, target: &str, echo: bool) -> Result<PathBuf> {
    let mapped = mapped(places)?;
    let mut rust: Vec<String> =
        mapped.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect();
    let c: Vec<String> =
        mapped.iter().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display())).collect();
    if target.contains("linux") {
        rust.push("-Clink-arg=-Wl,--build-id=none".to_owned());
    }
    let mut cargo = places.cargo();
    cargo
        .args(["build", "--release", "--locked", "--package", "eventual-provider"])
        .args(["--bin", "terraform-provider-eventual", "--target", target])
        .env("CARGO_TARGET_DIR", folder(places))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"))
        .env("SOURCE_DATE_EPOCH", "0");
    if !target.contains("msvc") {
        cargo.env("CFLAGS", c.join(" "));
    }
    process::run(&mut cargo, Terms { echo, ..LIMIT })?.success(format!("the release build for {target}"))?;
    let name = if target.contains("windows") {
        "terraform-provider-eventual.exe"
    } else {
        "terraform-provider-eventual"
    };
    Ok(folder(places).join(target).join("release").join(name))
}
