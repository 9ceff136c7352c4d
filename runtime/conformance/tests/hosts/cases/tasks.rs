//! Tasks: attempts, errors, limits of time, heartbeats.

use serde_json::json;

use crate::host::{Site, lasted, text};

pub(super) fn texts_pass_through_both_kinds(site: &Site<'_>) {
    let texts = json!(["", "0", "a \"quoted\" line\nand another", "Grüße 🎻", "null"]);
    assert_eq!(site.run("echoes", texts.clone()), texts);
    assert_eq!(site.run("echoes", json!([])), json!([]));
}

pub(super) fn attempts_are_made_with_their_pauses_and_one_key(site: &Site<'_>) {
    for here in [false, true] {
        let execution = site.start("works", json!({ "script": "nn", "here": here }));
        let known = site.end(&execution);
        // Every attempt has the key of the call, whichever of them works.
        let key = format!("{execution}#0@{}", text(&known["run"]));
        assert_eq!(known["result"], json!({ "attempt": 3, "key": key }), "{known}");
        assert!(lasted(&known) >= 600, "pauses of 200 and 400 ms: {known}");
    }
}

pub(super) fn an_error_may_say_when_to_come_again(site: &Site<'_>) {
    for here in [false, true] {
        let known = site.end(&site.start("works", json!({ "script": "u", "here": here })));
        assert_eq!(known["result"]["attempt"], 2, "{known}");
        assert!(lasted(&known) >= 1_000, "it said one second: {known}");
    }
}

pub(super) fn an_error_arrives_with_its_type(site: &Site<'_>) {
    let known = site.end(&site.start("works", json!({ "script": "nb" })));
    assert_eq!(known["status"], "failed", "{known}");
    let error = &known["error"];
    assert_eq!(
        (&error["class"], &error["message"]),
        (&json!("WorkError::Broken"), &json!("part wheel is broken"))
    );
    assert_eq!(error["data"], json!({ "Broken": { "part": "wheel", "attempt": 2 } }), "{known}");
    // A command that returns the same error answers it with the status that it says.
    let judged = json!([site.name(), { "script": "b" }]);
    let (status, body) = site.host().request("POST", "/rpc/judge", &judged);
    assert_eq!((status, &body["class"]), (422, &json!("WorkError::Broken")), "{body}");
    assert_eq!(body["data"], json!({ "Broken": { "part": "wheel", "attempt": 1 } }));
}

pub(super) fn a_final_error_is_not_tried_again(site: &Site<'_>) {
    assert_eq!(site.run("tells", json!({ "script": "b" })), "WorkError::Broken", "the error says so");
    let declared = json!({ "script": "n", "final_errors": ["WorkError::NotNow"] });
    assert_eq!(site.run("tells", declared), "WorkError::NotNow", "the call says so");
    assert_eq!(
        site.run("tells", json!({ "script": "nnnn" })),
        "WorkError::NotNow",
        "the last attempt's error"
    );
}

pub(super) fn a_crash_is_final(site: &Site<'_>) {
    for here in [false, true] {
        assert_eq!(site.run("tells", json!({ "script": "p", "here": here })), "crashed", "a bug stays one");
        assert_eq!(site.run("tells", json!({ "script": "np", "here": here })), "crashed");
    }
}

pub(super) fn an_attempt_has_its_time(site: &Site<'_>) {
    for here in [false, true] {
        let job =
            |attempts: u32| json!({ "script": "s", "here": here, "attempts": attempts, "timeout_ms": 500 });
        assert_eq!(site.run("tells", job(1)), "Timeout");
        assert_eq!(site.run("tells", job(2)), "attempt 2", "a worker that takes too long is replaced");
    }
}

pub(super) fn all_attempts_together_have_their_time(site: &Site<'_>) {
    // Another attempt would begin too late, so the last error is the answer.
    let known = site.end(&site.start("tells", json!({ "script": "h", "attempts": 100, "total_ms": 60_000 })));
    assert_eq!(known["result"], "WorkError::Busy", "{known}");
    assert!(lasted(&known) < 60_000, "nobody waits for what cannot come: {known}");
    // An attempt is under way when the time is over.
    let job = json!({ "script": "s", "attempts": 1, "timeout_ms": 9_000, "total_ms": 900 });
    let known = site.end(&site.start("tells", job));
    assert_eq!(known["result"], "Timeout", "{known}");
    assert!((900..9_000).contains(&lasted(&known)), "{known}");
}

pub(super) fn a_heartbeat_hands_its_details_to_the_next_attempt(site: &Site<'_>) {
    assert_eq!(site.run("imports", json!("resume")), "attempt 2 goes on at 7");
}

pub(super) fn a_silent_worker_is_replaced(site: &Site<'_>) {
    site.host().silence();
    let said = site.run("imports", json!("silent"));
    assert!(said.as_str().is_some_and(|it| it.starts_with("attempt 2 goes on at ")), "{said}");
}

pub(super) fn a_silent_worker_without_another_attempt_is_told(site: &Site<'_>) {
    site.host().silence();
    assert_eq!(site.run("importsOnce", json!(null)), "Err(HeartbeatLost)");
}

pub(super) fn a_dropped_task_learns_it_by_its_heartbeat(site: &Site<'_>) {
    assert_eq!(site.run("dropsAnImport", json!(null)), "Err(Cancelled)");
}
