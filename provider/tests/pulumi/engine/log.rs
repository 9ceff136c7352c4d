//! The engine's log service: it keeps what the provider says.

use std::sync::{Arc, Mutex};

use eventual_provider_wire::pulumirpc::engine_server::{Engine, EngineServer};
use eventual_provider_wire::pulumirpc::{LogRequest, LogSeverity};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Lines of the provider, in order.
#[derive(Clone)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<LogRequest>>>,
    count: watch::Sender<usize>,
}

impl Log {
    /// Serves on a port of its own; answers the address.
    pub(crate) async fn serve() -> (Self, String) {
        let log = Self { lines: Arc::default(), count: watch::Sender::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = EngineServer::new(log.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)));
        (log, address)
    }

    /// All lines until now.
    pub(crate) fn lines(&self) -> Vec<LogRequest> {
        self.lines.lock().unwrap().clone()
    }

    /// Returns once there are that many lines more than now.
    pub(crate) async fn more(&self, count: usize) {
        let wanted = self.lines.lock().unwrap().len() + count;
        self.count.subscribe().wait_for(|it| *it >= wanted).await.unwrap();
    }
}

#[tonic::async_trait]
impl Engine for Log {
    async fn log(&self, request: Request<LogRequest>) -> Result<Response<()>, Status> {
        let line = request.into_inner();
        assert_ne!(
            line.severity(),
            LogSeverity::Error,
            "an error is an answer, never a line: {}",
            line.message
        );
        let mut lines = self.lines.lock().unwrap();
        lines.push(line);
        self.count.send_replace(lines.len());
        Ok(Response::new(()))
    }
}
