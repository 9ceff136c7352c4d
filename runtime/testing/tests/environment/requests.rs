//! Requests are answered as API Gateway and the local host answer them.

use serde_json::{Value, json};

use crate::environment;
use crate::service::*;

#[test]
fn a_request_is_led_to_its_command_by_route_query_and_body() {
    let env = environment();
    let found = env.request("get", "/shelves/7?tags=a%20b").query("tags", "c&d").send();
    assert_eq!(found.status, 200);
    assert_eq!(found.headers["content-type"], "application/json");
    assert_eq!(found.json::<Value>(), json!({ "shelf": 7, "tags": ["a b", "c&d"] }));
    let placed = env.request("POST", "/accounts/ada/orders").json(&json!({ "cents": 5 })).send();
    assert_eq!(placed.json::<String>(), "buy/placed");
    assert_eq!(
        env.calls(charge)[0].input,
        Charge { account: "ada".into(), cents: 5 },
        "and what it started ran"
    );
    let rpc = env.request("POST", "/rpc/search").json(&Search { shelf: 1, tags: Vec::new() }).send();
    assert_eq!(rpc.json::<Value>()["shelf"], 1);
    assert_eq!(env.calls(search).len(), 2);
}

#[test]
fn refusals_and_errors_have_their_status() {
    let env = environment();
    let answer = |method: &str, path: &str, body: Value| {
        let response = env.request(method, path).json(&body).send();
        (response.status, response.json::<Value>())
    };
    assert_eq!(answer("GET", "/nowhere", json!(null)), (404, json!({ "message": "Not Found" })));
    assert_eq!(answer("PUT", "/shelves/7", json!(null)).0, 404);
    let (status, body) = answer("GET", "/shelves/high", json!(null));
    assert_eq!((status, &body["class"]), (400, &json!("InvalidInput")));
    let (status, body) = answer("POST", "/accounts/ada/orders", json!({ "cents": 0 }));
    assert_eq!((status, &body["class"]), (402, &json!("ChargeError::Declined")));
    assert_eq!(body["data"]["Declined"]["reason"], "for free");
    let (status, body) = answer("POST", "/rpc/breaks", json!(null));
    assert_eq!((status, &body["class"]), (500, &json!("Crashed")));
    assert!(!body.to_string().contains("on purpose"), "what broke is not told to strangers: {body}");
    assert_eq!(env.request("POST", "/rpc/search").body("{").send().status, 400);
    assert_eq!(env.request("POST", "/rpc/search").body(vec![b' '; 11 << 20]).send().status, 413);
}

#[test]
fn only_those_whom_the_authorizer_lets_through_are_answered() {
    let env = environment();
    assert_eq!(env.request("POST", "/rpc/whoami").send().status, 401);
    assert_eq!(env.request("POST", "/rpc/whoami").user("ada").send().json::<String>(), "ada");
}
