//! The OpenAPI 3.1 document of a service's commands. A pure function of the manifest: same manifest, same document.

use serde_json::{Map, Value, json};

use crate::deploy::http::RPC;
use crate::manifest::{Auth, Command, Manifest, Route};
use crate::request::INVALID_INPUT;
use crate::shape;

/// Component with the answer of every request that did not succeed. Rust names have no dot, so no type clashes with it.
const FAILURE: &str = "eventual.Failure";
/// Component with the answer to a request whose input was refused.
const REFUSAL: &str = "eventual.Refusal";

/// The OpenAPI 3.1 document of the service; `server` is the URL at which it is deployed, when that is known.
#[must_use]
pub fn openapi(manifest: &Manifest, server: Option<&str>) -> Value {
    let mut paths = Map::new();
    let mut security = Map::new();
    for command in &manifest.commands {
        add(&mut paths, &format!("{RPC}{}", command.name), "post", rpc(command));
        if let Some(route) = &command.route {
            add(
                &mut paths,
                &route.path,
                &route.method.as_str().to_lowercase(),
                rest(command, route, manifest),
            );
        }
        if let Some((name, scheme)) = command.auth.as_ref().and_then(security_scheme) {
            security.insert(name, scheme);
        }
    }
    let mut schemas: Map<String, Value> =
        manifest.schemas.iter().map(|(name, schema)| (name.clone(), schema.clone())).collect();
    schemas.insert(FAILURE.to_owned(), failure());
    schemas.insert(REFUSAL.to_owned(), refusal());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": manifest.service.as_str(), "version": manifest.version},
        "paths": paths,
        "components": {"schemas": schemas},
    });
    if !security.is_empty() {
        document["components"]["securitySchemes"] = Value::Object(security);
    }
    if let Some(url) = server {
        document["servers"] = json!([{"url": url}]);
    }
    move_references(&mut document);
    document
}

fn add(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let item = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    item[method] = operation;
}

/// What the RPC and the REST operation of a command have in common.
fn operation(command: &Command, id: &str) -> Value {
    let mut operation = json!({"operationId": id, "responses": responses(command)});
    for (key, text) in [("summary", &command.summary), ("description", &command.description)] {
        if !text.is_empty() {
            operation[key] = json!(text);
        }
    }
    match &command.auth {
        // Absent: the deployment decides, and the document must not claim that anybody may call.
        None => {}
        Some(Auth::None) => operation["security"] = json!([]),
        Some(auth) => {
            operation["security"] =
                security_scheme(auth).map_or(json!([]), |(name, _)| json!([{ name: [] }]));
        }
    }
    operation
}

fn rpc(command: &Command) -> Value {
    let mut operation = operation(command, command.name.as_str());
    if !command.input.is_null() {
        operation["requestBody"] = body(&command.input);
    }
    operation
}

fn rest(command: &Command, route: &Route, manifest: &Manifest) -> Value {
    let mut operation = operation(command, &format!("{}_rest", command.name));
    if command.input.is_null() {
        return operation;
    }
    let in_path = route.parameters();
    let is_object = shape::takes_object(&command.input, &manifest.schemas);
    let schema_of = |name: &str| match is_object {
        true => shape::property(&command.input, name, &manifest.schemas).cloned().unwrap_or(json!({})),
        false => command.input.clone(),
    };
    let parameter = |name: &str, place: &str, required: bool| json!({"name": name, "in": place, "required": required, "schema": schema_of(name)});
    let mut parameters: Vec<Value> = in_path.iter().map(|name| parameter(name, "path", true)).collect();
    if route.method.has_body() {
        if is_object || in_path.len() != 1 {
            operation["requestBody"] = body(&without(&command.input, &in_path, manifest));
        }
    } else if let Some(object) = object_of(&command.input, manifest) {
        let required = object.get("required").and_then(Value::as_array);
        for name in object.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            if !in_path.contains(&name.as_str()) {
                let needed = required.is_some_and(|all| all.iter().any(|it| it == name));
                parameters.push(parameter(name, "query", needed));
            }
        }
    }
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    operation
}

/// The object schema itself, when the input is one, directly or through one reference.
fn object_of<'a>(schema: &'a Value, manifest: &'a Manifest) -> Option<&'a Value> {
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/schemas/"));
    let schema = named.map_or(Some(schema), |name| manifest.schemas.get(name))?;
    schema.get("properties").is_some().then_some(schema)
}

/// The input's schema less what the path carries.
fn without(schema: &Value, in_path: &[&str], manifest: &Manifest) -> Value {
    let Some(object) = object_of(schema, manifest).filter(|_| !in_path.is_empty()) else {
        return schema.clone();
    };
    let mut rest = object.clone();
    if let Some(properties) = rest.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !in_path.contains(&name.as_str()));
    }
    if let Some(required) = rest.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !name.as_str().is_some_and(|name| in_path.contains(&name)));
    }
    rest
}

fn json_content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn body(schema: &Value) -> Value {
    json!({"required": true, "content": json_content(schema)})
}

fn responses(command: &Command) -> Value {
    let named = |name: &str| json!({"$ref": format!("#/schemas/{name}")});
    let mut failed = named(FAILURE);
    if !command.error.is_null() {
        failed = json!({"allOf": [failed, {"type": "object", "properties": {"data": command.error}}]});
    }
    let mut responses =
        json!({"default": {"description": "The command failed", "content": json_content(&failed)}});
    responses["200"] =
        json!({"description": "The command's result", "content": json_content(&command.output)});
    if !command.input.is_null() {
        responses["400"] =
            json!({"description": "The input is not valid", "content": json_content(&named(REFUSAL))});
    }
    responses
}

fn failure() -> Value {
    json!({
        "type": "object",
        "description": "Why a request did not succeed",
        "properties": {
            "class": {"type": "string", "description": "Name of the error's type and variant"},
            "message": {"type": "string", "description": "The error for people"},
            "data": {"description": "The error itself"},
        },
        "required": ["class", "message"],
    })
}

fn refusal() -> Value {
    let problem = json!({
        "type": "object",
        "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
        "required": ["path", "message"],
    });
    let data = json!({"type": "object", "properties": {"problems": {"type": "array", "items": problem}}, "required": ["problems"]});
    json!({
        "type": "object",
        "description": "Everything in which an input does not fit its schema",
        "properties": {"class": {"type": "string", "const": INVALID_INPUT}, "message": {"type": "string"}, "data": data},
        "required": ["class", "message"],
    })
}

/// Name and content of the security scheme of an `auth`; two commands of one issuer and audience share it.
fn security_scheme(auth: &Auth) -> Option<(String, Value)> {
    match auth {
        Auth::None => None,
        Auth::Iam => Some((
            "iam".to_owned(),
            json!({
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "Signed with AWS credentials (Signature Version 4, service execute-api)",
                "x-amazon-apigateway-authtype": "awsSigv4",
            }),
        )),
        Auth::Jwt { issuer, audience } => {
            let mut parts = vec![issuer.as_str()];
            parts.extend(audience.iter().map(String::as_str));
            let description = format!("Token of {issuer} for {}", audience.join(" or "));
            let scheme = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description});
            Some((format!("jwt-{}", crate::digest::short_hash(&parts, 8)), scheme))
        }
    }
}

/// Manifests keep schemas at `#/schemas/`, OpenAPI at `#/components/schemas/`.
fn move_references(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member.as_str().and_then(|it| it.strip_prefix("#/schemas/")) {
                    Some(name) if key == "$ref" => *member = json!(format!("#/components/schemas/{name}")),
                    _ => move_references(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        _ => {}
    }
}

#[cfg(test)]
#[path = "tests/openapi.rs"]
mod tests;
