//! What this provider has, by Terraform's names, and the schemas of it.

use std::collections::HashMap;

use eventual_provider_core::declaration::{self, Object};
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_wire::tfplugin6::{
    ActionSchema, Schema, ServerCapabilities, get_metadata, get_provider_schema,
};

use super::answer::Trouble;
use super::{functions, schema, upgrade};

/// The resource type, and what is looked up and listed under the same name.
pub(super) const SERVICE: &str = "eventual_service";
/// The ephemeral resource type.
pub(super) const CREDENTIALS: &str = "eventual_service_credentials";
/// The action that calls a command.
pub(super) const INVOKE_COMMAND: &str = "eventual_invoke_command";
/// The action that asks the system function.
pub(super) const INVOKE_SYSTEM: &str = "eventual_invoke_system";
/// The action that redrives dead letters.
pub(super) const REDRIVE: &str = "eventual_redrive";

/// A name, and what is configured under it.
type Named = (&'static str, fn() -> &'static Object);

/// Actions by name.
pub(super) const ACTIONS: [Named; 3] = [
    (INVOKE_COMMAND, declaration::invoke_command),
    (INVOKE_SYSTEM, declaration::invoke_system),
    (REDRIVE, declaration::redrive),
];

const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: true,
    generate_resource_config: true,
};

/// The declaration of an action.
///
/// # Errors
/// When there is none of that name.
pub(super) fn action(name: &str) -> Result<&'static Object, Trouble> {
    let found = ACTIONS.iter().find(|(known, _)| *known == name);
    found.map(|(_, declaration)| declaration()).ok_or_else(|| {
        let names: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
        unknown("action", name, &names.join(", "))
    })
}

/// Refuses a type that this provider does not have.
///
/// # Errors
/// When `name` is not `ours`.
pub(super) fn known(what: &str, ours: &str, name: &str) -> Result<(), Trouble> {
    if name == ours { Ok(()) } else { Err(unknown(what, name, ours)) }
}

fn unknown(what: &str, name: &str, ours: &str) -> Trouble {
    Diagnostic::error(format!("Unknown {what} type"), format!("This provider has {ours}, not {name:?}."))
        .into()
}

fn one(name: &str, object: &Object) -> HashMap<String, Schema> {
    [(name.to_owned(), schema::schema(object))].into()
}

/// Every schema.
pub(super) fn schemas() -> get_provider_schema::Response {
    let service =
        Schema { version: upgrade::STATE_VERSION, ..schema::schema(declaration::terraform_service()) };
    let action =
        |(name, object): Named| (name.to_owned(), ActionSchema { schema: Some(schema::schema(object())) });
    get_provider_schema::Response {
        provider: Some(schema::schema(declaration::provider())),
        resource_schemas: [(SERVICE.to_owned(), service)].into(),
        data_source_schemas: one(SERVICE, declaration::lookup()),
        ephemeral_resource_schemas: one(CREDENTIALS, declaration::credentials()),
        list_resource_schemas: one(SERVICE, declaration::listing()),
        action_schemas: ACTIONS.into_iter().map(action).collect(),
        functions: functions::all(),
        server_capabilities: Some(CAPABILITIES),
        ..get_provider_schema::Response::default()
    }
}

/// The names alone.
pub(super) fn metadata() -> get_metadata::Response {
    let service = || SERVICE.to_owned();
    get_metadata::Response {
        server_capabilities: Some(CAPABILITIES),
        diagnostics: Vec::new(),
        resources: vec![get_metadata::ResourceMetadata { type_name: service() }],
        data_sources: vec![get_metadata::DataSourceMetadata { type_name: service() }],
        functions: functions::names().map(|name| get_metadata::FunctionMetadata { name }).collect(),
        ephemeral_resources: vec![get_metadata::EphemeralMetadata { type_name: CREDENTIALS.to_owned() }],
        list_resources: vec![get_metadata::ListResourceMetadata { type_name: service() }],
        actions: ACTIONS
            .iter()
            .map(|(name, _)| get_metadata::ActionMetadata { type_name: (*name).to_owned() })
            .collect(),
    }
}
