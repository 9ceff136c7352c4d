//! Planning: configuration and artifact in, the state after applying and the changes out.

use std::collections::BTreeMap;

use eventual_schema::ServiceName;

use super::output::{COMPUTED, Facts};
use super::{Artifact, Identity, Planned, Scope};
use crate::check;
use crate::config::{self, ServiceConfig, Setting};
use crate::declaration::DEPLOYMENT;
use crate::desired::{self, Desired, Inputs, Place};
use crate::diagnostic::{Diagnostic, any_error};
use crate::path::Path;
use crate::plan::{self, Plan};
use crate::state::State;
use crate::value::Value;

/// Where a plan is made while the provider does not know where it will be: nothing of it is shown.
fn nowhere() -> Identity {
    Identity {
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
    }
}

/// A configuration that could be planned.
pub(super) struct Ready {
    pub(super) config: ServiceConfig,
    pub(super) artifact: Artifact,
    pub(super) place: Place,
    pub(super) desired: Desired,
}

impl Ready {
    /// What was reached, with computed attributes.
    pub(super) fn facts<'a>(&'a self, state: &'a State, plan: &'a Plan) -> Facts<'a> {
        let tags_unknown = match &self.config.tags {
            Setting::Known(tags) => tags.values().any(Setting::is_unknown),
            other => other.is_unknown(),
        };
        Facts {
            artifact: &self.artifact,
            place: &self.place,
            desired: &self.desired,
            tags_unknown,
            state,
            plan,
        }
    }
}

/// Reads, opens and works out what should be; `None` while part of that is unknown or wrong.
pub(super) fn prepare(scope: &Scope<'_>, config: &Value, diagnostics: &mut Vec<Diagnostic>) -> Option<Ready> {
    let (typed, mut found) = config::service(config);
    diagnostics.append(&mut found);
    let (name, path) = (typed.name.known()?.clone(), typed.artifact.known()?.clone());
    let artifact = match scope.artifacts.open(&path) {
        Ok(artifact) => artifact,
        Err(reason) => {
            diagnostics.push(Diagnostic::error("Unusable artifact", reason).at(Path::of("artifact")));
            return None;
        }
    };
    let place = place(&name, scope.identity.unwrap_or(&nowhere()));
    let inputs = Inputs {
        manifest: &artifact.manifest,
        sha256: &artifact.sha256,
        path: &artifact.path,
        config: &typed,
        place: &place,
        default_tags: scope.default_tags,
    };
    let (desired, mut found) = desired::desired(&inputs);
    diagnostics.append(&mut found);
    diagnostics.extend(check::check(&desired));
    Some(Ready { config: typed, artifact, place, desired })
}

fn place(name: &ServiceName, identity: &Identity) -> Place {
    Place::new(name.as_str(), identity)
}

/// Refuses a deployment whose bucket is named for another account or region than the provider is configured for: nothing
/// of it would be found here, and all of it would count as gone.
pub(super) fn elsewhere(state: &State, service: &str, identity: Option<&Identity>) -> Option<Diagnostic> {
    let recorded = state.children.get("bucket")?;
    let here = Place::new(service, identity?).names().bucket();
    (recorded.name != here).then(|| {
        let place = lives_in(state).unwrap_or_else(|| "another account or region".to_owned());
        let identity = identity.map(|it| format!("{} of account {}", it.region, it.account)).unwrap_or_default();
        let detail = format!(
            "It lives in {place}, and the provider is configured for {identity}: its bucket is {}, and would be {here} here. \
             Configure the provider for where it lives, or destroy it there first.",
            recorded.name
        );
        Diagnostic::error("The deployment lives elsewhere", detail)
    })
}

/// Region and account that the ARNs of its resources name.
fn lives_in(state: &State) -> Option<String> {
    state.children.values().find_map(|child| match child.arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, _, region, account, ..] if !region.is_empty() && !account.is_empty() => {
            Some(format!("{region} of account {account}"))
        }
        _ => None,
    })
}

/// The configuration with these computed attributes.
pub(super) fn with_computed(config: &Value, computed: BTreeMap<&'static str, Value>) -> Value {
    let mut whole = config.clone();
    for (name, value) in computed {
        whole.set(name, value);
    }
    whole
}

pub(super) fn plan(scope: &Scope<'_>, prior: Option<&Value>, config: &Value) -> Planned {
    let replace = replacing(prior, config);
    // Neither engine asks about the deletion that a replacement begins with.
    let mut diagnostics = prior.filter(|_| !replace.is_empty()).map(removal).unwrap_or_default();
    let ready = prepare(scope, config, &mut diagnostics);
    let state = prior.filter(|_| replace.is_empty()).map(State::from_value).unwrap_or_default();
    let name = config.get("name").as_str().unwrap_or_default();
    diagnostics.extend(elsewhere(&state, name, scope.identity));
    let unknown = || COMPUTED.iter().map(|name| (*name, Value::Unknown)).collect();
    let (Some(ready), Some(_), false) = (ready, scope.identity, any_error(&diagnostics)) else {
        let mut planned = with_computed(config, unknown());
        if let Some(incarnation) = prior.filter(|_| replace.is_empty()).map(|prior| prior.get("incarnation"))
        {
            planned.set("incarnation", incarnation.clone());
        }
        return Planned { planned, replace, diagnostics, changes: Vec::new() };
    };
    let plan = plan::plan(&state, &ready.desired);
    diagnostics.extend(check::losses(&plan, ready.config.force_destroy.known() == Some(&true)));
    let mut planned = with_computed(config, ready.facts(&state, &plan).computed());
    let last = prior.map(|prior| prior.get(DEPLOYMENT).clone()).unwrap_or_default();
    planned.set(DEPLOYMENT, if plan.changes.is_empty() { last } else { Value::Unknown });
    Planned { planned, replace, diagnostics, changes: plan.summary() }
}

/// What makes it another deployment: another name, and one that is not known yet, because an engine that was told of
/// an update does not take a replacement later.
fn replacing(prior: Option<&Value>, config: &Value) -> Vec<Path> {
    let Some(prior) = prior else { return Vec::new() };
    if prior.get("name").same(config.get("name")) { Vec::new() } else { vec![Path::of("name")] }
}

/// What destroying would lose.
pub(super) fn removal(prior: &Value) -> Vec<Diagnostic> {
    let plan = plan::removal(&State::from_value(prior));
    let (typed, _) = config::service(prior);
    check::losses(&plan, typed.force_destroy.known() == Some(&true)).into_iter().collect()
}
