//! The engine's service for views, and what it does with what is published: it applies the steps to its state, and fails the
//! test where the real engine would panic or write a state that it cannot read again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use eventual_provider_wire::pulumirpc::resource_status_server::{ResourceStatus, ResourceStatusServer};
use eventual_provider_wire::pulumirpc::view_step::Op;
use eventual_provider_wire::pulumirpc::{
    PublishViewStepsRequest, PublishViewStepsResponse, View, ViewStep, ViewStepState,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use super::state::State;
use super::values::{from_struct, to_struct};

/// A child in the state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ViewEntry {
    /// Its type.
    pub(crate) kind: String,
    /// Its name, which does not tell whose it is.
    pub(crate) name: String,
    /// Name of the resource that it is a view of.
    pub(crate) owner: String,
    /// Its outputs.
    pub(crate) outputs: Value,
}

/// Steps by the tokens of calls that run.
#[derive(Clone, Default)]
pub(crate) struct Stage {
    open: Arc<Mutex<BTreeMap<String, Vec<ViewStep>>>>,
}

impl Stage {
    /// Serves on a port of its own; answers the address.
    pub(crate) async fn serve() -> (Self, String) {
        let stage = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = ResourceStatusServer::new(stage.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)));
        (stage, address)
    }

    /// A token for a call that begins.
    pub(super) fn begin(&self) -> String {
        let token = super::made_up_id();
        self.open.lock().unwrap().insert(token.clone(), Vec::new());
        token
    }

    /// What was published with the token, which is dead from now on.
    pub(super) fn end(&self, token: &str) -> Vec<ViewStep> {
        self.open.lock().unwrap().remove(token).unwrap_or_default()
    }
}

#[tonic::async_trait]
impl ResourceStatus for Stage {
    async fn publish_view_steps(
        &self,
        request: Request<PublishViewStepsRequest>,
    ) -> Result<Response<PublishViewStepsResponse>, Status> {
        let PublishViewStepsRequest { token, steps } = request.into_inner();
        let mut open = self.open.lock().unwrap();
        let known = open.get_mut(&token).ok_or_else(|| Status::invalid_argument("the token is dead"))?;
        assert!(known.is_empty(), "all steps of a call go in one message");
        *known = steps;
        Ok(Response::new(PublishViewStepsResponse {}))
    }
}

impl State {
    /// The views of the resource, as a call is told them.
    pub(super) fn old_views(&self, owner: &str) -> Vec<View> {
        let own = self.views.iter().filter(|it| it.owner == owner);
        own.map(|it| View {
            r#type: it.kind.clone(),
            name: it.name.clone(),
            outputs: Some(to_struct(&it.outputs)),
            ..View::default()
        })
        .collect()
    }

    /// Applies what the resource's call published.
    pub(super) fn apply_views(&mut self, owner: &str, steps: Vec<ViewStep>) {
        for step in steps {
            let old = step.old.as_ref().map(|it| self.position(owner, it));
            match (step.op(), old, step.new) {
                (Op::Create, None, Some(new)) => {
                    let entry = entry(owner, new);
                    let twin = self.views.iter().any(|it| (&it.kind, &it.name) == (&entry.kind, &entry.name));
                    assert!(!twin, "snapshot integrity failure: two views {:?}", entry.name);
                    self.views.push(entry);
                }
                (Op::Update, Some(at), Some(new)) => self.views[at] = entry(owner, new),
                (Op::Delete, Some(at), None) => drop(self.views.remove(at)),
                (op, old, _) => panic!("the real engine panics at {op:?} of {:?} (old {old:?})", step.name),
            }
        }
    }

    fn position(&self, owner: &str, old: &ViewStepState) -> usize {
        let same = |it: &ViewEntry| it.kind == old.r#type && it.name == old.name && it.owner == owner;
        let at = self.views.iter().position(same);
        at.unwrap_or_else(|| panic!("the real engine panics: no view {:?} of {owner:?}", old.name))
    }
}

fn entry(owner: &str, new: ViewStepState) -> ViewEntry {
    let outputs = from_struct(new.outputs);
    ViewEntry { kind: new.r#type, name: new.name, owner: owner.to_owned(), outputs }
}
