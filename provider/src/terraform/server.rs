//! Terraform's calls: each is decode, one operation of the core, encode.
//!
//! Nothing here decides anything about a service. What a call cannot do becomes a diagnostic; a gRPC error would look
//! like a broken plugin to the user, so there is none.

use eventual_provider_core::config;
use eventual_provider_core::declaration::{self, Object};
use eventual_provider_core::diagnostic::{Diagnostic, any_error};
use eventual_provider_core::path::Path;
use eventual_provider_core::request::{self, Control};
use eventual_provider_core::value::Value;
use eventual_provider_wire::tfplugin6::provider_server;
use eventual_provider_wire::tfplugin6::{
    DynamicValue, Schema, ServerCapabilities, apply_resource_change, call_function, configure_provider,
    get_functions, get_metadata, get_provider_schema, get_resource_identity_schemas, import_resource_state,
    move_resource_state, plan_resource_change, read_resource, stop_provider, upgrade_resource_state,
    validate_provider_config, validate_resource_config,
};
use eventual_schema::ServiceName;
use tokio::sync::RwLock;
use tonic::{Request, Response, Status};

use super::answer::{Trouble, answer, bug};
use super::{claimant, from_wire, functions, progress, schema, to_wire};
use crate::ports::{Ports, Session};

/// The only resource type.
const SERVICE: &str = "eventual_service";
/// Version of the resource's schema in states.
const STATE_VERSION: i64 = 0;

/// What the provider block said.
#[derive(Debug, Clone, Default)]
struct Configured {
    /// Where to deploy; `None` while that is not known.
    session: Option<Session>,
    /// Whether everything about it is known, so that plans can say names and tags.
    complete: bool,
}

/// The provider.
pub(super) struct Provider {
    ports: Ports,
    configured: RwLock<Configured>,
    control: Control,
}

type Answer<T> = Result<Response<T>, Status>;

impl Provider {
    /// A provider that is not configured yet.
    pub(super) fn new(ports: Ports) -> Self {
        let mut control = Control::new("");
        control.holder = claimant::here();
        control.progress = progress::log();
        Self { ports, configured: RwLock::default(), control }
    }

    /// The switch that stops what is under way.
    pub(super) fn control(&self) -> Control {
        self.control.clone()
    }

    async fn configured(&self) -> Configured {
        self.configured.read().await.clone()
    }

    /// Configured, for an operation that cannot do without.
    async fn session(&self) -> Result<Session, Trouble> {
        let missing = "Something that the provider block needs (region, credentials or endpoint) is not known, so nothing can be \
                       done with the service's resources.";
        self.configured()
            .await
            .session
            .ok_or_else(|| Trouble::from(Diagnostic::error("Provider not configured", missing)))
    }

    async fn configure(
        &self,
        sent: configure_provider::Request,
    ) -> Result<configure_provider::Response, Trouble> {
        let value = from_wire::object(declaration::provider(), sent.config.as_ref())?;
        let (config, mut diagnostics) = config::provider(&value);
        let mut configured = Configured::default();
        if !any_error(&diagnostics) && !config.is_unknown() {
            match self.ports.connect.connect(&config).await {
                Ok(session) => {
                    configured = Configured { session: Some(session), complete: !value.has_unknown() }
                }
                Err(refused) => diagnostics.extend(refused),
            }
        }
        *self.configured.write().await = configured;
        Ok(configure_provider::Response { diagnostics: to_wire::diagnostics(&diagnostics) })
    }

    async fn validate(&self, sent: validate_resource_config::Request) -> Result<Vec<Diagnostic>, Trouble> {
        let config = service(&sent.type_name, sent.config.as_ref())?;
        Ok(request::validate(&self.blind(), &config))
    }

    /// What is known without a session: the artifact.
    fn blind(&self) -> request::Scope<'_> {
        static NO_TAGS: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        request::Scope { artifacts: self.ports.artifacts.as_ref(), identity: None, default_tags: &NO_TAGS }
    }

    async fn plan(
        &self,
        sent: plan_resource_change::Request,
    ) -> Result<plan_resource_change::Response, Trouble> {
        let prior = service(&sent.type_name, sent.prior_state.as_ref())?;
        let proposed = service(&sent.type_name, sent.proposed_new_state.as_ref())?;
        let config = service(&sent.type_name, sent.config.as_ref())?;
        let mut response = plan_resource_change::Response {
            planned_private: claimant::keep(sent.prior_private),
            ..plan_resource_change::Response::default()
        };
        if proposed.is_null() {
            response.planned_state = Some(encode(&Value::Null)?);
            return Ok(response);
        }
        let configured = self.configured().await;
        let scope = match &configured.session {
            Some(session) if configured.complete => session.scope(self.ports.artifacts.as_ref()),
            _ => self.blind(),
        };
        let planned = request::plan(&scope, there(&prior), &config);
        response.diagnostics = to_wire::diagnostics(&planned.diagnostics);
        if any_error(&planned.diagnostics) {
            response.planned_state = sent.prior_state;
            return Ok(response);
        }
        for change in &planned.changes {
            tracing::info!(child = change.key, action = change.action.as_str(), "planned");
        }
        response.planned_state = Some(encode(&planned.planned)?);
        // Terraform takes no replacement of something that is not there.
        if !prior.is_null() {
            response.requires_replace = planned.replace.iter().map(to_wire::path).collect();
        }
        Ok(response)
    }

    async fn apply(
        &self,
        sent: &apply_resource_change::Request,
    ) -> Result<apply_resource_change::Response, Trouble> {
        let prior = service(&sent.type_name, sent.prior_state.as_ref())?;
        let planned = service(&sent.type_name, sent.planned_state.as_ref())?;
        let session = self.session().await?;
        let scope = session.scope(self.ports.artifacts.as_ref());
        let cloud = session.cloud.as_ref();
        let mut control = self.control();
        control.claimant = claimant::of(&sent.planned_private).unwrap_or_default();
        let mut applied = match there(&planned) {
            Some(planned) => request::apply(&scope, cloud, there(&prior), planned, &control).await,
            None if prior.is_null() => request::Applied { state: None, diagnostics: Vec::new() },
            None => request::destroy(&scope, cloud, &prior, &control).await,
        };
        let state = applied.state.unwrap_or_default();
        if state.has_unknown() && !any_error(&applied.diagnostics) {
            applied.diagnostics.push(bug("The state after applying is not known in all its parts."));
        }
        Ok(apply_resource_change::Response {
            new_state: Some(encode(&to_wire::settled(&state))?),
            private: sent.planned_private.clone(),
            diagnostics: to_wire::diagnostics(&applied.diagnostics),
            ..apply_resource_change::Response::default()
        })
    }

    async fn read(&self, sent: &read_resource::Request) -> Result<read_resource::Response, Trouble> {
        let state = service(&sent.type_name, sent.current_state.as_ref())?;
        let unchanged = read_resource::Response {
            new_state: sent.current_state.clone(),
            private: sent.private.clone(),
            ..read_resource::Response::default()
        };
        // Without a session nothing can be compared; the state stays what it was.
        let Some(session) = self.configured().await.session else { return Ok(unchanged) };
        if state.is_null() {
            return Ok(unchanged);
        }
        let read =
            request::read(&session.scope(self.ports.artifacts.as_ref()), session.cloud.as_ref(), &state)
                .await;
        let new_state = encode(&to_wire::settled(&read.state.unwrap_or_default()))?;
        let diagnostics = to_wire::diagnostics(&read.diagnostics);
        Ok(read_resource::Response { new_state: Some(new_state), diagnostics, ..unchanged })
    }
}

/// Decodes a value of the resource.
fn service(type_name: &str, value: Option<&DynamicValue>) -> Result<Value, Trouble> {
    known_type(type_name)?;
    Ok(from_wire::object(declaration::service(), value)?)
}

fn known_type(type_name: &str) -> Result<(), Trouble> {
    if type_name == SERVICE {
        return Ok(());
    }
    Err(Diagnostic::error(
        "Unknown resource type",
        format!("This provider has {SERVICE:?}, not {type_name:?}."),
    )
    .into())
}

fn encode(value: &Value) -> Result<DynamicValue, Trouble> {
    Ok(to_wire::object(declaration::service(), value)?)
}

/// The value, unless it is null.
fn there(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

fn upgrade(sent: &upgrade_resource_state::Request) -> Result<upgrade_resource_state::Response, Trouble> {
    known_type(&sent.type_name)?;
    if sent.version > STATE_VERSION {
        let detail =
            "The state was written by a newer release of this provider: use that release, or a newer one.";
        return Err(Diagnostic::error("State of a newer provider", detail).into());
    }
    let json = sent.raw_state.as_ref().map(|it| it.json.as_slice()).unwrap_or_default();
    let state = from_wire::state(declaration::service(), json)?;
    Ok(upgrade_resource_state::Response { upgraded_state: Some(encode(&state)?), diagnostics: Vec::new() })
}

/// Only what the id says; Terraform reads the rest next.
fn import(sent: &import_resource_state::Request) -> Result<import_resource_state::Response, Trouble> {
    known_type(&sent.type_name)?;
    let name = ServiceName::new(sent.id.trim()).map_err(|error| {
        let detail =
            format!("{error}. The id of a service is the name of its deployment, such as \"orders\".");
        Trouble::from(Diagnostic::error("Invalid id", detail).at(Path::of("id")))
    })?;
    let state = Value::map([("id", Value::from(name.as_str())), ("name", Value::from(name.as_str()))]);
    let imported = import_resource_state::ImportedResource {
        type_name: SERVICE.to_owned(),
        state: Some(encode(&state)?),
        ..import_resource_state::ImportedResource::default()
    };
    Ok(import_resource_state::Response {
        imported_resources: vec![imported],
        ..import_resource_state::Response::default()
    })
}

const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: false,
    generate_resource_config: false,
};

fn schema_of(object: &Object) -> Schema {
    Schema { version: STATE_VERSION, ..schema::schema(object) }
}

#[tonic::async_trait]
impl provider_server::Provider for Provider {
    async fn get_metadata(&self, _request: Request<get_metadata::Request>) -> Answer<get_metadata::Response> {
        Ok(Response::new(get_metadata::Response {
            server_capabilities: Some(CAPABILITIES),
            resources: vec![get_metadata::ResourceMetadata { type_name: SERVICE.to_owned() }],
            functions: functions::names().map(|name| get_metadata::FunctionMetadata { name }).collect(),
            ..get_metadata::Response::default()
        }))
    }

    async fn get_provider_schema(
        &self,
        _request: Request<get_provider_schema::Request>,
    ) -> Answer<get_provider_schema::Response> {
        Ok(Response::new(get_provider_schema::Response {
            provider: Some(schema::schema(declaration::provider())),
            resource_schemas: [(SERVICE.to_owned(), schema_of(declaration::service()))].into(),
            functions: functions::all(),
            server_capabilities: Some(CAPABILITIES),
            ..get_provider_schema::Response::default()
        }))
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<get_resource_identity_schemas::Request>,
    ) -> Answer<get_resource_identity_schemas::Response> {
        Ok(Response::new(get_resource_identity_schemas::Response::default()))
    }

    async fn validate_provider_config(
        &self,
        request: Request<validate_provider_config::Request>,
    ) -> Answer<validate_provider_config::Response> {
        let sent = request.into_inner();
        let validate = async {
            let config = from_wire::object(declaration::provider(), sent.config.as_ref())?;
            Ok(to_wire::diagnostics(&config::provider(&config).1))
        };
        let diagnostics = answer("ValidateProviderConfig", validate, |diagnostics| diagnostics).await;
        Ok(Response::new(validate_provider_config::Response { diagnostics }))
    }

    async fn validate_resource_config(
        &self,
        request: Request<validate_resource_config::Request>,
    ) -> Answer<validate_resource_config::Response> {
        let validate = async { Ok(to_wire::diagnostics(&self.validate(request.into_inner()).await?)) };
        let diagnostics = answer("ValidateResourceConfig", validate, |diagnostics| diagnostics).await;
        Ok(Response::new(validate_resource_config::Response { diagnostics }))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<upgrade_resource_state::Request>,
    ) -> Answer<upgrade_resource_state::Response> {
        let failed = |diagnostics| upgrade_resource_state::Response { upgraded_state: None, diagnostics };
        let upgrade = async { upgrade(request.get_ref()) };
        Ok(Response::new(answer("UpgradeResourceState", upgrade, failed).await))
    }

    async fn configure_provider(
        &self,
        request: Request<configure_provider::Request>,
    ) -> Answer<configure_provider::Response> {
        let failed = |diagnostics| configure_provider::Response { diagnostics };
        Ok(Response::new(answer("ConfigureProvider", self.configure(request.into_inner()), failed).await))
    }

    async fn read_resource(
        &self,
        request: Request<read_resource::Request>,
    ) -> Answer<read_resource::Response> {
        let sent = request.into_inner();
        let failed = |diagnostics| read_resource::Response {
            new_state: sent.current_state.clone(),
            private: sent.private.clone(),
            diagnostics,
            ..read_resource::Response::default()
        };
        Ok(Response::new(answer("ReadResource", self.read(&sent), failed).await))
    }

    async fn plan_resource_change(
        &self,
        request: Request<plan_resource_change::Request>,
    ) -> Answer<plan_resource_change::Response> {
        let failed = |diagnostics| plan_resource_change::Response {
            diagnostics,
            ..plan_resource_change::Response::default()
        };
        Ok(Response::new(answer("PlanResourceChange", self.plan(request.into_inner()), failed).await))
    }

    async fn apply_resource_change(
        &self,
        request: Request<apply_resource_change::Request>,
    ) -> Answer<apply_resource_change::Response> {
        let sent = request.into_inner();
        // Whatever went wrong, Terraform keeps what it knew before.
        let failed = |diagnostics| apply_resource_change::Response {
            new_state: sent.prior_state.clone(),
            private: sent.planned_private.clone(),
            diagnostics,
            ..apply_resource_change::Response::default()
        };
        Ok(Response::new(answer("ApplyResourceChange", self.apply(&sent), failed).await))
    }

    async fn import_resource_state(
        &self,
        request: Request<import_resource_state::Request>,
    ) -> Answer<import_resource_state::Response> {
        let failed = |diagnostics| import_resource_state::Response {
            diagnostics,
            ..import_resource_state::Response::default()
        };
        let import = async { import(request.get_ref()) };
        Ok(Response::new(answer("ImportResourceState", import, failed).await))
    }

    async fn move_resource_state(
        &self,
        request: Request<move_resource_state::Request>,
    ) -> Answer<move_resource_state::Response> {
        let sent = request.into_inner();
        let detail = format!(
            "A {} cannot become a {}: remove one and import the other.",
            sent.source_type_name, sent.target_type_name
        );
        let diagnostics = to_wire::diagnostics(&[Diagnostic::error("Cannot move", detail)]);
        Ok(Response::new(move_resource_state::Response {
            diagnostics,
            ..move_resource_state::Response::default()
        }))
    }

    async fn get_functions(
        &self,
        _request: Request<get_functions::Request>,
    ) -> Answer<get_functions::Response> {
        Ok(Response::new(get_functions::Response { functions: functions::all(), diagnostics: Vec::new() }))
    }

    async fn call_function(
        &self,
        request: Request<call_function::Request>,
    ) -> Answer<call_function::Response> {
        Ok(Response::new(functions::call(self.ports.artifacts.as_ref(), request.get_ref())))
    }

    async fn stop_provider(
        &self,
        _request: Request<stop_provider::Request>,
    ) -> Answer<stop_provider::Response> {
        tracing::info!("asked to stop: nothing new is begun");
        self.control.cancel();
        Ok(Response::new(stop_provider::Response::default()))
    }
}
