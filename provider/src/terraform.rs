//! The Terraform wire: a go-plugin that speaks protocol 6 over a Unix socket.
//!
//! Each call is: decode, one operation of the core, encode. It names neither the other wire nor a cloud.

mod actions;
mod answer;
mod catalog;
mod claimant;
mod data;
mod ephemeral;
mod from_wire;
mod functions;
mod handshake;
mod identity;
mod importing;
mod listing;
mod log;
mod plugin;
mod progress;
mod provider;
mod resource;
mod schema;
mod server;
mod socket;
mod tls;
mod to_wire;
mod upgrade;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use eventual_provider_wire::go_plugin::grpc_broker_server::GrpcBrokerServer;
use eventual_provider_wire::go_plugin::grpc_controller_server::GrpcControllerServer;
use eventual_provider_wire::go_plugin::grpc_stdio_server::GrpcStdioServer;
use eventual_provider_wire::health::health_server::HealthServer;
use eventual_provider_wire::tfplugin6::provider_server::ProviderServer;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::ports::Ports;
use handshake::{Call, Refusal};
use plugin::{Broker, Controller, Health, Stdio};
use provider::Provider;
use socket::{Listener, Parent};

/// How long calls under way may take to end after Terraform said that it is done; it kills us after two seconds.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(1500);
/// How long calls under way may take to stop when Terraform died: what they began in the cloud is finished.
const ORPHAN_GRACE: Duration = Duration::from_secs(60);
/// Largest message that is accepted, in bytes. Terraform's own limit for most calls is 2 GiB.
const MESSAGE_MAX: usize = 256 * 1024 * 1024;

/// Whether this process was started as a plugin by Terraform.
pub(crate) fn is_called() -> bool {
    handshake::is_called(&handshake::environment)
}

/// Serves until Terraform says that it is done, dies, or (with `--debug`) the user interrupts.
pub(crate) async fn serve(arguments: &[String], ports: Ports) -> ExitCode {
    log::start();
    let debug = arguments.iter().any(|it| it == "--debug" || it == "-debug");
    let call = match handshake::read(&handshake::environment, debug) {
        Ok(call) => call,
        Err(refusal) => return refuse(&refusal),
    };
    match serve_call(&call, debug, ports).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&Refusal::Failed(error.to_string())),
    }
}

fn refuse(refusal: &Refusal) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{refusal}");
    ExitCode::FAILURE
}

/// Why serving ends.
enum End {
    /// Terraform called `Shutdown`, or the user interrupted a provider that serves for debugging.
    Done,
    /// Terraform is gone.
    Orphaned,
}

async fn serve_call(call: &Call, debug: bool, ports: Ports) -> std::io::Result<()> {
    let tls = call.client_certificate.as_deref().map(tls::Tls::pinned).transpose()?;
    let listener = Listener::bind(call.socket_folder.as_deref())?;
    let (shutdown, shut) = watch::channel(false);
    let provider = Provider::new(ports);
    let served = provider.clone();
    let router = tonic::transport::Server::builder()
        .add_service(
            ProviderServer::new(served)
                .max_decoding_message_size(MESSAGE_MAX)
                .max_encoding_message_size(MESSAGE_MAX),
        )
        .add_service(GrpcControllerServer::new(Controller::new(shutdown.clone())))
        .add_service(GrpcStdioServer::new(Stdio::new(shut.clone())))
        .add_service(GrpcBrokerServer::new(Broker::new(shut.clone())))
        .add_service(HealthServer::new(Health::new(shut.clone())));
    // Before anything is said: who reads our line may act on it at once.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let parent = Parent::of_this_process();
    let certificate = tls.as_ref().map(|it| it.certificate().to_vec());
    announce(call, debug, &listener, certificate.as_deref())?;

    let serving = router.serve_with_incoming_shutdown(listener.incoming(tls), plugin::closed(shut.clone()));
    tokio::pin!(serving);
    let end = loop {
        tokio::select! {
            served = &mut serving => return served.map_err(std::io::Error::other),
            () = plugin::closed(shut.clone()) => break End::Done,
            // The terminal's Ctrl-C reaches us as well as Terraform, which answers it by `StopProvider`.
            _ = interrupts.recv() => if debug { break End::Done },
            _ = terminated.recv() => break End::Orphaned,
            () = parent.gone(), if !debug => break End::Orphaned,
        }
    };
    let grace = match end {
        End::Done => SHUTDOWN_GRACE,
        End::Orphaned => {
            provider.control().cancel();
            ORPHAN_GRACE
        }
    };
    let _ = shutdown.send(true);
    // Connections end with who was at their other side; what they asked for may not have.
    let ended = async {
        let served = serving.await;
        provider.work.idle().await;
        served
    };
    match tokio::time::timeout(grace, ended).await {
        Ok(served) => served.map_err(std::io::Error::other),
        Err(_) => Ok(()),
    }
}

/// The one line on standard output: the handshake, or with `--debug` what to put into Terraform's environment.
fn announce(
    call: &Call,
    debug: bool,
    listener: &Listener,
    certificate: Option<&[u8]>,
) -> std::io::Result<()> {
    let line = if debug {
        handshake::reattach(listener.path())
    } else {
        handshake::line(call, listener.path(), certificate)
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
