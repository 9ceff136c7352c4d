//! The data source: a service that somebody deployed, looked up by its name.

use eventual_provider_core::config;
use eventual_provider_core::declaration::{self, Mode, Object};
use eventual_provider_core::request;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{read_data_source, validate_data_resource_config};

use super::answer::Trouble;
use super::catalog::{self, SERVICE};
use super::provider::Provider;
use super::{from_wire, to_wire};

pub(super) fn validate(
    sent: &validate_data_resource_config::Request,
) -> Result<validate_data_resource_config::Response, Trouble> {
    catalog::known("data source", SERVICE, &sent.type_name)?;
    let value = from_wire::object(declaration::lookup(), sent.config.as_ref())?;
    let diagnostics = to_wire::diagnostics(&config::shaped(declaration::lookup(), &value));
    Ok(validate_data_resource_config::Response { diagnostics })
}

/// A value of which the provider's part is known later.
pub(super) fn later(object: &Object, config: &Value) -> Value {
    let mut later = config.clone();
    let computed = object.attributes.iter().filter(|it| it.mode == Mode::Computed);
    computed.for_each(|attribute| later.set(attribute.name, Value::Unknown));
    later
}

impl Provider {
    pub(super) async fn read_data(
        &self,
        sent: &read_data_source::Request,
    ) -> Result<read_data_source::Response, Trouble> {
        catalog::known("data source", SERVICE, &sent.type_name)?;
        let object = declaration::lookup();
        let config = from_wire::object(object, sent.config.as_ref())?;
        if let Some(deferred) = self.deferred(sent.client_capabilities.as_ref()).await {
            let state = Some(to_wire::object(object, &later(object, &config))?);
            return Ok(read_data_source::Response {
                state,
                deferred: Some(deferred),
                diagnostics: Vec::new(),
            });
        }
        let session = self.session().await?;
        let found =
            request::look_up(&session.identity, session.cloud.as_ref(), session.operations.as_ref(), &config)
                .await;
        let state = found.value.map(|value| to_wire::object(object, &value)).transpose()?;
        let diagnostics = to_wire::diagnostics(&found.diagnostics);
        Ok(read_data_source::Response { state, diagnostics, deferred: None })
    }
}
