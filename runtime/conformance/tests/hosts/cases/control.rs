//! Executions and those who stop, start, fork and call them.

use serde_json::{Value, json};

use crate::host::{Site, text};

pub(super) fn a_child_answers_or_fails_with_its_type(site: &Site<'_>) {
    assert_eq!(site.run("delegates", json!({ "script": "n" }))["attempt"], 2);
    let failed = site.end(&site.start("delegates", json!({ "script": "nb" })));
    assert_eq!((&failed["status"], &failed["error"]["message"]), (&json!("failed"), &json!("wheel at 2")));
}

pub(super) fn a_parent_that_ends_treats_its_child_as_it_said(site: &Site<'_>) {
    let began = |policy: &str| {
        let child = site.name();
        let parent = site.start("parents", json!({ "child": child, "policy": policy, "waits": false }));
        (parent, format!("cleansUp/{child}"))
    };
    let families: Vec<_> = ["abandon", "cancel", "terminate"].into_iter().map(began).collect();
    for (parent, _) in &families {
        site.result(parent);
    }
    let [(_, abandoned), (_, cancelled), (_, terminated)] = &families[..] else { unreachable!("three") };
    site.until_status(cancelled, "cancelled");
    assert_eq!(site.query(cancelled, "cleaned"), true);
    site.until_status(terminated, "terminated");
    assert_eq!(site.query(terminated, "cleaned"), false);
    assert_eq!(site.get(abandoned)["status"], "running");
    site.tell("terminate", abandoned);
}

pub(super) fn cancellation_goes_down_and_cleans_up_under_a_shield(site: &Site<'_>) {
    let child = site.name();
    let parent = site.start("parents", json!({ "child": child, "policy": "cancel", "waits": true }));
    let child = format!("cleansUp/{child}");
    site.until("the child", || site.host().system(&json!({ "op": "get", "execution": child })).ok());
    site.ask(json!({ "op": "cancel", "execution": parent, "reason": "enough" }));
    let ended = site.end(&parent);
    assert_eq!(ended["status"], "cancelled", "{ended}");
    // The child is cancelled with whoever waits for it, and is waited for.
    assert_eq!(site.end(&child)["status"], "cancelled");
    assert_eq!(site.query(&child, "cleaned"), true);
    assert_eq!(site.refused(json!({ "op": "cancel", "execution": parent })), "Closed");
}

pub(super) fn code_may_finish_although_it_is_cancelled(site: &Site<'_>) {
    let execution = site.start("finishesAnyway", json!(null));
    site.tell("cancel", &execution);
    assert_eq!(site.result(&execution), "partial");
}

pub(super) fn a_part_is_cancelled(site: &Site<'_>) {
    assert_eq!(site.run("cancelsAPart", json!(null)), json!(["part: cancelled", "rest: done"]));
}

pub(super) fn terminated_is_ended_without_its_code(site: &Site<'_>) {
    let execution = site.start("cleansUp", json!(null));
    site.ask(json!({ "op": "terminate", "execution": execution, "reason": "no more of this" }));
    let ended = site.end(&execution);
    assert_eq!(ended["status"], "terminated");
    assert!(ended["error"]["message"].as_str().is_some_and(|it| it.contains("no more of this")), "{ended}");
    assert_eq!(site.query(&execution, "cleaned"), false);
    assert_eq!(site.refused(json!({ "op": "terminate", "execution": execution })), "Closed");
}

pub(super) fn paused_stands_still_and_loses_nothing(site: &Site<'_>) {
    let execution = site.start("collects", json!(2));
    site.signal(&execution, "Item", json!({ "name": "before" }));
    site.until("the first item", || (site.query(&execution, "count") == 1).then_some(()));
    site.tell("pause", &execution);
    site.until_status(&execution, "paused");
    site.signal(&execution, "Item", json!({ "name": "meanwhile" }));
    let kept = || site.turns(&execution).iter().any(|it| it.to_string().contains("meanwhile")).then_some(());
    site.until("the signal to be recorded", kept);
    assert_eq!(site.get(&execution)["status"], "paused");
    assert_eq!(site.query(&execution, "count"), 1, "its code stands still, and answers");
    site.tell("resume", &execution);
    assert_eq!(site.result(&execution), json!(["before", "meanwhile"]));
}

/// An execution of `steps` that has made its first step, and the number of the turn in which it did.
fn stepped(site: &Site<'_>) -> (String, Value) {
    let execution = site.start("steps", json!("step"));
    let turn = site.until("the first step", || {
        let done = |it: &&Value| it["facts"].to_string().contains("first step");
        site.turns(&execution).iter().find(done).map(|it| it["number"].clone())
    });
    (execution, turn)
}

pub(super) fn a_fork_goes_on_by_itself(site: &Site<'_>) {
    let (execution, turn) = stepped(site);
    let fork = json!({ "op": "fork", "execution": execution, "turn": turn, "name": site.name() });
    let forked = text(&site.ask(fork)["execution"]);
    site.signal(&forked, "Item", json!({ "name": "of the fork" }));
    assert_eq!(site.result(&forked), json!(["first step", "of the fork", "second", forked]));
    assert_eq!(site.get(&execution)["status"], "running", "the original knows nothing of it");
    site.signal(&execution, "Item", json!({ "name": "of the original" }));
    assert_eq!(site.result(&execution), json!(["first step", "of the original", "second", execution]));
    let beyond = json!({ "op": "fork", "execution": execution, "turn": 1_000, "name": site.name() });
    assert_eq!(site.refused(beyond), "Invalid");
}

pub(super) fn a_reset_ends_the_original(site: &Site<'_>) {
    let (execution, turn) = stepped(site);
    let reset = json!({ "op": "reset", "execution": execution, "turn": turn, "name": site.name() });
    let forked = text(&site.ask(reset)["execution"]);
    site.until_status(&execution, "terminated");
    site.signal(&forked, "Item", json!({ "name": "anew" }));
    assert_eq!(site.result(&forked), json!(["first step", "anew", "second", forked]));
}

pub(super) fn starting_again_finds_the_first(site: &Site<'_>) {
    let name = site.name();
    let start = |ms: u64| json!({ "op": "start", "workflow": "naps", "name": name, "input": ms });
    let first = site.ask(start(20));
    assert_eq!(site.ask(start(20)), first);
    assert_eq!(site.refused(start(21)), "AlreadyExists");
    site.result(&text(&first["execution"]));
    assert_eq!(site.ask(start(20)), first, "also when it has ended");
    let name = site.name();
    let told = site.run("starts", json!(name));
    let id = format!("naps/{name}");
    assert_eq!((&told[0], &told[1]), (&json!(id), &json!(id)));
    assert!(text(&told[2]).contains("started before with another input"), "{told}");
    assert_eq!(site.result(&id), 50, "nobody waited for it");
}
