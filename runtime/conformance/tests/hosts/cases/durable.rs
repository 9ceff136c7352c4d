//! Timers, determinism, parking, sizes and long lives.

use serde_json::{Value, json};

use crate::host::{Site, lasted, text};

pub(super) fn timers_are_right_at_every_length(site: &Site<'_>) {
    let long = site.start("naps", json!(4_200));
    for ms in [0, 1, 30, 900] {
        let known = site.end(&site.start("naps", json!(ms)));
        assert_eq!(known["result"], ms, "{known}");
        assert!(lasted(&known) >= ms, "{known}");
    }
    assert_eq!(site.run("sleeps", json!([1_200, 100, 2_600, 700])), json!([100, 700, 1_200, 2_600]));
    let known = site.end(&long);
    assert!(lasted(&known) >= 4_200, "{known}");
}

pub(super) fn absolute_timers_are_right(site: &Site<'_>) {
    let known = site.end(&site.start("wakes", json!(400)));
    assert_eq!(known["result"], true, "{known}");
    assert!(lasted(&known) >= 400, "{known}");
}

pub(super) fn a_timer_of_years_is_kept_and_given_up(site: &Site<'_>) {
    let execution = site.start("hibernates", json!(3 * 365));
    let asked =
        || site.turns(&execution).iter().any(|it| it["calls"].to_string().contains("imer")).then_some(());
    site.until("the timer", asked);
    assert_eq!(site.get(&execution)["status"], "running");
    site.tell("cancel", &execution);
    assert_eq!(site.end(&execution)["status"], "cancelled");
}

pub(super) fn time_and_chance_are_those_of_the_history(site: &Site<'_>) {
    let execution = site.start("draws", json!(null));
    let lots = site.result(&execution);
    // Asked after its end, it is replayed.
    assert_eq!(site.query(&execution, "lots"), lots);
    let part = |lot: usize, number: usize| {
        text(&lots[lot]).split(' ').nth(number).map(str::to_owned).unwrap_or_default()
    };
    let (first, second): (u64, u64) = (part(0, 0).parse().unwrap(), part(1, 0).parse().unwrap());
    assert!(second >= first + 300, "time goes on with the history: {lots}");
    assert!(part(0, 1) != part(1, 1) && part(0, 2) != part(1, 2), "each is another: {lots}");
}

pub(super) fn what_waits_for_nothing_is_parked_and_keeps_its_messages(site: &Site<'_>) {
    let execution = site.start("getsStuck", json!(null));
    let known = site.until_status(&execution, "parked");
    assert!(text(&known["parked"]).len() > 20, "it says why: {known}");
    site.signal(&execution, "Item", json!({ "name": "kept for later" }));
    let kept =
        || site.turns(&execution).iter().any(|it| it.to_string().contains("kept for later")).then_some(());
    site.until("the signal to be recorded", kept);
    // It is looked at again, with the same code.
    site.tell("resume", &execution);
    site.until_status(&execution, "parked");
    site.tell("terminate", &execution);
    assert_eq!(site.end(&execution)["status"], "terminated");
}

pub(super) fn too_many_calls_park_one_execution_and_no_other(site: &Site<'_>) {
    let greedy = site.start("overdoes", json!(10_001));
    let known = site.until_status(&greedy, "parked");
    let why = text(&known["parked"]);
    assert!(why.contains("10001") && why.contains("10000"), "{why}");
    assert_eq!(site.run("overdoes", json!(40)), 40);
    let poison = site.end(&site.start("naps", json!("no number")));
    assert_eq!(poison["status"], "failed", "{poison}");
    site.tell("terminate", &greedy);
}

pub(super) fn large_payloads_pass_everywhere(site: &Site<'_>) {
    // More than a message, an asynchronous invocation or an item of the table takes.
    let large = "grüße ".repeat(100_000);
    let echoed = site.start("echoes", json!([large, "small"]));
    let collecting = site.start("collects", json!(2));
    let signal = "s".repeat(300_000);
    site.signal(&collecting, "Item", json!({ "name": signal }));
    site.signal(&collecting, "Item", json!({ "name": "small" }));
    assert!(site.result(&echoed) == json!([large, "small"]), "it came back otherwise");
    assert!(site.result(&collecting) == json!([signal, "small"]), "it came otherwise");
    let known = site.get(&echoed);
    assert_eq!(known["input"][1], "small");
}

pub(super) fn what_is_too_long_is_refused(site: &Site<'_>) {
    let start = |name: &str| json!({ "op": "start", "workflow": "naps", "name": name, "input": 1 });
    assert_eq!(site.refused(start(&"n".repeat(201))), "Invalid");
    assert_eq!(site.refused(start("not a name")), "Invalid");
    let execution = site.start("naps", json!(1));
    let signal = json!({ "op": "signal", "execution": execution, "signal": "s".repeat(101), "payload": 1 });
    assert_eq!(site.refused(signal), "Invalid");
    assert_eq!(site.refused(json!({ "op": "list", "limit": 101 })), "Invalid");
    let attributes: serde_json::Map<String, Value> =
        (0..33).map(|it| (format!("a{it}"), json!(it))).collect();
    let start = json!({ "op": "start", "workflow": "naps", "name": site.name(), "input": 1, "attributes": attributes });
    assert_eq!(site.refused(start), "Invalid");
}

pub(super) fn a_long_life_continues_as_new(site: &Site<'_>) {
    let execution = site.start("counts", json!({ "count": 0, "goal": 8 }));
    for number in 0..8 {
        site.signal(&execution, "Item", json!({ "name": number.to_string() }));
    }
    assert_eq!(site.result(&execution), 8);
    let continued = site.turns(&execution).iter().filter(|it| !it["continued"].is_null()).count();
    assert_eq!(continued, 2, "eight, three to a history");
    assert_eq!(site.query(&execution, "count"), 8, "the last history answers");
}
