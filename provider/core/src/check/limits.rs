//! Everything fits into AWS's limits that would otherwise show half-way through an apply.

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::resource::{Resource, Source, Spec};

/// Characters of the inline policies of a role, white space not counted.
const POLICY: usize = 10_240;
/// Bytes of a function's environment as JSON.
const ENVIRONMENT: usize = 4096;
/// Rules of a bus.
const RULES: usize = 300;
/// Routes of an API.
const ROUTES: usize = 300;
/// Longest wait of the API for a function, in seconds.
const API_WAIT_S: u32 = 30;

/// What does not fit.
pub(super) fn check(desired: &Desired) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut routes = 0;
    let mut rules = 0;
    for resource in desired.resources.values() {
        diagnostics.extend(one(resource));
        match &resource.spec {
            Spec::Route(spec) => routes += spec.routes.len(),
            Spec::Rule(_) => rules += 1,
            Spec::Mapping(spec) => diagnostics.extend(visibility(desired, &resource.key, spec)),
            _ => {}
        }
    }
    if routes > ROUTES {
        diagnostics.push(Diagnostic::error(
            "Too many routes",
            format!("The service has {routes} routes, an HTTP API holds {ROUTES}. Split the service."),
        ));
    }
    if rules > RULES {
        diagnostics.push(Diagnostic::error(
            "Too many subscriptions",
            format!(
                "The service has {rules} subscriptions, an event bus holds {RULES} rules. Split the service."
            ),
        ));
    }
    diagnostics
}

fn one(resource: &Resource) -> Option<Diagnostic> {
    let key = &resource.key;
    match &resource.spec {
        Spec::Role(spec) if spec.policy.len() > POLICY => {
            let detail = format!(
                "The policy of {key} has {} characters, a role holds {POLICY}. Shorten `policies`, or use fewer functions.",
                spec.policy.len()
            );
            Some(Diagnostic::error("Policy too long", detail))
        }
        Spec::Function(spec) => {
            let size = serde_json::to_string(&spec.environment).map_or(0, |text| text.len());
            if size > ENVIRONMENT {
                let detail = format!(
                    "The environment variables of {key} take {size} bytes, Lambda holds {ENVIRONMENT}. Keep large values in Parameter Store or S3."
                );
                return Some(Diagnostic::error("Environment too large", detail).at(Path::of("environment")));
            }
            let command = key.strip_prefix("function/command-")?;
            (spec.timeout_s > API_WAIT_S).then(|| {
                let detail = format!("The command {command} may run {} seconds, but API Gateway gives up after {API_WAIT_S}. Start a workflow for longer work.", spec.timeout_s);
                Diagnostic::warning("Timeout longer than the API waits", detail)
            })
        }
        _ => None,
    }
}

/// Lambda refuses a mapping whose queue shows a message again while the function may still work on it.
fn visibility(desired: &Desired, key: &str, mapping: &crate::resource::MappingSpec) -> Option<Diagnostic> {
    if !matches!(mapping.source, Source::Queue { .. }) {
        return None;
    }
    let queue = desired.resources.values().find_map(|it| match &it.spec {
        Spec::Queue(spec) if it.arn.as_deref() == Some(mapping.source_arn.as_str()) => {
            Some(spec.visibility_s)
        }
        _ => None,
    });
    let timeout = desired.resources.values().find_map(|it| match &it.spec {
        Spec::Function(spec) if it.name == mapping.function => Some(spec.timeout_s),
        _ => None,
    });
    match (queue, timeout) {
        (Some(visibility), Some(timeout)) if visibility >= timeout => None,
        _ => Some(Diagnostic::error(
            "Visibility too short",
            format!(
                "{key}: the queue hides a message {queue:?} seconds, the function runs {timeout:?}. This is a bug of the provider, please report it."
            ),
        )),
    }
}
