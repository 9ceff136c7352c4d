//! The list resource: all services of an account and region, for `terraform query`.

use eventual_provider_core::declaration;
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::request;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{ResourceIdentityData, list_resource, validate_list_resource_config};

use super::answer::Trouble;
use super::catalog::{self, SERVICE};
use super::provider::Provider;
use super::{from_wire, identity, resource, to_wire};
use crate::ports::Session;

pub(super) fn validate(
    sent: &validate_list_resource_config::Request,
) -> Result<validate_list_resource_config::Response, Trouble> {
    catalog::known("list resource", SERVICE, &sent.type_name)?;
    from_wire::object(declaration::listing(), sent.config.as_ref())?;
    Ok(validate_list_resource_config::Response { diagnostics: Vec::new() })
}

/// What goes wrong with the list as a whole, as its only event.
pub(super) fn failed(
    diagnostics: Vec<eventual_provider_wire::tfplugin6::Diagnostic>,
) -> Vec<list_resource::Event> {
    // A result has an identity, and so must this, or Terraform reports that it has none instead of what went wrong.
    let names = declaration::identity().attributes.iter().map(|it| (it.name, Value::from("")));
    let identity =
        identity::encode(&Value::map(names)).unwrap_or(ResourceIdentityData { identity_data: None });
    vec![list_resource::Event {
        diagnostic: diagnostics,
        identity: Some(identity),
        ..list_resource::Event::default()
    }]
}

impl Provider {
    pub(super) async fn list(
        &self,
        sent: &list_resource::Request,
    ) -> Result<Vec<list_resource::Event>, Trouble> {
        catalog::known("list resource", SERVICE, &sent.type_name)?;
        let session = self.session().await?;
        let mut names = request::list(&session.identity, session.operations.as_ref()).await?;
        if let Ok(limit @ 1..) = usize::try_from(sent.limit) {
            names.truncate(limit);
        }
        let mut events = Vec::with_capacity(names.len());
        for name in names {
            events.push(self.listed(&session, &name, sent.include_resource_object).await?);
        }
        Ok(events)
    }

    async fn listed(
        &self,
        session: &Session,
        name: &str,
        whole: bool,
    ) -> Result<list_resource::Event, Trouble> {
        let text = |text: &str| Value::from(text);
        let stub = Value::map([
            ("id", text(name)),
            ("name", text(name)),
            ("account_id", text(&session.identity.account)),
            ("region", text(&session.identity.region)),
        ]);
        let mut event = list_resource::Event {
            identity: identity::of(&stub)?,
            display_name: name.to_owned(),
            ..list_resource::Event::default()
        };
        if whole {
            let read = self.look(session, &stub).await;
            event.diagnostic = to_wire::diagnostics(&read.diagnostics);
            if read.state.is_none() {
                let detail = format!("The bucket of {name:?} holds no service (any more).");
                event.diagnostic.extend(to_wire::diagnostics(&[Diagnostic::warning("No service", detail)]));
            }
            let state = read.state.unwrap_or(stub);
            event.resource_object = Some(resource::encode(&to_wire::settled(&state))?);
        }
        Ok(event)
    }
}
