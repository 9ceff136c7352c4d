//! A client of the provider that sends what Terraform sends, in Terraform's order, and refuses what Terraform refuses.

use std::collections::HashMap;

use eventual_provider_wire::tfplugin6::provider_client::ProviderClient;
use eventual_provider_wire::tfplugin6::{
    ClientCapabilities, Diagnostic, DynamicValue, ResourceIdentityData, apply_resource_change,
    configure_provider, import_resource_state, invoke_action, invoke_action::event, list_resource,
    open_ephemeral_resource, plan_resource_change, read_data_source, read_resource,
};
use rmpv::Value as Wire;
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::emulated::{self, setting};
use super::plugin::Plugin;

const TYPE: &str = "eventual_service";

/// A configured provider, and a deployment's name.
pub(crate) struct Driver {
    client: ProviderClient<Channel>,
    _plugin: Plugin,
    endpoint: String,
    private: Vec<u8>,
    pub(crate) name: String,
    pub(crate) artifact: String,
}

fn dynamic(value: &Value) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: Vec::new(), json: value.to_string().into_bytes() })
}

/// What an answer holds, as JSON; unknowns are the text `(unknown)`.
fn shown(value: Option<&DynamicValue>) -> Value {
    fn json_of(value: &Wire) -> Value {
        match value {
            Wire::Ext(..) => json!("(unknown)"),
            Wire::Array(items) => items.iter().map(json_of).collect(),
            Wire::Map(members) => {
                members.iter().map(|(key, it)| (key.as_str().unwrap().to_owned(), json_of(it))).collect()
            }
            Wire::String(text) => json!(text.as_str()),
            Wire::Boolean(truth) => json!(truth),
            Wire::Nil => Value::Null,
            number => json!(number.as_f64()),
        }
    }
    let Some(value) = value else { return Value::Null };
    json_of(&rmpv::decode::read_value(&mut value.msgpack.as_slice()).unwrap())
}

fn said(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|it| format!("{}: {}", it.summary, it.detail)).collect()
}

/// Numbers come as text, in which Terraform finds the user's own; for comparing, a plan's values are what matters.
fn identity(data: Option<ResourceIdentityData>) -> Value {
    shown(data.and_then(|it| it.identity_data).as_ref())
}

const BEARS: Option<ClientCapabilities> =
    Some(ClientCapabilities { deferral_allowed: false, write_only_attributes_allowed: true });

impl Driver {
    pub(crate) async fn new(name: &str) -> Self {
        let (endpoint, artifact) = (setting("EVENTUAL_TEST_ENDPOINT"), setting("EVENTUAL_TEST_ARTIFACT"));
        let plugin = Plugin::start(&[("AWS_REGION", "us-east-1")]);
        let mut client = ProviderClient::new(plugin.connect().await).max_decoding_message_size(64 << 20);
        let config = dynamic(
            &json!({ "endpoint": endpoint, "region": "us-east-1", "default_tags": { "made": "by a test" } }),
        );
        let configured = configure_provider::Request { config, ..Default::default() };
        let answer = client.configure_provider(configured).await.unwrap().into_inner();
        assert_eq!(said(&answer.diagnostics), [""; 0]);
        let name = format!("{name}-{}", std::process::id());
        Self { client, _plugin: plugin, endpoint, private: Vec::new(), name, artifact }
    }

    /// The answer to a plan, of which nothing is said.
    async fn planned(&mut self, prior: &Value, config: &Value) -> plan_resource_change::Response {
        let request = plan_resource_change::Request {
            type_name: TYPE.to_owned(),
            prior_state: dynamic(prior),
            proposed_new_state: dynamic(config),
            config: dynamic(config),
            prior_private: self.private.clone(),
            client_capabilities: BEARS,
            ..Default::default()
        };
        let planned = self.client.plan_resource_change(request).await.unwrap().into_inner();
        assert_eq!(said(&planned.diagnostics), [""; 0]);
        planned
    }

    /// The planned state, and the paths that make it a replacement.
    pub(crate) async fn plan(&mut self, prior: &Value, config: &Value) -> (Value, usize) {
        let planned = self.planned(prior, config).await;
        self.private = planned.planned_private;
        (shown(planned.planned_state.as_ref()), planned.requires_replace.len())
    }

    /// Plans and applies; whatever the plan said is known must come true.
    pub(crate) async fn apply(&mut self, prior: &Value, config: &Value) -> Value {
        let planned = self.planned(prior, config).await;
        let promised = shown(planned.planned_state.as_ref());
        let request = apply_resource_change::Request {
            type_name: TYPE.to_owned(),
            prior_state: dynamic(prior),
            planned_state: planned.planned_state,
            config: dynamic(config),
            planned_private: planned.planned_private,
            ..Default::default()
        };
        let applied = self.client.apply_resource_change(request).await.unwrap().into_inner();
        assert_eq!(said(&applied.diagnostics), [""; 0]);
        self.private = applied.private;
        let state = shown(applied.new_state.as_ref());
        kept(&promised, &state, "");
        assert_eq!(identity(applied.new_identity)["name"], json!(self.name));
        state
    }

    pub(crate) async fn destroy(&mut self, prior: &Value, config: &Value) {
        let request = apply_resource_change::Request {
            type_name: TYPE.to_owned(),
            prior_state: dynamic(prior),
            planned_state: dynamic(&Value::Null),
            config: dynamic(config),
            planned_private: self.private.clone(),
            ..Default::default()
        };
        let applied = self.client.apply_resource_change(request).await.unwrap().into_inner();
        assert_eq!(said(&applied.diagnostics), [""; 0]);
        assert_eq!(shown(applied.new_state.as_ref()), Value::Null);
    }

    /// What is there, and its identity.
    pub(crate) async fn read(&mut self, state: &Value) -> (Value, Value) {
        let request = read_resource::Request {
            type_name: TYPE.to_owned(),
            current_state: dynamic(state),
            client_capabilities: BEARS,
            ..Default::default()
        };
        let read = self.client.read_resource(request).await.unwrap().into_inner();
        assert_eq!(said(&read.diagnostics), [""; 0]);
        (shown(read.new_state.as_ref()), identity(read.new_identity))
    }

    pub(crate) async fn import(&mut self, id: &str, by: Option<&Value>) -> Result<Value, Vec<String>> {
        let request = import_resource_state::Request {
            type_name: TYPE.to_owned(),
            id: id.to_owned(),
            identity: by.map(|it| ResourceIdentityData { identity_data: dynamic(it) }),
            client_capabilities: BEARS,
        };
        let answer = self.client.import_resource_state(request).await.unwrap().into_inner();
        let first = answer.imported_resources.first().map(|it| shown(it.state.as_ref()));
        first.ok_or_else(|| said(&answer.diagnostics))
    }

    pub(crate) async fn look_up(&mut self) -> Result<Value, Vec<String>> {
        let request = read_data_source::Request {
            type_name: TYPE.to_owned(),
            config: dynamic(&json!({ "name": self.name })),
            ..Default::default()
        };
        let answer = self.client.read_data_source(request).await.unwrap().into_inner();
        if answer.diagnostics.is_empty() {
            Ok(shown(answer.state.as_ref()))
        } else {
            Err(said(&answer.diagnostics))
        }
    }

    /// Names and, when asked for, whole resources.
    pub(crate) async fn list(&mut self, whole: bool, limit: i64) -> Vec<(String, Value)> {
        let request = list_resource::Request {
            type_name: TYPE.to_owned(),
            config: dynamic(&json!({})),
            include_resource_object: whole,
            limit,
        };
        let mut events = self.client.list_resource(request).await.unwrap().into_inner();
        let mut listed = Vec::new();
        while let Some(event) = events.message().await.unwrap() {
            assert!(event.diagnostic.is_empty() || event.display_name != self.name, "{:?}", event.diagnostic);
            assert_eq!(identity(event.identity)["name"], json!(event.display_name));
            listed.push((event.display_name, shown(event.resource_object.as_ref())));
        }
        listed
    }

    pub(crate) async fn open(&mut self, config: &Value) -> Result<Value, Vec<String>> {
        let request = open_ephemeral_resource::Request {
            type_name: "eventual_service_credentials".to_owned(),
            config: dynamic(config),
            client_capabilities: BEARS,
        };
        let answer = self.client.open_ephemeral_resource(request).await.unwrap().into_inner();
        assert!(answer.renew_at.is_none(), "it cannot be renewed");
        if answer.diagnostics.is_empty() {
            Ok(shown(answer.result.as_ref()))
        } else {
            Err(said(&answer.diagnostics))
        }
    }

    /// What an action says as it goes on, and what went wrong.
    pub(crate) async fn invoke(&mut self, action: &str, config: &Value) -> (Vec<String>, Vec<String>) {
        let request = invoke_action::Request {
            action_type: action.to_owned(),
            config: dynamic(config),
            client_capabilities: BEARS,
        };
        let mut events = self.client.invoke_action(request).await.unwrap().into_inner();
        let mut progress = Vec::new();
        while let Some(event) = events.message().await.unwrap() {
            match event.r#type.unwrap() {
                event::Type::Progress(said) => progress.push(said.message),
                event::Type::Completed(done) => {
                    assert!(events.message().await.unwrap().is_none(), "nothing comes after the end");
                    return (progress, said(&done.diagnostics));
                }
            }
        }
        panic!("the action never ended: {progress:?}")
    }

    /// An AWS client's settings, with our own credentials.
    pub(crate) async fn settings(&self) -> aws_config::SdkConfig {
        emulated::clients(&self.endpoint).await
    }

    /// Environment variables of a function, by our own eyes.
    pub(crate) async fn environment(&self, function: &str) -> HashMap<String, String> {
        let lambda = aws_sdk_lambda::Client::new(&self.settings().await);
        let name = format!("{}-{function}", self.name);
        let answer =
            lambda.get_function_configuration().function_name(name).qualifier("live").send().await.unwrap();
        answer.environment().and_then(|it| it.variables()).cloned().unwrap_or_default()
    }

    /// Puts a message into a FIFO queue.
    pub(crate) async fn send(&self, queue: &str, body: &str, once: &str) {
        let sqs = aws_sdk_sqs::Client::new(&self.settings().await);
        let url = sqs.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap();
        let send =
            sqs.send_message().queue_url(url).message_body(body).message_group_id("processOrder/acted");
        send.message_deduplication_id(once).send().await.unwrap();
    }
}

/// Terraform refuses an apply whose result differs from what the plan said was known.
fn kept(promised: &Value, state: &Value, at: &str) {
    match (promised, state) {
        (Value::String(text), _) if text == "(unknown)" => {}
        (Value::Object(promised), Value::Object(state)) => {
            assert!(promised.keys().eq(state.keys()), "{at}");
            for (name, value) in promised {
                kept(value, &state[name], &format!("{at}.{name}"));
            }
        }
        _ => assert_eq!(promised, state, "{at}"),
    }
}
