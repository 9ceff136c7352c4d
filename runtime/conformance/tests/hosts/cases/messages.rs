//! Signals, events, conditions, queries, updates.

use serde_json::{Value, json};

use crate::host::Site;

fn item(name: &str) -> Value {
    json!({ "name": name })
}

pub(super) fn signals_are_kept_in_order(site: &Site<'_>) {
    let execution = site.start("collects", json!(6));
    let names = ["a", "b", "c", "d", "e", "f"];
    for name in names {
        site.signal(&execution, "Item", item(name));
    }
    assert_eq!(site.result(&execution), json!(names));
}

pub(super) fn a_signal_may_come_right_behind_the_start(site: &Site<'_>) {
    for _ in 0..3 {
        let execution = site.start("collects", json!(1));
        site.signal(&execution, "Item", item("at once"));
        assert_eq!(site.result(&execution), json!(["at once"]));
    }
}

pub(super) fn a_signal_starts_what_is_not_there(site: &Site<'_>) {
    let execution = format!("collects/{}", site.name());
    let send = |name: &str, input: u32| json!({ "op": "signalWithStart", "execution": execution, "input": input, "signal": "Item", "payload": item(name) });
    site.ask(send("with the start", 2));
    // It is there now, whatever the input says.
    site.ask(send("and again", 7));
    assert_eq!(site.result(&execution), json!(["with the start", "and again"]));
    assert_eq!(site.refused(send("too late", 2)), "Closed");
}

pub(super) fn a_signal_is_awaited_for_a_while(site: &Site<'_>) {
    let execution = site.start("expects", json!(null));
    site.until("the first wait to be over", || (site.turns(&execution).len() >= 2).then_some(()));
    site.signal(&execution, "Item", item("later"));
    assert_eq!(site.result(&execution), json!(["nothing", "later"]));
}

pub(super) fn a_handler_is_disposed_of(site: &Site<'_>) {
    let execution = site.start("disposes", json!(null));
    site.signal(&execution, "Item", item("one"));
    site.signal(&execution, "Item", item("two"));
    site.signal(&execution, "Vote", json!({ "yes": true }));
    site.signal(&execution, "Item", item("three"));
    assert_eq!(site.result(&execution), json!(["handled one", "handled two", "awaited three"]));
}

pub(super) fn nobody_there_is_a_clear_answer(site: &Site<'_>) {
    let signal = |execution: &str| json!({ "op": "signal", "execution": execution, "signal": "Item", "payload": item("x") });
    assert_eq!(site.refused(signal("collects/nobody-of-this-name")), "NotFound");
    assert_eq!(site.refused(signal("nonsense")), "Invalid");
    let closed = site.start("collects", json!(0));
    site.result(&closed);
    assert_eq!(site.refused(signal(&closed)), "Closed");
    assert_eq!(site.refused(json!({ "op": "get", "execution": "naps/nobody-of-this-name" })), "NotFound");
    assert_eq!(site.refused(json!({ "op": "start", "workflow": "noSuch" })), "UnknownWorkflow");
    assert_eq!(site.refused(json!({ "op": "dance" })), "Invalid");
}

pub(super) fn workflows_send(site: &Site<'_>) {
    let collecting = site.start("collects", json!(1));
    assert_eq!(site.run("sends", json!(collecting)), json!(["sent", "ClientError::NotFound"]));
    assert_eq!(site.result(&collecting), json!(["from a workflow"]));
    assert_eq!(
        site.run("sends", json!(collecting)),
        json!(["ClientError::Conflict", "ClientError::NotFound"])
    );
}

pub(super) fn an_event_reaches_its_subscription(site: &Site<'_>) {
    let collecting = site.start("collects", json!(2));
    site.command("note", &json!({ "execution": collecting, "name": "by a command" }));
    site.until("the first event", || (site.query(&collecting, "count") == 1).then_some(()));
    site.run("notes", json!({ "execution": collecting, "name": "by a workflow" }));
    assert_eq!(site.result(&collecting), json!(["by a command", "by a workflow"]));
}

pub(super) fn conditions_hold_or_time_out(site: &Site<'_>) {
    let patient = site.start("polls", json!({ "count": 2, "within_ms": 3_600_000 }));
    let hasty = site.start("polls", json!({ "count": 2, "within_ms": 300 }));
    for yes in [true, false, true] {
        site.signal(&patient, "Vote", json!({ "yes": yes }));
    }
    assert_eq!(site.result(&patient), true);
    assert_eq!(site.result(&hasty), false);
}

pub(super) fn queries_are_answered_open_and_closed(site: &Site<'_>) {
    let execution = site.start("collects", json!(2));
    site.signal(&execution, "Item", item("one"));
    site.until("the count", || (site.query(&execution, "count") == 1).then_some(()));
    let before = site.turns(&execution).len();
    site.query(&execution, "count");
    assert_eq!(site.turns(&execution).len(), before, "asking changes nothing");
    site.signal(&execution, "Item", item("two"));
    site.result(&execution);
    assert_eq!(site.query(&execution, "count"), 0, "its code took them");
    let ask = |query: &str, input: Value| json!({ "op": "query", "execution": execution, "query": query, "input": input });
    assert_eq!(site.refused(ask("size", json!(null))), "Unanswered");
    assert_eq!(site.ask(ask("count", json!(1)))["error"]["class"], "InvalidInput");
}

pub(super) fn updates_are_checked_and_answered(site: &Site<'_>) {
    let execution = site.start("sums", json!(2));
    let update = |name: &str, input: Value, id: &str| json!({ "op": "update", "execution": execution, "update": name, "input": input, "id": id });
    assert_eq!(site.ask(update("add", json!(3), "first"))["answer"], 3);
    assert_eq!(site.ask(update("add", json!(3), "first"))["answer"], 3, "the same again is the same");
    let twice = site.ask(update("add", json!(3), "second"));
    assert_eq!(twice["error"]["class"], "Twice", "{twice}");
    assert!(twice["error"]["message"].as_str().is_some_and(|it| it.contains("added before")), "{twice}");
    assert_eq!(site.ask(update("add", json!("x"), "third"))["error"]["class"], "InvalidInput");
    assert_eq!(site.ask(update("multiply", json!(3), "fourth"))["error"]["class"], "UnknownUpdate");
    assert_eq!(site.ask(update("add", json!(4), "fifth"))["answer"], 7);
    assert_eq!(site.result(&execution), 7);
    assert_eq!(site.refused(update("add", json!(5), "sixth")), "Closed");
    assert_eq!(site.ask(update("add", json!(4), "fifth"))["answer"], 7, "what was answered stays");
}

pub(super) fn workflows_update(site: &Site<'_>) {
    let summing = site.start("sums", json!(2));
    let answers = site.run("adds", json!(summing));
    assert_eq!(answers, json!(["1", "Twice", "UnknownUpdate", "5"]));
    assert_eq!(site.result(&summing), 5);
}
