//! Functions of the provider: what an artifact is, for configurations that decide by it. They reach no cloud.

use std::collections::HashMap;

use eventual_provider_core::declaration::{Attribute, Kind, Object};
use eventual_provider_core::request::Artifacts;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{
    Diagnostic, Function, FunctionError, StringKind, call_function, function,
};

use super::{from_wire, schema, to_wire};
use crate::inspect;

const MANIFEST: &str = "manifest";
const ARTIFACT_HASH: &str = "artifact_hash";

/// Their names.
pub(super) fn names() -> impl Iterator<Item = String> {
    [MANIFEST, ARTIFACT_HASH].into_iter().map(str::to_owned)
}

/// Their signatures, by name.
pub(super) fn all() -> HashMap<String, Function> {
    let one = |summary: &str, description: &str, returns: &Kind| Function {
        parameters: vec![function::Parameter {
            name: "path".to_owned(),
            r#type: schema::type_of(&Kind::String).to_string().into_bytes(),
            description: inspect::PATH.to_owned(),
            description_kind: StringKind::Markdown.into(),
            ..function::Parameter::default()
        }],
        r#return: Some(function::Return { r#type: schema::type_of(returns).to_string().into_bytes() }),
        summary: summary.to_owned(),
        description: description.to_owned(),
        description_kind: StringKind::Markdown.into(),
        ..Function::default()
    };
    HashMap::from([
        (MANIFEST.to_owned(), one("What an artifact declares", inspect::MANIFEST, &manifest_kind())),
        (ARTIFACT_HASH.to_owned(), one("SHA-256 of an artifact", inspect::ARTIFACT_HASH, &Kind::String)),
    ])
}

fn manifest_kind() -> Kind {
    let attribute = |(name, kind, description)| Attribute::computed(name, kind, description);
    Kind::Object(Object {
        name: "Manifest",
        description: inspect::MANIFEST,
        attributes: inspect::members().into_iter().map(attribute).collect(),
    })
}

fn refused(text: String, argument: Option<i64>) -> call_function::Response {
    call_function::Response { result: None, error: Some(FunctionError { text, function_argument: argument }) }
}

/// What went wrong with a call as a whole.
pub(super) fn failed(diagnostics: Vec<Diagnostic>) -> call_function::Response {
    let texts: Vec<String> = diagnostics.into_iter().map(|it| it.detail).collect();
    refused(texts.join("\n"), None)
}

/// Calls one. What is wrong with the artifact is blamed on the argument.
pub(super) fn call(files: &dyn Artifacts, sent: &call_function::Request) -> call_function::Response {
    let Some(path) = sent.arguments.first().and_then(from_wire::text) else {
        return refused("The path of an artifact is expected.".to_owned(), Some(0));
    };
    let artifact = match files.open(&path) {
        Ok(artifact) => artifact,
        Err(reason) => return refused(reason, Some(0)),
    };
    let result = match sent.name.as_str() {
        MANIFEST => to_wire::value(&manifest_kind(), &inspect::manifest(&artifact)),
        ARTIFACT_HASH => to_wire::value(&Kind::String, &Value::from(artifact.sha256.as_str())),
        other => return refused(format!("This provider has no function {other:?}."), None),
    };
    match result {
        Ok(result) => call_function::Response { result: Some(result), error: None },
        Err(error) => refused(format!("A bug of the eventual provider: {error}. Please report it."), None),
    }
}
