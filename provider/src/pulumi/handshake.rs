//! How the engine starts this process, finds its port, and how the process goes.
//!
//! The last word of the command line is the engine's address and standard output gets one line, the port. Without an
//! address the process was started by hand, for `PULUMI_DEBUG_PROVIDERS`: then the engine attaches itself, and the end
//! of standard input means nothing.

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use eventual_provider_wire::pulumirpc::resource_provider_server::ResourceProviderServer;
use tokio::net::TcpListener;
use tonic::transport::Server as Transport;
use tonic::transport::server::TcpIncoming;

use super::engine_log::EngineLog;
use super::lifetime::Lifetime;
use super::provider::Provider;
use super::server::Server;
use crate::ports::Ports;

/// Largest message in either direction: what the engine allows.
const MESSAGE_MAX: usize = 400 * 1024 * 1024;
/// How long connections may take to close once nothing runs any more. Answers are written by then.
const FAREWELL: Duration = Duration::from_millis(500);

/// Serves one engine to its end. `arguments` are those after the program's name.
pub(crate) async fn serve(arguments: Vec<String>, ports: Ports) -> ExitCode {
    let engine = engine_address(&arguments);
    let lifetime = Lifetime::new();
    lifetime.end_with_signals();
    if engine.is_some() {
        lifetime.end_with_stdin();
    }
    let provider = Provider::new(ports, EngineLog::new(engine), lifetime.clone());
    let service = ResourceProviderServer::new(Server(provider))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX);
    let listener = match listen().await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("cannot listen on 127.0.0.1, which the Pulumi engine needs: {error}");
            return ExitCode::FAILURE;
        }
    };
    let over = lifetime.over();
    let server = Transport::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), over);
    let gone = async {
        lifetime.over().await;
        tokio::time::sleep(FAREWELL).await;
    };
    let served = tokio::select! {
        served = server => served,
        () = gone => Ok(()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("serving the Pulumi engine failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Opens a port for this machine only, and tells the engine which.
async fn listen() -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{port}")?;
    stdout.flush()?;
    Ok(listener)
}

/// The engine's address: the last word, unless that is a flag. Flags of logging and tracing may stand before it.
fn engine_address(arguments: &[String]) -> Option<String> {
    arguments.last().filter(|word| !word.starts_with('-') && word.contains(':')).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_the_engine() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(engine_address(&words("127.0.0.1:4000")).as_deref(), Some("127.0.0.1:4000"));
        assert_eq!(
            engine_address(&words("--logtostderr -v=3 127.0.0.1:4000")).as_deref(),
            Some("127.0.0.1:4000")
        );
        assert_eq!(engine_address(&words("--logtostderr")), None);
        assert_eq!(engine_address(&[]), None);
    }
}
