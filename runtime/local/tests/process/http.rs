//! The HTTP API answers as the one on AWS does; operations are for this machine.

use serde_json::{Value, json};

use crate::child::{Served, refused};

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn commands_are_answered_as_on_aws() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("store"));
    assert_eq!(answer(served.request("GET", "/double/21")).await, (200, json!(42)));
    assert_eq!(answer(served.request("POST", "/rpc/double").body("4")).await, (200, json!(8)));
    let (status, body) = answer(served.request("GET", "/double/many")).await;
    assert_eq!((status, &body["class"]), (400, &json!("InvalidInput")));
    let (status, body) = answer(served.request("POST", "/rpc/double").body("{")).await;
    assert_eq!((status, &body["class"]), (400, &json!("InvalidInput")));
    let (status, body) = answer(served.request("POST", "/rpc/broken")).await;
    assert_eq!((status, &body["class"]), (500, &json!("Crashed")));
    assert!(body["requestId"].is_string() && !body.to_string().contains("on purpose"), "{body}");
    assert_eq!(answer(served.request("GET", "/nothing")).await, (404, json!({ "message": "Not Found" })));
    assert_eq!(answer(served.request("POST", "/double/21")).await.0, 404, "another method is another route");
}

#[tokio::test]
async fn commands_that_want_a_verified_caller_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut served = Served::start(&store);
    let (status, body) = answer(served.request("POST", "/rpc/secret").header("x-eventual-user", "me")).await;
    assert_eq!(status, 403);
    assert!(body["message"].as_str().unwrap().contains("--pretend-callers"), "{body}");
    assert!(served.stop());
    let served = Served::start_with(&store, " --pretend-callers");
    let pretending = served.request("POST", "/rpc/secret").header("x-eventual-user", "me");
    assert_eq!(answer(pretending).await, (200, json!("me")));
    let said = refused(&folder.path().join("other"), " --listen 0.0.0.0:0 --pretend-callers");
    assert!(said.contains("127.0.0.1"), "{said}");
}

#[tokio::test]
async fn operations_are_for_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("store"));
    let list = || served.request("POST", "/_eventual/system").body(r#"{"op":"list"}"#);
    assert_eq!(answer(list()).await.0, 415, "a page in a browser cannot say that it is JSON");
    let json_list = || list().header("content-type", "application/json");
    assert_eq!(answer(json_list().header("host", "evil.example")).await.0, 403, "nor keep its own name");
    assert_eq!(answer(json_list()).await, (200, json!({ "executions": [] })));
    let ask = |request: Value| answer(served.request("POST", "/_eventual/system").json(&request));
    assert_eq!(ask(json!({ "op": "get", "execution": "nine/none" })).await.0, 404);
    assert_eq!(ask(json!({ "op": "start", "workflow": "none" })).await.0, 404);
    assert_eq!(ask(json!({ "op": "dance" })).await.0, 400);
    let start = |ms: u64| json!({ "op": "start", "workflow": "nap", "name": "n", "input": ms });
    let quick = json!({ "op": "start", "workflow": "nap", "name": "quick", "input": 20 });
    assert_eq!(ask(quick).await.0, 200);
    let (status, ended) = ask(json!({ "op": "wait", "execution": "nap/quick" })).await;
    assert_eq!((status, &ended["result"]), (200, &json!(7)), "the answer comes when it has ended");
    assert_eq!(ask(start(60_000)).await, (200, json!({ "execution": "nap/n" })));
    assert_eq!(ask(start(60_000)).await.0, 200, "the same again is the same execution");
    assert_eq!(ask(start(1)).await.0, 409);
    assert_eq!(
        answer(served.request("GET", "/_eventual/dead-letters")).await,
        (200, json!({ "deadLetters": [] }))
    );
}
