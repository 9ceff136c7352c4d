//! Looking up services that are deployed: by name, from their own ownership record and artifact; or all of them.

use std::collections::BTreeMap;

use eventual_schema::deploy::{Names, TAG_SERVICE, bucket};
use eventual_schema::{FunctionKind, Manifest, openapi};

use super::inputs;
use super::output::COMPUTED;
use super::reading::Look;
use super::{Artifact, Found, Identity, Scope};
use crate::cloud::{Cloud, CloudError, Ownership, OwnershipState, Progress};
use crate::config;
use crate::declaration;
use crate::desired::Place;
use crate::diagnostic::Diagnostic;
use crate::inspect;
use crate::operations::Operations;
use crate::path::Path;
use crate::policy;
use crate::resource::Kind;
use crate::state::{State, to_value};
use crate::value::Value;

/// Longest time for one answer of the cloud, with asking again.
const PATIENCE_MS: u64 = 2 * 60 * 1000;

/// What a look-up is done with.
#[derive(Clone, Copy)]
pub(super) struct Looker<'a> {
    pub(super) identity: &'a Identity,
    pub(super) cloud: &'a dyn Cloud,
    pub(super) operations: &'a dyn Operations,
}

/// A service that is there.
pub(super) struct Service {
    pub(super) place: Place,
    pub(super) record: Ownership,
    pub(super) state: State,
    pub(super) artifact: Option<Artifact>,
}

/// Something the cloud refused, for the user.
pub(super) fn refused(what: &str, error: &CloudError) -> Diagnostic {
    Diagnostic::error(format!("Could not {what}"), format!("{error}."))
}

impl Looker<'_> {
    /// Asks again as long as the cloud is only busy or out of reach, for some minutes.
    async fn patiently<T, F>(&self, ask: impl Fn() -> F) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, CloudError>>,
    {
        Look { cloud: self.cloud, deadline_ms: self.cloud.now_ms() + PATIENCE_MS }.patiently(ask).await
    }

    /// Finds the service that the attribute `attribute` of `config` names.
    pub(super) async fn service(&self, config: &Value, attribute: &str) -> Result<Service, Diagnostic> {
        let name = config.get(attribute).as_str().unwrap_or_default();
        let at = || Path::of(attribute);
        let name = config::service_name(name)
            .map_err(|reason| Diagnostic::error("Invalid name", reason).at(at()))?;
        let place = Place::new(name.as_str(), self.identity);
        let bucket = place.names().bucket();
        let ownership = self.patiently(|| self.cloud.ownership(&bucket)).await;
        let record = match ownership.map_err(|error| refused("read the ownership record", &error))? {
            OwnershipState::Found(found) => found.record,
            OwnershipState::NoBucket | OwnershipState::NoRecord { .. } => {
                let Identity { account, region, .. } = self.identity;
                let detail =
                    format!("There is no service {:?} in {region} of account {account}.", name.as_str());
                return Err(Diagnostic::error("No such service", detail).at(at()));
            }
        };
        let state = State { incarnation: record.incarnation.clone(), children: record.children.clone() };
        let artifact = self.artifact(&place, &state).await?;
        Ok(Service { place, record, state, artifact })
    }

    /// What the user configured, with the values of environment variables that the functions have.
    async fn restore(&self, imported: &mut Value, service: &Service) -> Result<(), Diagnostic> {
        if service.record.inputs.is_null() {
            return Ok(());
        }
        let mut environments = inputs::Environments::new();
        for (key, child) in service.state.children.iter().filter(|(_, child)| child.kind == Kind::Function) {
            let environment = self.patiently(|| self.cloud.environment(child)).await;
            let environment =
                environment.map_err(|error| refused(&format!("read the environment of {key}"), &error))?;
            environments.insert(key.trim_start_matches("function/").to_owned(), environment);
        }
        inputs::restore(imported, &service.record.inputs, &environments);
        Ok(())
    }

    /// What is deployed; `None` when that is not there (any more).
    async fn artifact(&self, place: &Place, state: &State) -> Result<Option<Artifact>, Diagnostic> {
        let Some(recorded) = state.children.get("artifact") else { return Ok(None) };
        let bucket_name = place.names().bucket();
        let manifest = self.patiently(|| self.operations.manifest(&bucket_name, &recorded.name)).await;
        let manifest = manifest.map_err(|error| refused("read the deployed artifact", &error))?;
        let sha256 = recorded.name.trim_start_matches(bucket::CODE).trim_end_matches(".zip").to_owned();
        Ok(manifest.map(|manifest| Artifact { manifest, sha256, path: recorded.name.clone() }))
    }
}

impl Service {
    /// What the code declares.
    pub(super) fn manifest(&self) -> Result<&Manifest, Diagnostic> {
        self.artifact.as_ref().map(|it| &it.manifest).ok_or_else(|| {
            let detail =
                format!("The artifact of {:?} is not in its bucket: deploy it again.", self.place.service());
            Diagnostic::error("No artifact", detail)
        })
    }

    /// URL of the API; null without one.
    pub(super) fn url(&self) -> Value {
        self.state.lookup("api", "url").map(str::to_owned).into()
    }

    /// ARN of the event bus; null without one.
    pub(super) fn bus(&self) -> Value {
        self.state.lookup("bus", "arn").map(str::to_owned).into()
    }

    /// ARN to invoke for operations on executions; `None` without workflows.
    pub(super) fn system(&self) -> Option<String> {
        let manifest = &self.artifact.as_ref()?.manifest;
        let system = manifest.functions.iter().find(|it| it.kind == FunctionKind::System)?;
        Some(self.place.alias_arn(&system.name))
    }

    /// Documents that permit its use.
    pub(super) fn grants(&self) -> Option<policy::Grants> {
        let manifest = &self.artifact.as_ref()?.manifest;
        Some(policy::grants(manifest, &self.place, self.state.lookup("api", "api_id")))
    }

    fn value(&self) -> Value {
        let Identity { account, region, .. } = self.place.identity();
        let functions = self.state.children.iter().filter_map(|(key, child)| {
            let name = key.strip_prefix("function/")?;
            Some((name.to_owned(), Value::from(child.attribute("alias_arn"))))
        });
        let resources = self.state.children.iter().map(|(key, child)| (key.clone(), to_value(child)));
        let document = |document: Option<String>| Value::from(document);
        let artifact = self.artifact.as_ref();
        let grants = self.grants().map_or(Value::Null, |grants| {
            Value::map([
                ("start_execution_json", document(grants.start_execution)),
                ("send_signal_json", document(grants.send_signal)),
                ("emit_events_json", document(grants.emit_events)),
                ("invoke_json", document(grants.invoke)),
            ])
        });
        let url = self.url();
        Value::map([
            ("name", Value::from(self.place.service())),
            ("id", Value::from(self.place.service())),
            ("account_id", Value::from(account.as_str())),
            ("region", Value::from(region.as_str())),
            ("event_bus_arn", self.bus()),
            ("system_function_arn", self.system().into()),
            ("artifact_sha256", artifact.map(|it| it.sha256.clone()).into()),
            ("functions", Value::map(functions)),
            ("resources", Value::map(resources)),
            ("manifest", artifact.map_or(Value::Null, inspect::manifest)),
            (
                "openapi_json",
                artifact.map(|it| openapi::openapi(&it.manifest, url.as_str()).to_string()).into(),
            ),
            ("grants", grants),
            ("incarnation", Value::from(self.record.incarnation.as_str())),
            ("progress", Value::from(progress(self.record.progress))),
            ("holder", Value::from(self.record.holder.as_str())),
            ("url", url),
        ])
    }
}

const fn progress(progress: Progress) -> &'static str {
    match progress {
        Progress::Creating => "creating",
        Progress::Updating => "updating",
        Progress::Incomplete => "incomplete",
        Progress::Complete => "complete",
        Progress::Deleting => "deleting",
    }
}

pub(super) async fn look_up(
    identity: &Identity,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    config: &Value,
) -> Found {
    let wrong = config::shaped(declaration::lookup(), config);
    if !wrong.is_empty() {
        return Found { value: None, diagnostics: wrong };
    }
    let looker = Looker { identity, cloud, operations };
    match looker.service(config, "name").await {
        Ok(service) => Found { value: Some(service.value()), diagnostics: Vec::new() },
        Err(diagnostic) => Found { value: None, diagnostics: vec![diagnostic] },
    }
}

/// Computed attributes of the resource that a look-up does not know as the resource does.
const NOT_LOOKED_UP: [&str; 3] = ["resources", "tags_all", "incarnation"];

pub(super) async fn complete(
    scope: &Scope<'_>,
    cloud: &dyn Cloud,
    operations: &dyn Operations,
    imported: &mut Value,
) -> Vec<Diagnostic> {
    let Some(identity) = scope.identity else { return Vec::new() };
    let looker = Looker { identity, cloud, operations };
    let found = match looker.service(imported, "name").await {
        Ok(found) => found,
        Err(diagnostic) => return vec![diagnostic],
    };
    if let Err(diagnostic) = looker.restore(imported, &found).await {
        return vec![diagnostic];
    }
    let service = found.value();
    for name in COMPUTED.into_iter().filter(|it| !NOT_LOOKED_UP.contains(it)) {
        imported.set(name, service.get(name).clone());
    }
    let mut tags: BTreeMap<String, Value> =
        scope.default_tags.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    tags.extend(
        imported.get("tags").as_map().into_iter().flatten().map(|(key, it)| (key.clone(), it.clone())),
    );
    tags.retain(|_, value| !value.is_null());
    tags.insert(TAG_SERVICE.to_owned(), service.get("id").clone());
    imported.set("tags_all", Value::Map(tags));
    Vec::new()
}

/// The service whose bucket this is, if it can be one: names of buckets end with a hash of what they are made from.
fn service_of<'a>(bucket: &'a str, identity: &Identity) -> Option<&'a str> {
    let (service, _) = bucket.rsplit_once('-')?;
    let named = Names::new(service, &identity.account, &identity.region).bucket();
    (named == bucket && config::service_name(service).is_ok()).then_some(service)
}

pub(super) async fn list(
    identity: &Identity,
    operations: &dyn Operations,
) -> Result<Vec<String>, Diagnostic> {
    let buckets =
        operations.buckets().await.map_err(|error| refused("list the account's buckets", &error))?;
    let mut services: Vec<String> =
        buckets.iter().filter_map(|it| service_of(it, identity)).map(str::to_owned).collect();
    services.sort();
    Ok(services)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_says_whose_it_is() {
        let identity =
            Identity { account: "1".to_owned(), region: "r".to_owned(), partition: "aws".to_owned() };
        let bucket = Names::new("my-shop", "1", "r").bucket();
        assert_eq!(service_of(&bucket, &identity), Some("my-shop"));
        for other in ["my-shop", "my-shop-0123456789ab", &Names::new("my-shop", "1", "other").bucket(), ""] {
            assert_eq!(service_of(other, &identity), None, "{other}");
        }
    }
}
