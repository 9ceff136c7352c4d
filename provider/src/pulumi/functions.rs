//! Functions of the package: what an artifact is, for programs that decide by it, and a look at a service that is there.

use eventual_provider_core::declaration::{Kind, Mode, lookup};
use eventual_provider_core::request::{self, Artifact, Artifacts};
use eventual_provider_core::value::Value as Core;
use eventual_provider_wire::pulumirpc::{CheckFailure, InvokeRequest, InvokeResponse};
use serde_json::{Map, Value, json};
use tonic::Status;

use super::property::{self, Members, Property};
use super::to_wire;
use crate::inspect;
use crate::ports::Session;

/// Member of the package that answers what an artifact declares.
const MANIFEST: &str = "manifest";
/// Member of the package that answers the hash of an artifact.
const ARTIFACT_HASH: &str = "artifactHash";
/// Member of the package that looks a service up.
const GET_SERVICE: &str = "getService";
/// The only argument of what looks into an artifact.
const PATH: &str = "path";

/// The functions as they stand in the schema, by token.
pub(crate) fn schema() -> Value {
    let inputs = json!({
        "type": "object",
        "properties": { PATH: { "type": "string", "description": inspect::PATH } },
        "required": [PATH],
    });
    let manifest: Map<String, Value> = inspect::members()
        .into_iter()
        .map(|(name, kind, description)| {
            let mut property = match kind {
                Kind::List(_) => json!({ "type": "array", "items": { "type": "string" } }),
                _ => json!({ "type": "string" }),
            };
            property["description"] = json!(description);
            (name.to_owned(), property)
        })
        .collect();
    let required: Vec<&String> = manifest.keys().collect();
    json!({
        format!("eventual:index:{MANIFEST}"): {
            "description": inspect::MANIFEST,
            "inputs": inputs,
            "outputs": { "type": "object", "required": required, "properties": manifest },
        },
        format!("eventual:index:{GET_SERVICE}"): {
            "description": super::names::prose(lookup().description),
            "inputs": super::schema::object(lookup(), |it| it.mode == Mode::Required),
            "outputs": super::schema::object(lookup(), |_| true),
        },
        format!("eventual:index:{ARTIFACT_HASH}"): {
            "description": super::names::prose(inspect::ARTIFACT_HASH),
            "inputs": inputs,
            "outputs": {
                "type": "object",
                "required": ["sha256"],
                "properties": { "sha256": { "type": "string", "description": "The hash." } },
            },
        },
    })
}

/// Calls one. An artifact that cannot be read, and a service that is not there, are failures of the argument.
pub(crate) async fn invoke(
    files: &dyn Artifacts,
    session: Option<&Session>,
    request: InvokeRequest,
) -> Result<InvokeResponse, Status> {
    let arguments = property::decode(request.args);
    let answer: fn(&Artifact) -> Members = match request.tok.rsplit(':').next().unwrap_or_default() {
        GET_SERVICE => return get_service(session, &arguments).await,
        MANIFEST => |artifact| members(&inspect::manifest(artifact)),
        ARTIFACT_HASH => {
            |artifact| Members::from([("sha256".to_owned(), Property::String(artifact.sha256.clone()))])
        }
        _ => {
            let detail = format!(
                "the package has no function {:?}, only {MANIFEST}, {ARTIFACT_HASH} and {GET_SERVICE}",
                request.tok
            );
            return Err(Status::invalid_argument(detail));
        }
    };
    let path = arguments.get(PATH).and_then(Property::as_str);
    let opened = path
        .ok_or_else(|| format!("{PATH}: required, the path of an artifact"))
        .and_then(|path| files.open(path));
    Ok(answered(opened.map(|artifact| answer(&artifact))))
}

async fn get_service(session: Option<&Session>, arguments: &Members) -> Result<InvokeResponse, Status> {
    let session =
        session.ok_or_else(|| Status::failed_precondition("the provider has not been configured"))?;
    let name = arguments.get("name").and_then(Property::as_str).unwrap_or_default();
    let config = Core::map([("name", Core::from(name))]);
    let found = request::look_up(&session.identity, &*session.cloud, &*session.operations, &config).await;
    Ok(answered(match found.value {
        Some(service) => Ok(to_wire::object(lookup(), &service)),
        None => {
            Err(found.diagnostics.iter().map(|it| to_wire::reason(it, &[])).collect::<Vec<_>>().join("\n"))
        }
    }))
}

fn answered(answer: Result<Members, String>) -> InvokeResponse {
    match answer {
        Ok(members) => InvokeResponse { r#return: Some(property::encode(members)), failures: Vec::new() },
        Err(reason) => InvokeResponse {
            r#return: None,
            failures: vec![CheckFailure { property: String::new(), reason }],
        },
    }
}

fn members(value: &Core) -> Members {
    let members = value.as_map().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), plain(value))).collect()
}

fn plain(value: &Core) -> Property {
    match value {
        Core::List(items) => Property::List(items.iter().map(plain).collect()),
        other => Property::String(other.as_str().unwrap_or_default().to_owned()),
    }
}
