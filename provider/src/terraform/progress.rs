//! Progress as log lines: Terraform has no other place for it while a call runs.

use std::sync::Arc;

use eventual_provider_core::request::{ProgressEvent, ProgressSink, Stage};

/// Logs every event.
pub(super) fn log() -> Arc<dyn ProgressSink> {
    Arc::new(Log)
}

struct Log;

impl ProgressSink for Log {
    fn report(&self, event: &ProgressEvent) {
        let (child, action, elapsed_ms) = (event.key.as_str(), event.action.as_str(), event.elapsed_ms);
        match &event.stage {
            Stage::Started => tracing::info!(child, action, "started"),
            Stage::Waiting(why) => tracing::info!(child, action, elapsed_ms, why, "waiting"),
            Stage::Done => tracing::info!(child, action, elapsed_ms, "done"),
            Stage::Failed(why) => tracing::warn!(child, action, elapsed_ms, why, "failed"),
        }
    }
}
