//! zig as C compiler and linker: it brings the headers and stubs of every glibc, so that a binary for Lambda can be made on
//! a system with another processor or a newer glibc.
//!
//! rustc and the `cc` crate speak to it through small scripts that call this program back, because both pass options
//! that zig does not take.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::error::BuildError;
use super::target::Architecture;

/// The hidden command with which the scripts call back: launcher, tool, target, and the options of the caller.
pub(crate) const COMMAND: &str = "zig";
/// Newest glibc that a binary may need.
const GLIBC: &str = "2.34";

/// How zig is started: its own binary, or the package from PyPI.
const LAUNCHERS: [(&str, &[&str]); 2] = [("zig", &[]), ("python3", &["-m", "ziglang"])];

/// The environment that makes cargo, rustc and the `cc` crate use zig for `architecture`. The scripts go to `folder`.
pub(crate) fn environment(
    architecture: Architecture,
    folder: &Path,
) -> Result<Vec<(OsString, OsString)>, BuildError> {
    let launcher = LAUNCHERS.iter().find(|launcher| runs(launcher)).ok_or(BuildError::Zig(architecture))?.0;
    let folder = folder.join(architecture.lambda_name());
    std::fs::create_dir_all(&folder).map_err(|error| BuildError::file("make the folder", &folder, error))?;
    let script = |tool: &str| write_script(&folder, launcher, tool, architecture);
    let underscored = architecture.triple().replace('-', "_");
    let linker = script("cc")?;
    Ok(vec![
        (format!("CARGO_TARGET_{}_LINKER", architecture.variable()).into(), linker.clone().into()),
        (format!("CC_{underscored}").into(), linker.into()),
        (format!("CXX_{underscored}").into(), script("c++")?.into()),
        (format!("AR_{underscored}").into(), script("ar")?.into()),
    ])
}

fn runs(&(program, arguments): &(&str, &[&str])) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|it| it.success())
}

fn write_script(
    folder: &Path,
    launcher: &str,
    tool: &str,
    architecture: Architecture,
) -> Result<PathBuf, BuildError> {
    let path = folder.join(tool);
    let failed = |error| BuildError::file("write", &path, error);
    let program = std::env::current_exe().map_err(failed)?;
    let program = program.display().to_string().replace('\'', "'\\''");
    let target = target(architecture);
    let text = format!("#!/bin/sh\nexec '{program}' {COMMAND} {launcher} {tool} {target} \"$@\"\n");
    std::fs::write(&path, text).map_err(failed)?;
    make_executable(&path).map_err(failed)?;
    Ok(path)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("building with zig needs a system with shell scripts"))
}

fn target(architecture: Architecture) -> String {
    let processor = match architecture {
        Architecture::Arm64 => "aarch64",
        Architecture::X86_64 => "x86_64",
    };
    format!("{processor}-linux-gnu.{GLIBC}")
}

/// Called by a script: runs the tool of zig with the options that it takes.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    let [launcher, tool, target, options @ ..] = arguments else {
        return complain("expects launcher, tool and target: it is called by scripts only");
    };
    let Some((program, prefix)) = LAUNCHERS.iter().find(|it| launcher == it.0) else {
        return complain(&format!("knows no launcher {}", launcher.display()));
    };
    let mut command = Command::new(program);
    command.args(*prefix).arg(tool);
    if tool == "ar" {
        command.args(options);
    } else {
        command.arg("-target").arg(target).arg("-fno-sanitize=all").args(understood(options));
    }
    match command.status() {
        Ok(status) => {
            status.code().and_then(|it| u8::try_from(it).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => complain(&format!("cannot run {program}: {error}")),
    }
}

fn complain(text: &str) -> ExitCode {
    // Nowhere to report that standard error is closed.
    let _ = writeln!(std::io::stderr(), "error: cargo-eventual {COMMAND} {text}");
    ExitCode::FAILURE
}

/// The options as zig takes them: the target was said already, its own linker is the only one, and what unwinds is
/// LLVM's library instead of GCC's.
fn understood(options: &[OsString]) -> Vec<OsString> {
    let mut taken = Vec::with_capacity(options.len());
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match option.to_str() {
            Some("-target" | "--target") => {
                options.next();
            }
            Some("-lgcc_s" | "-lgcc_eh") => taken.push("-lunwind".into()),
            Some("-lgcc") => {}
            Some(text) if text.starts_with("--target=") || text.starts_with("-fuse-ld=") => {}
            Some(text) if text.starts_with("-B") && text.ends_with("gcc-ld") => {}
            _ => taken.push(OsStr::to_owned(option)),
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_zig_does_not_take_are_left_out_or_translated() {
        let given = [
            "-m64",
            "--target=x86_64-unknown-linux-gnu",
            "-target",
            "x86_64",
            "main.o",
            "-lgcc_s",
            "-lgcc",
            "-fuse-ld=lld",
            "-B/rust/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld",
            "-lc",
        ];
        let taken = understood(&given.map(OsString::from));
        assert_eq!(taken, ["-m64", "main.o", "-lunwind", "-lc"].map(OsString::from));
    }

    #[test]
    fn targets_name_the_glibc_of_lambda() {
        assert_eq!(target(Architecture::Arm64), "aarch64-linux-gnu.2.34");
        assert_eq!(target(Architecture::X86_64), "x86_64-linux-gnu.2.34");
    }
}
