//! Schedules and search on the local host: made over HTTP, killed in between, exact afterwards.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::child::Served;

const LONGEST: Duration = Duration::from_secs(30);

/// The executions of a workflow, oldest first.
async fn names(served: &Served, workflow: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let list = json!({ "op": "list", "workflow": workflow, "limit": 2, "after": after });
        let page = served.ask(list).await.unwrap();
        let executions = page["executions"].as_array().unwrap_or_else(|| panic!("{page}"));
        found.extend(executions.iter().map(|it| it["execution"].as_str().unwrap().to_owned()));
        after = page["next"].clone();
        if after.is_null() {
            found.reverse();
            return found;
        }
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < LONGEST, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_schedule_survives_what_kills_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start(&store);
    let spec = json!({ "workflow": "nap", "input": 10, "times": [{ "every": { "everyMs": 1_000 } }], "overlap": "bufferAll" });
    let put = json!({ "op": "schedule", "do": "put", "schedule": "secondly", "spec": spec });
    assert_eq!(served.ask(put).await.unwrap(), json!({ "schedule": "secondly" }));
    until("the first start", async || !names(&served, "nap").await.is_empty()).await;
    served.kill();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let served = Served::start(&store);
    until("starts of three more seconds", async || names(&served, "nap").await.len() >= 5).await;
    let pause = json!({ "op": "schedule", "do": "pause", "schedule": "secondly", "note": "enough" });
    served.ask(pause).await.unwrap();
    let describe = json!({ "op": "schedule", "do": "describe", "schedule": "secondly", "next": 2 });
    until("the pause", async || served.ask(describe.clone()).await.unwrap()["state"] == "paused").await;
    let all = names(&served, "nap").await;
    for execution in &all {
        assert_eq!(served.result(execution).await, json!(7), "{execution}");
    }
    let time = |it: &String| it.strip_prefix("nap/secondly-").unwrap().to_owned();
    let mut seconds: Vec<i64> = all.iter().map(|it| epoch(&time(it))).collect();
    seconds.sort_unstable();
    assert!(seconds.windows(2).all(|pair| pair[1] - pair[0] == 1), "none is lost or made twice: {all:?}");
    let told = served.ask(json!({ "op": "schedule", "do": "pause", "schedule": "none" })).await.unwrap();
    assert!(told.to_string().contains("no schedule `none`"), "{told}");
}

/// Seconds of the day of `2030-01-01T09:00:00Z`, with days as of the 1st: enough to compare neighbours in a month.
fn epoch(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap_or_else(|_| panic!("{text}"));
    ((number(8, 10) * 24 + number(11, 13)) * 60 + number(14, 16)) * 60 + number(17, 19)
}

#[tokio::test]
async fn executions_are_found_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start(&store);
    for index in 0..12 {
        let customer = if index % 3 == 0 { "ada" } else { "bob" };
        let attributes = json!({ "customer": customer, "cents": index * 10 });
        let start = json!({ "op": "start", "workflow": "nap", "name": index.to_string(), "input": 60_000, "attributes": attributes });
        assert!(served.ask(start).await.unwrap()["execution"].is_string());
    }
    served.kill();
    let served = Served::start(&store);
    let count = async |attributes: Value| {
        let counted =
            served.ask(json!({ "op": "count", "workflow": "nap", "attributes": attributes })).await.unwrap();
        assert_eq!(counted["complete"], true, "{counted}");
        counted["count"].as_u64().unwrap()
    };
    assert_eq!(count(json!([{ "name": "customer", "is": "ada" }])).await, 4);
    assert_eq!(count(json!([{ "name": "cents", "from": 20, "below": 50 }])).await, 3);
    assert_eq!(
        count(json!([{ "name": "customer", "startsWith": "b" }, { "name": "cents", "from": 100 }])).await,
        2
    );
    assert_eq!(count(json!([{ "name": "customer", "is": 1 }])).await, 0);
    let refused = served.ask(json!({ "op": "list", "limit": 101 })).await.unwrap();
    assert!(refused.to_string().contains("100"), "{refused}");
}
