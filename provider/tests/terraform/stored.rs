//! What Terraform stored and brings back: states and identities of other releases, imports, moves.

use eventual_provider_wire::tfplugin6::{
    RawState, ResourceIdentityData, get_resource_identity_schemas, import_resource_state,
    move_resource_state, upgrade_resource_identity, upgrade_resource_state,
};
use serde_json::{Value, json};

use super::plugin::Plugin;
use super::values::{TYPE, client, dynamic, shown};

fn raw(text: &str) -> Option<RawState> {
    Some(RawState { json: text.as_bytes().to_vec(), ..RawState::default() })
}

/// A state as releases before schema version 1 wrote it.
const FIRST: &str = r#"{"name":"orders","id":"orders","artifact":"orders.zip","gone":true,"tags":{"a":"b"},
    "incarnation":"0123","resources":{
        "role/system":{"type":"role","name":"orders-system-eu-central-1","arn":"arn:aws:iam::123456789012:role/orders-system-eu-central-1","fingerprint":"f","attributes":{}},
        "function/system":{"type":"function","name":"orders-system","arn":"arn:aws:lambda:eu-central-1:123456789012:function:orders-system","fingerprint":"f","attributes":{"version":"1"}}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_an_earlier_version_is_upgraded() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let mut upgrade = async |version, state: &str| {
        let request =
            upgrade_resource_state::Request { type_name: TYPE.to_owned(), version, raw_state: raw(state) };
        client.upgrade_resource_state(request).await.unwrap().into_inner()
    };
    let upgraded = upgrade(0, FIRST).await;
    assert_eq!(upgraded.diagnostics, []);
    let state = shown(upgraded.upgraded_state.as_ref());
    assert_eq!(
        (&state["account_id"], &state["region"], &state["tags"]["a"], &state["url"]),
        (&json!("123456789012"), &json!("eu-central-1"), &json!("b"), &Value::Null)
    );
    assert_eq!(state["resources"]["function/system"]["attributes"]["version"], "1");
    assert!(state.get("gone").is_none());
    // A state of this version is what it is: nothing is concluded from its resources.
    let same = upgrade(1, FIRST).await;
    assert_eq!(shown(same.upgraded_state.as_ref())["region"], Value::Null);
    assert_eq!(
        shown(upgrade(0, r#"{"name":"orders"}"#).await.upgraded_state.as_ref())["account_id"],
        Value::Null
    );
    for (version, state, summary, part) in [
        (2, "{}", "newer provider", "newer release"),
        (-1, "{}", "Unreadable state", "version -1"),
        (0, "not json", "Unreadable state", "not JSON"),
        (0, "[1]", "Unreadable state", "no object"),
        (1, r#"{"name":1}"#, "Unreadable state", "name: not text"),
        (1, r#"{"name":"a","resources":{"table":7}}"#, "Unreadable state", "resources[\"table\"]"),
    ] {
        let refused = upgrade(version, state).await;
        let [diagnostic] = &refused.diagnostics[..] else { panic!("{state}: {refused:?}") };
        assert!(
            diagnostic.summary.contains(summary) && diagnostic.detail.contains(part),
            "{state}: {diagnostic:?}"
        );
        assert!(refused.upgraded_state.is_none(), "{state}");
    }
    let flatmap = RawState { flatmap: [("id".to_owned(), "orders".to_owned())].into(), json: Vec::new() };
    let request =
        upgrade_resource_state::Request { type_name: TYPE.to_owned(), version: 0, raw_state: Some(flatmap) };
    let refused = client.upgrade_resource_state(request).await.unwrap().into_inner();
    assert!(refused.diagnostics[0].detail.contains("0.12"), "{refused:?}");
}

fn identity(value: &Value) -> Option<ResourceIdentityData> {
    Some(ResourceIdentityData { identity_data: dynamic(value) })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_the_name_or_the_identity() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let mut import = async |id: &str, identity: Option<ResourceIdentityData>| {
        let request = import_resource_state::Request {
            type_name: TYPE.to_owned(),
            id: id.to_owned(),
            identity,
            ..Default::default()
        };
        client.import_resource_state(request).await.unwrap().into_inner()
    };
    let whole = json!({ "name": "orders", "account_id": "123456789012", "region": "eu-central-1" });
    for (id, identity) in [
        ("orders", None),
        ("123456789012/eu-central-1/orders", None),
        ("", identity(&whole)),
        ("", identity(&json!({ "name": "orders" }))),
    ] {
        let imported = import(id, identity).await;
        assert_eq!(imported.diagnostics, [], "{id}");
        let resource = &imported.imported_resources[0];
        assert_eq!(
            (resource.type_name.as_str(), &shown(resource.state.as_ref())["name"]),
            (TYPE, &json!("orders"))
        );
    }
    for (id, identity, part) in [
        ("Orders!", None, "lower-case"),
        ("a/orders", None, "slashes"),
        ("", None, "The id of a service"),
        ("", identity(&json!({ "name": "Orders!" })), "lower-case"),
        ("", identity(&json!({ "nme": "orders" })), "nme"),
    ] {
        let refused = import(id, identity).await;
        assert!(refused.diagnostics[0].detail.contains(part), "{id}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_versioned() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let asked = get_resource_identity_schemas::Request {};
    let schemas = client.get_resource_identity_schemas(asked).await.unwrap().into_inner().identity_schemas;
    let attributes: Vec<(&str, bool, bool)> = schemas[TYPE]
        .identity_attributes
        .iter()
        .map(|it| (it.name.as_str(), it.required_for_import, it.optional_for_import))
        .collect();
    assert_eq!(attributes, [("name", true, false), ("account_id", false, true), ("region", false, true)]);
    let mut upgrade = async |version, text: &str| {
        let request = upgrade_resource_identity::Request {
            type_name: TYPE.to_owned(),
            version,
            raw_identity: raw(text),
        };
        client.upgrade_resource_identity(request).await.unwrap().into_inner()
    };
    let kept = upgrade(0, r#"{"name":"orders","region":"eu-central-1","gone":1}"#).await;
    assert_eq!(kept.diagnostics, []);
    assert_eq!(
        shown(kept.upgraded_identity.unwrap().identity_data.as_ref()),
        json!({ "name": "orders", "account_id": null, "region": "eu-central-1" })
    );
    for (version, text, part) in [(9, "{}", "newer"), (0, "{", "not JSON"), (0, "{}", "no name")] {
        let refused = upgrade(version, text).await;
        assert!(refused.diagnostics[0].detail.contains(part), "{text}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_service_moves_here() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let mut moved = async |address: &str, source: &str, state: &str| {
        let request = move_resource_state::Request {
            source_provider_address: address.to_owned(),
            source_type_name: source.to_owned(),
            source_state: raw(state),
            target_type_name: TYPE.to_owned(),
            source_private: b"private".to_vec(),
            ..Default::default()
        };
        client.move_resource_state(request).await.unwrap().into_inner()
    };
    let from_mirror = moved("registry.example.com/shop/eventual", TYPE, FIRST).await;
    assert_eq!(from_mirror.diagnostics, []);
    assert_eq!(shown(from_mirror.target_state.as_ref())["region"], "eu-central-1");
    assert_eq!(from_mirror.target_private, b"private");
    let identity = from_mirror.target_identity.unwrap().identity_data;
    assert_eq!(
        shown(identity.as_ref()),
        json!({ "name": "orders", "account_id": "123456789012", "region": "eu-central-1" })
    );
    for (address, source) in [
        ("registry.terraform.io/hashicorp/aws", "aws_lambda_function"),
        ("registry.terraform.io/hashicorp/aws", TYPE),
        ("registry.terraform.io/eventual/eventual", "eventual_other"),
    ] {
        let refused = moved(address, source, "{}").await;
        let [diagnostic] = &refused.diagnostics[..] else { panic!("{refused:?}") };
        assert!(diagnostic.detail.contains("import") && diagnostic.detail.contains(source), "{diagnostic:?}");
        assert!(refused.target_state.is_none());
    }
    let nonsense = moved("registry.terraform.io/eventual/eventual", TYPE, "[]").await;
    assert!(nonsense.diagnostics[0].summary == "Unreadable state", "{nonsense:?}");
}
