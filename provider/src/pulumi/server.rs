//! The RPCs of a Pulumi provider, each one line: what they mean is in [`super::provider`] and [`super::operations`].

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use eventual_provider_wire::pulumirpc::resource_provider_server::ResourceProvider;
use eventual_provider_wire::pulumirpc::{
    CheckRequest, CheckResponse, ConfigureRequest, ConfigureResponse, CreateRequest, CreateResponse,
    DeleteRequest, DiffRequest, DiffResponse, GetMappingRequest, GetMappingResponse, GetMappingsRequest,
    GetMappingsResponse, GetSchemaRequest, GetSchemaResponse, InvokeRequest, InvokeResponse, ListRequest,
    ListResponse, ParameterizeRequest, ParameterizeResponse, PluginAttach, PluginInfo,
    ProviderHandshakeRequest, ProviderHandshakeResponse, ReadRequest, ReadResponse, UpdateRequest,
    UpdateResponse,
};
use futures_util::{FutureExt, TryFutureExt, stream};
use tonic::{Request, Response, Status, async_trait};

use super::provider::Provider;
use super::schema;

/// Serves one [`Provider`].
pub(crate) struct Server(pub(crate) Arc<Provider>);

impl Server {
    /// The only resource there is; a program that names another one is told so.
    fn of_the_service(&self, urn: &str) -> Result<(), Status> {
        // `urn:pulumi:<stack>::<project>::<parents>$<type>::<name>`
        let kind = urn.split("::").nth(2).and_then(|types| types.rsplit('$').next()).unwrap_or_default();
        let service = self.0.token();
        if kind == service {
            return Ok(());
        }
        Err(Status::invalid_argument(format!("the package has no resource {kind:?}, only {service}")))
    }
}

/// The answer of a call. A panic in it is a bug of ours: it fails the call, and nothing else.
async fn answer<T>(call: &str, work: impl Future<Output = Result<T, Status>>) -> Result<Response<T>, Status> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(answer) => answer.map(Response::new),
        // Its own words may hold anything, secrets too, so they stay with the panic hook.
        Err(_) => Err(Status::internal(format!("a bug in the provider stopped {call}; please report it"))),
    }
}

#[async_trait]
impl ResourceProvider for Server {
    async fn handshake(
        &self,
        request: Request<ProviderHandshakeRequest>,
    ) -> Result<Response<ProviderHandshakeResponse>, Status> {
        let request = request.into_inner();
        if !request.engine_address.is_empty() {
            self.0.log.attach(request.engine_address);
        }
        Ok(Response::new(ProviderHandshakeResponse {
            accept_secrets: true,
            accept_resources: true,
            accept_outputs: true,
            supports_autonaming_configuration: true,
        }))
    }

    async fn get_plugin_info(&self, _request: Request<()>) -> Result<Response<PluginInfo>, Status> {
        Ok(Response::new(PluginInfo { version: schema::VERSION.to_owned() }))
    }

    async fn attach(&self, request: Request<PluginAttach>) -> Result<Response<()>, Status> {
        self.0.log.attach(request.into_inner().address);
        Ok(Response::new(()))
    }

    async fn get_schema(
        &self,
        request: Request<GetSchemaRequest>,
    ) -> Result<Response<GetSchemaResponse>, Status> {
        let request = request.into_inner();
        if request.version != 0 {
            return Err(Status::invalid_argument("the schema has one format, 0"));
        }
        let schema = async { self.0.schema(&request.subpackage_name) };
        answer("GetSchema", schema.map_ok(|schema| GetSchemaResponse { schema })).await
    }

    async fn parameterize(
        &self,
        request: Request<ParameterizeRequest>,
    ) -> Result<Response<ParameterizeResponse>, Status> {
        answer("Parameterize", async { self.0.parameterize(request.into_inner()) }).await
    }

    async fn invoke(&self, request: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        answer("Invoke", self.0.invoke(request.into_inner())).await
    }

    async fn get_mapping(
        &self,
        _request: Request<GetMappingRequest>,
    ) -> Result<Response<GetMappingResponse>, Status> {
        // The properties are those of Terraform's resource, but no format of a mapping says "the same in camelCase".
        Ok(Response::new(GetMappingResponse::default()))
    }

    async fn get_mappings(
        &self,
        _request: Request<GetMappingsRequest>,
    ) -> Result<Response<GetMappingsResponse>, Status> {
        Ok(Response::new(GetMappingsResponse::default()))
    }

    async fn check_config(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        answer("CheckConfig", async { Ok(self.0.check_config(request.into_inner())) }).await
    }

    async fn diff_config(&self, request: Request<DiffRequest>) -> Result<Response<DiffResponse>, Status> {
        answer("DiffConfig", async { Ok(Provider::diff_config(request.into_inner())) }).await
    }

    async fn configure(
        &self,
        request: Request<ConfigureRequest>,
    ) -> Result<Response<ConfigureResponse>, Status> {
        answer("Configure", self.0.configure(request.into_inner())).await?;
        Ok(Response::new(ConfigureResponse {
            accept_secrets: true,
            supports_preview: true,
            accept_resources: true,
            accept_outputs: true,
            supports_autonaming_configuration: true,
        }))
    }

    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        answer("Check", async { Ok(self.0.check(request.into_inner())) }).await
    }

    async fn diff(&self, request: Request<DiffRequest>) -> Result<Response<DiffResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        answer("Diff", async { self.0.diff(request.into_inner()) }).await
    }

    async fn create(&self, request: Request<CreateRequest>) -> Result<Response<CreateResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        answer("Create", self.0.create(request.into_inner())).await
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        answer("Read", self.0.read(request.into_inner())).await
    }

    async fn update(&self, request: Request<UpdateRequest>) -> Result<Response<UpdateResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        answer("Update", self.0.update(request.into_inner())).await
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        answer("Delete", self.0.delete(request.into_inner())).await
    }

    type ListStream = stream::Iter<std::vec::IntoIter<Result<ListResponse, Status>>>;

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<Self::ListStream>, Status> {
        let page = answer("List", self.0.list(request.into_inner())).await?;
        Ok(page.map(|page| stream::iter(page.into_iter().map(Ok).collect::<Vec<_>>())))
    }

    async fn cancel(&self, _request: Request<()>) -> Result<Response<()>, Status> {
        self.0.lifetime.cancel();
        Ok(Response::new(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_fails_its_call_without_its_words() {
        let failed = answer("Check", async { panic!("hunter2") }).await.map(|_: Response<()>| ());
        let status = failed.unwrap_err();
        assert!(
            status.message().contains("stopped Check") && !status.message().contains("hunter2"),
            "{status}"
        );
        let fine = answer("Check", async { Ok(1) }).await.unwrap();
        assert_eq!(fine.into_inner(), 1);
    }
}
