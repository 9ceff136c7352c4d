//! `kill -9` under load: everything that was accepted ends once, and no attempt is performed twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::child::Served;

/// Processes that are killed, and executions that each is given.
const KILLS: usize = 8;
const EACH: usize = 20;

#[tokio::test]
async fn killed_at_any_moment_everything_ends_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut accepted = Vec::new();
    for kill in 0..KILLS {
        let mut served = Served::start(&store);
        for index in 0..EACH {
            let name = format!("{kill}-{index}");
            if served.start_execution("nine", &name, Value::Null).await {
                accepted.push(format!("nine/{name}"));
            }
        }
        // Another moment each time: between 0 and 35 ms after the last start.
        tokio::time::sleep(Duration::from_millis(kill as u64 * 5)).await;
        served.kill();
    }
    assert_eq!(accepted.len(), KILLS * EACH);
    let mut served = Served::start(&store);
    for execution in &accepted {
        assert_eq!(served.result(execution).await, json!(45), "{execution}");
        let history = served.ask(json!({ "op": "history", "execution": execution })).await.unwrap();
        let facts: Vec<&Value> = history["turns"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|it| it["facts"].as_array().cloned().unwrap_or_default().leak().iter())
            .collect();
        let done = facts.iter().filter(|it| it.to_string().contains("taskDone")).count();
        assert_eq!(done, 9, "each step is recorded once: {history}");
    }
    assert!(served.stop(), "a process that was asked to stop ends well");
    attempts_are_performed_once(&store, accepted.len());
}

fn attempts_are_performed_once(store: &Path, executions: usize) {
    let text = std::fs::read_to_string(store.with_extension("effects")).unwrap();
    let mut performed: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines() {
        *performed.entry(line).or_default() += 1;
    }
    let twice: Vec<_> = performed.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "performed twice: {twice:?}");
    assert!(performed.len() >= executions * 9, "every step of every execution was performed");
}

/// The original wrote its log within the turn, and did everything again when it could not.
#[tokio::test]
async fn a_log_that_nobody_takes_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start_unheard(&store);
    for index in 0..EACH {
        assert!(served.start_execution("nine", &index.to_string(), Value::Null).await);
    }
    for index in 0..EACH {
        assert_eq!(served.result(&format!("nine/{index}")).await, json!(45));
    }
    assert!(served.stop());
    attempts_are_performed_once(&store, EACH);
}

#[tokio::test]
async fn sleepers_wake_up_in_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start(&store);
    for index in 0..50 {
        assert!(served.start_execution("nap", &index.to_string(), json!(1_000)).await);
    }
    served.kill();
    let served = Served::start(&store);
    for index in 0..50 {
        assert_eq!(served.result(&format!("nap/{index}")).await, json!(7));
    }
}
