//! The operations on a service that reach the cloud, or say in a preview what they would do.
//!
//! A creation or update that fails half-way is kept with its exact state, so that the next `up` resumes it: Pulumi has
//! an error for that. Every operation runs to its end even when the engine no longer listens.

use std::collections::BTreeMap;
use std::sync::Arc;

use eventual_provider_core::diagnostic::{Diagnostic, any_error};
use eventual_provider_core::request::{self, Applied, Control, OnCreateFailure, Planned, ReadBack};
use eventual_provider_core::value::Value;
use eventual_provider_wire::pulumirpc::{
    CreateRequest, CreateResponse, DeleteRequest, ReadRequest, ReadResponse, UpdateRequest, UpdateResponse,
};
use tonic::Status;

use super::archives::by_hash;
use super::claimant::Asking;
use super::engine_log::Row;
use super::failure::{self, Reached};
use super::property::{self, Members};
use super::provider::{Provider, scope};
use super::views::Stage;
use super::{from_wire, names, to_wire};
use crate::ports::Session;

/// What one creation or update is about.
struct Change {
    urn: String,
    id: String,
    /// The inputs, as they came.
    news: Members,
    /// The inputs, as the core reads them.
    config: Value,
    /// The state before, for an update.
    prior: Option<Value>,
    timeout: f64,
    /// Where the children are shown.
    stage: Stage,
}

impl Provider {
    /// Makes a service, or says what would be made.
    pub(super) async fn create(self: &Arc<Self>, request: CreateRequest) -> Result<CreateResponse, Status> {
        let news = property::decode(request.properties);
        let (config, diagnostics) = self.given(&news);
        let id = config.get("name").as_str().unwrap_or_default().to_owned();
        let stage = self.stage(
            &request.urn,
            request.resource_status_address,
            request.resource_status_token,
            Vec::new(),
        );
        let (id_again, timeout) = (id.clone(), request.timeout);
        let change = Change { urn: request.urn, id: id_again, news, config, prior: None, timeout, stage };
        let properties = Some(property::encode(self.change(change, diagnostics, request.preview).await?));
        Ok(CreateResponse { id, properties, refresh_before_update: false })
    }

    /// Changes a service in place, or says what would change.
    pub(super) async fn update(self: &Arc<Self>, request: UpdateRequest) -> Result<UpdateResponse, Status> {
        let news = property::decode(request.news);
        let (config, diagnostics) = self.given(&news);
        let prior = Some(from_wire::state(&request.id, &property::decode(request.olds)));
        let stage = self.stage(
            &request.urn,
            request.resource_status_address,
            request.resource_status_token,
            request.old_views,
        );
        let timeout = request.timeout;
        let change = Change { urn: request.urn, id: request.id, news, config, prior, timeout, stage };
        let properties = Some(property::encode(self.change(change, diagnostics, request.preview).await?));
        Ok(UpdateResponse { properties, refresh_before_update: false })
    }

    /// Creates or updates a service, or says what that would do; answers the outputs.
    async fn change(
        self: &Arc<Self>,
        change: Change,
        diagnostics: Vec<Diagnostic>,
        preview: bool,
    ) -> Result<Members, Status> {
        let planned = self.plan(&change, diagnostics)?;
        if !preview {
            return self.apply(change, planned).await;
        }
        change.stage.show(&planned.planned).await;
        Ok(to_wire::state(&planned.planned, &[&change.config], &self.archives))
    }

    /// Reads a service as it is. Without a state it is an import, for which the id is all there is.
    pub(super) async fn read(self: &Arc<Self>, request: ReadRequest) -> Result<ReadResponse, Status> {
        let session = self.opened()?;
        let properties = property::decode(request.properties);
        let before = from_wire::state(&request.id, &properties);
        let stage = self.stage(
            &request.urn,
            request.resource_status_address,
            request.resource_status_token,
            request.old_views,
        );
        let (provider, state) = (Arc::clone(self), before.clone());
        let (control, _) = self.control(&request.urn, request.timeout, &before);
        let by_id = properties.is_empty();
        let work = async move {
            let scope = session.scope(&provider.archives);
            let mut read = request::read(&scope, &*session.cloud, &state).await;
            if let Some(found) = read.state.as_mut().filter(|_| by_id) {
                read.diagnostics
                    .extend(request::complete(&scope, &*session.cloud, &*session.operations, found).await);
                imported(found);
            }
            read
        };
        let ReadBack { state, diagnostics, .. } = self.lifetime.run(&control, work).await?;
        let secrets = to_wire::secrets(&before);
        self.warn(&request.urn, &diagnostics, &secrets);
        if any_error(&diagnostics) {
            return Err(failure::refused(&diagnostics, &secrets));
        }
        stage.found(state.as_ref()).await;
        let Some(after) = state else { return Ok(ReadResponse::default()) };
        let outputs = to_wire::state(&after, &[&before], &self.archives);
        let inputs = match property::decode(request.inputs) {
            given if given.is_empty() => to_wire::reconstructed(&outputs),
            given => to_wire::drifted(given, &before, &after, &self.archives),
        };
        let reasons = missing(&before, &after);
        if !reasons.is_empty() {
            return Err(failure::init_failed(Reached {
                id: request.id,
                properties: outputs,
                inputs,
                reasons,
            }));
        }
        Ok(ReadResponse {
            id: request.id,
            properties: Some(property::encode(outputs)),
            inputs: Some(property::encode(inputs)),
            refresh_before_update: false,
        })
    }

    /// Removes a service; one that is gone already is removed.
    pub(super) async fn delete(self: &Arc<Self>, request: DeleteRequest) -> Result<(), Status> {
        let session = self.opened()?;
        let state = from_wire::state(&request.id, &property::decode(request.properties));
        let secrets = to_wire::secrets(&state);
        let stage = self.stage(
            &request.urn,
            request.resource_status_address,
            request.resource_status_token,
            request.old_views,
        );
        let (control, row) = self.control(&request.urn, request.timeout, &state);
        // A preview of a deletion does not come to providers, so this is the first that is heard of it.
        self.warn(&request.urn, &request::plan_destroy(&state), &secrets);
        let (provider, steered) = (Arc::clone(self), control.clone());
        let work = async move {
            request::destroy(&session.scope(&provider.archives), &*session.cloud, &state, &steered).await
        };
        let Applied { diagnostics, .. } = self.lifetime.run(&control, work).await?;
        self.warn(&request.urn, &diagnostics, &secrets);
        if any_error(&diagnostics) {
            return Err(failure::refused(&diagnostics, &secrets));
        }
        // Of a service that was taken over nothing was deleted, and its views are the other one's now.
        if row.has_moved() {
            stage.clear().await;
        }
        Ok(())
    }

    fn given(&self, news: &Members) -> (Value, Vec<Diagnostic>) {
        let given = from_wire::inputs(news, &self.archives);
        (given.value, given.diagnostics)
    }

    fn opened(&self) -> Result<Session, Status> {
        self.session().ok_or_else(|| Status::failed_precondition("the provider has not been configured"))
    }

    fn control(&self, urn: &str, timeout_s: f64, shape: &Value) -> (Control, Arc<Row>) {
        let Asking { claimant, holder } = self.asking(urn);
        let mut control = Control::new(claimant);
        control.holder = holder;
        // Zero is "not set". A fraction of a millisecond is no loss.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts from floats saturate"
        )]
        let milliseconds = (timeout_s * 1000.0) as u64;
        control.timeout_ms = (milliseconds > 0).then_some(milliseconds);
        control.on_create_failure = OnCreateFailure::Keep;
        let row = self.log.row(urn, to_wire::secrets(shape));
        control.progress = row.clone();
        (control, row)
    }

    fn plan(&self, change: &Change, mut diagnostics: Vec<Diagnostic>) -> Result<Planned, Status> {
        let session = self.session();
        let planned =
            request::plan(&scope(session.as_ref(), &self.archives), change.prior.as_ref(), &change.config);
        diagnostics.extend(planned.diagnostics.iter().cloned());
        if let Some(path) = planned.replace.first() {
            let detail = "another value means another service: it cannot be updated in place";
            diagnostics.push(Diagnostic::error("Replacement needed", detail).at(path.clone()));
        }
        if any_error(&diagnostics) {
            return Err(failure::refused(&diagnostics, &to_wire::secrets(&change.config)));
        }
        Ok(planned)
    }

    /// Applies what was planned; answers the outputs.
    async fn apply(self: &Arc<Self>, change: Change, planned: Planned) -> Result<Members, Status> {
        let session = self.opened()?;
        let (control, row) = self.control(&change.urn, change.timeout, &change.config);
        let (provider, steered, prior) = (Arc::clone(self), control.clone(), change.prior.clone());
        let work = async move {
            let scope = session.scope(&provider.archives);
            request::apply(&scope, &*session.cloud, prior.as_ref(), &planned.planned, &steered).await
        };
        let Applied { state, diagnostics } = self.lifetime.run(&control, work).await?;
        let secrets = to_wire::secrets(&change.config);
        self.warn(&change.urn, &diagnostics, &secrets);
        if let Some(state) = state.as_ref().filter(|_| !row.was_adopted()) {
            change.stage.show(state).await;
        }
        match state {
            Some(state) if !any_error(&diagnostics) => {
                Ok(to_wire::state(&state, &[&change.config], &self.archives))
            }
            Some(state) => {
                // What an update did not reach is as it was, so what was secret then is secret still.
                let shapes: Vec<&Value> = std::iter::once(&change.config).chain(&change.prior).collect();
                let properties = to_wire::state(&state, &shapes, &self.archives);
                let reasons =
                    diagnostics.iter().filter(|it| it.is_error()).map(|it| to_wire::reason(it, &secrets));
                let reasons = reasons.collect();
                Err(failure::init_failed(Reached { id: change.id, properties, inputs: change.news, reasons }))
            }
            None if any_error(&diagnostics) => Err(failure::refused(&diagnostics, &secrets)),
            None => Err(Status::internal(
                "a bug in the provider: it made nothing and found nothing wrong; please report it",
            )),
        }
    }
}

/// What an import found, as this wire has it: the artifact by its hash, and no environment in clear, since nobody knows any
/// more what of it was secret.
fn imported(found: &mut Value) {
    if let Some(hash) = found.get("artifact_sha256").as_str().map(str::to_owned) {
        found.set(names::ARTIFACT, Value::from(by_hash(&hash)));
    }
    conceal(found);
}

fn conceal(value: &mut Value) {
    let Value::Map(members) = value else { return };
    for (key, member) in members {
        match member {
            Value::Map(variables) if key == "environment" => {
                let concealed = std::mem::take(variables).into_iter().map(|(name, it)| (name, it.secret()));
                *variables = concealed.collect();
            }
            member => conceal(member),
        }
    }
}

/// What was recorded and is not there any more.
fn missing(before: &Value, after: &Value) -> Vec<String> {
    let children = |state: &Value| state.get("resources").as_map().cloned().unwrap_or_default();
    let left: BTreeMap<String, Value> = children(after);
    children(before)
        .keys()
        .filter(|key| !left.contains_key(*key))
        .map(|key| format!("{key} is missing"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_has_no_environment_in_clear() {
        let variables = || Value::map([("TOKEN", Value::from("hunter2"))]);
        let mut found = Value::map([
            ("artifact", Value::from("../orders.zip")),
            ("artifact_sha256", Value::from("aa")),
            ("environment", variables()),
            ("commands", Value::map([("environment", Value::map([("environment", variables())]))])),
        ]);
        imported(&mut found);
        assert_eq!(to_wire::secrets(&found), ["hunter2", "hunter2"]);
        assert_eq!(found.get("artifact").as_str(), Some("sha256:aa"));
    }
}
