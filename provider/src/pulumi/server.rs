//! The RPCs of a Pulumi provider, each one line: what they mean is in [`super::provider`] and [`super::operations`].

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
use futures_util::stream;
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
        let schema = self.0.schema(&request.subpackage_name)?;
        Ok(Response::new(GetSchemaResponse { schema }))
    }

    async fn parameterize(
        &self,
        request: Request<ParameterizeRequest>,
    ) -> Result<Response<ParameterizeResponse>, Status> {
        self.0.parameterize(request.into_inner()).map(Response::new)
    }

    async fn invoke(&self, request: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        self.0.invoke(request.into_inner()).await.map(Response::new)
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
        Ok(Response::new(self.0.check_config(request.into_inner())))
    }

    async fn diff_config(&self, request: Request<DiffRequest>) -> Result<Response<DiffResponse>, Status> {
        Ok(Response::new(Provider::diff_config(request.into_inner())))
    }

    async fn configure(
        &self,
        request: Request<ConfigureRequest>,
    ) -> Result<Response<ConfigureResponse>, Status> {
        self.0.configure(request.into_inner()).await?;
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
        Ok(Response::new(self.0.check(request.into_inner())))
    }

    async fn diff(&self, request: Request<DiffRequest>) -> Result<Response<DiffResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        self.0.diff(request.into_inner()).map(Response::new)
    }

    async fn create(&self, request: Request<CreateRequest>) -> Result<Response<CreateResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        self.0.create(request.into_inner()).await.map(Response::new)
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        self.0.read(request.into_inner()).await.map(Response::new)
    }

    async fn update(&self, request: Request<UpdateRequest>) -> Result<Response<UpdateResponse>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        self.0.update(request.into_inner()).await.map(Response::new)
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<()>, Status> {
        self.of_the_service(&request.get_ref().urn)?;
        self.0.delete(request.into_inner()).await.map(Response::new)
    }

    type ListStream = stream::Iter<std::vec::IntoIter<Result<ListResponse, Status>>>;

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<Self::ListStream>, Status> {
        let page = self.0.list(request.into_inner()).await?;
        Ok(Response::new(stream::iter(page.into_iter().map(Ok).collect::<Vec<_>>())))
    }

    async fn cancel(&self, _request: Request<()>) -> Result<Response<()>, Status> {
        self.0.lifetime.cancel();
        Ok(Response::new(()))
    }
}
