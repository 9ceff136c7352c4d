//! A disk that is full, executions that were kept for long enough, and what was given up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::child::{Served, checked};

/// A file system of its own in memory, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this process may not mount one.
    fn mount(folder: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let disk = Self(folder.to_owned());
        disk.mounted(&format!("size={megabytes}m")).then_some(disk)
    }

    fn mounted(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0);
        mount.output().is_ok_and(|it| it.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Fails where nothing was mounted.
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&folder.path().join("disk"), 24) else {
        eprintln!("skipped: this process may not mount a file system of its own");
        return;
    };
    let (store, said) = (disk.0.join("store"), folder.path().join("said"));
    let mut served = Served::start_saying(&store, &said);
    let text = "x".repeat(100_000);
    let mut acknowledged = 0;
    while served.start_execution("keep", &acknowledged.to_string(), json!(text)).await {
        acknowledged += 1;
        assert!(acknowledged < 2_000, "the disk is never full");
    }
    assert!(!served.ended().await, "it fails, instead of serving what it cannot keep");
    let said = fs::read_to_string(&said).unwrap();
    assert!(said.contains("disk is full"), "{said}");
    assert!(said.contains("Nothing that was acknowledged is lost"), "{said}");
    drop(served);

    assert!(disk.mounted("remount,size=256m"));
    let served = Served::start(&store);
    for name in 0..acknowledged {
        assert_eq!(
            served.result(&format!("keep/{name}")).await,
            json!(text.len()),
            "{name} of {acknowledged}"
        );
    }
    assert!(served.start_execution("nine", "after", Value::Null).await);
    assert_eq!(served.result("nine/after").await, json!(45), "and it goes on");
}

#[tokio::test]
async fn closed_executions_are_dropped_after_the_retention() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start_with(&store, " --retention-days 0");
    assert!(served.start_execution("nap", "open", json!(3_600_000)).await);
    assert!(served.start_execution("nine", "closed", Value::Null).await);
    let begun = Instant::now();
    // It is there until it has ended, and gone right after.
    while served.ask(json!({ "op": "get", "execution": "nine/closed" })).await.unwrap()["status"].is_string()
    {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let list = served.ask(json!({ "op": "list" })).await.unwrap();
    let kept: Vec<_> =
        list["executions"].as_array().unwrap().iter().map(|it| it["execution"].clone()).collect();
    assert_eq!(kept, [json!("nap/open")], "the open one stays");
    assert!(served.start_execution("nine", "closed", Value::Null).await, "its name is free again");
    assert!(served.stop());
    let (whole, report) = checked(&store);
    assert!(whole, "{report}");
}

#[tokio::test]
async fn a_name_that_is_used_again_takes_nothing_of_what_was_meant_for_who_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start_with(&store, " --retention-days 0");
    assert!(served.start_execution("nap", "again", json!(2_000)).await);
    served.ask(json!({ "op": "terminate", "execution": "nap/again" })).await.unwrap();
    let begun = Instant::now();
    // Another input is refused until the former one is forgotten.
    while !served.start_execution("nap", "again", json!(3_600_000)).await {
        assert!(begun.elapsed() < Duration::from_secs(30), "its name is not free");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Asked for later than the former one's timer, and so due later.
    assert!(served.start_execution("nap", "after", json!(2_100)).await);
    let after =
        async |served: &Served| served.ask(json!({ "op": "get", "execution": "nap/after" })).await.unwrap();
    while after(&served).await["status"] == "running" {
        assert!(begun.elapsed() < Duration::from_secs(60), "the later timer does not fire");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let again = served.ask(json!({ "op": "get", "execution": "nap/again" })).await.unwrap();
    assert_eq!(again["status"], "running", "the former one's timer is none of its: {again}");
    assert!(served.stop());
}

#[tokio::test]
async fn what_is_given_up_is_kept_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start(&store);
    let told = served.request("POST", "/rpc/tell").body("7").send().await.unwrap();
    assert!(told.status().is_success());
    let letters = async |served: &Served| -> Vec<String> {
        let answer = served.request("GET", "/_eventual/dead-letters").send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["deadLetters"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let begun = Instant::now();
    while letters(&served).await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is never given up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let given_up = letters(&served).await;
    assert_eq!(given_up.len(), 1, "{given_up:?}");
    for part in ["refuses", "Told", "7", "never"] {
        assert!(given_up[0].contains(part), "{part} is not in: {given_up:?}");
    }
    served.kill();
    assert_eq!(letters(&Served::start(&store)).await, given_up, "it outlives the process");
}
