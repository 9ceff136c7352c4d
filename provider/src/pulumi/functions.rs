//! Functions of the package: what an artifact is, for programs that decide by it. They reach no cloud.

use eventual_provider_core::declaration::Kind;
use eventual_provider_core::request::{Artifact, Artifacts};
use eventual_provider_core::value::Value as Core;
use eventual_provider_wire::pulumirpc::{CheckFailure, InvokeRequest, InvokeResponse};
use serde_json::{Map, Value, json};
use tonic::Status;

use super::property::{self, Members, Property};
use crate::inspect;

/// Member of the package that answers what an artifact declares.
const MANIFEST: &str = "manifest";
/// Member of the package that answers the hash of an artifact.
const ARTIFACT_HASH: &str = "artifactHash";
/// Their only argument.
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

/// Calls one. An artifact that cannot be read is a failure of the argument.
pub(crate) fn invoke(files: &dyn Artifacts, request: InvokeRequest) -> Result<InvokeResponse, Status> {
    let answer: fn(&Artifact) -> Members = match request.tok.rsplit(':').next().unwrap_or_default() {
        MANIFEST => |artifact| members(&inspect::manifest(artifact)),
        ARTIFACT_HASH => {
            |artifact| Members::from([("sha256".to_owned(), Property::String(artifact.sha256.clone()))])
        }
        _ => {
            let detail =
                format!("the package has no function {:?}, only {MANIFEST} and {ARTIFACT_HASH}", request.tok);
            return Err(Status::invalid_argument(detail));
        }
    };
    let arguments = property::decode(request.args);
    let path = arguments.get(PATH).and_then(Property::as_str);
    let opened = path
        .ok_or_else(|| format!("{PATH}: required, the path of an artifact"))
        .and_then(|path| files.open(path));
    Ok(match opened {
        Ok(artifact) => {
            InvokeResponse { r#return: Some(property::encode(answer(&artifact))), failures: Vec::new() }
        }
        Err(reason) => InvokeResponse {
            r#return: None,
            failures: vec![CheckFailure { property: String::new(), reason }],
        },
    })
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
