//! Calls that `terraform` cannot be made to send, or whose answers it does not show: paths of diagnostics, JSON values,
//! states of other releases, imports.

use eventual_provider_wire::tfplugin6::attribute_path::step::Selector;
use eventual_provider_wire::tfplugin6::provider_client::ProviderClient;
use eventual_provider_wire::tfplugin6::{
    DynamicValue, RawState, import_resource_state, upgrade_resource_state, validate_resource_config,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::fixtures::write_artifact;
use super::plugin::Plugin;

fn dynamic(value: &Value) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: Vec::new(), json: value.to_string().into_bytes() })
}

async fn client(plugin: &Plugin) -> ProviderClient<Channel> {
    ProviderClient::new(plugin.connect().await)
}

const TYPE: &str = "eventual_service";

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_name_is_blamed_at_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("orders.zip");
    write_artifact(&artifact, "0.1.0");
    let plugin = Plugin::start(&[]);
    let config = json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" } },
        "commands": { "plceOrder": { "memory_mb": 512 } } });
    let request = validate_resource_config::Request {
        type_name: TYPE.to_owned(),
        config: dynamic(&config),
        client_capabilities: None,
    };
    let answer = client(&plugin).await.validate_resource_config(request).await.unwrap().into_inner();
    let [diagnostic] = &answer.diagnostics[..] else { panic!("{answer:?}") };
    let steps: Vec<Selector> =
        diagnostic.attribute.iter().flat_map(|it| &it.steps).filter_map(|it| it.selector.clone()).collect();
    assert_eq!(
        steps,
        [Selector::AttributeName("commands".to_owned()), Selector::ElementKeyString("plceOrder".to_owned())]
    );
    assert!(
        diagnostic.detail.contains("commands[\"plceOrder\"]") && diagnostic.detail.contains("placeOrder"),
        "{diagnostic:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_another_release_is_read_as_far_as_it_is_ours() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let mut upgrade = async |version, state: &str| {
        let raw_state = Some(RawState { json: state.as_bytes().to_vec(), ..RawState::default() });
        let request = upgrade_resource_state::Request { type_name: TYPE.to_owned(), version, raw_state };
        client.upgrade_resource_state(request).await.unwrap().into_inner()
    };
    let upgraded = upgrade(0, r#"{"name":"orders","gone":true,"tags":{"a":"b"}}"#).await;
    assert_eq!(upgraded.diagnostics, []);
    let bytes = upgraded.upgraded_state.unwrap().msgpack;
    let state = rmpv::decode::read_value(&mut bytes.as_slice()).unwrap();
    assert_eq!(
        (state["name"].as_str(), state["tags"]["a"].as_str(), &state["url"]),
        (Some("orders"), Some("b"), &rmpv::Value::Nil)
    );
    for (version, state, part) in
        [(1, "{}", "newer"), (0, "not json", "not JSON"), (0, r#"{"name":1}"#, "name")]
    {
        let refused = upgrade(version, state).await;
        assert!(refused.diagnostics[0].detail.contains(part), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_the_name() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let mut import = async |id: &str| {
        let request = import_resource_state::Request {
            type_name: TYPE.to_owned(),
            id: id.to_owned(),
            ..Default::default()
        };
        client.import_resource_state(request).await.unwrap().into_inner()
    };
    let imported = import("orders").await;
    let bytes = &imported.imported_resources[0].state.as_ref().unwrap().msgpack;
    assert_eq!(rmpv::decode::read_value(&mut bytes.as_slice()).unwrap()["name"].as_str(), Some("orders"));
    assert!(import("Orders!").await.diagnostics[0].detail.contains("lower-case"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_a_diagnostic_and_the_process_lives() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    for config in [
        DynamicValue { msgpack: vec![0x81], json: Vec::new() },
        DynamicValue { msgpack: vec![0x81, 0xa4, b'n', b'a', b'm', b'e', 0xc3], json: Vec::new() },
        DynamicValue { msgpack: Vec::new(), json: b"[1]".to_vec() },
    ] {
        let request = validate_resource_config::Request {
            type_name: TYPE.to_owned(),
            config: Some(config),
            client_capabilities: None,
        };
        let answer = client.validate_resource_config(request).await.unwrap().into_inner();
        assert!(answer.diagnostics[0].summary.contains("Bug"), "{answer:?}");
    }
    let request =
        validate_resource_config::Request { type_name: "eventual_other".to_owned(), ..Default::default() };
    let answer = client.validate_resource_config(request).await.unwrap().into_inner();
    assert!(answer.diagnostics[0].detail.contains(TYPE), "{answer:?}");
}
