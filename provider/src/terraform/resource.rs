//! The resource: validated, planned, applied, read. Each is decode, one operation of the core, encode.

use eventual_provider_core::declaration;
use eventual_provider_core::diagnostic::{Diagnostic, any_error};
use eventual_provider_core::path::Path;
use eventual_provider_core::request;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{
    DynamicValue, apply_resource_change, deferred::Reason, plan_resource_change, read_resource,
    validate_resource_config,
};

use super::answer::{Trouble, bug};
use super::catalog::{self, SERVICE};
use super::provider::{Provider, allowed, because};
use super::{claimant, from_wire, identity, to_wire};
use crate::ports::Session;

/// Decodes a value of the resource.
pub(super) fn decode(type_name: &str, value: Option<&DynamicValue>) -> Result<Value, Trouble> {
    catalog::known("resource", SERVICE, type_name)?;
    Ok(from_wire::object(declaration::terraform_service(), value)?)
}

/// Encodes a value of the resource. What is write-only stays here, whatever the value holds.
pub(super) fn encode(value: &Value) -> Result<DynamicValue, Trouble> {
    let mut value = value.clone();
    if value.as_map().is_some() {
        write_only().for_each(|name| value.set(name, Value::Null));
    }
    Ok(to_wire::object(declaration::terraform_service(), &value)?)
}

fn write_only() -> impl Iterator<Item = &'static str> {
    declaration::terraform_service().attributes.iter().filter(|it| it.write_only).map(|it| it.name)
}

/// The value, unless it is null.
fn there(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

impl Provider {
    pub(super) fn validate(
        &self,
        sent: &validate_resource_config::Request,
    ) -> Result<validate_resource_config::Response, Trouble> {
        let config = decode(&sent.type_name, sent.config.as_ref())?;
        let mut diagnostics = request::validate(&self.blind(), &config);
        let bears = sent.client_capabilities.as_ref().is_some_and(|it| it.write_only_attributes_allowed);
        for name in write_only().filter(|name| !bears && !config.get(name).is_null()) {
            let detail = "This release of Terraform would keep the value in its state: use Terraform 1.11 or OpenTofu 1.11, or \
                          later, or the attribute without `_wo`.";
            diagnostics
                .push(Diagnostic::error("Write-only attribute not possible", detail).at(Path::of(name)));
        }
        Ok(validate_resource_config::Response { diagnostics: to_wire::diagnostics(&diagnostics) })
    }

    pub(super) async fn plan(
        &self,
        sent: &plan_resource_change::Request,
    ) -> Result<plan_resource_change::Response, Trouble> {
        let prior = decode(&sent.type_name, sent.prior_state.as_ref())?;
        let proposed = decode(&sent.type_name, sent.proposed_new_state.as_ref())?;
        let config = decode(&sent.type_name, sent.config.as_ref())?;
        let mut response = plan_resource_change::Response {
            planned_private: sent.prior_private.clone(),
            ..plan_resource_change::Response::default()
        };
        if proposed.is_null() {
            response.diagnostics = to_wire::diagnostics(&request::plan_destroy(&prior));
            response.planned_state = Some(encode(&Value::Null)?);
            response.planned_identity.clone_from(&sent.prior_identity);
            return Ok(response);
        }
        let configured = self.configured().await;
        let scope = match &configured.session {
            Some(session) if configured.complete => session.scope(self.ports.artifacts.as_ref()),
            _ => self.blind(),
        };
        let planned = request::plan(&scope, there(&prior), &config);
        response.diagnostics = to_wire::diagnostics(&planned.diagnostics);
        if any_error(&planned.diagnostics) {
            response.planned_state.clone_from(&sent.prior_state);
            return Ok(response);
        }
        for change in &planned.changes {
            tracing::info!(child = change.key, action = change.action.as_str(), "planned");
        }
        response.planned_state = Some(encode(&planned.planned)?);
        response.planned_identity = match &sent.prior_identity {
            Some(identity) if planned.replace.is_empty() => Some(identity.clone()),
            _ => identity::of(&planned.planned)?,
        };
        response.deferred = self.deferred(sent.client_capabilities.as_ref()).await;
        if response.deferred.is_none()
            && allowed(sent.client_capabilities.as_ref())
            && (config.get("artifact").is_unknown() || config.get("name").is_unknown())
        {
            response.deferred = Some(because(Reason::ResourceConfigUnknown));
        }
        // Terraform takes no replacement of something that is not there.
        if !prior.is_null() {
            response.requires_replace = planned.replace.iter().map(to_wire::path).collect();
        }
        Ok(response)
    }

    pub(super) async fn apply(
        &self,
        sent: &apply_resource_change::Request,
    ) -> Result<apply_resource_change::Response, Trouble> {
        let prior = decode(&sent.type_name, sent.prior_state.as_ref())?;
        let mut planned = decode(&sent.type_name, sent.planned_state.as_ref())?;
        let config = decode(&sent.type_name, sent.config.as_ref())?;
        if !planned.is_null() {
            write_only().for_each(|name| planned.set(name, config.get(name).clone()));
        }
        let session = self.session().await?;
        let scope = session.scope(self.ports.artifacts.as_ref());
        let cloud = session.cloud.as_ref();
        let mut control = self.control();
        let private = match there(&planned) {
            Some(_) => claimant::keep(sent.planned_private.clone()),
            None => sent.planned_private.clone(),
        };
        control.claimant = claimant::of(&private).unwrap_or_default();
        let mut applied = match there(&planned) {
            Some(planned) => request::apply(&scope, cloud, there(&prior), planned, &control).await,
            None if prior.is_null() => request::Applied { state: None, diagnostics: Vec::new() },
            None => request::destroy(&scope, cloud, &prior, &control).await,
        };
        let state = applied.state.unwrap_or_default();
        if state.has_unknown() && !any_error(&applied.diagnostics) {
            applied.diagnostics.push(bug("The state after applying is not known in all its parts."));
        }
        let state = to_wire::settled(&state);
        Ok(apply_resource_change::Response {
            new_state: Some(encode(&state)?),
            private,
            diagnostics: to_wire::diagnostics(&applied.diagnostics),
            new_identity: identity::of(&state)?,
            ..apply_resource_change::Response::default()
        })
    }

    pub(super) async fn read(
        &self,
        sent: &read_resource::Request,
    ) -> Result<read_resource::Response, Trouble> {
        let state = decode(&sent.type_name, sent.current_state.as_ref())?;
        let unchanged = read_resource::Response {
            new_state: sent.current_state.clone(),
            private: sent.private.clone(),
            new_identity: sent.current_identity.clone(),
            deferred: self.deferred(sent.client_capabilities.as_ref()).await,
            ..read_resource::Response::default()
        };
        // Without a session nothing can be compared; the state stays what it was.
        let Some(session) = self.configured().await.session else { return Ok(unchanged) };
        if state.is_null() {
            return Ok(unchanged);
        }
        let read = self.look(&session, &state).await;
        let new = to_wire::settled(&read.state.unwrap_or_default());
        Ok(read_resource::Response {
            new_state: Some(encode(&new)?),
            diagnostics: to_wire::diagnostics(&read.diagnostics),
            new_identity: identity::of(&new)?.or_else(|| sent.current_identity.clone()),
            ..unchanged
        })
    }

    /// Reads what a state tells of; one that is being imported gets everything that a deployment knows of itself.
    pub(super) async fn look(&self, session: &Session, state: &Value) -> request::ReadBack {
        let scope = session.scope(self.ports.artifacts.as_ref());
        let imported = state.get("incarnation").is_null();
        let mut read = request::read(&scope, session.cloud.as_ref(), state).await;
        if let (true, false, Some(found)) = (imported, any_error(&read.diagnostics), read.state.as_mut()) {
            read.diagnostics.extend(
                request::complete(&scope, session.cloud.as_ref(), session.operations.as_ref(), found).await,
            );
        }
        read
    }
}
