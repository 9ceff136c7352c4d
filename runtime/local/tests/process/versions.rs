//! One program after another serves a store: executions that are pinned wait for the program that they were started on, and the
//! others follow the newest.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::child::Served;

/// This program again, with something behind its end that nobody reads: another build of the same code.
fn another_build(folder: &Path) -> PathBuf {
    let program = folder.join("another");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::OpenOptions::new().append(true).open(&program).unwrap().write_all(b"another").unwrap();
    program
}

#[tokio::test]
async fn pinned_executions_wait_for_the_program_that_they_were_started_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start(&store);
    for (workflow, name) in [("waitsPinned", "p"), ("waits", "w")] {
        assert!(served.start_execution(workflow, name, json!(null)).await);
    }
    assert!(served.stop());

    let mut other = Served::start_program(&another_build(folder.path()), &store);
    let go =
        |execution: &str| json!({ "op": "signal", "execution": execution, "signal": "Go", "payload": 5 });
    for execution in ["waitsPinned/p", "waits/w"] {
        let sent = other.ask(go(execution)).await.unwrap();
        assert!(sent.get("class").is_none(), "{sent}");
    }
    assert_eq!(other.result("waits/w").await, json!(5), "what is not pinned follows the newest code");
    let parked = other.standing("waitsPinned/p", "parked").await;
    let why = parked["parked"].as_str().unwrap_or_else(|| panic!("{parked}"));
    assert!(why.contains(parked["code"].as_str().unwrap()) && why.contains("run that code again"), "{why}");
    let report = other.ask(json!({ "op": "versions", "workflow": "waitsPinned" })).await.unwrap();
    assert_eq!(report["versions"][0]["code"], parked["code"], "{report}");
    assert_ne!(report["code"], parked["code"], "{report}");
    assert!(other.stop());

    let served = Served::start(&store);
    let ended = served.standing("waitsPinned/p", "succeeded").await;
    assert_eq!(ended["result"], json!(5), "nothing was lost, and nobody had to resume it");
}
