//! Short-lived credentials: what is asked, which policy confines them, what is answered.

use serde_json::{Value as Json, json};

use super::lookup::{Looker, Service};
use super::{Found, Identity};
use crate::cloud::{Cloud, Trouble};
use crate::config;
use crate::declaration;
use crate::diagnostic::Diagnostic;
use crate::operations::{CredentialsAsk, Operations};
use crate::path::Path;
use crate::value::Value;

/// Shortest session that AWS makes, in seconds.
const SHORTEST_S: u64 = 900;
/// Longest one.
const LONGEST_S: u64 = 12 * 3600;
/// Longest session policy, in characters.
const POLICY_MAX: usize = 2048;

/// What a session may be asked to do.
const PERMISSIONS: [&str; 4] = ["invoke", "start_execution", "send_signal", "emit_events"];

/// A configuration that was read.
pub(super) struct Wanted {
    role_arn: Option<String>,
    session_name: String,
    duration_s: u64,
    /// `None` for all that there are.
    permissions: Option<Vec<String>>,
}

fn invalid(attribute: &str, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("Invalid value", detail).at(Path::of(attribute))
}

pub(super) fn read(config: &Value) -> Result<Wanted, Vec<Diagnostic>> {
    let mut wrong = config::shaped(declaration::credentials(), config);
    let text = |name: &str| config.get(name).as_str().map(str::to_owned);
    if let Some(Err(reason)) = text("service").map(|it| config::service_name(&it)) {
        wrong.push(invalid("service", reason));
    }
    let duration_s = match text("duration").map(|it| config::duration(&it)) {
        None => SHORTEST_S,
        Some(Ok(duration)) if (SHORTEST_S..=LONGEST_S).contains(&duration.as_secs()) => duration.as_secs(),
        Some(Ok(_)) => {
            wrong.push(invalid("duration", "AWS makes sessions of 15 minutes to 12 hours."));
            SHORTEST_S
        }
        Some(Err(reason)) => {
            wrong.push(invalid("duration", reason));
            SHORTEST_S
        }
    };
    let session_name = text("session_name").unwrap_or_else(|| "eventual".to_owned());
    let fits = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    if !(2..=32).contains(&session_name.len()) || !session_name.chars().all(fits) {
        wrong.push(invalid(
            "session_name",
            format!("{session_name:?} is not 2 to 32 letters, digits and _=,.@-."),
        ));
    }
    if text("role_arn").is_some_and(|it| !it.starts_with("arn:") || !it.contains(":role/")) {
        wrong.push(invalid("role_arn", "This is not the ARN of a role."));
    }
    let permissions = config
        .get("permissions")
        .as_list()
        .map(|items| items.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect::<Vec<_>>());
    for (index, name) in permissions.iter().flatten().enumerate() {
        if !PERMISSIONS.contains(&name.as_str()) {
            let detail = format!("{name:?} is none of {}.", PERMISSIONS.join(", "));
            wrong.push(Diagnostic::error("Invalid value", detail).at(Path::of("permissions").index(index)));
        }
    }
    if permissions.as_ref().is_some_and(Vec::is_empty) {
        wrong.push(invalid("permissions", "Credentials that may do nothing are of no use."));
    }
    if wrong.is_empty() {
        Ok(Wanted { role_arn: text("role_arn"), session_name, duration_s, permissions })
    } else {
        Err(wrong)
    }
}

/// The session policy: the service's own grants, those that are asked for.
fn policy(service: &Service, permissions: Option<&[String]>) -> Result<String, Diagnostic> {
    service.manifest()?;
    let Some(grants) = service.grants() else { return Ok(String::new()) };
    let all = [grants.invoke, grants.start_execution, grants.send_signal, grants.emit_events];
    let mut statements: Vec<Json> = Vec::new();
    for (name, grant) in PERMISSIONS.iter().zip(all) {
        let asked = permissions.map(|it| it.iter().any(|it| it == name));
        match (asked, grant) {
            (Some(true), None) => {
                let detail = format!("{:?} has nothing that {name} would be for.", service.place.service());
                return Err(invalid("permissions", detail));
            }
            (None | Some(true), Some(document)) => {
                let document: Json = serde_json::from_str(&document).unwrap_or_default();
                let added = document["Statement"].as_array().into_iter().flatten();
                // Two grants may be the same one under two names.
                let known = |new: &Json| statements.iter().any(|it| it["Resource"] == new["Resource"]);
                let added: Vec<Json> = added.filter(|it| !known(it)).cloned().collect();
                statements.extend(added);
            }
            _ => {}
        }
    }
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    if statements.is_empty() || document.len() > POLICY_MAX {
        let detail = format!("There is nothing to permit, or it does not fit into {POLICY_MAX} characters.");
        return Err(invalid("permissions", detail));
    }
    Ok(document)
}

pub(super) async fn open(
    identity: &Identity,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    config: &Value,
) -> Found {
    let wanted = match read(config) {
        Ok(wanted) => wanted,
        Err(diagnostics) => return Found { value: None, diagnostics },
    };
    let looker = Looker { identity, cloud, operations };
    match session(&looker, config, wanted).await {
        Ok(value) => Found { value: Some(value), diagnostics: Vec::new() },
        Err(diagnostic) => Found { value: None, diagnostics: vec![diagnostic] },
    }
}

async fn session(looker: &Looker<'_>, config: &Value, wanted: Wanted) -> Result<Value, Diagnostic> {
    let service = looker.service(config, "service").await?;
    let policy = policy(&service, wanted.permissions.as_deref())?;
    let Wanted { role_arn, session_name, duration_s, .. } = wanted;
    let ask = CredentialsAsk { role_arn, session_name, policy, duration_s };
    let made = looker.operations.credentials(&ask).await.map_err(|error| {
        let advice = match (&ask.role_arn, error.trouble) {
            (Some(_), _) => " The role must trust the provider's credentials and allow a session of this length.",
            (None, Trouble::Denied) => {
                " Without `role_arn`, AWS makes sessions for IAM users only: give the ARN of a role that trusts the provider's credentials."
            }
            (None, _) => "",
        };
        Diagnostic::error("No credentials", format!("{error}.{advice}"))
    })?;
    let secret = |text: &config::Confidential| Value::from(text.reveal()).secret();
    let mut value = config.clone();
    for (name, output) in [
        ("access_key_id", Value::from(made.access_key_id)),
        ("secret_access_key", secret(&made.secret_access_key)),
        ("session_token", secret(&made.session_token)),
        ("expires_at", Value::from(made.expires_at)),
        ("policy_json", Value::from(ask.policy)),
        ("region", Value::from(looker.identity.region.as_str())),
        ("url", service.url()),
        ("system_function_arn", service.system().into()),
        ("event_bus_arn", service.bus()),
    ] {
        value.set(name, output);
    }
    Ok(value)
}
