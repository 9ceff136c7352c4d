//! What the user sees while an operation runs: lines in the row of the resource, by the engine's own log service.
//!
//! Nothing here can fail an operation: a line that cannot be delivered is dropped. Errors are never logged, they are
//! the answer of the call; an error in the log would mark the resource failed and let the command succeed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventual_provider_core::request::{Action, ProgressEvent, ProgressSink, SoFar, Stage, Summary};
use eventual_provider_wire::pulumirpc::engine_client::EngineClient;
use eventual_provider_wire::pulumirpc::{LogRequest, LogSeverity};
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint};

use super::to_wire::redact;

/// How long the engine may take to accept a connection or a line before the line is dropped.
const PATIENCE: Duration = Duration::from_secs(2);

/// The engine's log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EngineLog {
    lines: mpsc::UnboundedSender<LogRequest>,
    address: Arc<Mutex<Option<String>>>,
    /// Warnings that this engine was told, each with its resource.
    warned: Arc<Mutex<BTreeSet<(String, String)>>>,
}

impl EngineLog {
    /// A log of the engine at `address`; without one, lines are dropped until [`EngineLog::attach`]. Needs a runtime.
    pub(crate) fn new(address: Option<String>) -> Self {
        let (lines, received) = mpsc::unbounded_channel();
        let address = Arc::new(Mutex::new(address));
        tokio::spawn(deliver(received, Arc::clone(&address)));
        Self { lines, address, warned: Arc::default() }
    }

    /// Speaks to another engine from now on: one process that was started by hand serves many commands.
    pub(crate) fn attach(&self, address: String) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A warning that stays after the operation. Several calls of one command find the same; it is said once.
    pub(crate) fn warn(&self, urn: &str, message: String) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.insert((urn.to_owned(), message.clone())) {
            return;
        }
        drop(warned);
        self.send(LogSeverity::Warning, urn, message, false);
    }

    /// A sink for the progress of one operation on the resource `urn`, that shows none of the secrets.
    pub(crate) fn row(&self, urn: &str, secrets: Vec<String>) -> Arc<Row> {
        let (adopted, moved) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Row { log: self.clone(), urn: urn.to_owned(), secrets, adopted, moved })
    }

    fn send(&self, severity: LogSeverity, urn: &str, message: String, ephemeral: bool) {
        let line =
            LogRequest { severity: severity.into(), message, urn: urn.to_owned(), stream_id: 0, ephemeral };
        // It only fails when the runtime is going down, and then nobody reads it.
        let _ = self.lines.send(line);
    }
}

async fn deliver(mut lines: mpsc::UnboundedReceiver<LogRequest>, address: Arc<Mutex<Option<String>>>) {
    let mut connected: Option<(String, EngineClient<Channel>)> = None;
    while let Some(line) = lines.recv().await {
        let Some(wanted) = address.lock().unwrap_or_else(PoisonError::into_inner).clone() else { continue };
        if connected.as_ref().is_none_or(|(address, _)| *address != wanted) {
            connected = connect(&wanted).map(|client| (wanted, client));
        }
        if let Some((_, client)) = &mut connected {
            let _ = tokio::time::timeout(PATIENCE, client.log(line)).await;
        }
    }
}

fn connect(address: &str) -> Option<EngineClient<Channel>> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).ok()?;
    Some(EngineClient::new(endpoint.connect_timeout(PATIENCE).connect_lazy()))
}

/// The row of a resource, and what an operation came to that its answer does not tell.
pub(crate) struct Row {
    log: EngineLog,
    urn: String,
    secrets: Vec<String>,
    adopted: AtomicBool,
    moved: AtomicBool,
}

impl Row {
    /// Whether a creation took over a service that was there.
    pub(crate) fn was_adopted(&self) -> bool {
        self.adopted.load(Ordering::Relaxed)
    }

    /// Whether anything was done to any child.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved.load(Ordering::Relaxed)
    }
}

impl ProgressSink for Row {
    fn report(&self, event: &ProgressEvent) {
        self.moved.store(true, Ordering::Relaxed);
        self.log.send(LogSeverity::Info, &self.urn, redact(&line(event), &self.secrets), true);
    }

    fn ended(&self, summary: &Summary) {
        self.log.send(LogSeverity::Info, &self.urn, summary.to_string(), true);
    }

    fn adopted(&self) {
        self.adopted.store(true, Ordering::Relaxed);
        self.log.send(LogSeverity::Info, &self.urn, ADOPTED.to_owned(), false);
    }
}

/// What a user reads who replaced a service without deleting it first.
const ADOPTED: &str = "this service was there already, made by an earlier run of this stack: it was taken over and brought up to date, not built anew. To build it anew, set the resource option deleteBeforeReplace.";

/// The event in one line.
fn line(event: &ProgressEvent) -> String {
    let (key, verb) = (&event.key, event.action.as_str());
    let seconds = event.elapsed_ms / 1000;
    let SoFar { done, of } = event.so_far;
    match (&event.stage, event.action) {
        (Stage::Started, Action::Create) => format!("creating {key}"),
        (Stage::Started, Action::Update) => format!("updating {key}"),
        (Stage::Started, Action::Delete) => format!("deleting {key}"),
        (Stage::Waiting(why), _) => format!("{key}: waiting since {seconds} s to {verb} it: {why}"),
        (Stage::Done, Action::Create) => format!("created {key} ({done} of {of})"),
        (Stage::Done, Action::Update) => format!("updated {key} ({done} of {of})"),
        (Stage::Done, Action::Delete) => format!("deleted {key} ({done} of {of})"),
        (Stage::Failed(why), _) => format!("{key}: could not {verb} it: {why}"),
    }
}
