//! The Terraform wire against the emulated AWS, driven by our own client: identity, import, list, look-up, credentials and
//! actions, of which Terraform 1.11 and OpenTofu call only some; and write-only values, which must be found nowhere but in
//! the functions.
//!
//! `cargo xtask test` starts the emulator, builds the example `orders`, and says where both are in the environment:
//! `EVENTUAL_TEST_ENDPOINT` (a URL), `EVENTUAL_TEST_ARTIFACT` (the path of a zip) and AWS credentials.
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "what fails here fails the test; some of what is shared is for others"
)]

#[path = "terraform_cloud/driver.rs"]
mod driver;
mod emulated;
#[path = "terraform/plugin.rs"]
mod plugin;

use aws_sdk_lambda::config::Credentials;
use aws_sdk_lambda::primitives::Blob;
use driver::Driver;
use serde_json::{Value, json};

const FIRST: &str = "hunter2-the-first";
const SECOND: &str = "hunter2-the-second";

fn configuration(driver: &Driver, token: &str, version: &str) -> Value {
    json!({ "name": driver.name, "artifact": driver.artifact, "force_destroy": true,
        "environment": { "GREETING": "hello" }, "tags": { "team": "shop" },
        "commands": { "getOrder": { "memory_mb": 256, "environment": { "ONLY": "here" } } },
        "environment_wo": { "TOKEN": token }, "environment_wo_version": version })
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_terraform_may_ask_over_the_life_of_a_service() {
    let mut driver = Driver::new("surface").await;
    let first = configuration(&driver, FIRST, "1");
    let state = driver.apply(&Value::Null, &first).await;
    assert!(!state.to_string().contains("hunter2"), "{state}");
    assert_eq!(driver.environment("command-placeOrder").await["TOKEN"], FIRST);

    write_only(&mut driver, &state).await;
    let second = configuration(&driver, SECOND, "2");
    let state = driver.apply(&state, &second).await;
    assert_eq!(driver.environment("command-placeOrder").await["TOKEN"], SECOND);
    assert!(!state.to_string().contains("hunter2"), "{state}");

    looked_up(&mut driver, &state).await;
    imported(&mut driver, &state, &second).await;
    listed(&mut driver, &state).await;
    lent(&mut driver).await;
    acted(&mut driver).await;

    driver.destroy(&state, &second).await;
    let gone = driver.look_up().await.unwrap_err();
    assert!(gone[0].contains("No such service"), "{gone:?}");
}

/// Fails with the attributes that differ; whole states would fill the screen.
#[track_caller]
fn same(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
    let other = expected.iter().filter(|(name, value)| found.get(*name) != Some(*value));
    let other: Vec<_> = other.map(|(name, value)| (name, found.get(name), value)).collect();
    let shown: String = format!("{other:?}").chars().take(3000).collect();
    assert!(other.is_empty() && found.len() == expected.len(), "{shown}");
}

/// Other values under the same version are nothing to do; reading finds no difference.
async fn write_only(driver: &mut Driver, state: &Value) {
    let same_version = configuration(driver, SECOND, "1");
    same(&driver.plan(state, &same_version).await.0, state);
    same(&driver.read(state).await.0, state);
    let (planned, _) = driver.plan(state, &configuration(driver, SECOND, "2")).await;
    assert_ne!(planned, *state);
    assert!(!planned.to_string().contains("hunter2"), "{planned}");
}

async fn looked_up(driver: &mut Driver, state: &Value) {
    let found = driver.look_up().await.unwrap();
    for same in [
        "url",
        "account_id",
        "region",
        "event_bus_arn",
        "artifact_sha256",
        "functions",
        "openapi_json",
        "grants",
        "resources",
        "incarnation",
    ] {
        assert_eq!(found[same], state[same], "{same}");
    }
    assert_eq!((&found["progress"], &found["manifest"]["service"]), (&json!("complete"), &json!("orders")));
    assert!(found["manifest"]["workflows"].to_string().contains("processOrder"), "{}", found["manifest"]);
    assert!(found["holder"].as_str().unwrap().starts_with("Terraform in "), "{}", found["holder"]);
}

/// By name and by identity everything is known again that outlives a run, so that a plan of the same configuration is empty.
async fn imported(driver: &mut Driver, state: &Value, config: &Value) {
    let mut lasting = state.clone();
    lasting["deployment"] = Value::Null;
    let state = &lasting;
    let identity =
        json!({ "name": driver.name, "account_id": state["account_id"], "region": state["region"] });
    let id = format!(
        "{}/{}/{}",
        state["account_id"].as_str().unwrap(),
        state["region"].as_str().unwrap(),
        driver.name
    );
    for (id, by) in [(driver.name.clone(), None), (id, None), (String::new(), Some(&identity))] {
        let stub = driver.import(&id, by).await.unwrap();
        let (read, of) = driver.read(&stub).await;
        assert_eq!(of, identity);
        same(&read, state);
        same(&driver.plan(&read, config).await.0, state);
    }
    let elsewhere = json!({ "name": driver.name, "account_id": "999999999999" });
    let refused = driver.import("", Some(&elsewhere)).await.unwrap_err();
    assert!(refused[0].contains("lives elsewhere"), "{refused:?}");
}

async fn listed(driver: &mut Driver, state: &Value) {
    let name = driver.name.clone();
    let listed = driver.list(false, 0).await;
    assert!(listed.iter().any(|(shown, _)| *shown == name), "{listed:?}");
    assert!(listed.iter().all(|(_, whole)| whole.is_null()));
    let whole = driver.list(true, 0).await.into_iter().find(|(shown, _)| *shown == name).unwrap().1;
    assert_eq!((&whole["url"], &whole["tags"]), (&state["url"], &json!({ "team": "shop" })));
    assert_eq!(driver.list(false, 1).await.len(), 1);
}

/// Credentials may use this service, and nothing else.
async fn lent(driver: &mut Driver) {
    let lent =
        driver.open(&json!({ "service": driver.name, "permissions": ["start_execution"] })).await.unwrap();
    let text = |name: &str| lent[name].as_str().unwrap().to_owned();
    let session = Credentials::new(
        text("access_key_id"),
        text("secret_access_key"),
        Some(text("session_token")),
        None,
        "lent",
    );
    let settings = driver.settings().await.into_builder();
    let settings = settings
        .credentials_provider(aws_sdk_lambda::config::SharedCredentialsProvider::new(session))
        .build();
    let lambda = aws_sdk_lambda::Client::new(&settings);
    let ask = Blob::new(json!({ "op": "list" }).to_string());
    let answer =
        lambda.invoke().function_name(text("system_function_arn")).payload(ask.clone()).send().await.unwrap();
    assert!(answer.function_error().is_none());
    let other = format!("{}-command-getOrder:live", driver.name);
    assert!(
        lambda.invoke().function_name(other).payload(ask).send().await.is_err(),
        "it may do more than was asked"
    );
    assert!(
        text("expires_at").ends_with('Z') && text("policy_json").contains("lambda:InvokeFunction"),
        "{lent}"
    );
    let none = driver.open(&json!({ "service": "nobody-is-here" })).await.unwrap_err();
    assert!(none[0].contains("No such service"), "{none:?}");
}

async fn acted(driver: &mut Driver) {
    let name = driver.name.clone();
    let order = json!({ "id": "acted", "amount_cents": 100, "card": "tok_visa" }).to_string();
    let config =
        |command: &str, input: &str| json!({ "service": name, "command": command, "input_json": input });
    let (said, wrong) = driver.invoke("eventual_invoke_command", &config("placeOrder", &order)).await;
    assert_eq!(wrong, [""; 0]);
    assert!(said[0].contains("Calling placeOrder") && said[1].contains("answered 20"), "{said:?}");
    for (command, input, part) in [
        ("plceOrder", order.as_str(), "placeOrder"),
        ("placeOrder", r#"{"id":7}"#, "Invalid input"),
        ("getOrder", r#"{"id":"nobody"}"#, "answered 404"),
    ] {
        let (_, wrong) = driver.invoke("eventual_invoke_command", &config(command, input)).await;
        assert!(wrong.len() == 1 && wrong[0].contains(part), "{wrong:?}");
    }
    let ask = json!({ "op": "get", "execution": "processOrder/acted" }).to_string();
    let (said, wrong) =
        driver.invoke("eventual_invoke_system", &json!({ "service": name, "request_json": ask })).await;
    assert_eq!(wrong, [""; 0]);
    assert!(said.last().unwrap().contains("get of processOrder/acted"), "{said:?}");
    let (_, wrong) = driver
        .invoke("eventual_invoke_system", &json!({ "service": name, "request_json": "{\"op\":\"dance\"}" }))
        .await;
    assert!(wrong.len() == 1 && wrong[0].contains("dance"), "{wrong:?}");

    let dead = format!("{name}-workflows-dead.fifo");
    for letter in 0..3 {
        driver.send(&dead, r#"{"execution":"processOrder/acted"}"#, &letter.to_string()).await;
    }
    let (said, wrong) = driver
        .invoke("eventual_redrive", &json!({ "service": name, "queue": "workflows", "limit": 2 }))
        .await;
    assert_eq!(wrong, [""; 0]);
    assert!(said[0].contains("holds 3") && said[1].contains("2 redriven"), "{said:?}");
    let (said, wrong) = driver.invoke("eventual_redrive", &json!({ "service": name })).await;
    assert_eq!(wrong, [""; 0]);
    assert!(said.iter().any(|it| it.contains("1 redriven")), "{said:?}");
}
