//! What lasts longer than a call, and what does not: an apply without its Terraform, a stop, and chance.

use eventual_provider_wire::tfplugin6::{
    apply_resource_change, configure_provider, plan_resource_change, stop_provider,
};
use serde_json::{Value, json};

use super::aws::Aws;
use super::fixtures::write_artifact;
use super::plugin::{PATIENCE, Plugin};
use super::values::{TYPE, client, dynamic};

const KEY: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// A service, and a folder with its artifact.
fn service() -> (Value, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("orders.zip");
    write_artifact(&artifact, "0.1.0");
    (json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" } } }), folder)
}

async fn configure(plugin: &Plugin, aws: &Aws) {
    let config = dynamic(&json!({ "region": "eu-central-1", "endpoint": aws.url }));
    let request = configure_provider::Request { config, ..Default::default() };
    let answer = client(plugin).await.configure_provider(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
}

async fn planned(plugin: &Plugin, config: &Value) -> plan_resource_change::Response {
    let request = plan_resource_change::Request {
        type_name: TYPE.to_owned(),
        proposed_new_state: dynamic(config),
        config: dynamic(config),
        ..Default::default()
    };
    let answer = client(plugin).await.plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    answer
}

async fn creation(plugin: &Plugin, config: &Value) -> apply_resource_change::Request {
    let planned = planned(plugin, config).await;
    apply_resource_change::Request {
        type_name: TYPE.to_owned(),
        config: dynamic(config),
        planned_state: planned.planned_state,
        planned_private: planned.planned_private,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_plans_of_the_same_are_the_same() {
    let (aws, plugin, (config, _folder)) = (Aws::start("aws").await, Plugin::alone(&KEY), service());
    configure(&plugin, &aws).await;
    let first = planned(&plugin, &config).await;
    assert_eq!(planned(&plugin, &config).await, first);
    let other = Plugin::alone(&KEY);
    configure(&other, &aws).await;
    assert_eq!(planned(&other, &config).await, first, "in another process, too");
    // Who we are was asked, once by each process, and nothing else.
    assert_eq!(aws.heard().iter().filter(|it| !it.body.contains("GetCallerIdentity")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_goes_on_when_terraform_is_gone() {
    let (aws, plugin, (config, _folder)) = (Aws::start("aws").await, Plugin::alone(&KEY), service());
    configure(&plugin, &aws).await;
    let request = creation(&plugin, &config).await;
    aws.heard();
    aws.hold(Some("PUT /orders-"));
    let mut terraform = client(&plugin).await;
    let apply = tokio::spawn(async move { terraform.apply_resource_change(request).await.map(drop) });
    // Who we are; whether there is a record; and the bucket for it, which is under way.
    tokio::time::timeout(PATIENCE, aws.until(3)).await.unwrap();
    let before = aws.heard();
    assert!(before.last().is_some_and(|it| it.head.starts_with("PUT /orders-")), "{before:?}");
    apply.abort();
    assert!(apply.await.unwrap_err().is_cancelled());
    // Another connection sees that this one is closed: calls of one process are served in order of their arrival.
    drop(planned(&plugin, &config).await);
    aws.hold(None);
    tokio::time::timeout(PATIENCE, aws.until(4)).await.expect("what was begun is written down");
    let after = aws.heard();
    assert!(
        after[0].head.starts_with("PUT /orders-") && after[0].head.contains("ownership.json"),
        "{after:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_stops_what_runs_and_no_later_command() {
    let (aws, plugin, (mut config, _folder)) = (Aws::start("aws").await, Plugin::alone(&KEY), service());
    config["timeouts"] = json!({ "create": "1s" });
    configure(&plugin, &aws).await;
    let request = creation(&plugin, &config).await;
    let mut terraform = client(&plugin).await;
    terraform.stop_provider(stop_provider::Request {}).await.unwrap();
    let said = async |request| {
        let answer = client(&plugin).await.apply_resource_change(request).await.unwrap().into_inner();
        answer
            .diagnostics
            .into_iter()
            .map(|it| format!("{}: {}\n", it.summary, it.detail))
            .collect::<String>()
    };
    let stopped = said(request.clone()).await;
    assert!(stopped.contains("it was cancelled"), "{stopped}");
    // With `--debug` a process serves the next command, which configures it anew.
    configure(&plugin, &aws).await;
    let went_on = said(request).await;
    assert!(!went_on.is_empty() && !went_on.contains("cancelled"), "{went_on}");
}
