//! The policies that the provider prints: each lets a role do what it is for, and each action in it is needed for that.

use std::collections::BTreeSet;
use std::process::Command;

use eventual_provider_core::request;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::provider_client::ProviderClient;
use eventual_provider_wire::tfplugin6::{DynamicValue, configure_provider, open_ephemeral_resource};
use eventual_schema::deploy::Names;

use super::{Deployment, service};
use crate::emulated::setting;
use crate::plugin::Plugin;

/// What AWS lets only users do: one of them does it, beside the role that is there for the same.
const OF_USERS: &str = "sts:GetFederationToken";

/// Actions of the policy that the provider prints.
fn actions(policy: &str) -> BTreeSet<String> {
    let document: serde_json::Value = serde_json::from_str(policy).unwrap();
    let statements = document["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|it| it["Action"].as_array().unwrap());
    actions.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Actions that the emulated AWS allowed to the principal, and refused it.
fn decided(principal: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let text = std::fs::read_to_string(setting("EVENTUAL_TEST_CALLS")).unwrap();
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

/// What the provider prints.
fn printed(place: &Deployment, more: &[&str]) -> String {
    let (name, account, region) = place.place();
    let clerk = format!("arn:aws:iam::{account}:role/clerk-of-{name}");
    let printed = Command::new(env!("CARGO_BIN_EXE_terraform-provider-eventual"))
        .args(["policy", name, "--account", account, "--region", region, "--role", &clerk])
        .args(more)
        .output()
        .unwrap();
    String::from_utf8(printed.stdout).unwrap()
}

/// A role of that kind that may do what the policy says; anyone of the account may be it.
async fn role(place: &Deployment, kind: &str, policy: &str) -> String {
    let (name, account, _) = place.place();
    let iam = aws_sdk_iam::Client::new(&place.settings().await);
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let role = format!("{kind}-of-{name}");
    iam.create_role().role_name(&role).assume_role_policy_document(trust).send().await.unwrap();
    let put = iam.put_role_policy().role_name(&role).policy_name("deploy").policy_document(policy);
    put.send().await.unwrap();
    format!("arn:aws:iam::{account}:role/{role}")
}

async fn dismiss(place: &Deployment, kind: &str) {
    let iam = aws_sdk_iam::Client::new(&place.settings().await);
    let role = format!("{kind}-of-{}", place.place().0);
    iam.delete_role_policy().role_name(&role).policy_name("deploy").send().await.unwrap();
    iam.delete_role().role_name(&role).send().await.unwrap();
}

/// The configuration with other tags, CORS and a reserved concurrency.
pub(crate) fn changed(config: &Value) -> Value {
    let mut config = config.clone();
    config.set("tags", Value::map([("cost-center", Value::from("7"))]));
    let origins = Value::List(vec![Value::from("https://shop.example")]);
    config.set("cors", Value::map([("allow_origins", origins)]));
    let reserved = Value::map([("reserved_concurrency", Value::Number(2.0))]);
    config.set("commands", Value::map([("ping", reserved)]));
    config
}

/// Finds the service among all, and reads it as a query does.
async fn find(deployment: &Deployment) {
    let (name, session) = (deployment.place().0, &deployment.session);
    let found = request::list(&session.identity, &*session.operations).await.unwrap();
    assert!(found.iter().any(|it| it == name), "{found:?}");
    let stub = Value::map([("id", Value::from(name)), ("name", Value::from(name))]);
    let scope = session.scope(&deployment.probe);
    let mut read = request::read(&scope, &*session.cloud, &stub).await;
    let state = read.state.as_mut().expect("it is there");
    let wrong = request::complete(&scope, &*session.cloud, &*session.operations, state).await;
    assert!(wrong.is_empty() && state.get("functions").as_map().is_some(), "{wrong:?}");
}

/// Puts a dead letter into each queue, in the account's own name; another `id` is another letter.
async fn lose_letters(place: &Deployment, id: &str) {
    let (name, account, region) = place.place();
    let names = Names::new(name, account, region);
    let sqs = aws_sdk_sqs::Client::new(&place.settings().await);
    for (queue, fifo) in [(names.workflow_dead_letter_queue(), true), (names.dead_letter_queue(), false)] {
        let url = sqs.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap();
        let mut send = sqs.send_message().queue_url(url).message_body("{}");
        if fifo {
            send = send.message_group_id("flow/x").message_deduplication_id(id);
        } else {
            let text = aws_sdk_sqs::types::MessageAttributeValue::builder().data_type("String");
            let target = format!("arn:aws:lambda:{region}:{account}:function:{name}-task-work:live");
            send = send.message_attributes("TARGET_ARN", text.string_value(target).build().unwrap());
        }
        send.send().await.unwrap();
    }
}

/// Calls a command and the system function, and redrives what was lost.
async fn act(deployment: &Deployment) {
    let (name, session) = (deployment.place().0, &deployment.session);
    let (identity, cloud, operations) = (&session.identity, &*session.cloud, &*session.operations);
    let ask = |members: [(&'static str, &str); 2]| {
        let members = members.map(|(key, text)| (key, Value::from(text)));
        Value::map([vec![("service", Value::from(name))], members.to_vec()].concat())
    };
    let silent = |_| {};
    let call = ask([("command", "ping"), ("input_json", "{}")]);
    assert_eq!(request::invoke_command(identity, cloud, operations, &call, &silent).await, []);
    let system =
        Value::map([("service", Value::from(name)), ("request_json", Value::from(r#"{"op":"list"}"#))]);
    assert_eq!(request::invoke_system(identity, cloud, operations, &system, &silent).await, []);
    let lines = std::sync::Mutex::new(String::new());
    let said = |line: String| lines.lock().unwrap().push_str(&line);
    let control = request::Control::new("tests");
    let redrive = Value::map([("service", Value::from(name))]);
    assert_eq!(request::redrive(identity, cloud, operations, &redrive, &control, &said).await, []);
    let lines = lines.into_inner().unwrap();
    assert!(lines.matches(" redriven").count() == 2 && !lines.contains(": 0 redriven"), "{lines}");
}

/// Lends credentials of the clerk.
async fn lend(deployment: &Deployment) {
    let (name, account, _) = deployment.place();
    let session = &deployment.session;
    let config = Value::map([
        ("service", Value::from(name)),
        ("role_arn", Value::from(format!("arn:aws:iam::{account}:role/clerk-of-{name}"))),
    ]);
    let lent = request::credentials(&session.identity, &*session.cloud, &*session.operations, &config).await;
    assert_eq!(lent.diagnostics, []);
}

/// Lends credentials of one's own as an IAM user: by a provider of its own, since a process is one identity.
async fn lend_as_user(place: &Deployment, policy: &str) {
    let (name, _, region) = place.place();
    let iam = aws_sdk_iam::Client::new(&place.settings().await);
    let user = format!("user-of-{name}");
    iam.create_user().user_name(&user).send().await.unwrap();
    let put = iam.put_user_policy().user_name(&user).policy_name("deploy").policy_document(policy);
    put.send().await.unwrap();
    let key = iam.create_access_key().user_name(&user).send().await.unwrap().access_key.unwrap();
    let id = key.access_key_id();
    let plugin =
        Plugin::start(&[("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", key.secret_access_key())]);
    let mut client = ProviderClient::new(plugin.connect().await);
    let json = |value: serde_json::Value| {
        Some(DynamicValue { msgpack: Vec::new(), json: value.to_string().into_bytes() })
    };
    let config = json(serde_json::json!({ "region": region, "endpoint": place.endpoint }));
    let configure = configure_provider::Request { config, ..Default::default() };
    let configured = client.configure_provider(configure).await.unwrap().into_inner();
    assert_eq!(configured.diagnostics, []);
    let open = open_ephemeral_resource::Request {
        type_name: "eventual_service_credentials".to_owned(),
        config: json(serde_json::json!({ "service": name })),
        client_capabilities: None,
    };
    let opened = client.open_ephemeral_resource(open).await.unwrap().into_inner();
    assert_eq!(opened.diagnostics, []);
    iam.delete_access_key().user_name(&user).access_key_id(id).send().await.unwrap();
    iam.delete_user_policy().user_name(&user).policy_name("deploy").send().await.unwrap();
    iam.delete_user().user_name(&user).send().await.unwrap();
}

/// What was allowed is what the policy holds, and nothing was refused.
fn proved(place: &Deployment, kind: &str, policy: &str) {
    let name = place.place().0;
    let (mut allowed, mut refused) = decided(&format!("{kind}-of-{name}"));
    let mut wanted = actions(policy);
    if kind == "credentials" {
        let of_user = decided(&format!("user-of-{name}"));
        allowed.extend(of_user.0);
        refused.extend(of_user.1);
    } else {
        wanted.remove(OF_USERS);
    }
    assert_eq!(refused, BTreeSet::new(), "the policy of {kind} lacks what was called");
    let none = Vec::<&String>::new();
    assert_eq!(wanted.difference(&allowed).collect::<Vec<_>>(), none, "never called: {kind}");
    assert_eq!(allowed.difference(&wanted).collect::<Vec<_>>(), none, "called: {kind}");
}

/// The deployer makes the service; then it is used by who may do one thing each, and by the deployer.
async fn used(place: &Deployment, roles: &[String]) -> (Deployment, Value) {
    let deployment = Deployment::by("least", Some(&roles[3])).await;
    let state = deployment.create(&service(&deployment, &[])).await;
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    Box::pin(find(&Deployment::by("least", Some(&roles[0])).await)).await;
    lose_letters(place, "first").await;
    Box::pin(act(&Deployment::by("least", Some(&roles[1])).await)).await;
    Box::pin(lend(&Deployment::by("least", Some(&roles[2])).await)).await;
    Box::pin(lend_as_user(place, &printed(place, &["--for", "credentials"]))).await;
    Box::pin(find(&deployment)).await;
    lose_letters(place, "second").await;
    Box::pin(act(&deployment)).await;
    Box::pin(lend(&deployment)).await;
    (deployment, state)
}

/// The rest of a service's life, all by the deployer.
async fn changed_and_destroyed((mut deployment, state): (Deployment, Value)) {
    let config = service(&deployment, &[]);
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
}

#[tokio::test(flavor = "multi_thread")]
async fn each_purpose_needs_what_its_policy_says_and_nothing_else() {
    let place = Deployment::new("least").await;
    let policies: Vec<(&str, String)> = ["list", "actions", "credentials"]
        .map(|purpose| (purpose, printed(&place, &["--for", purpose])))
        .into_iter()
        .chain([("deployer", printed(&place, &[]))])
        .collect();
    let mut roles = Vec::new();
    for (kind, policy) in &policies {
        roles.push(role(&place, kind, policy).await);
    }
    let nothing =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"]}]}"#;
    role(&place, "clerk", nothing).await;

    // Boxed: so many futures in one would not fit on a test's stack.
    let deployed = Box::pin(used(&place, &roles)).await;
    Box::pin(changed_and_destroyed(deployed)).await;
    for kind in policies.iter().map(|it| it.0).chain(["clerk"]) {
        dismiss(&place, kind).await;
    }
    place.nothing_left().await;
    for (kind, policy) in &policies {
        proved(&place, kind, policy);
    }
}
