//! Calling a service that is deployed, in the name of whoever deploys: its commands and its system function.

use eventual_schema::nearest::nearest;
use eventual_schema::request::{Parts, assemble};
use eventual_schema::{Auth, Command, Manifest};
use serde_json::{Value as Json, json};

use super::Said;
use super::lookup::{Looker, refused};
use crate::diagnostic::Diagnostic;
use crate::operations::Invocation;
use crate::path::Path;
use crate::value::Value;

/// Attributes that hold JSON.
const DOCUMENTS: [&str; 2] = ["input_json", "request_json"];

/// What is wrong with the parts of an action's configuration that are JSON.
pub(super) fn validate(config: &Value) -> Vec<Diagnostic> {
    let parsed = |name: &&str| config.get(name).as_str().is_some_and(|text| document(text).is_err());
    DOCUMENTS.iter().filter(|name| parsed(name)).map(|name| not_json(name, config.get(name))).collect()
}

fn document(text: &str) -> Result<Json, serde_json::Error> {
    serde_json::from_str(text)
}

fn not_json(name: &str, value: &Value) -> Diagnostic {
    let error = document(value.as_str().unwrap_or_default()).err();
    let reason = error.map(|it| it.to_string()).unwrap_or_default();
    Diagnostic::error("Not JSON", format!("{reason}. Make it with `jsonencode`.")).at(Path::of(name))
}

/// The command of that name, and why it cannot be called.
fn find<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a Command, Diagnostic> {
    let at = || Path::of("command");
    let Some(command) = manifest.commands.iter().find(|it| it.name.as_str() == name) else {
        let names: Vec<&str> = manifest.commands.iter().map(|it| it.name.as_str()).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("Did you mean {near:?}?"),
            None => format!("It has {}.", names.join(", ")),
        };
        let detail = format!("{} has no command {name:?}. {hint}", manifest.service);
        return Err(Diagnostic::error("Unknown command", detail).at(at()));
    };
    if matches!(command.auth, Some(Auth::Jwt { .. })) {
        let detail = format!(
            "{name} wants to know whose token it was called with, and there is none here: call its URL."
        );
        return Err(Diagnostic::error("The command needs a token", detail).at(at()));
    }
    Ok(command)
}

pub(super) async fn command(looker: &Looker<'_>, config: &Value, said: Said<'_>) -> Result<(), Diagnostic> {
    let service = looker.service(config, "service").await?;
    let manifest = service.manifest()?;
    let command = find(manifest, config.get("command").as_str().unwrap_or_default())?;
    let body = config.get("input_json").as_str().unwrap_or_default();
    let parts = Parts { body: body.as_bytes(), ..Parts::default() };
    assemble(command, &manifest.schemas, None, &parts).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Diagnostic::error("Invalid input", format!("{}.", texts.join("; "))).at(Path::of("input_json"))
    })?;
    let name = command.name.as_str();
    let runs = manifest.functions.iter().find(|function| {
        function.handlers.iter().any(|it| it.kind.as_str() == "command" && it.name.as_str() == name)
    });
    let function = runs.map(|it| service.place.alias_arn(&it.name)).ok_or_else(|| {
        Diagnostic::error("No function", format!("No function of {} runs {name}.", manifest.service))
    })?;
    let caller = looker.operations.caller().await.map_err(|error| refused("find out who calls", &error))?;
    let event = event(name, body, &caller);
    said(format!("Calling {name} of {}", service.place.service()));
    let began = looker.cloud.now_ms();
    let invocation = looker.operations.invoke(&function, &event).await;
    let invocation = invocation.map_err(|error| refused(&format!("call {name}"), &error))?;
    let answer = answered(name, &invocation)?;
    let (status, body) = (answer["statusCode"].as_u64().unwrap_or(200), text(&answer["body"]));
    if status >= 400 {
        let detail = format!("{name} answered {status}: {body}");
        return Err(Diagnostic::error("The command failed", detail));
    }
    said(format!(
        "{name} answered {status} with {} bytes after {} ms",
        body.len(),
        looker.cloud.now_ms() - began
    ));
    Ok(())
}

/// The request as an HTTP API hands it over.
fn event(command: &str, body: &str, caller: &str) -> String {
    let path = format!("/rpc/{command}");
    json!({
        "version": "2.0",
        "routeKey": format!("POST {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": path}, "authorizer": {"iam": {"userArn": caller}}},
        "body": body,
        "isBase64Encoded": false,
    })
    .to_string()
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The answer, unless the function itself failed.
fn answered(name: &str, invocation: &Invocation) -> Result<Json, Diagnostic> {
    if invocation.failed {
        let detail = format!("The function of {name} failed: {}", invocation.answer);
        return Err(Diagnostic::error("The function failed", detail));
    }
    document(&invocation.answer).map_err(|error| {
        Diagnostic::error("Unexpected answer", format!("The function of {name} answered no JSON: {error}."))
    })
}

pub(super) async fn system(looker: &Looker<'_>, config: &Value, said: Said<'_>) -> Result<(), Diagnostic> {
    let service = looker.service(config, "service").await?;
    let name = service.place.service().to_owned();
    let function = service.system().ok_or_else(|| {
        Diagnostic::error(
            "No system function",
            format!("{name} has no workflows, so there is nothing to ask."),
        )
        .at(Path::of("service"))
    })?;
    let request = config.get("request_json").as_str().unwrap_or_default();
    let operation =
        document(request).ok().and_then(|it| it["op"].as_str().map(str::to_owned)).unwrap_or_default();
    said(format!("Asking {name} to {operation}"));
    let invocation = looker.operations.invoke(&function, request).await;
    let invocation = invocation.map_err(|error| refused("ask the system function", &error))?;
    let answer = answered("the system", &invocation)?;
    match answer["execution"].as_str() {
        Some(execution) => said(format!("Done: {operation} of {execution}")),
        None => said(format!("Done: {operation}")),
    }
    Ok(())
}
