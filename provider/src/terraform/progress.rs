//! Progress as log lines: Terraform has no other place for it while a call runs.

use std::sync::Arc;

use eventual_provider_core::request::{ProgressEvent, ProgressSink, SoFar, Stage, Summary};

/// Logs every event.
pub(super) fn log() -> Arc<dyn ProgressSink> {
    Arc::new(Log)
}

struct Log;

impl ProgressSink for Log {
    fn report(&self, event: &ProgressEvent) {
        let (child, action, elapsed_ms) = (event.key.as_str(), event.action.as_str(), event.elapsed_ms);
        let SoFar { done, of } = event.so_far;
        match &event.stage {
            Stage::Started => tracing::info!(child, action, "started"),
            Stage::Waiting(why) => tracing::info!(child, action, elapsed_ms, why, "waiting"),
            Stage::Done => tracing::info!(child, action, elapsed_ms, done, of, "done"),
            Stage::Failed(why) => tracing::warn!(child, action, elapsed_ms, why, "failed"),
        }
    }

    fn ended(&self, summary: &Summary) {
        tracing::info!(elapsed_ms = summary.elapsed_ms, "{summary}");
    }
}
