//! `serve --twins`: every turn is taken by several instances of the workflow's code, in the process that users run.

use serde_json::json;

use crate::child::{Served, refused};

#[tokio::test]
async fn code_that_is_not_deterministic_is_parked_in_the_turn_in_which_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start_with(&store, " --twins 3");
    assert!(served.start_execution("nine", "n", json!(null)).await);
    assert!(served.start_execution("shuffled", "s", json!(null)).await);
    assert_eq!(served.result("nine/n").await, json!(45), "what is deterministic runs as ever");
    let parked = served.standing("shuffled/s", "parked").await;
    let why = parked["parked"].as_str().unwrap_or_else(|| panic!("{parked}"));
    assert!(why.contains("not deterministic") && why.contains("HashMap"), "{why}");
    assert!(why.contains("task `step`"), "it names what was asked for: {why}");

    // Nothing of the turn was kept, so that one instance alone may still take it.
    assert!(served.stop());
    let served = Served::start(&store);
    let resumed = served.ask(json!({ "op": "resume", "execution": "shuffled/s" })).await.unwrap();
    assert!(resumed.get("class").is_none(), "{resumed}");
    assert_eq!(served.standing("shuffled/s", "succeeded").await["result"], json!(45));
}

#[test]
fn a_number_of_twins_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (wrong, named) in [(" --twins 0", "\"0\""), (" --twins 17", "\"17\""), (" --twins many", "\"many\"")]
    {
        let said = refused(&folder.path().join("store"), wrong);
        assert!(said.contains(named) && said.contains("from 1 to 16"), "{said}");
    }
}
