//! `cargo eventual build`: from the sources of a service to `target/eventual/<service>.zip`.
//!
//! Compile for Lambda, ask a binary that can run here for the manifest, check that both agree and that Lambda has what
//! the binary needs, pack. The same sources give the same bytes on every machine with the same toolchain.

mod compile;
mod describe;
mod error;
mod glibc;
mod package;
mod remap;
mod rustflags;
mod target;
pub(crate) mod zig;

use std::io::Write;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use clap::Args;
use eventual_schema::Manifest;
use eventual_schema::artifact;
use eventual_schema::digest::sha256_hex;
use eventual_schema::manifest::Code;

use self::compile::{Compilation, Profile};
pub(crate) use self::error::BuildError;
use self::package::Service;
use self::target::{Architecture, Toolchain};
use crate::progress::{Progress, megabytes};

/// Builds a service for AWS Lambda: a zip that `eventual_service` (Terraform) and `eventual.Service` (Pulumi) deploy.
#[derive(Debug, Args)]
pub(crate) struct BuildOptions {
    /// Package of the service; by default the package of this folder
    #[arg(short, long, value_name = "NAME")]
    package: Option<String>,
    /// Processor of the Lambda functions; by default the processor of this machine
    #[arg(long, value_enum)]
    arch: Option<Architecture>,
    /// File to write; by default `target/eventual/SERVICE.zip`
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Profile of cargo; by default `lambda`: the workspace's own, else one for small binaries that start quickly
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Compile C and link with zig, for the glibc that Lambda has; always so when building for another system
    #[arg(long)]
    zig: bool,
}

/// Runs the command. Prints the path of the artifact on standard output, and everything else on standard error.
pub(crate) fn build(options: &BuildOptions) -> Result<(), BuildError> {
    let progress = Progress::new();
    let stage = progress.stage("look at the workspace");
    let toolchain = Toolchain::find()?;
    let architecture = match options.arch {
        Some(architecture) => architecture,
        None => Architecture::of_triple(&toolchain.host)
            .ok_or_else(|| BuildError::Host(toolchain.host.clone()))?,
    };
    let metadata = metadata(architecture)?;
    let service = package::find(&metadata, options.package.as_deref())?;
    stage.done(&format!("package {} for Lambda on {}", service.package, architecture.lambda_name()));

    let bootstrap = compile_for_lambda(options, &metadata, &toolchain, &service, architecture, &progress)?;
    let bytes = std::fs::read(&bootstrap).map_err(|error| BuildError::file("read", &bootstrap, error))?;
    glibc::check(&bytes)?;

    let stage = progress.stage("make the manifest");
    let printer = if toolchain.host == architecture.triple() {
        bootstrap
    } else {
        // The Lambda binary cannot run here, and the SDK of AWS says nothing about a service: build without it.
        Compilation::for_this_machine(&metadata, &service).run(&stage, &progress)?
    };
    let mut manifest = describe::manifest(&printer)?;
    manifest.code =
        Some(Code { sha256: sha256_hex(&bytes), architecture: architecture.lambda_name().to_owned() });
    stage.done(&summary(&manifest));

    let stage = progress.stage("pack");
    let default = || {
        let folder = metadata.target_directory.as_std_path().join("eventual");
        folder.join(format!("{}.zip", manifest.service))
    };
    let path = options.out.clone().unwrap_or_else(default);
    let size = write(&path, &bytes, &manifest)?;
    let sizes = format!("{}, unpacked {}", megabytes(size), megabytes(bytes.len() as u64));
    stage.done(&format!("packed {}: {sizes}", path.display()));
    drop(progress);
    writeln!(std::io::stdout(), "{}", path.display())
        .map_err(|error| BuildError::file("write to", Path::new("standard output"), error))
}

/// The manifest that the sources of a package of this workspace declare. They are compiled for this machine.
pub(crate) fn describe_sources(package: Option<&str>, progress: &Progress) -> Result<Manifest, BuildError> {
    let toolchain = Toolchain::find()?;
    let metadata = MetadataCommand::new()
        .features(cargo_metadata::CargoOpt::AllFeatures)
        .other_options(["--filter-platform".to_owned(), toolchain.host])
        .exec()
        .map_err(BuildError::Metadata)?;
    let service = package::find(&metadata, package)?;
    let stage = progress.stage(format!("compile {}", service.package));
    let printer = Compilation::for_this_machine(&metadata, &service).run(&stage, progress)?;
    let manifest = describe::manifest(&printer)?;
    stage.done(&summary(&manifest));
    Ok(manifest)
}

fn metadata(architecture: Architecture) -> Result<Metadata, BuildError> {
    MetadataCommand::new()
        .features(cargo_metadata::CargoOpt::AllFeatures)
        .other_options(["--filter-platform".to_owned(), architecture.triple().to_owned()])
        .exec()
        .map_err(BuildError::Metadata)
}

fn compile_for_lambda(
    options: &BuildOptions,
    metadata: &Metadata,
    toolchain: &Toolchain,
    service: &Service,
    architecture: Architecture,
    progress: &Progress,
) -> Result<PathBuf, BuildError> {
    toolchain.require_std(architecture)?;
    let profile = match &options.profile {
        Some(name) => Profile::Named(name.clone()),
        None => Profile::lambda(metadata.workspace_root.as_std_path())?,
    };
    let triple = architecture.triple();
    let mut flags = rustflags::of_user(triple, toolchain)?;
    flags.extend(remap::flags(metadata, toolchain));
    let mut compilation = Compilation {
        features: Some(format!("{}/aws", service.dependency)),
        triple: Some(triple),
        profile: profile.clone(),
        environment: vec![("CARGO_ENCODED_RUSTFLAGS".into(), flags.join("\u{1f}").into())],
        ..Compilation::for_this_machine(metadata, service)
    };
    let linked_here = toolchain.host == triple || rustflags::has_linker(triple)?;
    if options.zig || !linked_here {
        let folder = metadata.target_directory.as_std_path().join("eventual").join("zig");
        compilation.environment.extend(zig::environment(architecture, &folder)?);
    }
    let stage = progress.stage(format!("compile {} with profile {}", service.package, profile.name()));
    let bootstrap = compilation.run(&stage, progress)?;
    stage.done(&format!("compiled {} with profile {}", service.package, profile.name()));
    Ok(bootstrap)
}

/// Writes the artifact, whole or not at all, after it passed the checks that the provider will make.
fn write(path: &Path, bootstrap: &[u8], manifest: &Manifest) -> Result<u64, BuildError> {
    let bytes = artifact::pack(bootstrap, manifest).map_err(|error| BuildError::file("pack", path, error))?;
    artifact::check(&bytes).map_err(BuildError::Artifact)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| BuildError::file("make the folder", folder, error))?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, &bytes).map_err(|error| BuildError::file("write", Path::new(&part), error))?;
    std::fs::rename(&part, path).map_err(|error| BuildError::file("write", path, error))?;
    Ok(bytes.len() as u64)
}

fn summary(manifest: &Manifest) -> String {
    let counts = [
        (manifest.commands.len(), "command"),
        (manifest.tasks.len(), "task"),
        (manifest.workflows.len(), "workflow"),
        (manifest.subscriptions.len(), "subscription"),
        (manifest.events.len(), "event"),
        (manifest.signals.len(), "signal"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    format!("service {} {}: {}", manifest.service, manifest.version, parts.join(", "))
}
