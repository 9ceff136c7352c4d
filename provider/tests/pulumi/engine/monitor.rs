//! What the SDKs for Node and Python talk to: the engine's monitor. It takes what a program registers and hands it, one by
//! one, to the engine that runs the program.

use std::sync::{Arc, Mutex};

use eventual_provider_wire::pulumirpc::resource_monitor_server::{ResourceMonitor, ResourceMonitorServer};
use eventual_provider_wire::pulumirpc::{
    RegisterPackageRequest, RegisterPackageResponse, RegisterResourceOutputsRequest, RegisterResourceRequest,
    RegisterResourceResponse, SupportsFeatureRequest, SupportsFeatureResponse,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use super::values::{from_struct, to_struct};

/// What the engine does not do would only be in the way of what it does.
const FEATURES: [&str; 4] = ["secrets", "resourceReferences", "outputValues", "parameterization"];

/// A resource that a program wants.
pub(super) struct Wanted {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) inputs: Value,
    /// The parameter of its package, if it has one.
    pub(super) parameter: Option<Vec<u8>>,
    /// Takes id and outputs, or what is wrong.
    pub(super) answer: oneshot::Sender<Result<(String, Value), String>>,
}

/// The monitor of one program.
#[derive(Clone)]
pub(super) struct Monitor {
    wanted: mpsc::UnboundedSender<Wanted>,
    packages: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
    outputs: Arc<Mutex<Value>>,
}

impl Monitor {
    /// Serves on a port of its own; answers the address and what will be wanted.
    pub(super) async fn serve() -> (Self, String, mpsc::UnboundedReceiver<Wanted>) {
        let (wanted, received) = mpsc::unbounded_channel();
        let monitor = Self { wanted, packages: Arc::default(), outputs: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = ResourceMonitorServer::new(monitor.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)));
        (monitor, address, received)
    }

    /// What the program exported.
    pub(super) fn outputs(&self) -> Value {
        self.outputs.lock().unwrap().clone()
    }

    fn parameter(&self, reference: &str) -> Option<Vec<u8>> {
        let number: usize = reference.parse().ok()?;
        self.packages.lock().unwrap().get(number).cloned().flatten()
    }
}

#[tonic::async_trait]
impl ResourceMonitor for Monitor {
    async fn supports_feature(
        &self,
        request: Request<SupportsFeatureRequest>,
    ) -> Result<Response<SupportsFeatureResponse>, Status> {
        let has_support = FEATURES.contains(&request.into_inner().id.as_str());
        Ok(Response::new(SupportsFeatureResponse { has_support }))
    }

    async fn register_package(
        &self,
        request: Request<RegisterPackageRequest>,
    ) -> Result<Response<RegisterPackageResponse>, Status> {
        let mut packages = self.packages.lock().unwrap();
        packages.push(request.into_inner().parameterization.map(|it| it.value));
        Ok(Response::new(RegisterPackageResponse { r#ref: (packages.len() - 1).to_string() }))
    }

    async fn register_resource(
        &self,
        request: Request<RegisterResourceRequest>,
    ) -> Result<Response<RegisterResourceResponse>, Status> {
        let request = request.into_inner();
        let urn = format!("urn:pulumi:test::orders::{}::{}", request.r#type, request.name);
        if !request.custom {
            return Ok(Response::new(RegisterResourceResponse {
                urn,
                ..RegisterResourceResponse::default()
            }));
        }
        let (answer, answered) = oneshot::channel();
        let parameter = self.parameter(&request.package_ref);
        let inputs = from_struct(request.object);
        let wanted = Wanted { kind: request.r#type, name: request.name, inputs, parameter, answer };
        self.wanted.send(wanted).map_err(|_| Status::cancelled("the engine is gone"))?;
        match answered.await.map_err(|_| Status::cancelled("the engine is gone"))? {
            Ok((id, outputs)) => {
                let object = Some(to_struct(&outputs));
                Ok(Response::new(RegisterResourceResponse { urn, id, object }))
            }
            Err(why) => Err(Status::unknown(why)),
        }
    }

    async fn register_resource_outputs(
        &self,
        request: Request<RegisterResourceOutputsRequest>,
    ) -> Result<Response<()>, Status> {
        *self.outputs.lock().unwrap() = from_struct(request.into_inner().outputs);
        Ok(Response::new(()))
    }

    async fn signal_and_wait_for_shutdown(&self, _request: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }
}
