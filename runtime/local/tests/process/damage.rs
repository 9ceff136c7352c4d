//! Torn writes are repaired, damage is named, and one process has the store.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::child::{Served, checked, refused};

fn log(store: &Path) -> PathBuf {
    let mut folders = vec![store.to_owned()];
    let mut logs = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "jnl") {
                logs.push(path);
            }
        }
    }
    assert_eq!(logs.len(), 1, "a small store has one log: {logs:?}");
    logs.remove(0)
}

/// A store with three finished executions, killed.
async fn filled(store: &Path) {
    let mut served = Served::start(store);
    for name in ["a", "b", "c"] {
        assert!(served.start_execution("nine", name, Value::Null).await);
        served.result(&format!("nine/{name}")).await;
    }
    served.kill();
}

/// Length of what the log holds: it may be longer than that, with zeros.
fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|it| *it != 0).map_or(0, |it| it + 1)
}

/// Garbles the middle of what a log holds.
fn garble(log: &Path, bytes: &mut [u8]) {
    let middle = used(bytes) / 2;
    for byte in &mut bytes[middle..middle + 64] {
        *byte ^= 0x5a;
    }
    fs::write(log, bytes).unwrap();
}

/// The store is refused, and what is said has all these parts.
fn refused_with(store: &Path, parts: &[&str]) {
    let said = refused(store, "");
    for part in parts {
        assert!(said.contains(part), "{part:?} in: {said}");
    }
}

#[tokio::test]
async fn a_torn_last_write_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store).await;
    let path = log(&store);
    let bytes = fs::read(&path).unwrap();
    let used = used(&bytes);
    // A batch that begins like one of before and breaks off: the machine stopped while it was written.
    let torn = [&bytes[..used], &bytes[..used.min(40)]].concat();
    fs::write(&path, torn).unwrap();
    let served = Served::start(&store);
    for name in ["a", "b", "c"] {
        assert_eq!(served.result(&format!("nine/{name}")).await, json!(45));
    }
    assert!(served.start_execution("nine", "d", Value::Null).await);
    assert_eq!(served.result("nine/d").await, json!(45), "and the store goes on");
}

#[tokio::test]
async fn a_log_without_its_acknowledged_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store).await;
    let path = log(&store);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..used(&bytes) / 2]).unwrap();
    refused_with(&store, &["damaged", &path.display().to_string(), "acknowledged", "Safe to do"]);
}

#[tokio::test]
async fn a_garbled_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store).await;
    let path = log(&store);
    let mut bytes = fs::read(&path).unwrap();
    garble(&path, &mut bytes);
    refused_with(&store, &["damaged", &path.display().to_string(), "Safe to do"]);
    assert!(fs::read(&path).unwrap() == bytes, "whoever refuses a log leaves it as it is");
}

#[tokio::test]
async fn a_garbled_older_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store).await;
    let path = log(&store);
    let number: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    fs::rename(&path, path.with_file_name(format!("{}.jnl", number + 1))).unwrap();
    let mut bytes = fs::read(path.with_file_name(format!("{}.jnl", number + 1))).unwrap();
    garble(&path, &mut bytes);
    refused_with(&store, &["damaged", &path.display().to_string(), "Safe to do"]);
}

#[tokio::test]
async fn files_beside_the_data_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store).await;
    let (format, acknowledged) = (store.join("format"), store.join("acknowledged"));
    let as_it_was = fs::read(&format).unwrap();
    fs::write(&format, "eventual store 99\n").unwrap();
    refused_with(&store, &["format 99", "reads format 1"]);
    fs::remove_file(&format).unwrap();
    refused_with(&store, &["damaged", "format", "is gone"]);
    fs::write(&format, as_it_was).unwrap();
    OpenOptions::new().append(true).open(&acknowledged).unwrap().write_all(b"x").unwrap();
    refused_with(&store, &["damaged", "acknowledged", "remove this file"]);
    fs::remove_file(&acknowledged).unwrap();
    let served = Served::start(&store);
    assert_eq!(served.result("nine/a").await, json!(45), "what was said to be safe is");
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start(&store);
    let said = refused(&store, "");
    assert!(
        said.contains("in use by another process") && said.contains(&store.display().to_string()),
        "{said}"
    );
    assert!(served.stop());
    Served::start(&store);
}

/// The files that hold what is not only in the log any more.
fn sorted(store: &Path) -> Vec<PathBuf> {
    let mut folders = vec![store.join("data/keyspaces")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let is_tables = folder.ends_with("tables");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_tables && path.metadata().unwrap().len() > 4_096 {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn a_check_reads_everything() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let (is_whole, said) = checked(&store);
    assert!(!is_whole && said.contains("no store is there"), "{said}");
    filled(&store).await;
    let (is_whole, said) = checked(&store);
    assert!(is_whole && said.contains("executions: 3 entries") && said.contains("is whole"), "{said}");
    let mut served = Served::start(&store);
    let (is_whole, said) = checked(&store);
    assert!(!is_whole && said.contains("in use by another process"), "{said}");
    // Enough that it leaves the log for sorted files.
    let large = "x".repeat(100_000);
    for index in 0..120 {
        assert!(served.start_execution("keep", &format!("l{index}"), json!(large)).await);
    }
    assert!(served.stop());
    let files = sorted(&store);
    assert!(!files.is_empty(), "nothing was sorted into files");
    for file in files {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&file, bytes).unwrap();
    }
    let (is_whole, said) = checked(&store);
    assert!(!is_whole && said.contains("amaged") && said.contains("Safe to do"), "{said}");
}
