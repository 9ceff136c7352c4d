//! What requests a deployment costs, and what permissions: over a whole life.

use std::collections::BTreeSet;
use std::process::Command;

use eventual_provider_core::value::Value;

use super::tap::Seen;
use super::{Deployment, service};

/// Permissions of a deployer that AWS demands and the emulated AWS does not look at.
const BEYOND: [&str; 1] = ["scheduler:DeleteSchedule"];

fn writes(seen: &[Seen]) -> Vec<String> {
    // The ownership record is written at the beginning, at the end, and while somebody is at work.
    let record = |it: &Seen| it.what.contains("ownership.json");
    let mut all: Vec<String> = seen
        .iter()
        .filter(|it| it.writes && !record(it))
        .map(|it| format!("{} {}", it.service, it.what))
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_writes_nothing() {
    let deployment = Deployment::new("idle").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    deployment.tap.take();
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    assert_eq!(deployment.apply(Some(&state), &config).await, state);
    let seen = deployment.tap.take();
    let written: Vec<&Seen> = seen.iter().filter(|it| it.writes).collect();
    assert!(written.is_empty() && !seen.is_empty(), "{written:?}");
    deployment.destroy(&state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_code_is_one_upload_and_one_publishing_update_a_function() {
    let mut deployment = Deployment::new("request").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    deployment.rebuild();
    deployment.tap.take();
    let changed = deployment.apply(Some(&state), &config).await;
    let all = writes(&deployment.tap.take());
    let count = |of: &dyn Fn(&str) -> bool| all.iter().filter(|it| of(it)).count();
    let functions = changed.get("functions").as_map().unwrap().len();
    assert_eq!(count(&|it| it.starts_with("s3 PUT") && it.contains("/code/")), 1, "{all:#?}");
    assert_eq!(
        count(&|it| it.starts_with("s3 DELETE") && it.contains("/code/")),
        1,
        "the old code: {all:#?}"
    );
    assert_eq!(count(&|it| it.starts_with("lambda PUT") && it.ends_with("/code")), functions, "{all:#?}");
    assert_eq!(
        count(&|it| it.starts_with("lambda PUT") && it.ends_with("/aliases/live")),
        functions,
        "{all:#?}"
    );
    assert_eq!(count(&|it| it.starts_with("lambda POST") && it.ends_with("/aliases")), 1, "{all:#?}");
    assert_eq!(all.len(), 3 + 2 * functions, "the orchestrator's code has an alias: {all:#?}");
    deployment.destroy(&changed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_writes_to_its_function_and_uploads_nothing() {
    let deployment = Deployment::new("touch").await;
    let state = deployment.create(&service(&deployment, &[])).await;
    deployment.tap.take();
    let config = service(&deployment, &[("ping", 1024.0)]);
    let changed = deployment.apply(Some(&state), &config).await;
    let all = writes(&deployment.tap.take());
    assert!(all.iter().all(|it| it.starts_with("lambda ") && it.contains("-command-ping/")), "{all:#?}");
    assert_eq!(all.len(), 3, "settings, version, alias: {all:#?}");
    deployment.destroy(&changed).await;
}

/// Actions of the policy that the provider prints.
fn actions(policy: &str) -> BTreeSet<String> {
    let document: serde_json::Value = serde_json::from_str(policy).unwrap();
    let statements = document["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|it| it["Action"].as_array().unwrap());
    actions.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Actions that the emulated AWS allowed to the principal, and refused it.
fn decided(principal: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let file =
        std::env::var("EVENTUAL_TEST_CALLS").expect("EVENTUAL_TEST_CALLS is not set: run `cargo xtask test`");
    let text = std::fs::read_to_string(file).unwrap();
    let (mut allowed, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["principal"].as_str().is_some_and(|it| it.contains(principal)) {
            let action = line["action"].as_str().unwrap().to_owned();
            if line["decision"] == "Allow" { &mut allowed } else { &mut refused }.insert(action);
        }
    }
    (allowed, refused)
}

/// A role that may do what the provider says that a deployer must.
async fn deployer(deployment: &Deployment, policy: &str) -> String {
    let (name, account, _) = deployment.place();
    let iam = aws_sdk_iam::Client::new(&deployment.settings().await);
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let role = format!("deployer-of-{name}");
    iam.create_role().role_name(&role).assume_role_policy_document(trust).send().await.unwrap();
    let put = iam.put_role_policy().role_name(&role).policy_name("deploy").policy_document(policy);
    put.send().await.unwrap();
    format!("arn:aws:iam::{account}:role/{role}")
}

/// The configuration with other tags, CORS and a reserved concurrency.
fn changed(config: &Value) -> Value {
    let mut config = config.clone();
    config.set("tags", Value::map([("cost-center", Value::from("7"))]));
    let origins = Value::List(vec![Value::from("https://shop.example")]);
    config.set("cors", Value::map([("allow_origins", origins)]));
    let reserved = Value::map([("reserved_concurrency", Value::Number(2.0))]);
    config.set("commands", Value::map([("ping", reserved)]));
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployer_needs_what_the_policy_says_and_nothing_else() {
    let place = Deployment::new("least").await;
    let (name, account, region) = place.place();
    let printed = Command::new(env!("CARGO_BIN_EXE_terraform-provider-eventual"))
        .args(["policy", name, "--account", account, "--region", region])
        .output()
        .unwrap();
    let policy = String::from_utf8(printed.stdout).unwrap();
    let role = deployer(&place, &policy).await;

    let mut deployment = Deployment::by("least", Some(&role)).await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    let state = deployment.apply(Some(&state), &changed(&config)).await;
    deployment.rebuild();
    let state = deployment.apply(Some(&state), &config).await;
    deployment.tamper(&state).await;
    let (read, ..) = deployment.read_changed(&state).await;
    let state = deployment.apply(Some(&read), &config).await;
    // Of the code before the last one, an alias and a version go.
    deployment.rebuild();
    let state = deployment.apply(Some(&state), &config).await;
    assert_eq!(deployment.apply(Some(&state), &config).await, state, "nothing to do");
    deployment.destroy(&state).await;
    let iam = aws_sdk_iam::Client::new(&place.settings().await);
    let own = format!("deployer-of-{name}");
    iam.delete_role_policy().role_name(&own).policy_name("deploy").send().await.unwrap();
    iam.delete_role().role_name(&own).send().await.unwrap();
    place.nothing_left().await;

    let (allowed, refused) = decided(&format!("deployer-of-{name}"));
    assert_eq!(refused, BTreeSet::new(), "the policy lacks what was called");
    let mut wanted = actions(&policy);
    for beyond in BEYOND {
        assert!(wanted.remove(beyond));
    }
    assert_eq!(wanted.difference(&allowed).collect::<Vec<_>>(), Vec::<&String>::new(), "never called");
    assert_eq!(allowed.difference(&wanted).collect::<Vec<_>>(), Vec::<&String>::new(), "called");
}
