//! The services that go-plugin expects beside the provider's own: controller, streams, broker, health.

use std::pin::Pin;

use eventual_provider_wire::go_plugin::grpc_broker_server::GrpcBroker;
use eventual_provider_wire::go_plugin::grpc_controller_server::GrpcController;
use eventual_provider_wire::go_plugin::grpc_stdio_server::GrpcStdio;
use eventual_provider_wire::go_plugin::{ConnInfo, Empty, StdioData};
use eventual_provider_wire::health::health_check_response::ServingStatus;
use eventual_provider_wire::health::health_server;
use eventual_provider_wire::health::{HealthCheckRequest, HealthCheckResponse};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

/// The name of the whole plugin in health checks.
const PLUGIN: &str = "plugin";

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Returns when the plugin is being shut down.
pub(super) async fn closed(mut shut: watch::Receiver<bool>) {
    // An error means that nobody can shut us down any more, which ends as well.
    let _ = shut.wait_for(|shut| *shut).await;
}

/// A stream that says nothing until the plugin is shut down, and then ends.
fn silent<T: Send + 'static>(shut: watch::Receiver<bool>) -> Streamed<T> {
    Box::pin(stream::once(closed(shut)).filter_map(|()| std::future::ready(None)))
}

/// Ends the plugin.
pub(super) struct Controller(watch::Sender<bool>);

impl Controller {
    pub(super) const fn new(shutdown: watch::Sender<bool>) -> Self {
        Self(shutdown)
    }
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        let _ = self.0.send(true);
        Ok(Response::new(Empty {}))
    }
}

/// Our standard streams over the connection; logs go to the real standard error, so there is nothing to say.
pub(super) struct Stdio(watch::Receiver<bool>);

impl Stdio {
    pub(super) const fn new(shut: watch::Receiver<bool>) -> Self {
        Self(shut)
    }
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Streamed<StdioData>;

    async fn stream_stdio(&self, _request: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(Response::new(silent(self.0.clone())))
    }
}

/// Further connections, of which we open none.
pub(super) struct Broker(watch::Receiver<bool>);

impl Broker {
    pub(super) const fn new(shut: watch::Receiver<bool>) -> Self {
        Self(shut)
    }
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = Streamed<ConnInfo>;

    async fn start_stream(
        &self,
        _request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        Ok(Response::new(silent(self.0.clone())))
    }
}

/// Health checks.
pub(super) struct Health(watch::Receiver<bool>);

impl Health {
    pub(super) const fn new(shut: watch::Receiver<bool>) -> Self {
        Self(shut)
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Streamed<HealthCheckResponse>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match request.get_ref().service.as_str() {
            "" | PLUGIN => Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() })),
            other => Err(Status::not_found(format!("there is no service {other:?}"))),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let status = match request.get_ref().service.as_str() {
            "" | PLUGIN => ServingStatus::Serving,
            _ => ServingStatus::ServiceUnknown,
        };
        let first = stream::once(std::future::ready(Ok(HealthCheckResponse { status: status.into() })));
        Ok(Response::new(Box::pin(first.chain(silent(self.0.clone())))))
    }
}
