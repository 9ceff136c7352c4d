//! The provider behind the server: what it was told about itself, and everything that changes nothing.
//!
//! Each operation is decode, one call of the core, encode. Those that change a deployment are in [`super::operations`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use eventual_provider_core::config;
use eventual_provider_core::declaration::service;
use eventual_provider_core::diagnostic::{Diagnostic, any_error};
use eventual_provider_core::path::Path;
use eventual_provider_core::request::{self, Artifacts, Scope};
use eventual_provider_core::value::Value;
use eventual_provider_wire::pulumirpc::{
    CheckFailure, CheckRequest, CheckResponse, ConfigureRequest, DiffRequest, DiffResponse, InvokeRequest,
    InvokeResponse, ParameterizeRequest, ParameterizeResponse, PropertyDiff, View,
    diff_response::DiffChanges, parameterize_request::Parameters, property_diff,
};
use tonic::Status;

use super::archives::Archives;
use super::claimant::Asking;
use super::engine_log::EngineLog;
use super::lifetime::Lifetime;
use super::naming::{self, Sources};
use super::package::Parameter;
use super::property::{self, Members};
use super::views::Stage;
use super::{difference, failure, from_wire, functions, names, schema, to_wire, typed_schema};
use crate::ports::{Ports, Session};

/// One process of the provider.
pub(crate) struct Provider {
    pub(super) archives: Archives,
    pub(super) log: EngineLog,
    pub(super) lifetime: Arc<Lifetime>,
    ports: Ports,
    session: RwLock<Option<Session>>,
    /// Id of the provider's own entry in the stack's state; `None` while there is none.
    entry: RwLock<Option<String>>,
    /// Whether the user wants the children of services shown as views.
    views: AtomicBool,
    /// What makes this the provider of one service's package; absent for the general one.
    parameter: RwLock<Option<Parameter>>,
}

impl Provider {
    pub(crate) fn new(ports: Ports, log: EngineLog, lifetime: Arc<Lifetime>) -> Arc<Self> {
        let archives = Archives::new(Arc::clone(&ports.artifacts));
        Arc::new(Self {
            archives,
            log,
            lifetime,
            ports,
            session: RwLock::default(),
            entry: RwLock::default(),
            views: AtomicBool::new(false),
            parameter: RwLock::default(),
        })
    }

    /// The session that Configure opened; `None` before it, and while the provider's own settings are not known.
    pub(super) fn session(&self) -> Option<Session> {
        self.session.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who asks for a change of the resource `urn`.
    pub(super) fn asking(&self, urn: &str) -> Asking {
        Asking::of(self.entry.read().unwrap_or_else(PoisonError::into_inner).as_deref(), urn)
    }

    /// Where the children are shown that a call on the resource `urn` makes and changes.
    pub(super) fn stage(&self, urn: &str, address: String, token: String, old: Vec<View>) -> Stage {
        Stage::new(self.views.load(Ordering::Relaxed), urn, address, token, old)
    }

    fn parameter(&self) -> Option<Parameter> {
        self.parameter.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Name of the package: the service's, when this is the provider of one.
    fn package(&self) -> String {
        self.parameter().map_or_else(|| "eventual".to_owned(), |it| it.service)
    }

    /// Token of the resource.
    pub(super) fn token(&self) -> String {
        format!("{}:index:Service", self.package())
    }

    /// The package schema.
    pub(super) fn schema(&self, subpackage: &str) -> Result<String, Status> {
        match self.parameter() {
            Some(parameter) if subpackage.is_empty() || subpackage == parameter.service => {
                Ok(typed_schema::json(&parameter))
            }
            None if subpackage.is_empty() => Ok(schema::json()),
            _ => Err(Status::invalid_argument(format!(
                "the package {subpackage:?} was not added to this process"
            ))),
        }
    }

    /// Makes this the provider of one service's package: by its artifact for `pulumi package add`, and by what came of
    /// that in every process after.
    pub(super) fn parameterize(&self, request: ParameterizeRequest) -> Result<ParameterizeResponse, Status> {
        let parameter = match request.parameters {
            Some(Parameters::Args(words)) => {
                let [artifact] = words.args.as_slice() else {
                    return Err(Status::invalid_argument(
                        "one argument is expected, the path of an artifact: `pulumi package add eventual target/eventual/<service>.zip`",
                    ));
                };
                let artifact = self.ports.artifacts.open(artifact).map_err(Status::invalid_argument)?;
                Parameter::of(&artifact.manifest)
            }
            Some(Parameters::Value(value)) => Parameter::parse(&value.value)?,
            None => return Err(Status::invalid_argument("neither an artifact nor a package is given")),
        };
        let (name, version) = (parameter.service.clone(), parameter.version.clone());
        *self.parameter.write().unwrap_or_else(PoisonError::into_inner) = Some(parameter);
        Ok(ParameterizeResponse { name, version })
    }

    /// Calls a function of the package.
    pub(super) async fn invoke(&self, request: InvokeRequest) -> Result<InvokeResponse, Status> {
        functions::invoke(self.ports.artifacts.as_ref(), self.session().as_ref(), request).await
    }

    /// Validates the provider's configuration, which keeps the shape that the user gave it.
    pub(super) fn check_config(&self, request: CheckRequest) -> CheckResponse {
        let mut news = property::decode(request.news);
        let implied = request.urn.rsplit("::").next().is_some_and(|it| it.starts_with("default"));
        if implied && self.parameter().is_some() {
            news = from_wire::of_provider(news);
        }
        let given = from_wire::configuration(&news);
        let (_, invalid) = config::provider(&given.value);
        let diagnostics = [given.diagnostics, invalid].concat();
        self.checked(&request.urn, news, &diagnostics, &given.value)
    }

    /// Compares two configurations of the provider. Only another region leaves a service out of reach.
    pub(super) fn diff_config(request: DiffRequest) -> DiffResponse {
        let old = property::decode(request.old_inputs.or(request.olds));
        let new = property::decode(request.news);
        let shown = [&old, &new].map(|it| from_wire::views(it).unwrap_or_default());
        let (old, new) = (from_wire::configuration(&old).value, from_wire::configuration(&new).value);
        let mut response = DiffResponse { changes: DiffChanges::DiffNone.into(), ..DiffResponse::default() };
        let names = eventual_provider_core::declaration::provider().attributes.iter().map(|it| it.name);
        for name in names.filter(|name| !old.get(name).same(new.get(name))) {
            // Anything else than SOME would make the engine go on with the old configuration, without a word.
            response.changes = DiffChanges::DiffSome.into();
            response.diffs.push(names::camel(name));
            let both_known = [&old, &new].iter().all(|it| it.get(name).as_str().is_some());
            if name == "region" && both_known {
                response.replaces.push(names::camel(name));
            }
        }
        if shown[0] != shown[1] {
            response.changes = DiffChanges::DiffSome.into();
            response.diffs.push(from_wire::VIEWS.to_owned());
        }
        response
    }

    /// Opens a session, unless it depends on what is not known yet.
    pub(super) async fn configure(&self, request: ConfigureRequest) -> Result<(), Status> {
        let members = property::decode(request.args);
        self.views.store(from_wire::views(&members).unwrap_or_default(), Ordering::Relaxed);
        let given = from_wire::configuration(&members);
        let secrets = to_wire::secrets(&given.value);
        let (config, invalid) = config::provider(&given.value);
        let diagnostics = [given.diagnostics, invalid].concat();
        if any_error(&diagnostics) {
            return Err(failure::refused(&diagnostics, &secrets));
        }
        let session = if config.is_unknown() {
            None
        } else {
            let opened = self.ports.connect.connect(&config).await;
            Some(opened.map_err(|diagnostics| {
                let absent = |name: &str| given.value.get(name).is_null();
                failure::not_configured(&self.package(), &diagnostics, &secrets, absent)
            })?)
        };
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = session;
        // In a preview of a new provider it is a value that is not known yet.
        let entry = request.id.filter(|id| !id.is_empty() && !property::is_unknown(id));
        *self.entry.write().unwrap_or_else(PoisonError::into_inner) = entry;
        Ok(())
    }

    /// Validates the inputs of a service, which keep the shape that the user gave them.
    pub(super) fn check(&self, request: CheckRequest) -> CheckResponse {
        let mut news = property::decode(request.news);
        let olds = property::decode(request.olds);
        let sources = Sources {
            logical: request.urn.rsplit("::").next().unwrap_or_default(),
            olds: &olds,
            seed: &request.random_seed,
            options: request.autonaming.as_ref(),
        };
        let named = naming::complete(&mut news, &sources);
        let mut given = from_wire::inputs(&news, &self.archives);
        let artifact = given.value.get(names::ARTIFACT).as_str();
        if artifact.is_some_and(|name| !self.archives.has(name)) && news == olds {
            // What an import read is checked as it is: where the artifact's file is, only the program will say.
            given.value.set(names::ARTIFACT, Value::Unknown);
        }
        let session = self.session();
        let mut diagnostics = given.diagnostics;
        match named {
            // Without a name nothing more can be said than that.
            Err(diagnostic) => diagnostics.push(diagnostic),
            Ok(()) => {
                diagnostics.extend(request::validate(&scope(session.as_ref(), &self.archives), &given.value));
            }
        }
        diagnostics.extend(self.mismatch(&given.value));
        self.checked(&request.urn, news, &diagnostics, &given.value)
    }

    /// Whether the artifact is of another service than the package.
    fn mismatch(&self, config: &Value) -> Option<Diagnostic> {
        let artifact = self.archives.open(config.get(names::ARTIFACT).as_str()?).ok()?;
        self.parameter()?.mismatch(&artifact.manifest)
    }

    fn checked(&self, urn: &str, news: Members, diagnostics: &[Diagnostic], value: &Value) -> CheckResponse {
        let secrets = to_wire::secrets(value);
        self.warn(urn, diagnostics, &secrets);
        let errors = diagnostics.iter().filter(|it| it.is_error());
        let failures =
            errors.map(|it| CheckFailure { property: String::new(), reason: to_wire::reason(it, &secrets) });
        CheckResponse { failures: failures.collect(), inputs: Some(property::encode(news)) }
    }

    /// Compares the state of a service with new inputs.
    pub(super) fn diff(&self, request: DiffRequest) -> Result<DiffResponse, Status> {
        let prior = from_wire::state(&request.id, &property::decode(request.olds));
        let given = from_wire::inputs(&property::decode(request.news), &self.archives);
        let artifact = given.value.get(names::ARTIFACT).as_str();
        if artifact.is_some_and(|name| !self.archives.has(name)) {
            return Ok(without_artifact(&prior, &given.value));
        }
        let session = self.session();
        let planned = request::plan(&scope(session.as_ref(), &self.archives), Some(&prior), &given.value);
        let diagnostics = [given.diagnostics, planned.diagnostics].concat();
        if any_error(&diagnostics) {
            return Err(failure::refused(&diagnostics, &to_wire::secrets(&given.value)));
        }
        // What Check knew was said then; new is what is about to be deleted.
        self.warn(&request.urn, &diagnostics, &to_wire::secrets(&given.value));
        let mut response = difference::between(&prior, &planned.planned, &planned.replace);
        if response.changes() == DiffChanges::DiffNone {
            // Children may change although all that is recorded of them stays the same.
            for change in &planned.changes {
                let difference = PropertyDiff { kind: property_diff::Kind::Update.into(), input_diff: false };
                response.changes = DiffChanges::DiffSome.into();
                response.has_detailed_diff = true;
                response.diffs = vec!["resources".to_owned()];
                response
                    .detailed_diff
                    .insert(names::path(&Path::of("resources").key(&change.key)), difference);
            }
        }
        Ok(response)
    }

    /// Shows the warnings among the diagnostics.
    pub(super) fn warn(&self, urn: &str, diagnostics: &[Diagnostic], secrets: &[String]) {
        for warning in diagnostics.iter().filter(|it| !it.is_error()) {
            self.log.warn(urn, to_wire::reason(warning, secrets));
        }
    }
}

/// What the core needs to work with this session, or without one.
pub(super) fn scope<'a>(session: Option<&'a Session>, artifacts: &'a dyn Artifacts) -> Scope<'a> {
    static NO_TAGS: BTreeMap<String, String> = BTreeMap::new();
    match session {
        Some(session) => session.scope(artifacts),
        None => Scope { artifacts, identity: None, default_tags: &NO_TAGS },
    }
}

/// In a refresh the engine gives no path of the artifact, so the inputs alone are compared with the state.
fn without_artifact(prior: &Value, config: &Value) -> DiffResponse {
    let mut planned = prior.clone();
    let mut replace = Vec::new();
    for attribute in names::inputs(service()) {
        planned.set(attribute.name, config.get(attribute.name).clone());
        if attribute.replace_on_change {
            replace.push(Path::of(attribute.name));
        }
    }
    difference::between(prior, &planned, &replace)
}
