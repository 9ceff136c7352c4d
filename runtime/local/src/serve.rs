//! `<service> serve`: its arguments, and one process from start to stop.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use eventual_engine::{Program, States};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::code;
use crate::host::Host;
use crate::http::{self, Api, Callers};
use crate::store::LocalStore;

/// How long a stop waits for handlers that run.
const STOP: Duration = Duration::from_secs(10);
const DAY_MS: u64 = 86_400_000;

/// What `serve` takes.
pub const USAGE: &str = "serve [--store DIR] [--listen ADDRESS] [--retention-days N] [--pretend-callers] [--twins N]
  --store DIR           folder of the durable store; made if it is not there (default: .eventual)
  --listen ADDRESS      where HTTP is served (default: 127.0.0.1:3000; port 0 takes a free one)
  --retention-days N    how long closed executions are kept (default: 30)
  --pretend-callers     serve commands with `auth = iam` or `jwt` without verifying anybody; loopback only
  --twins N             take every turn with N instances of the workflow's code, which must agree, so that code that is
                        not deterministic is parked at once; costs N times as much (default: 1)";

/// The arguments of `serve`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Options {
    store: PathBuf,
    listen: SocketAddr,
    retention_days: u64,
    pretend: bool,
    twins: u32,
}

impl Options {
    fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let listen = SocketAddr::from(([127, 0, 0, 1], 3000));
        let mut options =
            Self { store: ".eventual".into(), listen, retention_days: 30, pretend: false, twins: 1 };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--store" => options.store = value()?.into(),
                "--listen" => {
                    let text = value()?;
                    options.listen = text
                        .parse()
                        .map_err(|_| format!("{text:?} is no address and port, such as 127.0.0.1:3000"))?;
                }
                "--retention-days" => {
                    let text = value()?;
                    options.retention_days =
                        text.parse().map_err(|_| format!("{text:?} is no number of days"))?;
                }
                "--pretend-callers" => options.pretend = true,
                "--twins" => {
                    let text = value()?;
                    let count = text.parse().ok().filter(|it| (1..=16).contains(it));
                    options.twins = count.ok_or_else(|| format!("{text:?} is no number from 1 to 16"))?;
                }
                other => return Err(format!("{other:?} is no option of `serve`")),
            }
        }
        if options.pretend && !options.listen.ip().is_loopback() {
            return Err(format!(
                "--pretend-callers would let everybody who reaches {} be anybody: listen on 127.0.0.1",
                options.listen
            ));
        }
        Ok(options)
    }
}

/// Serves the service until SIGINT or SIGTERM. `arguments` are those after `serve`.
#[must_use]
pub fn run(program: Program, arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(problem) => return complain(&format!("{problem}\n\nusage: {USAGE}")),
    };
    log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string()),
    };
    let served = runtime.block_on(serve(program, options));
    // Handlers that outlived the stop end here; their attempts count as lost.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string()),
    }
}

/// Has what happens written to the standard error.
pub(crate) fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter =
        filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,fjall=warn,lsm_tree=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn serve(program: Program, options: Options) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Program { registry, manifest, init } = program;
    let store = LocalStore::open(&options.store, options.retention_days.saturating_mul(DAY_MS))?;
    let states = match init {
        Some(init) => init().await.map_err(|error| format!("init failed: {error}"))?,
        None => States::default(),
    };
    let pairs: Vec<_> =
        manifest.subscriptions.iter().map(|it| (it.event.to_string(), it.name.to_string())).collect();
    let is_pinned = !registry.pinned.is_empty();
    let code = code::of_this_process(is_pinned)?;
    if is_pinned {
        store.programs.runs(&code);
    }
    let listener = TcpListener::bind(options.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}; choose another with --listen", options.listen)
    })?;
    let address = listener.local_addr()?;
    let host = Host::new(store, registry, Arc::new(states), pairs, &code);
    host.engine().declare(&manifest.schedules).await?;
    host.set_twins(options.twins);
    host.resume_pinned().await?;
    let callers = if options.pretend { Callers::Pretend } else { Callers::Nobody };
    let name = manifest.service.to_string();
    let api = http::router(Api { host: host.clone(), manifest, callers });
    // One line on stdout for whoever started this and waits for it.
    writeln!(std::io::stdout(), "service {name} on http://{address}, store {}", options.store.display())?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut until = stopped.clone();
    let server = axum::serve(listener, api.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            let _ = until.wait_for(|it| *it).await;
        });
    let server = tokio::spawn(server.into_future());
    // On a thread of the runtime: this one would be woken for every delivery, and wake another for what it begins.
    let mut running = tokio::spawn({
        let host = host.clone();
        async move { host.run().await }
    });
    let failed = tokio::select! {
        outcome = &mut running => outcome?.err(),
        () = asked_to_stop() => None,
    };
    running.abort();
    let _ = stop.send(true);
    let _ = tokio::time::timeout(STOP, server).await;
    if failed.is_none() {
        host.settle(STOP).await;
    }
    host.stop_formers().await;
    match failed {
        Some(fault) => {
            Err(format!("{fault}\nNothing that was acknowledged is lost; start the service again").into())
        }
        None => Ok(()),
    }
}

async fn asked_to_stop() {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        // Without handlers the signals end the process at once, which loses nothing either.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Says why this process fails.
pub(crate) fn complain(text: &str) -> ExitCode {
    // Nobody is left to be told when this fails too.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        Options::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_have_defaults_and_wrong_ones_are_named() {
        assert_eq!(parse("").unwrap().listen.to_string(), "127.0.0.1:3000");
        let options = parse("--store s --listen 0.0.0.0:80 --retention-days 7").unwrap();
        assert_eq!((options.store, options.retention_days), ("s".into(), 7));
        for (wrong, named) in [
            ("--sotre x", "--sotre"),
            ("--store", "needs a value"),
            ("--listen here", "here"),
            ("--retention-days many", "many"),
            ("--listen 0.0.0.0:80 --pretend-callers", "127.0.0.1"),
        ] {
            assert!(parse(wrong).unwrap_err().contains(named), "{wrong}");
        }
    }
}
