//! `cargo eventual sdk`: the client of a service in another language, or its Terraform module, as a folder of files.
//!
//! The folder belongs to this command: it writes down in `eventual-sdk.json` what it made, replaces that and removes what
//! is no longer made, and touches no folder that holds something else.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use eventual_schema::artifact;
use eventual_schema::{Manifest, ManifestError};
use eventual_sdk_gen::{Files, Language, MARKER, SdkError, generate};

use crate::build::{self, BuildError};
use crate::progress::Progress;

/// Generates the client of a service for TypeScript or Python, or its Terraform module.
///
/// Rust needs none: with the feature `client` of eventual-runtime, the service's own crate is the client's types.
#[derive(Debug, Args)]
pub(crate) struct SdkOptions {
    /// What to generate
    #[arg(short, long, value_enum)]
    lang: Lang,
    /// Folder to write; made if it is not there
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Package of the service, whose sources are compiled to read its manifest; by default the package of this folder
    #[arg(short, long, value_name = "NAME")]
    package: Option<String>,
    /// Artifact to read the manifest from, instead of the sources
    #[arg(long, value_name = "FILE", conflicts_with = "package")]
    artifact: Option<PathBuf>,
    /// Manifest to read, such as an artifact's `eventual.json`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["package", "artifact"])]
    manifest: Option<PathBuf>,
    /// Write nothing, and fail if the folder does not hold exactly what would be written
    #[arg(long)]
    check: bool,
}

/// A language, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Lang {
    /// A package of Python 3.11+ that needs httpx
    #[value(alias = "py")]
    Python,
    /// A Terraform module with typed variables, for OpenTofu as well
    #[value(alias = "tf")]
    Terraform,
    /// A package of TypeScript that needs nothing but `fetch`
    #[value(name = "typescript", alias = "ts")]
    TypeScript,
}

/// Why `cargo eventual sdk` failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("{0}")]
    Artifact(#[from] artifact::ArtifactError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("{} is not what would be generated now: {}. Run the same command without `--check`", .folder.display(), .files.join(", "))]
    Differs { folder: PathBuf, files: Vec<String> },
    #[error("cannot {verb} {}: {source}", path.display())]
    File { verb: &'static str, path: PathBuf, source: std::io::Error },
    #[error(
        "{} holds something else than a generated client: name another folder, or empty it",
        .0.display()
    )]
    Foreign(PathBuf),
    #[error("{}: {source}", path.display())]
    Manifest { path: PathBuf, source: ManifestError },
    #[error(transparent)]
    Sdk(#[from] SdkError),
}

impl Failed {
    fn file(verb: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File { verb, path: path.to_owned(), source }
    }

    /// The exit code, that of cargo when cargo failed.
    pub(crate) fn exit_code(&self) -> u8 {
        if let Self::Build(error) = self { error.exit_code() } else { 1 }
    }
}

/// Runs the command. Prints the folder on standard output, and everything else on standard error.
pub(crate) fn sdk(options: &SdkOptions) -> Result<(), Failed> {
    let manifest = manifest(options)?;
    let language = match options.lang {
        Lang::Python => Language::Python,
        Lang::Terraform => Language::Terraform,
        Lang::TypeScript => Language::TypeScript,
    };
    let files = generate(&manifest, language)?;
    let before = Folder::look(&options.out)?;
    if options.check {
        let differing = before.differing(&files)?;
        if !differing.is_empty() {
            return Err(Failed::Differs { folder: options.out.clone(), files: differing });
        }
    } else {
        before.replace(&files)?;
    }
    let out = options.out.display();
    writeln!(std::io::stdout(), "{out}")
        .map_err(|error| Failed::file("write to", Path::new("standard output"), error))
}

fn manifest(options: &SdkOptions) -> Result<Manifest, Failed> {
    if let Some(path) = &options.artifact {
        return Ok(artifact::open(path)?.manifest);
    }
    if let Some(path) = &options.manifest {
        let bytes = std::fs::read(path).map_err(|error| Failed::file("read", path, error))?;
        return Manifest::from_json(&bytes).map_err(|source| Failed::Manifest { path: path.clone(), source });
    }
    Ok(build::describe_sources(options.package.as_deref(), &Progress::new())?)
}

/// The folder that is written, as it was.
struct Folder<'a> {
    path: &'a Path,
    /// Files that an earlier run made.
    made: Vec<String>,
}

impl<'a> Folder<'a> {
    /// Refuses a folder with files in it that no earlier run made.
    fn look(path: &'a Path) -> Result<Self, Failed> {
        let marker = path.join(MARKER);
        match std::fs::read_to_string(&marker) {
            Ok(text) => {
                let made = eventual_sdk_gen::made(&text).ok_or_else(|| Failed::Foreign(path.to_owned()))?;
                Ok(Self { path, made })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => match std::fs::read_dir(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { path, made: Vec::new() }),
                Err(error) => Err(Failed::file("read", path, error)),
                Ok(entries) => match entries.count() {
                    0 => Ok(Self { path, made: Vec::new() }),
                    _ => Err(Failed::Foreign(path.to_owned())),
                },
            },
            Err(error) => Err(Failed::file("read", &marker, error)),
        }
    }

    /// The files that are not as they would be generated, or would not be generated.
    fn differing(&self, files: &Files) -> Result<Vec<String>, Failed> {
        let mut differing: Vec<String> =
            self.made.iter().filter(|it| !files.contains_key(*it)).cloned().collect();
        for (name, text) in files {
            let path = self.path.join(name);
            match std::fs::read(&path) {
                Ok(found) if found == text.as_bytes() => {}
                Ok(_) => differing.push(name.clone()),
                Err(error) if error.kind() == ErrorKind::NotFound => differing.push(name.clone()),
                Err(error) => return Err(Failed::file("read", &path, error)),
            }
        }
        Ok(differing)
    }

    /// Writes the files, and removes those of the earlier run that are no longer among them.
    fn replace(&self, files: &Files) -> Result<(), Failed> {
        for name in self.made.iter().filter(|it| !files.contains_key(*it)) {
            let path = self.path.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Failed::file("remove", &path, error));
                }
                _ => {}
            }
        }
        // Files that are equal are left alone, so that build tools do not build again.
        for name in self.differing(files)? {
            let Some(text) = files.get(&name) else { continue };
            let path = self.path.join(&name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .map_err(|error| Failed::file("make the folder", folder, error))?;
            }
            std::fs::write(&path, text).map_err(|error| Failed::file("write", &path, error))?;
        }
        Ok(())
    }
}
