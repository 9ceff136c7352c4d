//! The ephemeral resource: credentials for a service that are in no plan and no state.

use eventual_provider_core::declaration;
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::request;
use eventual_provider_wire::tfplugin6::{
    close_ephemeral_resource, open_ephemeral_resource, renew_ephemeral_resource,
    validate_ephemeral_resource_config,
};

use super::answer::Trouble;
use super::catalog::{self, CREDENTIALS};
use super::data::later;
use super::provider::Provider;
use super::{from_wire, to_wire};

pub(super) fn validate(
    sent: &validate_ephemeral_resource_config::Request,
) -> Result<validate_ephemeral_resource_config::Response, Trouble> {
    catalog::known("ephemeral resource", CREDENTIALS, &sent.type_name)?;
    let config = from_wire::object(declaration::credentials(), sent.config.as_ref())?;
    let diagnostics = to_wire::diagnostics(&request::validate_credentials(&config));
    Ok(validate_ephemeral_resource_config::Response { diagnostics })
}

/// AWS ends these credentials itself and does not take them back: there is nothing to do.
pub(super) fn close(
    sent: &close_ephemeral_resource::Request,
) -> Result<close_ephemeral_resource::Response, Trouble> {
    catalog::known("ephemeral resource", CREDENTIALS, &sent.type_name)?;
    Ok(close_ephemeral_resource::Response { diagnostics: Vec::new() })
}

/// Never asked for, because no `renew_at` is ever answered: AWS makes new ones, it does not prolong.
pub(super) fn renew(
    sent: &renew_ephemeral_resource::Request,
) -> Result<renew_ephemeral_resource::Response, Trouble> {
    catalog::known("ephemeral resource", CREDENTIALS, &sent.type_name)?;
    let detail = "Credentials of a session cannot be prolonged: ask for a longer `duration`.";
    Err(Diagnostic::error("Cannot renew", detail).into())
}

impl Provider {
    pub(super) async fn open(
        &self,
        sent: &open_ephemeral_resource::Request,
    ) -> Result<open_ephemeral_resource::Response, Trouble> {
        catalog::known("ephemeral resource", CREDENTIALS, &sent.type_name)?;
        let object = declaration::credentials();
        let config = from_wire::object(object, sent.config.as_ref())?;
        let mut response = open_ephemeral_resource::Response::default();
        if let Some(deferred) = self.deferred(sent.client_capabilities.as_ref()).await {
            response.result = Some(to_wire::object(object, &later(object, &config))?);
            response.deferred = Some(deferred);
            return Ok(response);
        }
        let session = self.session().await?;
        let found = request::credentials(
            &session.identity,
            session.cloud.as_ref(),
            session.operations.as_ref(),
            &config,
        )
        .await;
        response.result = found.value.map(|value| to_wire::object(object, &value)).transpose()?;
        response.diagnostics = to_wire::diagnostics(&found.diagnostics);
        Ok(response)
    }
}
