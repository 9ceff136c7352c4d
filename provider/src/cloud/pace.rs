//! Slows calls to a service down once it said that they are too many, to the rate that AWS documents for its control plane.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Pause between two calls of a service that was throttled; Lambda admits 15 control-plane calls a second, API Gateway 10.
const fn interval(service: &[u8]) -> Duration {
    match service {
        b"lambda" => Duration::from_millis(75),
        b"apigateway" => Duration::from_millis(110),
        _ => Duration::from_millis(60),
    }
}

/// When the next call of each slowed service may begin.
#[derive(Debug, Default)]
pub(super) struct Pace {
    next: Mutex<BTreeMap<String, Instant>>,
}

fn service(operation: &str) -> &str {
    operation.split(' ').next().unwrap_or(operation)
}

impl Pace {
    /// Returns when `operation` may begin.
    pub(super) async fn wait(&self, operation: &str) {
        let service = service(operation);
        let begin = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(at) = next.get_mut(service) else { return };
            let begin = (*at).max(Instant::now());
            *at = begin + interval(service.as_bytes());
            begin
        };
        tokio::time::sleep_until(begin.into()).await;
    }

    /// From now on the service of `operation` is called at its documented rate.
    pub(super) fn slow_down(&self, operation: &str) {
        let service = service(operation);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.entry(service.to_owned()).or_insert_with(|| Instant::now() + interval(service.as_bytes()));
    }
}
