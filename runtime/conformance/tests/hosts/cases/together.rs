//! Branches, bulk, sagas and actors.

use serde_json::{Value, json};

use crate::host::{Site, lasted, text};

pub(super) fn joins_and_branches_and_races(site: &Site<'_>) {
    assert_eq!(site.run("joins", json!(["a", "b", "c"])), json!(["a", "b", "c", "a", "b", "c"]));
    assert_eq!(site.run("races", json!(3)), json!(["task", "task", "task", "branch"]));
}

pub(super) fn so_many_at_a_time(site: &Site<'_>) {
    let texts = json!(["a", "b", "c", "d", "e"]);
    assert_eq!(site.run("maps", texts.clone()), json!([texts, 2]));
}

pub(super) fn the_first_wins_and_the_others_are_given_up(site: &Site<'_>) {
    let execution = site.start("takesTheFirst", json!([3_600_000, 200, 3_600_000]));
    let known = site.end(&execution);
    assert_eq!(known["result"], json!([[1, 200]]), "{known}");
    assert!(lasted(&known) < 3_000_000, "{known}");
    let turns = site.turns(&execution);
    let children = calls(&turns, "workflow");
    assert_eq!(children.len(), 3, "{turns:?}");
    for child in [&children[0], &children[2]] {
        site.until_status(&text(&child["execution"]), "cancelled");
    }
}

/// The calls of one kind in a history.
fn calls(turns: &[Value], kind: &str) -> Vec<Value> {
    let calls = turns.iter().filter_map(|it| it["calls"].as_array()).flatten();
    calls.map(|it| it["call"][kind].clone()).filter(|it| !it.is_null()).collect()
}

pub(super) fn a_saga_is_undone_backwards(site: &Site<'_>) {
    let execution = site.start("books", json!(null));
    let known = site.end(&execution);
    assert_eq!((&known["status"], &known["error"]["class"]), (&json!("failed"), &json!("Full")), "{known}");
    assert_eq!(site.query(&execution, "log"), json!(["hotel", "car", "undo car", "undo hotel"]));
    let done: Vec<Value> =
        calls(&site.turns(&execution), "task").into_iter().map(|it| it["input"].clone()).collect();
    assert_eq!(done, ["hotel", "car", "undo car", "undo hotel"], "each undoing is a task that is remembered");
}

/// Asks an actor that is there.
fn call(site: &Site<'_>, actor: &str, method: &str, input: Value) -> Value {
    site.ask(
        json!({ "op": "update", "execution": format!("Account/{actor}"), "update": method, "input": input }),
    )
}

pub(super) fn an_actor_keeps_its_state_and_makes_one_call_at_a_time(site: &Site<'_>) {
    let actor = site.name();
    for number in 1..=3 {
        assert_eq!(site.command("deposit", &json!([actor, 10])), json!(10 * number));
    }
    let transfers: Vec<String> = (0..4)
        .map(|_| {
            site.start("transfers", json!({ "from": actor, "to": format!("{actor}-other"), "amount": 5 }))
        })
        .collect();
    for transfer in &transfers {
        site.result(transfer);
    }
    let state = site.query(&format!("Account/{actor}-other"), "state");
    assert_eq!(state, json!({ "balance": 20, "open": 0, "most_open": 1 }), "four calls, one at a time");
    assert_eq!(call(site, &actor, "payOut", json!(10))["answer"], 0);
}

pub(super) fn an_actor_fails_and_spoils_nothing(site: &Site<'_>) {
    let actor = site.name();
    site.command("deposit", &json!([actor, 10]));
    let overdrawn = call(site, &actor, "payOut", json!(11));
    assert_eq!(overdrawn["error"]["class"], "Overdrawn", "{overdrawn}");
    assert_eq!(call(site, &actor, "spoil", json!(null))["error"]["class"], "Crashed");
    assert_eq!(call(site, &actor, "payOut", json!(3))["answer"], 7, "what panicked has not happened");
    assert_eq!(call(site, &actor, "divide", json!(3))["error"]["class"], "UnknownUpdate");
}

pub(super) fn workflows_call_actors(site: &Site<'_>) {
    let (from, to) = (site.name(), site.name());
    site.command("deposit", &json!([from, 100]));
    let transfer = |amount: u64| json!({ "from": from, "to": to, "amount": amount });
    assert_eq!(site.run("transfers", transfer(40)), json!([60, 40]));
    let refused = site.end(&site.start("transfers", transfer(61)));
    assert_eq!(refused["error"]["class"], "Overdrawn", "{refused}");
}
