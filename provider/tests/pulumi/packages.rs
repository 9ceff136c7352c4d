//! The package of one service: parameterized by its artifact, and again by what came of that.

use eventual_provider_wire::pulumirpc::parameterize_request::{Parameters, ParametersArgs, ParametersValue};
use eventual_provider_wire::pulumirpc::{CheckRequest, GetSchemaRequest, InvokeRequest, ParameterizeRequest};
use serde_json::{Value, json};

use super::engine::plugin::{Plugin, Started};
use super::engine::values::{from_struct, secret, to_struct};
use super::fixtures;

pub(crate) fn by_artifact(words: &[&str]) -> ParameterizeRequest {
    let args = words.iter().map(|it| (*it).to_owned()).collect();
    ParameterizeRequest { parameters: Some(Parameters::Args(ParametersArgs { args })) }
}

pub(crate) async fn schema(plugin: &mut Plugin, name: &str) -> Value {
    let request = GetSchemaRequest { subpackage_name: name.to_owned(), ..GetSchemaRequest::default() };
    serde_json::from_str(&plugin.client.get_schema(request).await.unwrap().into_inner().schema).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_one_service_comes_back_from_its_parameter_alone() {
    let folder = tempfile::tempdir().unwrap();
    fixtures::write_artifact(&folder.path().join("orders.zip"), "0.3.0");
    let mut first = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    let answer = first.client.parameterize(by_artifact(&["orders.zip"])).await.unwrap().into_inner();
    assert_eq!((answer.name.as_str(), answer.version.as_str()), ("orders", "0.3.0"));
    let typed = schema(&mut first, "orders").await;
    let commands = &typed["types"]["orders:index:Commands"]["properties"];
    let names: Vec<&String> = commands.as_object().unwrap().keys().collect();
    assert_eq!(names, ["getOrder", "placeOrder"]);
    first.end().await;

    // In every later process the artifact may be gone.
    std::fs::remove_file(folder.path().join("orders.zip")).unwrap();
    let parameter = typed["parameterization"]["parameter"].as_str().unwrap();
    let value = ParametersValue {
        name: "orders".to_owned(),
        version: "0.3.0".to_owned(),
        value: base64::Engine::decode(&base64::engine::general_purpose::STANDARD, parameter).unwrap(),
    };
    let mut second = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    let again = ParameterizeRequest { parameters: Some(Parameters::Value(value)) };
    assert_eq!(second.client.parameterize(again).await.unwrap().into_inner(), answer);
    assert_eq!(schema(&mut second, "orders").await, typed);
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_the_name_of_its_service_may_have_settings_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    fixtures::write_artifact(&folder.path().join("orders.zip"), "0.3.0");
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    plugin.client.parameterize(by_artifact(&["orders.zip"])).await.unwrap();
    let mut checked = async |provider: &str, news: Value| {
        let urn = format!("urn:pulumi:dev::orders::pulumi:providers:orders::{provider}");
        let request = CheckRequest { urn, news: Some(to_struct(&news)), ..CheckRequest::default() };
        let answer = plugin.client.check_config(request).await.unwrap().into_inner();
        let failures: Vec<String> = answer.failures.into_iter().map(|it| it.reason).collect();
        (from_struct(answer.inputs), failures)
    };
    let news = json!({ "region": "eu-central-1", "name": "shop", "apiToken": secret("hunter2"), "version": "0.3.0" });
    let (kept, failures) = checked("default_0_3_0", news.clone()).await;
    assert_eq!((kept, failures.len()), (json!({ "region": "eu-central-1", "version": "0.3.0" }), 0));
    let (_, failures) = checked("default_0_3_0", json!({ "regoin": "eu-central-1" })).await;
    assert!(failures.len() == 1 && failures[0].starts_with("regoin: "), "{failures:?}");
    // What a program says of a provider is meant for it.
    let (_, failures) = checked("mine", news).await;
    assert_eq!(failures.len(), 2, "{failures:?}");
    plugin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_artifact_adds_no_package() {
    let folder = tempfile::tempdir().unwrap();
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    for (words, part) in
        [(&[][..], "package add"), (&["a.zip", "b.zip"][..], "package add"), (&["a.zip"][..], "a.zip")]
    {
        let status = plugin.client.parameterize(by_artifact(words)).await.unwrap_err();
        assert!(status.message().contains(part), "{words:?}: {status}");
    }
    let other = GetSchemaRequest { subpackage_name: "sales".to_owned(), ..GetSchemaRequest::default() };
    assert!(plugin.client.get_schema(other).await.unwrap_err().message().contains("sales"));
    plugin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_look_into_an_artifact() {
    let folder = tempfile::tempdir().unwrap();
    fixtures::write_artifact(&folder.path().join("orders.zip"), "0.3.0");
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    let request = |token: &str, path: &str| InvokeRequest {
        tok: format!("eventual:index:{token}"),
        args: Some(to_struct(&json!({ "path": path }))),
        preview: true,
    };
    let answer = plugin.client.invoke(request("manifest", "orders.zip")).await.unwrap().into_inner();
    let manifest = from_struct(answer.r#return);
    assert_eq!(
        (&manifest["service"], &manifest["commands"]),
        (&json!("orders"), &json!(["placeOrder", "getOrder"]))
    );
    let answer = plugin.client.invoke(request("artifactHash", "orders.zip")).await.unwrap().into_inner();
    assert_eq!(from_struct(answer.r#return)["sha256"], manifest["sha256"]);
    let failures = plugin.client.invoke(request("manifest", "none.zip")).await.unwrap().into_inner().failures;
    assert!(failures[0].reason.contains("none.zip"), "{failures:?}");
    assert!(plugin.client.invoke(request("getNothing", "orders.zip")).await.is_err());
    plugin.end().await;
}
