//! The rest of the protocol's surface, as far as no cloud is needed: what is announced and what is not, deferral, write-only
//! attributes, and what is wrong with data sources, ephemeral resources and actions.

use std::path::PathBuf;

use eventual_provider_wire::tfplugin6::deferred::Reason;
use eventual_provider_wire::tfplugin6::provider_client::ProviderClient;
use eventual_provider_wire::tfplugin6::{
    ClientCapabilities, DynamicValue, configure_provider, generate_resource_config, get_metadata,
    get_provider_schema, invoke_action, list_resource, open_ephemeral_resource, plan_action,
    plan_resource_change, read_data_source, stop_provider, validate_action_config,
    validate_data_resource_config, validate_ephemeral_resource_config, validate_resource_config,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Channel;

use super::fixtures::{identity, write_artifact};
use super::plugin::Plugin;
use super::values::{TYPE, client, dynamic, shown};

const CREDENTIALS: &str = "eventual_service_credentials";
const AWS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

fn bears(deferral: bool) -> Option<ClientCapabilities> {
    Some(ClientCapabilities { deferral_allowed: deferral, write_only_attributes_allowed: true })
}

/// An object that is unknown in one attribute, which JSON cannot say, and has these others.
fn unknown(attribute: &str, others: &[(&str, &str)]) -> Option<DynamicValue> {
    let mut msgpack = Vec::new();
    let others = others.iter().map(|(name, text)| (rmpv::Value::from(*name), rmpv::Value::from(*text)));
    let unknown = (rmpv::Value::from(attribute), rmpv::Value::Ext(0, vec![0]));
    let value = rmpv::Value::Map(others.chain([unknown]).collect());
    rmpv::encode::write_value(&mut msgpack, &value).unwrap();
    Some(DynamicValue { msgpack, json: Vec::new() })
}

async fn configure(client: &mut ProviderClient<Channel>, config: configure_provider::Request) {
    let answer = client.configure_provider(config).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
}

/// Tells a provider everything that it needs.
async fn inform(client: &mut ProviderClient<Channel>) {
    let known = json!({ "region": "eu-central-1", "endpoint": identity().await });
    configure(client, configure_provider::Request { config: dynamic(&known), ..Default::default() }).await;
}

/// An artifact of the order service, in a folder that goes when it is dropped.
fn artifact() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("orders.zip");
    write_artifact(&artifact, "0.1.0");
    (folder, artifact)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_is_there_and_what_is_not_is_refused_as_the_protocol_asks() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let metadata = client.get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    let schema = client.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let actions = sorted(metadata.actions.into_iter().map(|it| it.type_name).collect());
    assert_eq!(actions, ["eventual_invoke_command", "eventual_invoke_system", "eventual_redrive"]);
    assert_eq!(actions, sorted(schema.action_schemas.into_keys().collect()));
    assert_eq!(metadata.ephemeral_resources[0].type_name, CREDENTIALS);
    assert!(schema.ephemeral_resource_schemas.contains_key(CREDENTIALS));
    assert_eq!(
        (metadata.list_resources[0].type_name.as_str(), metadata.data_sources[0].type_name.as_str()),
        (TYPE, TYPE)
    );
    assert!(schema.list_resource_schemas.contains_key(TYPE) && schema.data_source_schemas.contains_key(TYPE));
    let attributes = schema.resource_schemas[TYPE].block.clone().unwrap().attributes;
    let wo = attributes.iter().find(|it| it.name == "environment_wo").unwrap();
    assert!(wo.write_only && wo.sensitive && wo.optional && !wo.computed);
    assert_eq!(schema.resource_schemas[TYPE].version, 1);
    let able = metadata.server_capabilities.unwrap();
    assert!(able.plan_destroy && able.move_resource_state && able.generate_resource_config);

    // No state store is announced, and its calls are not there; the process lives on.
    let mut grpc = tonic::client::Grpc::new(plugin.connect().await);
    grpc.ready().await.unwrap();
    let path = tonic::codegen::http::uri::PathAndQuery::from_static("/tfplugin6.Provider/LockState");
    let codec = tonic_prost::ProstCodec::<stop_provider::Request, stop_provider::Response>::default();
    let refused = grpc.unary(tonic::Request::new(stop_provider::Request {}), path, codec).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unimplemented);
    assert!(client.get_metadata(get_metadata::Request {}).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_yet_is_put_off_for_a_client_that_bears_it() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("orders.zip");
    write_artifact(&artifact, "0.1.0");
    let plugin = Plugin::start(&AWS);
    let mut client = client(&plugin).await;
    let later = configure_provider::Request { config: unknown("region", &[]), ..Default::default() };
    configure(&mut client, later).await;
    let config = json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" } } });
    let mut reasons = Vec::new();
    for deferral in [true, false] {
        let request = plan_resource_change::Request {
            type_name: TYPE.to_owned(),
            proposed_new_state: dynamic(&config),
            config: dynamic(&config),
            client_capabilities: bears(deferral),
            ..Default::default()
        };
        let planned = client.plan_resource_change(request).await.unwrap().into_inner();
        assert_eq!(planned.diagnostics, []);
        assert_eq!(shown(planned.planned_state.as_ref())["url"], "(unknown)");
        assert!(planned.planned_identity.is_none(), "nobody knows yet where it will live");
        reasons.push(planned.deferred.map(|it| it.reason()));
    }
    assert_eq!(reasons, [Some(Reason::ProviderConfigUnknown), None]);

    let data = dynamic(&json!({ "name": "orders" }));
    let read = |deferral| read_data_source::Request {
        type_name: TYPE.to_owned(),
        config: data.clone(),
        client_capabilities: bears(deferral),
        ..Default::default()
    };
    let put_off = client.read_data_source(read(true)).await.unwrap().into_inner();
    assert_eq!(put_off.deferred.map(|it| it.reason()), Some(Reason::ProviderConfigUnknown));
    assert_eq!(shown(put_off.state.as_ref())["manifest"], "(unknown)");
    let refused = client.read_data_source(read(false)).await.unwrap().into_inner();
    assert_eq!(refused.diagnostics[0].summary, "Provider not configured");

    let open = open_ephemeral_resource::Request {
        type_name: CREDENTIALS.to_owned(),
        config: dynamic(&json!({ "service": "orders" })),
        client_capabilities: bears(true),
    };
    let put_off = client.open_ephemeral_resource(open).await.unwrap().into_inner();
    assert!(put_off.deferred.is_some() && put_off.result.is_some());
    let plan = plan_action::Request {
        action_type: "eventual_redrive".to_owned(),
        config: dynamic(&json!({ "service": "orders" })),
        client_capabilities: bears(true),
    };
    assert!(client.plan_action(plan).await.unwrap().into_inner().deferred.is_some());

    // Everything is known of the provider, and the artifact is not.
    inform(&mut client).await;
    let request = plan_resource_change::Request {
        type_name: TYPE.to_owned(),
        proposed_new_state: unknown("artifact", &[("name", "orders")]),
        config: unknown("artifact", &[("name", "orders")]),
        client_capabilities: bears(true),
        ..Default::default()
    };
    let planned = client.plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(
        planned.deferred.map(|it| it.reason()),
        Some(Reason::ResourceConfigUnknown),
        "{:?}",
        planned.diagnostics
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_only_value_reaches_no_plan_and_its_version_decides() {
    let (_folder, artifact) = artifact();
    let plugin = Plugin::start(&AWS);
    let mut client = client(&plugin).await;
    inform(&mut client).await;
    let config = |token: &str, version: Value| {
        json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" } },
            "environment_wo": { "TOKEN": token }, "environment_wo_version": version })
    };
    let mut fingerprint = async |token: &str, version: Value| {
        let config = dynamic(&config(token, version));
        let request = plan_resource_change::Request {
            type_name: TYPE.to_owned(),
            proposed_new_state: config.clone(),
            config,
            client_capabilities: bears(false),
            ..Default::default()
        };
        let planned = client.plan_resource_change(request).await.unwrap().into_inner();
        assert_eq!(planned.diagnostics, []);
        let state = shown(planned.planned_state.as_ref());
        assert_eq!(state["environment_wo"], Value::Null);
        assert!(!state.to_string().contains(token), "{state}");
        let identity = planned.planned_identity.unwrap().identity_data;
        assert_eq!(shown(identity.as_ref())["account_id"], "123456789012");
        state["resources"]["function/command-placeOrder"]["fingerprint"].clone()
    };
    let first = fingerprint("hunter2", json!("1")).await;
    assert_eq!(fingerprint("another", json!("1")).await, first);
    assert_ne!(fingerprint("hunter2", json!("2")).await, first);

    let mut validate = async |client_capabilities| {
        let request = validate_resource_config::Request {
            type_name: TYPE.to_owned(),
            config: dynamic(&config("hunter2", Value::Null)),
            client_capabilities,
        };
        client.validate_resource_config(request).await.unwrap().into_inner().diagnostics
    };
    assert_eq!(validate(bears(false)).await, []);
    let refused = validate(None).await;
    assert!(refused[0].summary.contains("Write-only") && refused[0].attribute.is_some(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_before_anything_is_done() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let path =
        |diagnostic: &eventual_provider_wire::tfplugin6::Diagnostic| format!("{:?}", diagnostic.attribute);
    for (config, at) in [
        (json!({ "service": "Orders" }), "service"),
        (json!({ "service": "orders", "duration": "5m" }), "duration"),
        (json!({ "service": "orders", "duration": "soon" }), "duration"),
        (json!({ "service": "orders", "role_arn": "admin" }), "role_arn"),
        (json!({ "service": "orders", "permissions": ["invoke", "everything"] }), "permissions"),
        (json!({ "service": "orders", "permissions": [] }), "permissions"),
        (json!({ "service": "orders", "session_name": "a b" }), "session_name"),
    ] {
        let request = validate_ephemeral_resource_config::Request {
            type_name: CREDENTIALS.to_owned(),
            config: dynamic(&config),
        };
        let said = client.validate_ephemeral_resource_config(request).await.unwrap().into_inner().diagnostics;
        assert!(said.len() == 1 && path(&said[0]).contains(at), "{config}: {said:?}");
    }
    for (action, config, at) in [
        ("eventual_invoke_command", json!({ "service": "orders" }), "command"),
        (
            "eventual_invoke_command",
            json!({ "service": "orders", "command": "x", "input_json": "{" }),
            "input_json",
        ),
        ("eventual_invoke_system", json!({ "service": "orders", "request_json": "nope" }), "request_json"),
        ("eventual_redrive", json!({ "service": "orders", "queue": "dead" }), "queue"),
        ("eventual_redrive", json!({ "service": "orders", "limit": 0 }), "limit"),
    ] {
        let request =
            validate_action_config::Request { type_name: action.to_owned(), config: dynamic(&config) };
        let said = client.validate_action_config(request).await.unwrap().into_inner().diagnostics;
        assert!(said.len() == 1 && path(&said[0]).contains(at), "{config}: {said:?}");
        let request = plan_action::Request {
            action_type: action.to_owned(),
            config: dynamic(&config),
            ..Default::default()
        };
        assert_eq!(client.plan_action(request).await.unwrap().into_inner().diagnostics.len(), 1);
    }
    let request =
        validate_data_resource_config::Request { type_name: TYPE.to_owned(), config: dynamic(&json!({})) };
    let said = client.validate_data_resource_config(request).await.unwrap().into_inner().diagnostics;
    assert!(said.len() == 1 && path(&said[0]).contains("name"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_what_went_wrong() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let request = list_resource::Request {
        type_name: TYPE.to_owned(),
        config: dynamic(&json!({})),
        ..Default::default()
    };
    let mut events = client.list_resource(request).await.unwrap().into_inner();
    let event = events.message().await.unwrap().unwrap();
    assert_eq!(event.diagnostic[0].summary, "Provider not configured");
    assert!(events.message().await.unwrap().is_none());
    for (action, config, summary) in [
        ("eventual_redrive", json!({ "service": "orders" }), "Provider not configured"),
        ("eventual_unknown", json!({}), "Unknown action type"),
    ] {
        let request = invoke_action::Request {
            action_type: action.to_owned(),
            config: dynamic(&config),
            client_capabilities: None,
        };
        let mut events = client.invoke_action(request).await.unwrap().into_inner();
        let event = events.message().await.unwrap().unwrap();
        let Some(invoke_action::event::Type::Completed(done)) = event.r#type else { panic!("{event:?}") };
        assert_eq!(done.diagnostics[0].summary, summary);
        assert!(events.message().await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_generated_without_what_the_provider_says() {
    let plugin = Plugin::start(&[]);
    let state = json!({ "name": "orders", "artifact": "orders.zip", "id": "orders", "url": "https://x",
        "tags": { "team": "shop" }, "tasks": { "pay": { "memory_mb": 256 } }, "incarnation": "a.b" });
    let request = generate_resource_config::Request { type_name: TYPE.to_owned(), state: dynamic(&state) };
    let answer = client(&plugin).await.generate_resource_config(request).await.unwrap().into_inner();
    let config = shown(answer.config.as_ref());
    assert_eq!((&config["name"], &config["tags"]["team"]), (&json!("orders"), &json!("shop")));
    assert_eq!(config["tasks"]["pay"]["memory_mb"], json!("256"));
    for computed in ["id", "url", "incarnation", "environment_wo"] {
        assert_eq!(config[computed], Value::Null, "{computed}");
    }
}

/// What is about to be deleted, and holds data, is named before: when all is deleted, and when another name replaces it.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_deletes_names_what_holds_data() {
    let (_folder, artifact) = artifact();
    let plugin = Plugin::start(&AWS);
    let mut client = client(&plugin).await;
    inform(&mut client).await;
    let child = |kind: &str, name: &str| json!({ "type": kind, "name": name, "arn": "", "fingerprint": "" });
    let config =
        |name: &str| json!({ "name": name, "artifact": artifact, "defaults": { "auth": { "type": "iam" } } });
    let mut prior = config("orders");
    prior["incarnation"] = json!("0000");
    prior["resources"] = json!({ "table": child("table", "orders-engine"), "log_group/relay": child("log_group", "/aws/orders") });
    for next in [Value::Null, config("sales")] {
        let request = plan_resource_change::Request {
            type_name: TYPE.to_owned(),
            prior_state: dynamic(&prior),
            proposed_new_state: dynamic(&next),
            config: dynamic(&next),
            ..Default::default()
        };
        let planned = client.plan_resource_change(request).await.unwrap().into_inner();
        let [warning] = &planned.diagnostics[..] else { panic!("{next}: {:?}", planned.diagnostics) };
        assert_eq!((warning.severity, warning.summary.as_str()), (2, "Data may be deleted"));
        assert!(
            warning.detail.contains("table (orders-engine: executions and their histories)"),
            "{warning:?}"
        );
        assert!(!warning.detail.contains("log_group"), "{warning:?}");
        assert_eq!(planned.requires_replace.len(), usize::from(!next.is_null()));
    }
}
