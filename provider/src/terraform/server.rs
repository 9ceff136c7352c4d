//! Terraform's calls, one after the other: which operation answers which.
//!
//! Nothing here decides anything about a service. What a call cannot do becomes a diagnostic; a gRPC error would look
//! like a broken plugin to the user, so there is none. The calls of state stores are not served, and none is announced.

use eventual_provider_wire::tfplugin6::provider_server;
use eventual_provider_wire::tfplugin6::{
    Diagnostic, apply_resource_change, call_function, close_ephemeral_resource, configure_provider,
    generate_resource_config, get_functions, get_metadata, get_provider_schema,
    get_resource_identity_schemas, import_resource_state, invoke_action, list_resource, move_resource_state,
    open_ephemeral_resource, plan_action, plan_resource_change, read_data_source, read_resource,
    renew_ephemeral_resource, stop_provider, upgrade_resource_identity, upgrade_resource_state,
    validate_action_config, validate_data_resource_config, validate_ephemeral_resource_config,
    validate_list_resource_config, validate_provider_config, validate_resource_config,
};
use futures_util::stream;
use tonic::{Request, Response, Status};

use super::answer::{Trouble, answer};
use super::provider::Provider;
use super::{actions, catalog, data, ephemeral, functions, identity, importing, listing, provider, upgrade};

type Answer<T> = Result<Response<T>, Status>;

/// An answer that can say what went wrong instead of what was asked.
trait Failed {
    fn failed(diagnostics: Vec<Diagnostic>) -> Self;
}

macro_rules! failed {
    ($($module:ident),*) => {$(
        impl Failed for $module::Response {
            #[allow(clippy::needless_update, reason = "some answers have nothing but diagnostics")]
            fn failed(diagnostics: Vec<Diagnostic>) -> Self {
                Self { diagnostics, ..Self::default() }
            }
        }
    )*};
}

failed!(
    close_ephemeral_resource,
    configure_provider,
    generate_resource_config,
    import_resource_state,
    move_resource_state,
    open_ephemeral_resource,
    plan_action,
    plan_resource_change,
    read_data_source,
    renew_ephemeral_resource,
    upgrade_resource_identity,
    upgrade_resource_state,
    validate_action_config,
    validate_data_resource_config,
    validate_ephemeral_resource_config,
    validate_list_resource_config,
    validate_provider_config,
    validate_resource_config
);

/// The answer of an operation, or what went wrong with it.
async fn say<T: Failed>(call: &'static str, work: impl Future<Output = Result<T, Trouble>>) -> Answer<T> {
    Ok(Response::new(answer(call, work, T::failed).await))
}

#[tonic::async_trait]
impl provider_server::Provider for Provider {
    type ListResourceStream = stream::Iter<std::vec::IntoIter<Result<list_resource::Event, Status>>>;
    type InvokeActionStream = actions::Events;

    async fn get_metadata(&self, _request: Request<get_metadata::Request>) -> Answer<get_metadata::Response> {
        Ok(Response::new(catalog::metadata()))
    }

    async fn get_provider_schema(
        &self,
        _request: Request<get_provider_schema::Request>,
    ) -> Answer<get_provider_schema::Response> {
        Ok(Response::new(catalog::schemas()))
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<get_resource_identity_schemas::Request>,
    ) -> Answer<get_resource_identity_schemas::Response> {
        Ok(Response::new(identity::schemas()))
    }

    async fn validate_provider_config(
        &self,
        request: Request<validate_provider_config::Request>,
    ) -> Answer<validate_provider_config::Response> {
        say("ValidateProviderConfig", async { provider::validate(request.get_ref()) }).await
    }

    async fn validate_resource_config(
        &self,
        request: Request<validate_resource_config::Request>,
    ) -> Answer<validate_resource_config::Response> {
        say("ValidateResourceConfig", async { self.validate(request.get_ref()) }).await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<upgrade_resource_state::Request>,
    ) -> Answer<upgrade_resource_state::Response> {
        say("UpgradeResourceState", async { upgrade::state(request.get_ref()) }).await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<upgrade_resource_identity::Request>,
    ) -> Answer<upgrade_resource_identity::Response> {
        say("UpgradeResourceIdentity", async { upgrade::identity(request.get_ref()) }).await
    }

    async fn configure_provider(
        &self,
        request: Request<configure_provider::Request>,
    ) -> Answer<configure_provider::Response> {
        say("ConfigureProvider", self.configure(request.get_ref())).await
    }

    async fn read_resource(
        &self,
        request: Request<read_resource::Request>,
    ) -> Answer<read_resource::Response> {
        let sent = request.into_inner();
        let failed = |diagnostics| read_resource::Response {
            new_state: sent.current_state.clone(),
            private: sent.private.clone(),
            new_identity: sent.current_identity.clone(),
            diagnostics,
            ..read_resource::Response::default()
        };
        Ok(Response::new(answer("ReadResource", self.read(&sent), failed).await))
    }

    async fn plan_resource_change(
        &self,
        request: Request<plan_resource_change::Request>,
    ) -> Answer<plan_resource_change::Response> {
        say("PlanResourceChange", self.plan(request.get_ref())).await
    }

    async fn apply_resource_change(
        &self,
        request: Request<apply_resource_change::Request>,
    ) -> Answer<apply_resource_change::Response> {
        let (provider, sent) = (self.clone(), request.into_inner());
        let work = async move {
            // Whatever went wrong, Terraform keeps what it knew before.
            let failed = |diagnostics| apply_resource_change::Response {
                new_state: sent.prior_state.clone(),
                private: sent.planned_private.clone(),
                new_identity: sent.planned_identity.clone(),
                diagnostics,
                ..apply_resource_change::Response::default()
            };
            answer("ApplyResourceChange", provider.apply(&sent), failed).await
        };
        let unfinished = |_| Status::aborted("the provider ended before this was done");
        self.work.finish(work).await.map(Response::new).map_err(unfinished)
    }

    async fn import_resource_state(
        &self,
        request: Request<import_resource_state::Request>,
    ) -> Answer<import_resource_state::Response> {
        say("ImportResourceState", self.import(request.get_ref())).await
    }

    async fn move_resource_state(
        &self,
        request: Request<move_resource_state::Request>,
    ) -> Answer<move_resource_state::Response> {
        say("MoveResourceState", async { upgrade::moved(request.get_ref()) }).await
    }

    async fn generate_resource_config(
        &self,
        request: Request<generate_resource_config::Request>,
    ) -> Answer<generate_resource_config::Response> {
        say("GenerateResourceConfig", async { importing::generate(request.get_ref()) }).await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<validate_data_resource_config::Request>,
    ) -> Answer<validate_data_resource_config::Response> {
        say("ValidateDataResourceConfig", async { data::validate(request.get_ref()) }).await
    }

    async fn read_data_source(
        &self,
        request: Request<read_data_source::Request>,
    ) -> Answer<read_data_source::Response> {
        say("ReadDataSource", self.read_data(request.get_ref())).await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<validate_ephemeral_resource_config::Request>,
    ) -> Answer<validate_ephemeral_resource_config::Response> {
        say("ValidateEphemeralResourceConfig", async { ephemeral::validate(request.get_ref()) }).await
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<open_ephemeral_resource::Request>,
    ) -> Answer<open_ephemeral_resource::Response> {
        say("OpenEphemeralResource", self.open(request.get_ref())).await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<renew_ephemeral_resource::Request>,
    ) -> Answer<renew_ephemeral_resource::Response> {
        say("RenewEphemeralResource", async { ephemeral::renew(request.get_ref()) }).await
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<close_ephemeral_resource::Request>,
    ) -> Answer<close_ephemeral_resource::Response> {
        say("CloseEphemeralResource", async { ephemeral::close(request.get_ref()) }).await
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<validate_list_resource_config::Request>,
    ) -> Answer<validate_list_resource_config::Response> {
        say("ValidateListResourceConfig", async { listing::validate(request.get_ref()) }).await
    }

    async fn list_resource(
        &self,
        request: Request<list_resource::Request>,
    ) -> Answer<Self::ListResourceStream> {
        let events = answer("ListResource", self.list(request.get_ref()), listing::failed).await;
        let events: Vec<_> = events.into_iter().map(Ok).collect();
        Ok(Response::new(stream::iter(events)))
    }

    async fn validate_action_config(
        &self,
        request: Request<validate_action_config::Request>,
    ) -> Answer<validate_action_config::Response> {
        say("ValidateActionConfig", async { actions::validate(request.get_ref()) }).await
    }

    async fn plan_action(&self, request: Request<plan_action::Request>) -> Answer<plan_action::Response> {
        say("PlanAction", self.planned_action(request.get_ref())).await
    }

    async fn invoke_action(
        &self,
        request: Request<invoke_action::Request>,
    ) -> Answer<Self::InvokeActionStream> {
        Ok(Response::new(self.invoke(request.into_inner())))
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
        let call = async { Ok(functions::call(self.ports.artifacts.as_ref(), request.get_ref())) };
        Ok(Response::new(answer("CallFunction", call, functions::failed).await))
    }

    async fn stop_provider(
        &self,
        _request: Request<stop_provider::Request>,
    ) -> Answer<stop_provider::Response> {
        tracing::info!("asked to stop: nothing new is begun");
        self.control().cancel();
        Ok(Response::new(stop_provider::Response::default()))
    }
}
