//! Imports: by name, by account, region and name, or by identity; and the configuration that an imported service has.

use eventual_provider_core::config;
use eventual_provider_core::declaration::{self, Mode};
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::path::Path;
use eventual_provider_core::request::Identity;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{generate_resource_config, import_resource_state};

use super::answer::Trouble;
use super::catalog::{self, SERVICE};
use super::provider::Provider;
use super::{identity, resource, to_wire};

/// What an import names.
struct Named {
    name: String,
    account: Option<String>,
    region: Option<String>,
}

/// `orders`, or `123456789012/eu-central-1/orders`.
fn by_id(id: &str) -> Result<Named, Trouble> {
    let some = |text: &str| Some(text.to_owned());
    let named = match id.trim().split('/').collect::<Vec<_>>()[..] {
        [name] => Named { name: name.to_owned(), account: None, region: None },
        [account, region, name] => {
            Named { name: name.to_owned(), account: some(account), region: some(region) }
        }
        _ => return Err(invalid(&format!("{id:?} has not the right number of slashes"))),
    };
    config::service_name(&named.name).map_err(|reason| invalid(reason.trim_end_matches('.')))?;
    Ok(named)
}

fn invalid(why: &str) -> Trouble {
    let detail = format!(
        "{why}. The id of a service is the name of its deployment, such as \"orders\", or account, region and name, such as \
         \"123456789012/eu-central-1/orders\"."
    );
    Diagnostic::error("Invalid id", detail).at(Path::of("id")).into()
}

fn by_identity(value: &Value) -> Result<Named, Trouble> {
    let text = |name: &str| value.get(name).as_str().map(str::to_owned);
    let name = text("name").unwrap_or_default();
    config::service_name(&name).map_err(|reason| {
        Trouble::from(Diagnostic::error("Invalid identity", reason).at(Path::of("name")))
    })?;
    Ok(Named { name, account: text("account_id"), region: text("region") })
}

/// Refuses what lives elsewhere: it would not be found here, or worse, another of the same name would.
fn here(named: &Named, identity: &Identity) -> Result<(), Trouble> {
    for (what, wanted, ours) in
        [("account_id", &named.account, &identity.account), ("region", &named.region, &identity.region)]
    {
        if wanted.as_ref().is_some_and(|wanted| wanted != ours) {
            let wanted = wanted.as_deref().unwrap_or_default();
            let detail = format!(
                "{:?} is to be imported from {wanted}, and the provider works in {ours}. Configure it for that one, or use a \
                 second configuration of it with an `alias`.",
                named.name
            );
            return Err(Diagnostic::error("The service lives elsewhere", detail).at(Path::of(what)).into());
        }
    }
    Ok(())
}

impl Provider {
    /// Only what identifies it; Terraform reads the rest next.
    pub(super) async fn import(
        &self,
        sent: &import_resource_state::Request,
    ) -> Result<import_resource_state::Response, Trouble> {
        catalog::known("resource", SERVICE, &sent.type_name)?;
        let named = match &sent.identity {
            Some(data) if data.identity_data.is_some() => by_identity(&identity::decode(data)?)?,
            _ => by_id(&sent.id)?,
        };
        let mut state = Value::map(
            [("id", named.name.as_str()), ("name", named.name.as_str())].map(|(k, v)| (k, Value::from(v))),
        );
        if let Some(session) = self.configured().await.session {
            here(&named, &session.identity)?;
            state.set("account_id", Value::from(session.identity.account.as_str()));
            state.set("region", Value::from(session.identity.region.as_str()));
        }
        let imported = import_resource_state::ImportedResource {
            type_name: SERVICE.to_owned(),
            state: Some(resource::encode(&state)?),
            private: Vec::new(),
            identity: identity::of(&state)?,
        };
        Ok(import_resource_state::Response {
            imported_resources: vec![imported],
            diagnostics: Vec::new(),
            deferred: self.deferred(sent.client_capabilities.as_ref()).await,
        })
    }
}

/// The configuration that leads to a state: what the provider says by itself is not in it.
pub(super) fn generate(
    sent: &generate_resource_config::Request,
) -> Result<generate_resource_config::Response, Trouble> {
    let mut config = resource::decode(&sent.type_name, sent.state.as_ref())?;
    if !config.is_null() {
        let computed =
            declaration::terraform_service().attributes.iter().filter(|it| it.mode == Mode::Computed);
        computed.for_each(|attribute| config.set(attribute.name, Value::Null));
    }
    let config = resource::encode(&to_wire::settled(&config))?;
    Ok(generate_resource_config::Response { config: Some(config), diagnostics: Vec::new() })
}
