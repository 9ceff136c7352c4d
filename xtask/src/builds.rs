//! What is built before anything can be deployed: the provider, `cargo eventual`, the artifact of a service, OpenTofu.
//! Deliberately through the commands that a user would type.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Context, Result};
use crate::places::Places;
use crate::prerequisites;
use crate::process::{self, Terms};

/// Generous: a release build with all of the AWS SDK, from nothing, on two cores.
const LIMIT: Terms = Terms::seconds(2400);

/// Which program of Terraform's kind drives the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Client {
    /// Terraform, from the PATH.
    Terraform,
    /// OpenTofu, built with Go into the cache when it is asked for first.
    Tofu,
}

impl Client {
    /// Its name, as a person would say it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Tofu => "tofu",
        }
    }

    /// Fails in one line if it cannot be had.
    pub(crate) fn check(self, places: &Places) -> Result<()> {
        match self {
            Self::Terraform => prerequisites::terraform().map(drop),
            Self::Tofu if tofu_file(places).is_file() => Ok(()),
            Self::Tofu => prerequisites::go(),
        }
    }

    /// The program; builds it if it must.
    pub(crate) fn program(self, places: &Places, echo: bool) -> Result<PathBuf> {
        match self {
            Self::Terraform => prerequisites::terraform(),
            Self::Tofu => tofu(places, echo),
        }
    }
}

/// Builds the provider, in the profile of development, and gives its file.
pub(crate) fn provider(places: &Places, echo: bool) -> Result<PathBuf> {
    cargo_build(places, &["--package", "eventual-provider"], echo)?;
    Ok(provider_file(places))
}

/// Where [`provider`] puts it.
pub(crate) fn provider_file(places: &Places) -> PathBuf {
    places.target.join("debug/terraform-provider-eventual")
}

/// Where [`artifact`] puts it.
pub(crate) fn artifact_file(places: &Places, service: &str) -> PathBuf {
    places.target.join("eventual").join(format!("{service}.zip"))
}

/// Builds the provider as it is released, and gives its file.
pub(crate) fn release_provider(places: &Places, echo: bool) -> Result<PathBuf> {
    let binary = ["--bin", "terraform-provider-eventual"];
    cargo_build(places, &[&["--release", "--package", "eventual-provider"][..], &binary].concat(), echo)?;
    Ok(places.target.join("release/terraform-provider-eventual"))
}

/// Builds the program that measures the engine, as users build for production, and gives its file.
pub(crate) fn engine_bench(places: &Places, echo: bool) -> Result<PathBuf> {
    cargo_build(places, &["--release", "--package", "eventual-bench"], echo)?;
    Ok(places.target.join("release/eventual-bench"))
}

/// Builds the artifact of the service `package` of our workspace with `cargo eventual build`, and gives its file.
pub(crate) fn artifact(places: &Places, package: &str, echo: bool) -> Result<PathBuf> {
    artifact_in(places, &places.root, package, echo)
}

/// Builds the artifact of the service `package` in the workspace at `folder`.
pub(crate) fn artifact_in(places: &Places, folder: &Path, package: &str, echo: bool) -> Result<PathBuf> {
    cargo_build(places, &["--package", "cargo-eventual"], echo)?;
    let mut build = Command::new(places.target.join("debug/cargo-eventual"));
    build
        .args(["eventual", "build", "--package", package])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &places.target);
    let done = process::run(&mut build, Terms { echo, ..LIMIT })?
        .success(format!("cargo eventual build --package {package}"))?;
    let file = done.stdout.lines().last().context("cargo eventual build printed no path")?;
    Ok(folder.join(file))
}

/// `cargo build` with these arguments.
pub(crate) fn cargo_build(places: &Places, arguments: &[&str], echo: bool) -> Result<()> {
    let mut cargo = places.cargo();
    cargo.arg("build").args(arguments);
    if !echo {
        cargo.arg("--quiet");
    }
    let what = format!("cargo build {}", arguments.join(" "));
    process::run(&mut cargo, Terms { echo, ..LIMIT })?.success(what).map(drop)
}

fn tofu_file(places: &Places) -> PathBuf {
    places.cache.join("tofu/tofu")
}

/// OpenTofu, built from the Go module `xtask/tofu` once per content of its go.sum.
fn tofu(places: &Places, echo: bool) -> Result<PathBuf> {
    let file = tofu_file(places);
    let module = places.root.join("xtask/tofu");
    let stamp = file.with_extension("go.sum");
    let sums = fs::read_to_string(module.join("go.sum")).context("xtask/tofu/go.sum")?;
    if file.is_file() && fs::read_to_string(&stamp).is_ok_and(|made| made == sums) {
        return Ok(file);
    }
    prerequisites::go()?;
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
        .arg(&file)
        .arg("github.com/opentofu/opentofu/cmd/tofu");
    process::run(go.current_dir(&module), Terms { echo, ..LIMIT })?.success("building OpenTofu with go")?;
    fs::write(&stamp, sums).context(stamp.display())?;
    Ok(file)
}
