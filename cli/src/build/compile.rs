//! Runs `cargo build` for one binary and finds what it made. What cargo and rustc say reaches the user as they said it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cargo_metadata::{Message, Metadata};

use super::error::BuildError;
use super::package::Service;
use super::rustflags;
use super::target::cargo;
use crate::progress::{Progress, Stage};

/// The name of the profile that Lambda binaries are built with.
const LAMBDA: &str = "lambda";

/// Small, because a cold start loads every page of the binary: one unit optimized as a whole, for size, without
/// symbols. Panics unwind, because a handler that panics must fail its call and nothing else.
const LAMBDA_SETTINGS: [&str; 6] = [
    "inherits=\"release\"",
    "lto=\"fat\"",
    "codegen-units=1",
    "opt-level=\"s\"",
    "strip=true",
    "panic=\"unwind\"",
];

/// How rustc is to optimize.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Cargo's `dev`.
    Dev,
    /// `lambda` by our settings, in a workspace that has none of that name.
    Lambda,
    /// One that the workspace defines.
    Named(String),
}

impl Profile {
    /// The workspace's own profile `lambda`, or ours.
    pub(crate) fn lambda(workspace: &Path) -> Result<Self, BuildError> {
        let manifest = rustflags::table(&workspace.join("Cargo.toml"))?;
        let own = manifest.get("profile").and_then(|it| it.get(LAMBDA)).is_some();
        Ok(if own { Self::Named(LAMBDA.to_owned()) } else { Self::Lambda })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Dev => "dev",
            Self::Lambda => LAMBDA,
            Self::Named(name) => name,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--profile".to_owned(), self.name().to_owned()];
        if *self == Self::Lambda {
            for setting in LAMBDA_SETTINGS {
                arguments.extend(["--config".to_owned(), format!("profile.{LAMBDA}.{setting}")]);
            }
        }
        arguments
    }
}

/// One run of `cargo build`.
#[derive(Debug, Clone)]
pub(crate) struct Compilation<'a> {
    pub(crate) service: &'a Service,
    pub(crate) features: Option<String>,
    /// Absent for this machine.
    pub(crate) triple: Option<&'static str>,
    pub(crate) profile: Profile,
    pub(crate) target_directory: PathBuf,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

impl<'a> Compilation<'a> {
    /// The plain build that `cargo build` makes, of which most is usually there already.
    pub(crate) fn for_this_machine(metadata: &Metadata, service: &'a Service) -> Self {
        Self {
            service,
            features: None,
            triple: None,
            profile: Profile::Dev,
            target_directory: metadata.target_directory.clone().into(),
            environment: Vec::new(),
        }
    }

    /// Builds, and returns where the binary is.
    pub(crate) fn run(&self, stage: &Stage<'_>, progress: &Progress) -> Result<PathBuf, BuildError> {
        let mut child = self.command(progress).spawn().map_err(|source| self.failed_to_start(source))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let executable = std::thread::scope(|scope| {
            if let Some(stderr) = stderr {
                scope.spawn(|| pass_on(stderr, progress));
            }
            stdout.and_then(|it| self.follow(it, stage))
        });
        self.finish(&mut child)?;
        executable.ok_or_else(|| BuildError::NoBinary(self.service.binary.clone()))
    }

    fn command(&self, progress: &Progress) -> Command {
        let mut command = Command::new(cargo());
        command.arg("build").args(["--message-format", "json-render-diagnostics"]);
        command.args(["--package", &self.service.package, "--bin", &self.service.binary]);
        command.arg("--target-dir").arg(&self.target_directory);
        command.args(self.profile.arguments());
        command.args(self.features.iter().flat_map(|it| ["--features", it]));
        command.args(self.triple.iter().flat_map(|it| ["--target", it]));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        if progress.is_moving() {
            let color = if std::env::var_os("NO_COLOR").is_some() { "never" } else { "always" };
            command.args(["--quiet", "--color", color]).stderr(Stdio::piped());
        }
        command
    }

    /// Reads cargo's messages to their end, shows how far it is, and returns the binary when it was made.
    fn follow(&self, stdout: impl Read, stage: &Stage<'_>) -> Option<PathBuf> {
        let mut executable = None;
        let mut compiled = 0_usize;
        for message in Message::parse_stream(BufReader::new(stdout)) {
            // What is no message of cargo's was printed by something else in the build, and is not ours to judge.
            let Ok(Message::CompilerArtifact(artifact)) = message else { continue };
            compiled += 1;
            stage.at(&format_args!("{compiled} crates, last {}", artifact.target.name));
            if artifact.target.is_bin() && artifact.target.name == self.service.binary {
                executable = artifact.executable.map(Into::into);
            }
        }
        executable
    }

    fn finish(&self, child: &mut Child) -> Result<(), BuildError> {
        let status = child.wait().map_err(|source| self.failed_to_start(source))?;
        if status.success() {
            return Ok(());
        }
        Err(BuildError::Cargo { package: self.service.package.clone(), code: status.code() })
    }

    fn failed_to_start(&self, source: std::io::Error) -> BuildError {
        BuildError::Program { program: cargo().display().to_string(), source }
    }
}

fn pass_on(stderr: impl Read, progress: &Progress) {
    for line in BufReader::new(stderr).split(b'\n') {
        let Ok(line) = line else { return };
        progress.line(&String::from_utf8_lossy(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_the_workspace_wins_over_ours() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("Cargo.toml");
        std::fs::write(&manifest, "[workspace]\n[profile.release]\nlto = true\n").unwrap();
        let ours = Profile::lambda(folder.path()).unwrap();
        assert_eq!(ours, Profile::Lambda);
        assert!(ours.arguments().contains(&"profile.lambda.lto=\"fat\"".to_owned()));
        std::fs::write(&manifest, "[workspace]\n[profile.lambda]\ninherits = 'release'\n").unwrap();
        let own = Profile::lambda(folder.path()).unwrap();
        assert_eq!(own.arguments(), ["--profile", "lambda"]);
    }
}
