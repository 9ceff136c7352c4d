//! The declaration as Terraform's schema.

use eventual_provider_core::declaration::{Attribute, Kind, Mode, Object};
use eventual_provider_wire::tfplugin6::{Schema, StringKind, schema};
use serde_json::{Value, json};

/// The schema of an object that is the whole of something: the provider block, or a resource.
pub(super) fn schema(object: &Object) -> Schema {
    Schema {
        version: 0,
        block: Some(schema::Block {
            version: 0,
            attributes: object.attributes.iter().map(attribute).collect(),
            description: object.description.to_owned(),
            description_kind: StringKind::Markdown.into(),
            ..schema::Block::default()
        }),
    }
}

fn attribute(attribute: &Attribute) -> schema::Attribute {
    let nested_type = nested(&attribute.kind);
    let r#type =
        if nested_type.is_some() { Vec::new() } else { type_of(&attribute.kind).to_string().into_bytes() };
    schema::Attribute {
        name: attribute.name.to_owned(),
        r#type,
        nested_type,
        description: attribute.description.to_owned(),
        description_kind: StringKind::Markdown.into(),
        required: attribute.mode == Mode::Required,
        optional: attribute.mode == Mode::Optional,
        computed: attribute.mode == Mode::Computed,
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
        ..schema::Attribute::default()
    }
}

/// Objects, and lists and maps of objects, are nested attributes, so that their parts are described too.
fn nested(kind: &Kind) -> Option<schema::Object> {
    use schema::object::NestingMode;
    let (object, nesting) = match kind {
        Kind::Object(object) => (object, NestingMode::Single),
        Kind::List(inner) => (as_object(inner)?, NestingMode::List),
        Kind::Map(inner) => (as_object(inner)?, NestingMode::Map),
        Kind::String | Kind::Bool | Kind::Number => return None,
    };
    Some(schema::Object {
        attributes: object.attributes.iter().map(attribute).collect(),
        nesting: nesting.into(),
    })
}

const fn as_object(kind: &Kind) -> Option<&Object> {
    match kind {
        Kind::Object(object) => Some(object),
        _ => None,
    }
}

/// The type as Terraform writes types in JSON.
pub(super) fn type_of(kind: &Kind) -> Value {
    match kind {
        Kind::String => json!("string"),
        Kind::Bool => json!("bool"),
        Kind::Number => json!("number"),
        Kind::List(inner) => json!(["list", type_of(inner)]),
        Kind::Map(inner) => json!(["map", type_of(inner)]),
        Kind::Object(object) => {
            let types: serde_json::Map<String, Value> =
                object.attributes.iter().map(|it| (it.name.to_owned(), type_of(&it.kind))).collect();
            json!(["object", types])
        }
    }
}
