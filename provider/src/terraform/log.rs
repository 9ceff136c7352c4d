//! Log lines on standard error, in the shape in which Terraform reads a plugin's logs: JSON of hclog, one object a line.
//!
//! Only this provider's own events are written, whatever the level: the libraries below it know the users' secrets.

use std::fmt::Debug;
use std::io::Write;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Starts logging at the level that Terraform's own variables name; `INFO` when they name none.
pub(super) fn start() {
    let named = ["TF_LOG_PROVIDER_EVENTUAL", "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(|it| std::env::var(it).ok());
    let level = match named.map(|it| it.to_uppercase()).as_deref() {
        Some("TRACE" | "JSON") => LevelFilter::TRACE,
        Some("DEBUG") => LevelFilter::DEBUG,
        Some("WARN") => LevelFilter::WARN,
        Some("ERROR") => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    // A subscriber that somebody else installed in this process stays.
    let _ = tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(Hclog.with_filter(level)),
    );
}

struct Hclog;

impl<S: Subscriber> Layer<S> for Hclog {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if !event.metadata().target().starts_with("eventual") {
            return;
        }
        let mut line = line(*event.metadata().level(), &now());
        event.record(&mut Fields(&mut line));
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // One write a line, so that lines of several threads do not mix. Without a reader there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

fn line(level: Level, now: &str) -> Map<String, Value> {
    let member = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    Map::from_iter([
        member("@level", &level.as_str().to_lowercase()),
        member("@message", ""),
        member("@module", "eventual"),
        member("@timestamp", now),
    ])
}

fn now() -> String {
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        let name = if field.name() == "message" { "@message" } else { field.name() };
        self.0.insert(name.to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, Value::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }
}
