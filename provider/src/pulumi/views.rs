//! Views: the children of a service as rows and entries of the stack of their own. Off unless the user asks for them.
//!
//! What is published wrongly ruins the stack's state, so the rules are narrow. A name begins with the resource's own, since
//! the engine does not tell owners apart. Only what the engine says it has is changed or deleted. All steps of a creation or
//! update go in one message, as the last act before the answer, and none before an answer that keeps no resource. Whoever
//! takes a service over, or deletes one that was taken over, publishes nothing: the entries pass on with the URN.

use std::collections::BTreeMap;
use std::time::Duration;

use eventual_provider_core::value::Value;
use eventual_provider_wire::pulumirpc::resource_status_client::ResourceStatusClient;
use eventual_provider_wire::pulumirpc::view_step::{Op, Status};
use eventual_provider_wire::pulumirpc::{PublishViewStepsRequest, View, ViewStep, ViewStepState};
use prost_types::Struct;
use tonic::transport::Endpoint;

use super::property::{self, Members, Property};

/// How long the engine may take to accept a message. Without an answer, children are not shown; nothing else is amiss.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the children of one call are shown.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    address: String,
    token: String,
    /// Before the key of a child in a view's name.
    prefix: String,
    /// What the engine has of this resource.
    old: Vec<View>,
    /// Whether the user wants views.
    wanted: bool,
}

impl Stage {
    /// The stage of a call on the resource `urn`; engines without views give no token.
    pub(crate) fn new(wanted: bool, urn: &str, address: String, token: String, old: Vec<View>) -> Self {
        let logical = urn.rsplit("::").next().unwrap_or_default();
        let prefix = format!("{logical}/");
        let old = old.into_iter().filter(|it| it.name.starts_with(&prefix)).collect();
        Self { address, token, prefix, old, wanted }
    }

    /// Shows what there is after a creation or update that the engine keeps.
    pub(crate) async fn show(&self, state: &Value) {
        let children = if self.wanted { children(state) } else { BTreeMap::new() };
        self.publish(self.changes(&children)).await;
    }

    /// Shows what a refresh found: what vanished. What appeared or changed is shown by the update that repairs it.
    pub(crate) async fn found(&self, state: Option<&Value>) {
        let children = state.map(children).unwrap_or_default();
        let gone = self.old.iter().filter(|it| !children.contains_key(self.key(it)));
        self.publish(gone.map(deleted).collect()).await;
    }

    /// Shows that everything was deleted.
    pub(crate) async fn clear(&self) {
        self.publish(self.old.iter().map(deleted).collect()).await;
    }

    fn key<'a>(&self, view: &'a View) -> &'a str {
        view.name.strip_prefix(&self.prefix).unwrap_or_default()
    }

    /// From what the engine has to what there is. What stays as it is, is not told.
    fn changes(&self, children: &BTreeMap<String, Child>) -> Vec<ViewStep> {
        let had: BTreeMap<&str, &View> = self.old.iter().map(|it| (self.key(it), it)).collect();
        let gone = self.old.iter().filter(|it| !children.contains_key(self.key(it))).map(deleted);
        let mut steps: Vec<ViewStep> = gone.collect();
        for (key, child) in children {
            let new = ViewStepState {
                r#type: child.token.clone(),
                name: format!("{}{key}", self.prefix),
                outputs: Some(child.outputs.clone()),
                inputs: Some(Struct::default()),
                ..ViewStepState::default()
            };
            let step = |op: Op, old| ViewStep {
                status: Status::Ok.into(),
                op: op.into(),
                r#type: new.r#type.clone(),
                name: new.name.clone(),
                old,
                new: Some(new.clone()),
                ..ViewStep::default()
            };
            match had.get(key.as_str()) {
                Some(old) if old.r#type != new.r#type => {
                    steps.extend([deleted(old), step(Op::Create, None)]);
                }
                Some(old) if old.outputs.as_ref() != new.outputs.as_ref() => {
                    steps.push(step(Op::Update, Some(state_of(old))));
                }
                Some(_) => {}
                None => steps.push(step(Op::Create, None)),
            }
        }
        steps
    }

    async fn publish(&self, steps: Vec<ViewStep>) {
        if steps.is_empty() || self.token.is_empty() || self.address.is_empty() {
            return;
        }
        let Ok(endpoint) = Endpoint::from_shared(format!("http://{}", self.address)) else { return };
        let channel = endpoint.connect_timeout(PATIENCE).connect_lazy();
        let request = PublishViewStepsRequest { token: self.token.clone(), steps };
        let mut client = ResourceStatusClient::new(channel);
        match tokio::time::timeout(PATIENCE, client.publish_view_steps(request)).await {
            Ok(Ok(_)) => {}
            Ok(Err(status)) => tracing::warn!("the engine did not take the views: {}", status.message()),
            Err(_) => tracing::warn!("the engine did not take the views in time"),
        }
    }
}

/// A child as it is shown.
struct Child {
    token: String,
    outputs: Struct,
}

/// The children in a state, or in a planned one, of which some is not known.
fn children(state: &Value) -> BTreeMap<String, Child> {
    let resources = state.get("resources").as_map().into_iter().flatten();
    let shown = resources.filter_map(|(key, child)| {
        let token = format!("eventual:aws:{}", upper_camel(child.get("type").as_str()?));
        let mut outputs = Members::new();
        for name in ["name", "arn"] {
            let property = match child.get(name) {
                Value::Unknown => Property::Unknown,
                text => Property::String(text.as_str().unwrap_or_default().to_owned()),
            };
            outputs.insert(name.to_owned(), property);
        }
        // An update in place is one that anybody can see.
        if let Some(fingerprint) = child.get("fingerprint").as_str() {
            outputs.insert("fingerprint".to_owned(), Property::String(fingerprint.to_owned()));
        }
        Some((key.clone(), Child { token, outputs: property::encode(outputs) }))
    });
    shown.collect()
}

fn upper_camel(name: &str) -> String {
    name.split('_')
        .map(|word| word[..1.min(word.len())].to_uppercase() + &word[1.min(word.len())..])
        .collect()
}

fn state_of(view: &View) -> ViewStepState {
    ViewStepState {
        r#type: view.r#type.clone(),
        name: view.name.clone(),
        parent_type: view.parent_type.clone(),
        parent_name: view.parent_name.clone(),
        inputs: view.inputs.clone(),
        outputs: view.outputs.clone(),
    }
}

fn deleted(view: &View) -> ViewStep {
    ViewStep {
        status: Status::Ok.into(),
        op: Op::Delete.into(),
        r#type: view.r#type.clone(),
        name: view.name.clone(),
        old: Some(state_of(view)),
        ..ViewStep::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URN: &str = "urn:pulumi:dev::shop::eventual:index:Service::orders";

    fn state(children: &[(&str, &str, &str)]) -> Value {
        let child = |kind: &str, arn: &str| {
            Value::map([("type", Value::from(kind)), ("name", Value::from("n")), ("arn", Value::from(arn))])
        };
        Value::map([(
            "resources",
            Value::map(children.iter().map(|(key, kind, arn)| (*key, child(kind, arn)))),
        )])
    }

    fn stage(wanted: bool, old: &[ViewStep]) -> Stage {
        let view = |it: &ViewStep| {
            let new = it.new.clone().unwrap();
            View {
                r#type: new.r#type,
                name: new.name,
                outputs: new.outputs,
                inputs: new.inputs,
                ..View::default()
            }
        };
        Stage::new(wanted, URN, String::new(), String::new(), old.iter().map(view).collect())
    }

    fn told(steps: &[ViewStep]) -> Vec<(Op, &str)> {
        steps.iter().map(|it| (it.op(), it.name.as_str())).collect()
    }

    #[test]
    fn only_what_changed_is_told_and_only_the_engine_s_own_is_old() {
        let before =
            state(&[("queue/a", "queue", "1"), ("log_group/b", "log_group", "2"), ("table", "table", "3")]);
        let made = stage(true, &[]).changes(&children(&before));
        assert_eq!(made.len(), 3);
        assert!(made.iter().all(|it| it.op() == Op::Create && it.old.is_none()));
        assert_eq!(made[0].r#type, "eventual:aws:LogGroup");
        let after =
            state(&[("queue/a", "queue", "1"), ("log_group/b", "log_group", "9"), ("bus", "bus", "4")]);
        let next = stage(true, &made);
        assert_eq!(
            told(&next.changes(&children(&after))),
            [(Op::Delete, "orders/table"), (Op::Create, "orders/bus"), (Op::Update, "orders/log_group/b")]
        );
        assert!(next.changes(&children(&before)).is_empty());
        assert_eq!(told(&next.changes(&BTreeMap::new())).len(), 3, "switched off, what is there is deleted");
    }

    #[test]
    fn views_of_another_resource_are_never_touched() {
        let other = View { name: "orders-2/queue/a".to_owned(), ..View::default() };
        let stage = Stage::new(false, URN, String::new(), String::new(), vec![other]);
        assert!(stage.changes(&BTreeMap::new()).is_empty());
    }
}
