//! What identifies a service, as Terraform keeps it beside the state.

use eventual_provider_core::declaration::{self, Mode};
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{
    ResourceIdentityData, ResourceIdentitySchema, get_resource_identity_schemas, resource_identity_schema,
};

use super::answer::Trouble;
use super::catalog::SERVICE;
use super::{from_wire, schema, to_wire};

/// The schema of the identity.
pub(super) fn schemas() -> get_resource_identity_schemas::Response {
    let attributes =
        declaration::identity().attributes.iter().map(|it| resource_identity_schema::IdentityAttribute {
            name: it.name.to_owned(),
            r#type: schema::type_of(&it.kind).to_string().into_bytes(),
            required_for_import: it.mode == Mode::Required,
            optional_for_import: it.mode == Mode::Optional,
            description: it.description.to_owned(),
        });
    let schema = ResourceIdentitySchema {
        version: declaration::identity::VERSION,
        identity_attributes: attributes.collect(),
    };
    get_resource_identity_schemas::Response {
        identity_schemas: [(SERVICE.to_owned(), schema)].into(),
        diagnostics: Vec::new(),
    }
}

/// The identity of a service of which all of it is known.
pub(super) fn of(state: &Value) -> Result<Option<ResourceIdentityData>, Trouble> {
    let names = declaration::identity().attributes.iter().map(|it| it.name);
    let members: Vec<(&str, Value)> = names.map(|name| (name, state.get(name).revealed())).collect();
    if members.iter().any(|(_, value)| value.as_str().is_none()) {
        return Ok(None);
    }
    encode(&Value::map(members)).map(Some)
}

/// Encodes an identity.
pub(super) fn encode(value: &Value) -> Result<ResourceIdentityData, Trouble> {
    let data = to_wire::object(declaration::identity(), value)?;
    Ok(ResourceIdentityData { identity_data: Some(data) })
}

/// Decodes an identity.
pub(super) fn decode(data: &ResourceIdentityData) -> Result<Value, Trouble> {
    Ok(from_wire::object(declaration::identity(), data.identity_data.as_ref())?)
}
