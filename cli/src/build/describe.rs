//! Asks a service's binary for its manifest. What the binary finds wrong with the service is its own to say: its words
//! go to the user as they are.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use eventual_schema::Manifest;
use eventual_schema::deploy::PRINT_MANIFEST;

use super::error::BuildError;

/// Printing takes milliseconds; a binary that takes this long does something else instead.
const LIMIT: Duration = Duration::from_secs(30);

/// The manifest that the binary at `path` prints.
pub(crate) fn manifest(path: &Path) -> Result<Manifest, BuildError> {
    let printed = print(path, LIMIT)?;
    if printed.trim_ascii().is_empty() {
        return Err(BuildError::PrinterSilent);
    }
    Manifest::from_json(&printed).map_err(BuildError::Manifest)
}

fn print(path: &Path, limit: Duration) -> Result<Vec<u8>, BuildError> {
    let failed = |source| BuildError::Program { program: path.display().to_string(), source };
    let mut child = Command::new(path)
        .env(PRINT_MANIFEST, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stdout = child.stdout.take().map(read_all);
    let status = wait(&mut child, limit).map_err(failed)?;
    let Some(status) = status else {
        return Err(BuildError::PrinterHangs { seconds: limit.as_secs() });
    };
    let printed = stdout.and_then(|it| it.join().ok()).unwrap_or_default();
    if status.success() { Ok(printed) } else { Err(BuildError::PrinterFailed) }
}

/// Reads in a thread of its own, so that a long manifest does not fill the pipe while nobody reads it.
fn read_all(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before a failure is no manifest, and is reported as that.
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// The child's end, or `None` after it had to be stopped.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn script(text: &str, limit: Duration) -> Result<Vec<u8>, BuildError> {
        let folder = tempfile::tempdir().unwrap();
        let (text_file, path) = (folder.path().join("text"), folder.path().join("service"));
        std::fs::write(&text_file, format!("#!/bin/sh\n{text}\n")).unwrap();
        // Another process writes it: what a test beside this one starts would have the file open for writing that we had open when
        // it was started, and Linux runs no such file.
        let installed = Command::new("install").arg("-m755").args([&text_file, &path]).status().unwrap();
        assert!(installed.success());
        print(&path, limit)
    }

    #[test]
    fn a_long_manifest_is_read_whole_and_the_binary_is_asked_by_environment() {
        let printed = script("echo $EVENTUAL_PRINT_MANIFEST; head -c 300000 /dev/zero", LIMIT).unwrap();
        assert_eq!(&printed[..2], b"1\n");
        assert_eq!(printed.len(), 300_002);
    }

    #[test]
    fn a_binary_that_refuses_or_hangs_is_told_apart() {
        assert!(matches!(script("echo '{}'; exit 1", LIMIT), Err(BuildError::PrinterFailed)));
        let hanging = script("exec sleep 600", Duration::from_millis(50));
        assert!(matches!(hanging, Err(BuildError::PrinterHangs { .. })), "{hanging:?}");
    }
}
