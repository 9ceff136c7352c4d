//! `cargo xtask release`: the archives in which registries and users get the providers. One binary under two names, packed so
//! that the same binary gives the same bytes, with checksums and a bill of materials, signed with a key of whoever releases.
//! Deliberately uploads nothing.
//!
//! What a target needs besides `rustup target add`: a linker, and a C compiler with an assembler, because the cryptography (aws-lc,
//! ring) is C. For this machine's own target those are there. For another Linux: `gcc-aarch64-linux-gnu` and the like, named by
//! `CARGO_TARGET_<TARGET>_LINKER` and `CC_<target>`; for musl, `musl-tools`. A binary for glibc runs where glibc is at least as new
//! as where it was linked, so releases are built on an old distribution, or for musl. macOS and Windows are built on macOS and
//! Windows. `cargo-zigbuild` is not supported: its compiler is another, and gives other bytes than the one that is written down here.

mod archive;
mod bill;
mod build;
mod platform;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest, Sha256};

use crate::failure::{Context, Result};
use crate::places::Places;
use archive::{Member, tar_gz, zip};
use platform::Platform;

/// The version of everything in this workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The options of `cargo xtask release`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Targets by rustc's names (comma separated); each needs its standard library and a linker. Default: this machine's.
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    target: Vec<String>,
    /// Folder that the archives are written to. Default: `dist` in cargo's target folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Signs the checksums with this key of gpg, by fingerprint or address. Default: they are left unsigned, which is said.
    #[arg(long, value_name = "KEY")]
    sign: Option<String>,
    /// Prints what the builds print, as it comes.
    #[arg(long, short)]
    verbose: bool,
}

/// Builds, packs, and writes checksums.
pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let targets = if options.target.is_empty() { vec![platform::host()?] } else { options.target.clone() };
    let mut binaries = Vec::new();
    for target in &targets {
        let platform = Platform::of(target)?;
        println!("build {target} ...");
        let file = build::provider(places, target, options.verbose)?;
        binaries.push((platform, fs::read(&file).context(file.display())?));
    }
    let out = options.out.clone().unwrap_or_else(|| places.target.join("dist"));
    let bill = bill::of(places, &targets)?;
    for (name, bytes) in packed(&places.root, &binaries, &bill)? {
        fs::create_dir_all(&out).context(out.display())?;
        let file = out.join(&name);
        fs::write(&file, &bytes).context(file.display())?;
        println!("{} ({} bytes)", file.display(), bytes.len());
    }
    match &options.sign {
        Some(key) => signed(&out, key),
        None => {
            println!("unsigned: give --sign KEY before it is published");
            Ok(())
        }
    }
}

/// Signs the checksums, and with them everything.
fn signed(out: &Path, key: &str) -> Result<()> {
    for sums in SUMS {
        bill::sign(&out.join(format!("{sums}_{VERSION}_SHA256SUMS")), key)?;
    }
    Ok(())
}

/// What the files with checksums begin with.
const SUMS: [&str; 2] = ["terraform-provider-eventual", "pulumi-resource-eventual"];

/// Every file of a release, by name.
fn packed(root: &Path, binaries: &[(Platform, Vec<u8>)], bill: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let license = fs::read(root.join("LICENSE")).context("LICENSE")?;
    let manifest = root.join("provider/terraform/terraform-registry-manifest.json");
    let manifest = fs::read(&manifest).context(manifest.display())?;
    let (mut terraform, mut pulumi) = (Vec::new(), Vec::new());
    for (platform, binary) in binaries {
        let exe = platform.suffix();
        let members = |name: String| [Member::program(name, binary), Member::text("LICENSE", &license)];
        let archive = format!("terraform-provider-eventual_{VERSION}_{}_{}.zip", platform.os, platform.arch);
        terraform.push((archive, zip(&members(format!("terraform-provider-eventual_v{VERSION}{exe}")))?));
        let archive = format!("pulumi-resource-eventual-v{VERSION}-{}-{}.tar.gz", platform.os, platform.arch);
        pulumi.push((archive, tar_gz(&members(format!("pulumi-resource-eventual{exe}")))?));
    }
    // The registry of Terraform wants it beside the archives, and in their checksums.
    terraform.push((format!("terraform-provider-eventual_{VERSION}_manifest.json"), manifest));
    // Both are the same binary: one bill, under either name.
    terraform.push((format!("terraform-provider-eventual_{VERSION}_sbom.cdx.json"), bill.to_vec()));
    pulumi.push((format!("pulumi-resource-eventual_{VERSION}_sbom.cdx.json"), bill.to_vec()));
    let sums = [checksums(&terraform), checksums(&pulumi)];
    let sums = SUMS.iter().zip(sums).map(|(name, sums)| (format!("{name}_{VERSION}_SHA256SUMS"), sums));
    Ok(terraform.into_iter().chain(pulumi).chain(sums).collect())
}

/// Lines as `sha256sum --check` reads them.
fn checksums(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let line =
        |(name, bytes): &(String, Vec<u8>)| format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)));
    let mut lines: Vec<String> = files.iter().map(line).collect();
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    lines.concat().into_bytes()
}

#[cfg(test)]
mod tests;
