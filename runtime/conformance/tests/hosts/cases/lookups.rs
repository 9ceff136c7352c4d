//! Search, schedules and commands: what people ask for.

use serde_json::{Value, json};

use crate::host::{Site, text};

pub(super) fn executions_are_found_by_their_attributes(site: &Site<'_>) {
    let customer = site.name();
    let attributes =
        json!({ "channel": "web", "weight": 1.5, "due": { "time": 1_893_456_000_000_u64 }, "gift": true });
    let start = json!({ "op": "start", "workflow": "orders", "name": site.name(), "input": customer, "attributes": attributes });
    let order = text(&site.ask(start)["execution"]);
    let found = |more: Value| {
        let mut filters = vec![json!({ "name": "customer", "is": customer })];
        filters.extend(more.as_array().cloned().unwrap_or_default());
        let page = site.ask(json!({ "op": "list", "workflow": "orders", "attributes": filters }));
        page["executions"].as_array().is_some_and(|it| it.iter().any(|it| it["execution"] == order))
    };
    // An index may be a moment behind.
    let until = |filters: Value, wanted: bool| {
        site.until(&format!("{filters} to find it: {wanted}"), || {
            (found(filters.clone()) == wanted).then_some(())
        });
    };
    until(json!([{ "name": "state", "is": "waiting" }]), true);
    until(
        json!([{ "name": "cents", "from": 250, "below": 251 }, { "name": "channel", "startsWith": "we" }]),
        true,
    );
    until(
        json!([{ "name": "due", "below": { "time": 1_893_456_000_001_u64 } }, { "name": "gift", "is": true }]),
        true,
    );
    assert!(!found(json!([{ "name": "cents", "is": "250" }])), "a text is no number");
    site.signal(&order, "Item", json!({ "name": "parcel" }));
    site.result(&order);
    until(json!([{ "name": "state", "is": "shipped" }, { "name": "weight", "is": 1.5 }]), true);
    until(json!([{ "name": "state", "is": "waiting" }]), false);
    until(json!([{ "name": "cents", "from": 0 }]), false);
    let known = site.get(&order);
    assert_eq!(
        (&known["attributes"]["channel"], &known["attributes"]["cents"]),
        (&json!("web"), &json!(null))
    );
}

pub(super) fn a_workflow_says_what_its_children_are_found_by(site: &Site<'_>) {
    let batch = site.name();
    let told = site.run("labels", json!(batch));
    let [started, class, why] = [0, 1, 2].map(|it| text(&told[it]));
    assert_eq!(class, "InvalidAttribute");
    assert!(why.contains("batch"), "{why}");
    let found = |awaited: bool| {
        let filters = json!([{ "name": "batch", "is": batch }, { "name": "awaited", "is": awaited }]);
        let page = site.ask(json!({ "op": "list", "workflow": "naps", "attributes": filters }));
        let found = page["executions"].as_array().cloned().unwrap_or_default();
        found.iter().map(|it| text(&it["execution"])).collect::<Vec<_>>()
    };
    // An index may be a moment behind.
    site.until("both children to be found", || {
        let both = found(false) == [started.clone()] && found(true) == [format!("{started}-awaited")];
        both.then_some(())
    });
    let known = site.end(&started);
    assert_eq!(known["attributes"], json!({ "batch": batch, "awaited": false }));
}

pub(super) fn lists_are_paged_and_counted(site: &Site<'_>) {
    let group = site.name();
    let mut orders: Vec<String> = (0..5)
        .map(|_| {
            let attributes = json!({ "batch": group });
            let start = json!({ "op": "start", "workflow": "orders", "name": site.name(), "input": "x", "attributes": attributes });
            text(&site.ask(start)["execution"])
        })
        .collect();
    let search = |more: Value| {
        let mut search = json!({ "workflow": "orders", "attributes": [{ "name": "batch", "is": group }] });
        let Value::Object(more) = more else { unreachable!("an object") };
        search.as_object_mut().unwrap().extend(more);
        search
    };
    let count = |status: &str| {
        let counted = site.ask(search(json!({ "op": "count", "status": status })));
        assert_eq!(counted["complete"], true, "{counted}");
        counted["count"].clone()
    };
    site.until("five that run", || (count("running") == 5).then_some(()));
    let (mut after, mut listed) = (Value::Null, Vec::new());
    loop {
        let page = site.ask(search(json!({ "op": "list", "limit": 2, "after": after })));
        let executions = page["executions"].as_array().cloned().unwrap_or_default();
        assert!(executions.len() <= 2, "{page}");
        listed.extend(executions.iter().map(|it| text(&it["execution"])));
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    orders.sort();
    listed.sort();
    assert_eq!(listed, orders, "each once, over all pages");
    for order in &orders {
        site.tell("terminate", order);
    }
    site.until("five that were terminated", || (count("terminated") == 5).then_some(()));
    site.until("none that runs", || (count("running") == 0).then_some(()));
    let wrong = search(json!({ "op": "count", "status": "fine" }));
    assert_eq!(site.refused(wrong), "Invalid");
}

/// Something of a schedule.
fn schedule(site: &Site<'_>, what: &str, name: &str, more: &[(&str, Value)]) -> Value {
    let mut request = json!({ "op": "schedule", "do": what, "schedule": name });
    for (key, value) in more {
        request[*key] = value.clone();
    }
    site.ask(request)
}

pub(super) fn a_schedule_starts_again_and_again(site: &Site<'_>) {
    let name = site.name();
    let times = json!([{ "every": { "everyMs": 1_000 } }]);
    // None is left out, however long the one before takes on a machine that does much else.
    let spec = json!({ "workflow": "naps", "input": 5, "times": times, "starts": 2, "overlap": "bufferAll" });
    assert_eq!(schedule(site, "put", &name, &[("spec", spec)]), json!({ "schedule": name }));
    let described = site.until("two starts and their ends", || {
        let described = schedule(site, "describe", &name, &[]);
        // It decides on a start in one turn, and makes it when that is kept; then it waits for its end.
        let ended = described["recent"].as_array()?.iter().filter(|it| it["outcome"] == "succeeded").count();
        (ended >= 2).then_some(described)
    });
    let recent = described["recent"].as_array().cloned().unwrap_or_default();
    let times: Vec<u64> = recent.iter().filter_map(|it| it["scheduled"].as_u64()).collect();
    assert_eq!(times.len(), 2, "{described}");
    assert_eq!((times[0] % 1_000, times[1] - times[0]), (0, 1_000), "{described}");
    for start in &recent {
        let execution = text(&start["execution"]);
        assert!(execution.starts_with(&format!("naps/{name}-20")), "named by its time: {execution}");
        assert_eq!(site.result(&execution), 5);
    }
    let over = site.until("its end", || {
        let described = schedule(site, "describe", &name, &[]);
        (described["state"] == "done" && described["waiting"] == 0).then_some(described)
    });
    assert_eq!(over["started"], 2, "as many as it says: {over}");
    schedule(site, "delete", &name, &[]);
}

pub(super) fn a_schedule_is_paused_triggered_and_deleted(site: &Site<'_>) {
    let name = site.name();
    let spec = json!({ "workflow": "naps", "input": 5, "times": [{ "cron": "0 3 * * *" }], "paused": true });
    schedule(site, "create", &name, &[("spec", spec.clone())]);
    let again = json!({ "op": "schedule", "do": "create", "schedule": name, "spec": spec });
    let host = site.host();
    site.until("another of its name to be refused", || host.system(&again).err());
    let state = |wanted: &str| {
        site.until(&format!("it to be {wanted}"), || {
            let described = schedule(site, "describe", &name, &[]);
            (described["state"] == wanted).then_some(described)
        })
    };
    state("paused");
    schedule(site, "trigger", &name, &[]);
    let triggered = site.until("the start that was asked for", || {
        let described = schedule(site, "describe", &name, &[]);
        let execution = described["recent"][0]["execution"].as_str()?.to_owned();
        // It decides on a start in one turn, and makes it when that is kept.
        host.system(&json!({ "op": "get", "execution": execution })).ok().map(|_| execution)
    });
    assert_eq!(site.result(&triggered), 5);
    schedule(site, "resume", &name, &[("note", json!("go on"))]);
    assert_eq!(state("active")["note"], "go on");
    schedule(site, "pause", &name, &[("note", json!("enough"))]);
    assert_eq!(state("paused")["note"], "enough");
    let listed = || {
        let schedules = site.ask(json!({ "op": "schedule", "do": "list" }));
        schedules["schedules"]
            .as_array()
            .is_some_and(|it| it.iter().any(|it| it["schedule"] == name.as_str()))
    };
    site.until("it to be listed", || listed().then_some(()));
    schedule(site, "delete", &name, &[]);
    site.until("it to be gone", || (!listed()).then_some(()));
    assert_eq!(site.refused(json!({ "op": "schedule", "do": "pause", "schedule": "no-such" })), "NotFound");
}

pub(super) fn a_schedule_tells_its_times(site: &Site<'_>) {
    let name = site.name();
    let spec = json!({ "workflow": "naps", "input": 5, "times": [{ "cron": "30 2 * * *" }], "timeZone": "Europe/Berlin",
        "fromMs": 1_900_810_800_000_u64 });
    schedule(site, "put", &name, &[("spec", spec)]);
    let described = site.until("its description", || {
        let described = schedule(site, "describe", &name, &[("next", json!(3))]);
        (described["next"].as_array().is_some_and(|it| it.len() == 3)).then_some(described)
    });
    // From 2030-03-27T03:00Z: 2:30 of Berlin on the 28th, the 29th and, where the clocks are put forward on the 31st, the 30th.
    let next: Vec<u64> =
        described["next"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    assert!(next.windows(2).all(|pair| pair[1] - pair[0] == 86_400_000), "{described}");
    assert_eq!(next[0] % 86_400_000, 5_400_000, "half past one in UTC: {described}");
    let never = json!({ "workflow": "naps", "input": 5, "times": [{ "cron": "0 0 30 2 *" }] });
    let put = json!({ "op": "schedule", "do": "put", "schedule": "never", "spec": never });
    assert_eq!(site.refused(put), "Invalid");
    schedule(site, "delete", &name, &[]);
}

pub(super) fn commands_answer_as_http_says(site: &Site<'_>) {
    let check = |number: &str| site.host().request("GET", &format!("/checks/{number}"), &Value::Null);
    assert_eq!(check("7"), (200, json!(7)));
    for wrong in ["0", "11", "seven"] {
        let (status, body) = check(wrong);
        assert_eq!((status, &body["class"]), (400, &json!("InvalidInput")), "{wrong}: {body}");
        assert!(body.to_string().contains("number"), "it says where: {body}");
    }
    let (status, body) = check("10");
    assert_eq!((status, &body["class"]), (500, &json!("Crashed")), "a panic: {body}");
    assert!(!body.to_string().contains("on purpose") && body["requestId"].is_string(), "{body}");
    assert_eq!(site.host().request("GET", "/nothing", &Value::Null).0, 404);
    assert_eq!(site.host().request("POST", "/rpc/check", &json!({ "number": 3 })), (200, json!(3)));
}

pub(super) fn commands_start_and_wait(site: &Site<'_>) {
    let name = site.name();
    let begun = site.command("begin", &json!({ "name": name, "ms": 100 }));
    assert_eq!((&begun[0], &begun[2]), (&json!(format!("naps/{name}")), &json!(100)), "{begun}");
    let known = site.get(&format!("naps/{name}"));
    assert_eq!(known["attributes"], json!({ "begun_by": "a command" }));
    let (status, body) = site.host().request("POST", "/rpc/begin", &json!({ "name": name, "ms": 101 }));
    assert_eq!((status, &body["class"]), (409, &json!("ClientError::Conflict")), "{body}");
}
