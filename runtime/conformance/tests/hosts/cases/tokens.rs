//! Tasks that somebody else answers, with the token that they handed out.

use serde_json::{Value, json};

use crate::host::{Site, text};

/// The token that the execution got `number`th.
fn token(site: &Site<'_>, execution: &str, number: usize) -> Value {
    site.until(&format!("token {number} of {execution}"), || {
        let tokens = site.query(execution, "tokens");
        tokens.get(number).cloned()
    })
}

pub(super) fn whoever_has_the_token_answers(site: &Site<'_>) {
    let execution = site.start("asks", json!("may I?"));
    let token = token(site, &execution, 0);
    assert!(
        text(&token).chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it)),
        "goes into a URL"
    );
    let complete = |result: &str| json!({ "op": "completeTask", "token": token, "result": result });
    assert_eq!(site.ask(complete("yes")), json!({ "execution": execution }));
    // The first answer stays: the same again is no error, another is.
    assert_eq!(site.result(&execution), "yes");
    site.ask(complete("yes"));
    assert_eq!(site.refused(complete("no")), "Completed");
}

pub(super) fn a_handler_answers(site: &Site<'_>) {
    let execution = site.start("asks", json!("may I?"));
    let answer = json!({ "token": token(site, &execution, 0), "text": "yes, by a command" });
    site.command("answer", &answer);
    assert_eq!(site.result(&execution), "yes, by a command");
    let other = json!({ "token": answer["token"], "text": "no" });
    let (status, body) = site.host().request("POST", "/rpc/answer", &other);
    assert_eq!((status, &body["class"]), (409, &json!("ClientError::Conflict")), "{body}");
}

pub(super) fn an_error_brings_another_attempt_and_another_token(site: &Site<'_>) {
    let fail = |token: &Value, class: &str, data: Value| {
        let message = "said from outside";
        json!({ "op": "failTask", "token": token, "class": class, "message": message, "data": data })
    };
    let execution = site.start("asks", json!("may I?"));
    let first = token(site, &execution, 0);
    site.ask(fail(&first, "WorkError::NotNow", json!("NotNow")));
    let second = token(site, &execution, 1);
    assert_ne!(first, second);
    let late = json!({ "op": "completeTask", "token": first, "result": "too late" });
    assert!(["Completed", "StaleToken"].contains(&site.refused(late).as_str()));
    site.ask(fail(&second, "WorkError::Broken", json!({ "Broken": { "part": "axle", "attempt": 9 } })));
    assert_eq!(site.result(&execution), "WorkError::Broken: part axle is broken");
}

pub(super) fn nobody_answers_in_time(site: &Site<'_>) {
    // Two attempts of 700 milliseconds each.
    let execution = site.start("asks", json!("soon?"));
    assert_eq!(site.result(&execution), "Timeout");
    let late = json!({ "op": "completeTask", "token": token(site, &execution, 0), "result": "at last" });
    assert_eq!(site.refused(late), "StaleToken");
}

pub(super) fn heartbeats_come_from_outside_too(site: &Site<'_>) {
    let execution = site.start("asks", json!("may I?"));
    let token = token(site, &execution, 0);
    let beat = json!({ "op": "heartbeatTask", "token": token, "details": { "asked": 3 } });
    assert_eq!(site.ask(beat.clone()), json!({ "execution": execution, "cancelled": false }));
    site.tell("cancel", &execution);
    let cancelled = || (site.ask(beat.clone())["cancelled"] == true).then_some(());
    site.until("the one who beats to learn that nobody waits", cancelled);
}

pub(super) fn what_is_no_token_is_refused(site: &Site<'_>) {
    let execution = site.start("asks", json!("may I?"));
    let token = text(&token(site, &execution, 0));
    let last = if token.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{last}", &token[..token.len() - 1]);
    for wrong in ["", "nonsense", &forged] {
        let complete = json!({ "op": "completeTask", "token": wrong, "result": "x" });
        assert_eq!(site.refused(complete), "ForgedToken", "{wrong:?}");
    }
    site.tell("terminate", &execution);
    site.until_status(&execution, "terminated");
}
