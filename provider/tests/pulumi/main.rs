//! The Pulumi wire, driven by our small engine as far as no cloud is needed: schema, checks, previews, the process.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod engine;
mod fixtures;
mod packages;
mod schemas;
mod trace;

use std::time::Duration;

use engine::plugin::{Plugin, Started};
use engine::state::Entry;
use engine::values::{archive, has_unknown, is_secret, secret, to_struct, unknown};
use engine::{Engine, Program, ResourceOption};
use eventual_provider_wire::google_rpc;
use eventual_provider_wire::pulumirpc::diff_response::DiffChanges;
use eventual_provider_wire::pulumirpc::{
    ConfigureErrorMissingKeys, ConfigureRequest, DiffRequest, GetSchemaRequest, PluginAttach,
    ProviderHandshakeRequest,
};
use prost::Message;
use serde_json::{Value, json};

const TOKEN: &str = "hunter2hunter2";

/// An engine whose programs find an artifact and an identity, and no cloud.
async fn engine() -> (Engine, Value) {
    let folder = tempfile::tempdir().unwrap();
    fixtures::write_artifact(&folder.path().join("orders.zip"), "0.1.0");
    let endpoint = fixtures::identity().await;
    let environment =
        [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "eu-central-1")];
    (Engine::new(folder, &environment).await, json!({ "endpoint": endpoint }))
}

fn program(engine: &Engine, provider: &Value, more: &Value) -> Program {
    let artifact = archive(engine.folder(), "orders.zip");
    let mut inputs =
        json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" } } });
    inputs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Program {
        provider: provider.clone(),
        services: vec![("orders".to_owned(), inputs)],
        option: ResourceOption::None,
    }
}

/// A state as an earlier `up` would have left it, with nothing made.
fn deployed(program: &Program) -> Entry {
    let inputs = program.services[0].1.clone();
    let mut outputs = inputs.clone();
    let computed =
        json!({ "artifactSha256": inputs["artifact"]["hash"], "resources": {}, "incarnation": "0000" });
    outputs.as_object_mut().unwrap().extend(computed.as_object().unwrap().clone());
    Entry { name: "orders".to_owned(), id: "orders".to_owned(), inputs, outputs, ..Entry::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_the_committed_one_by_call_and_by_subcommand() {
    let committed = include_str!("../../schema.json");
    let folder = tempfile::tempdir().unwrap();
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    let schema = plugin.client.get_schema(GetSchemaRequest::default()).await.unwrap().into_inner().schema;
    assert!(schema == committed, "GetSchema answers another schema than provider/schema.json");
    plugin.end().await;

    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_pulumi-resource-eventual"))
        .arg("schema")
        .output()
        .unwrap();
    assert!(printed.status.success() && printed.stdout == committed.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn misspelt_names_fail_at_their_path_with_the_nearest_name() {
    let (mut engine, provider) = engine().await;
    let wrong = json!({
        "commands": { "plceOrder": { "memoryMb": 512 }, "getOrder": { "memory_mb": 512 } },
        "enviroment": { "TOKEN": secret(TOKEN) },
    });
    let report = engine.preview(&program(&engine, &provider, &wrong)).await;
    let errors = report.errors.join("\n");
    let at = |path: &str, nearest: &str| {
        let line = report.errors.iter().find(|it| it.contains(&format!("has a problem: {path}: ")));
        assert!(line.is_some_and(|it| it.contains(nearest)), "{path}: {errors}");
    };
    at("commands.plceOrder", "placeOrder");
    at("commands.getOrder.memory_mb", "memoryMb");
    at("enviroment", "environment");
    assert!(report.did().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_is_none_fails_at_its_path() {
    let (mut engine, provider) = engine().await;
    std::fs::write(engine.folder().join("orders.zip"), "no zip").unwrap();
    let report = engine.preview(&program(&engine, &provider, &json!({}))).await;
    assert!(report.errors[0].contains("has a problem: artifact: "), "{:?}", report.errors);

    let mut path = program(&engine, &provider, &json!({}));
    path.services[0].1["artifact"] = json!("./orders.zip");
    let report = engine.preview(&path).await;
    assert!(report.errors[0].contains("FileArchive"), "{:?}", report.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_knows_what_it_can_and_keeps_every_secret() {
    let (mut engine, provider) = engine().await;
    let more = json!({
        "environment": { "LATER": unknown(), "TOKEN": secret(TOKEN), "PLAIN": "plain" },
        "commands": { "placeOrder": { "memoryMb": 512, "environment": secret(json!({ "DEEP": "deepdeepdeep" })) } },
        "tags": { "team": unknown() },
    });
    let report = engine.preview(&program(&engine, &provider, &more)).await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!(report.did(), ["create"]);
    let outputs = &report.outputs["orders"];
    assert_eq!(outputs["name"], "orders");
    assert_eq!(
        outputs["environment"],
        json!({ "LATER": unknown(), "TOKEN": secret(TOKEN), "PLAIN": "plain" })
    );
    assert!(is_secret(&outputs["commands"]["placeOrder"]["environment"]), "{outputs}");
    assert_eq!(outputs["commands"]["placeOrder"]["memoryMb"], 512.0);
    assert_eq!(outputs["artifact"], archive(engine.folder(), "orders.zip"));
    assert!(has_unknown(&outputs["url"]), "it is made by AWS: {outputs}");
    assert!(outputs.get("timeouts").is_none() && outputs.get("id").is_none(), "the engine's own: {outputs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_are_answered_like_small_ones() {
    let (mut engine, provider) = engine().await;
    let tags: serde_json::Map<String, Value> =
        (0..1000).map(|it| (format!("tag-{it}"), json!("\u{fc}"))).collect();
    for (more, part) in [
        (json!({ "tags": tags }), "tags: "),
        (json!({ "environment": { "LARGE": "x".repeat(6 << 20) } }), "environment: "),
    ] {
        let report = engine.preview(&program(&engine, &provider, &more)).await;
        assert!(report.errors.iter().any(|it| it.contains(part)), "{part}: {:.500?}", report.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_inputs_at_the_top_are_tolerated() {
    let (mut engine, provider) = engine().await;
    let more = json!({ "name": unknown(), "artifact": unknown(), "commands": unknown(), "environment": secret(unknown()) });
    let report = engine.preview(&program(&engine, &provider, &more)).await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert!(has_unknown(&report.outputs["orders"]["resources"]));
    assert!(is_secret(&report.outputs["orders"]["environment"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_an_update_tells_what_changes_by_path() {
    let (mut engine, provider) = engine().await;
    let before = program(&engine, &provider, &json!({ "environment": { "TOKEN": secret(TOKEN) } }));
    engine.state.provider = Some(provider.clone());
    engine.state.put(deployed(&before));
    fixtures::write_artifact(&engine.folder().join("orders.zip"), "0.2.0");
    let more = json!({ "commands": { "placeOrder": { "memoryMb": 512 } }, "environment": { "TOKEN": secret("otherotherother") } });
    let report = engine.preview(&program(&engine, &provider, &more)).await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!(report.did(), ["update"]);
    let details: Vec<(&str, &str)> =
        report.details.iter().map(|(path, kind)| (path.as_str(), kind.as_str())).collect();
    assert_eq!(details, [("artifact", "Update"), ("commands", "Add"), ("environment.TOKEN", "Update")]);
    assert!(has_unknown(&report.outputs["orders"]["resources"]), "{}", report.outputs["orders"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_is_another_service_and_the_old_one_goes_first() {
    let (mut engine, provider) = engine().await;
    engine.state.provider = Some(provider.clone());
    let mut before = deployed(&program(&engine, &provider, &json!({})));
    let table = json!({ "type": "table", "name": "orders-engine", "arn": "", "fingerprint": "" });
    before.outputs["resources"] = json!({ "table": table });
    engine.state.put(before);
    let report = engine.preview(&program(&engine, &provider, &json!({ "name": "sales" }))).await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let lost = "table (orders-engine: executions and their histories)";
    assert_eq!(engine.said().matches(lost).count(), 1, "what is about to be lost: {}", engine.said());
    assert_eq!(report.did(), ["delete", "create"]);
    assert_eq!(report.details["name"], "UpdateReplace");
    assert_eq!(report.outputs["orders"]["name"], "sales");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_of_the_provider_is_refused_before_anything_else() {
    let (mut engine, mut provider) = engine().await;
    provider["regoin"] = json!("eu-central-1");
    let report = engine.preview(&program(&engine, &provider, &json!({}))).await;
    assert!(
        report.errors[0].starts_with("regoin: ") && report.errors[0].contains("region"),
        "{:?}",
        report.errors
    );

    // With a part that is not known yet the engine itself answers for everything.
    let report = engine.preview(&program(&engine, &json!({ "region": unknown() }), &json!({}))).await;
    assert!(report.errors.is_empty() && report.did() == ["create"], "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_region_is_told_with_the_key_that_sets_it() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing of the developer's own configuration counts.
    let none = folder.path().join("none").display().to_string();
    let environment = [("AWS_CONFIG_FILE", none.as_str()), ("AWS_SHARED_CREDENTIALS_FILE", none.as_str())];
    let environment = environment.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &environment).await;
    let request = ConfigureRequest { args: Some(to_struct(&json!({}))), ..ConfigureRequest::default() };
    let status = plugin.client.configure(request).await.unwrap_err();
    assert!(status.message().contains("region"), "{status}");
    let details = google_rpc::Status::decode(status.details()).unwrap().details;
    assert!(details[0].type_url.ends_with("/pulumirpc.ConfigureErrorMissingKeys"), "{details:?}");
    let missing = ConfigureErrorMissingKeys::decode(&details[0].value[..]).unwrap().missing_keys;
    assert_eq!(missing.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["eventual:region"]);
    plugin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_the_configuration_is_told_and_only_a_region_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    let old = json!({ "region": "eu-central-1", "defaultTags": { "team": "orders" }, "version": "0.1.0" });
    let cases = [
        (
            json!({ "region": "eu-central-1", "defaultTags": { "team": "orders" }, "version": "0.2.0" }),
            vec![],
            vec![],
        ),
        (json!({ "region": "eu-central-1", "defaultTags": r#"{"team":"orders"}"# }), vec![], vec![]),
        (json!({ "region": "eu-central-1" }), vec!["defaultTags"], vec![]),
        (
            json!({ "region": "us-east-1", "defaultTags": { "team": "orders" } }),
            vec!["region"],
            vec!["region"],
        ),
        (
            json!({ "region": "eu-central-1", "defaultTags": { "team": "orders" }, "profile": "work" }),
            vec!["profile"],
            vec![],
        ),
    ];
    for (new, diffs, replaces) in cases {
        let (olds, news) = (Some(to_struct(&old)), Some(to_struct(&new)));
        let request = DiffRequest { old_inputs: olds.clone(), olds, news, ..DiffRequest::default() };
        let answer = plugin.client.diff_config(request).await.unwrap().into_inner();
        let changes = if diffs.is_empty() { DiffChanges::DiffNone } else { DiffChanges::DiffSome };
        assert_eq!(
            (answer.changes(), &answer.diffs, &answer.replaces),
            (
                changes,
                &diffs.iter().map(ToString::to_string).collect(),
                &replaces.iter().map(ToString::to_string).collect()
            ),
            "{new}"
        );
    }
    plugin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_goes_with_its_engine() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    plugin.abandon(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_was_started_by_hand_outlives_its_engines() {
    let folder = tempfile::tempdir().unwrap();
    let mut plugin = Plugin::start(folder.path(), Started::ByHand, &[]).await;
    plugin.close_stdin();
    for engine in ["127.0.0.1:9", "127.0.0.1:10"] {
        let handshake = ProviderHandshakeRequest {
            engine_address: engine.to_owned(),
            ..ProviderHandshakeRequest::default()
        };
        plugin.client.handshake(handshake).await.unwrap();
        plugin.client.attach(PluginAttach { address: engine.to_owned() }).await.unwrap();
        plugin.client.get_plugin_info(()).await.unwrap();
        plugin.client.cancel(()).await.unwrap();
    }
    plugin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_name_gets_one_and_keeps_it() {
    let (mut engine, provider) = engine().await;
    let mut nameless = program(&engine, &provider, &json!({}));
    nameless.services[0].1.as_object_mut().unwrap().remove("name");
    let report = engine.preview(&nameless).await;
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let made_up = report.outputs["orders"]["name"].as_str().unwrap().to_owned();
    assert!(made_up.starts_with("orders-") && made_up.len() == 14, "{made_up}");

    engine.state.provider = Some(provider.clone());
    engine.state.put(deployed(&program(&engine, &provider, &json!({}))));
    let report = engine.preview(&nameless).await;
    assert!(report.errors.is_empty() && report.did() == ["same"] || report.did() == ["update"], "{report:?}");
    assert_eq!(report.outputs["orders"]["name"], "orders", "the name that it has, not another one");
}
