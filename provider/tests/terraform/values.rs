//! Calls that `terraform` cannot be made to send, or whose answers it does not show: paths of diagnostics, JSON values, and
//! what does not fit.

use eventual_provider_wire::tfplugin6::attribute_path::step::Selector;
use eventual_provider_wire::tfplugin6::provider_client::ProviderClient;
use eventual_provider_wire::tfplugin6::{DynamicValue, plan_resource_change, validate_resource_config};
use rmpv::Value as Wire;
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::fixtures::write_artifact;
use super::plugin::Plugin;

pub(crate) fn dynamic(value: &Value) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: Vec::new(), json: value.to_string().into_bytes() })
}

pub(crate) async fn client(plugin: &Plugin) -> ProviderClient<Channel> {
    ProviderClient::new(plugin.connect().await)
}

pub(crate) const TYPE: &str = "eventual_service";

/// What an answer holds, as JSON; unknowns are the text `(unknown)`.
pub(crate) fn shown(value: Option<&DynamicValue>) -> Value {
    let Some(value) = value else { return Value::Null };
    shown_wire(&rmpv::decode::read_value(&mut value.msgpack.as_slice()).unwrap())
}

fn shown_wire(value: &Wire) -> Value {
    match value {
        Wire::Ext(..) => json!("(unknown)"),
        Wire::Array(items) => items.iter().map(shown_wire).collect(),
        Wire::Map(members) => {
            members.iter().map(|(key, it)| (key.as_str().unwrap().to_owned(), shown_wire(it))).collect()
        }
        Wire::String(text) => json!(text.as_str()),
        Wire::Boolean(truth) => json!(truth),
        Wire::Nil => Value::Null,
        number => json!(number.as_f64()),
    }
}

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

#[tokio::test(flavor = "multi_thread")]
async fn large_values_are_answered_like_small_ones() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("orders.zip");
    write_artifact(&artifact, "0.1.0");
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let tags: serde_json::Map<String, Value> =
        (0..1000).map(|it| (format!("tag-{it}"), json!("ü"))).collect();
    for (attribute, value, summary) in [
        ("tags", Value::Object(tags), "Too many tags"),
        ("environment", json!({ "LARGE": "x".repeat(6 << 20) }), "Environment too large"),
    ] {
        let mut config =
            json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" } } });
        config[attribute] = value;
        let request = validate_resource_config::Request {
            type_name: TYPE.to_owned(),
            config: dynamic(&config),
            client_capabilities: None,
        };
        let answer = client.validate_resource_config(request).await.unwrap().into_inner();
        assert!(answer.diagnostics.iter().any(|it| it.summary == summary), "{attribute}: {answer:.500?}");
    }
}

/// What is empty is not nothing, and text comes back byte for byte: composed or not, with any characters.
#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_as_they_were_given() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = folder.path().join("orders.zip");
    write_artifact(&artifact, "0.1.0");
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let texts = [
        "",
        " ",
        "\u{e9}",
        "e\u{301}",
        "\u{1f980}",
        "\u{202e}x",
        "a\u{0}b",
        "\u{feff}",
        "\"\\${x}%{y}\n\r\t",
    ];
    let texts: serde_json::Map<String, Value> =
        texts.iter().enumerate().map(|(at, it)| (format!("TEXT_{at}"), json!(it))).collect();
    let given = json!({ "name": "orders", "artifact": artifact, "defaults": { "auth": { "type": "iam" }, "environment": {} },
        "environment": texts, "tags": {}, "commands": {}, "tasks": null,
        "orchestrator": { "policies": [], "environment": null }, "cors": {} });
    let request = plan_resource_change::Request {
        type_name: TYPE.to_owned(),
        proposed_new_state: dynamic(&given),
        config: dynamic(&given),
        ..Default::default()
    };
    let planned = client.plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(planned.diagnostics, []);
    let planned = shown(planned.planned_state.as_ref());
    for name in ["environment", "tags", "commands", "tasks"] {
        assert_eq!(planned[name], given[name], "{name}");
    }
    assert_eq!(planned["defaults"]["environment"], json!({}));
    assert_eq!(
        (&planned["orchestrator"]["policies"], &planned["orchestrator"]["environment"]),
        (&json!([]), &Value::Null)
    );
    assert!(planned["cors"].is_object() && planned["timeouts"].is_null(), "{planned}");
}
