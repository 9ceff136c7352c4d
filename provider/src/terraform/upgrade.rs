//! States that another release wrote, or that another provider of ours did: brought to the present shape, step by step.
//!
//! A step works on JSON, because what it reads may not fit today's schema. Attributes that are not ours are dropped, those
//! that are new are null; a step is only needed where that loses something.

use eventual_provider_core::declaration;
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::{
    RawState, move_resource_state, upgrade_resource_identity, upgrade_resource_state,
};
use serde_json::Value as Json;

use super::answer::Trouble;
use super::catalog::{self, SERVICE};
use super::{from_wire, identity, resource};

/// From each version of the state to the next.
const STEPS: [fn(&mut serde_json::Map<String, Json>); 1] = [locate];
/// Version of the state that this release writes.
pub(super) const STATE_VERSION: i64 = STEPS.len() as i64;

/// Version 1 says in which account and region the deployment lives. Version 0 did not, but its resources do.
fn locate(state: &mut serde_json::Map<String, Json>) {
    let arns = state.get("resources").and_then(Json::as_object).into_iter().flatten();
    let arns =
        arns.filter_map(|(_, child)| child["arn"].as_str().map(|arn| arn.split(':').collect::<Vec<_>>()));
    let told = arns.filter_map(|parts| Some(((*parts.get(4)?).to_owned(), (*parts.get(3)?).to_owned())));
    if let Some((account, region)) =
        told.into_iter().find(|(account, region)| !account.is_empty() && !region.is_empty())
    {
        state.insert("account_id".to_owned(), account.into());
        state.insert("region".to_owned(), region.into());
    }
}

fn newer(what: &str) -> Trouble {
    let detail = format!(
        "The {what} was written by a newer release of this provider: use that release, or a newer one."
    );
    Diagnostic::error(format!("{what} of a newer provider"), detail).into()
}

fn unreadable(why: impl std::fmt::Display) -> Trouble {
    let detail = format!(
        "No release of this provider wrote what is stored: {why}. Restore the state from a backup; or take the service out of it \
         with `terraform state rm` and import it again by its name, which changes nothing in AWS."
    );
    Diagnostic::error("Unreadable state", detail).into()
}

/// A stored state of a version in today's shape.
fn current(version: i64, raw: Option<&RawState>) -> Result<Value, Trouble> {
    if version > STATE_VERSION {
        return Err(newer("State"));
    }
    let json = raw.map(|it| it.json.as_slice()).unwrap_or_default();
    if json.is_empty() && raw.is_some_and(|it| !it.flatmap.is_empty()) {
        return Err(unreadable("it has the form that Terraform used before release 0.12"));
    }
    let stored: Json =
        serde_json::from_slice(json).map_err(|error| unreadable(format!("it is not JSON: {error}")))?;
    let Json::Object(mut stored) = stored else { return Err(unreadable("it is no object")) };
    let first = usize::try_from(version).map_err(|_| unreadable(format!("there is no version {version}")))?;
    STEPS.iter().skip(first).for_each(|step| step(&mut stored));
    let upgraded = serde_json::to_vec(&stored).map_err(unreadable)?;
    from_wire::state(declaration::terraform_service(), &upgraded).map_err(unreadable)
}

pub(super) fn state(
    sent: &upgrade_resource_state::Request,
) -> Result<upgrade_resource_state::Response, Trouble> {
    catalog::known("resource", SERVICE, &sent.type_name)?;
    let state = current(sent.version, sent.raw_state.as_ref())?;
    let upgraded_state = Some(resource::encode(&state)?);
    Ok(upgrade_resource_state::Response { upgraded_state, diagnostics: Vec::new() })
}

pub(super) fn identity(
    sent: &upgrade_resource_identity::Request,
) -> Result<upgrade_resource_identity::Response, Trouble> {
    catalog::known("resource", SERVICE, &sent.type_name)?;
    if sent.version > declaration::identity::VERSION {
        return Err(newer("Identity"));
    }
    let json = sent.raw_identity.as_ref().map(|it| it.json.as_slice()).unwrap_or_default();
    let stored = from_wire::state(declaration::identity(), json).map_err(unreadable)?;
    if stored.get("name").as_str().is_none() {
        return Err(unreadable("the identity has no name"));
    }
    let upgraded_identity = Some(identity::encode(&stored)?);
    Ok(upgrade_resource_identity::Response { upgraded_identity, diagnostics: Vec::new() })
}

/// A resource of the same type of this provider under another address (a mirror, a registry of one's own) moves here with
/// its state. Nothing else can become a service.
pub(super) fn moved(sent: &move_resource_state::Request) -> Result<move_resource_state::Response, Trouble> {
    catalog::known("resource", SERVICE, &sent.target_type_name)?;
    let ours = sent.source_provider_address.rsplit('/').next() == Some("eventual");
    if !ours || sent.source_type_name != SERVICE {
        let detail = format!(
            "A {} of {} cannot become a {SERVICE}: their states have nothing in common. If the service is deployed already, use \
             an `import` block with its name instead of the `moved` block, and a `removed` block for the old resource.",
            sent.source_type_name, sent.source_provider_address
        );
        return Err(Diagnostic::error("Cannot move", detail).into());
    }
    let state = current(sent.source_schema_version, sent.source_state.as_ref())?;
    Ok(move_resource_state::Response {
        target_state: Some(resource::encode(&state)?),
        target_private: sent.source_private.clone(),
        target_identity: identity::of(&state)?,
        diagnostics: Vec::new(),
    })
}
