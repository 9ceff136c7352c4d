//! Between the provider and the emulated AWS: counts requests, slows them down, and lets one of them go wrong in a way that
//! networks and services do. It answers as each protocol does, so that what the SDK makes of it is tested as well.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Too many calls; nothing happened.
    Throttled,
    /// The service failed; nothing happened.
    Failed,
    /// It took effect, and no answer came.
    Unanswered,
    /// Not permitted; nothing happened.
    Denied,
    /// It took effect, and the process was killed.
    Killed,
}

pub(crate) const FAULTS: [Fault; 5] =
    [Fault::Throttled, Fault::Failed, Fault::Unanswered, Fault::Denied, Fault::Killed];

/// A request that was made.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `lambda`.
    pub(crate) service: String,
    /// The operation, or method and path where the protocol has no more.
    pub(crate) what: String,
    /// Whether it changes something.
    pub(crate) writes: bool,
    /// When it began and ended, since the tap was made.
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// Whether the answer was that calls come too fast.
    pub(crate) throttled: bool,
}

#[derive(Default)]
struct Inside {
    seen: Vec<Seen>,
    /// Requests until the fault.
    fault: Option<(usize, Fault)>,
    dead: bool,
    latency: Option<fn(&str, &str) -> Duration>,
}

/// The tap.
#[derive(Clone)]
pub(crate) struct Tap {
    inside: Arc<Mutex<Inside>>,
    killed: Arc<tokio::sync::Notify>,
    began: Instant,
    inner: aws_smithy_runtime_api::client::http::SharedHttpClient,
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

impl Tap {
    pub(crate) fn new() -> Self {
        let inner = aws_smithy_http_client::Builder::new().build_http();
        Self { inside: Arc::default(), killed: Arc::default(), began: Instant::now(), inner }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        look(&mut self.inside.lock().unwrap())
    }

    /// The request after so many others meets the fault.
    pub(crate) fn arm(&self, after: usize, fault: Fault) {
        self.with(|it| it.fault = Some((after, fault)));
    }

    /// As if nothing had been; whether the fault was met.
    pub(crate) fn disarm(&self) -> bool {
        self.with(|it| {
            it.dead = false;
            it.fault.take().is_none()
        })
    }

    /// Every request takes so much longer.
    pub(crate) fn slow(&self, latency: fn(&str, &str) -> Duration) {
        self.with(|it| it.latency = Some(latency));
    }

    /// Ends when the fault [`Fault::Killed`] was met.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }

    /// The requests since the last time.
    pub(crate) fn take(&self) -> Vec<Seen> {
        self.with(|it| std::mem::take(&mut it.seen))
    }

    /// What the next request meets.
    fn next(&self) -> Option<Fault> {
        self.with(|it| match it.fault {
            Some((0, fault)) => {
                it.fault = None;
                Some(fault)
            }
            Some((more, fault)) => {
                it.fault = Some((more - 1, fault));
                None
            }
            None => None,
        })
    }
}

impl HttpClient for Tap {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { tap: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Connector {
    tap: Tap,
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (service, what, writes) = named(&request);
        let (tap, latency) = (self.tap.clone(), self.tap.with(|it| it.latency));
        let from = tap.began.elapsed();
        if tap.with(|it| it.dead) {
            return HttpConnectorFuture::new(std::future::pending());
        }
        let fault = tap.next();
        let refused = fault.and_then(|fault| refusal(&service, fault));
        let inner = if refused.is_none() { Some(self.inner.call(request)) } else { None };
        HttpConnectorFuture::new(async move {
            if let Some(latency) = latency {
                tokio::time::sleep(latency(&service, &what)).await;
            }
            let answer = match (inner, refused) {
                (Some(inner), _) => inner.await,
                (None, refused) => Ok(refused.unwrap()),
            };
            let to = tap.began.elapsed();
            let throttled = answer.as_ref().is_ok_and(|it| it.status().as_u16() == 429);
            tap.with(|it| it.seen.push(Seen { service, what, writes, from, to, throttled }));
            match fault {
                Some(Fault::Killed) => {
                    tap.with(|it| it.dead = true);
                    tap.killed.notify_one();
                    std::future::pending().await
                }
                Some(Fault::Unanswered) => Err(ConnectorError::timeout("the answer is lost".into())),
                _ => answer,
            }
        })
    }
}

/// Service, operation, and whether it writes.
fn named(request: &HttpRequest) -> (String, String, bool) {
    let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
    let scope = header("authorization");
    let service = scope.split('/').nth(3).unwrap_or("none").to_owned();
    let target = header("x-amz-target");
    let form = || {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let action = body.split('&').find_map(|it| it.strip_prefix("Action=").map(str::to_owned));
        action.unwrap_or_default()
    };
    let operation = match target.rsplit('.').next() {
        Some(operation) if !operation.is_empty() => operation.to_owned(),
        _ if service == "iam" || service == "sts" => form(),
        _ => {
            let (method, uri) = (request.method(), request.uri());
            let path = uri.split("://").nth(1).and_then(|it| it.split_once('/')).map_or("", |it| it.1);
            let writes = !matches!(method, "GET" | "HEAD");
            return (service, format!("{method} /{}", path.split("?x-id").next().unwrap_or(path)), writes);
        }
    };
    let reads = ["Get", "List", "Describe", "Scan"].iter().any(|it| operation.starts_with(it));
    (service, operation, !reads)
}

/// The answer of a service that refuses.
fn refusal(service: &str, fault: Fault) -> Option<HttpResponse> {
    let (status, code, old) = match fault {
        Fault::Throttled => (429, "TooManyRequestsException", "Throttling"),
        Fault::Failed => (500, "InternalFailure", "InternalError"),
        Fault::Denied => (403, "AccessDeniedException", "AccessDenied"),
        Fault::Unanswered | Fault::Killed => return None,
    };
    let body = match service {
        "s3" => {
            let code = if fault == Fault::Throttled { "SlowDown" } else { old };
            format!("<Error><Code>{code}</Code><Message>as the test says</Message></Error>")
        }
        "iam" | "sts" => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{old}</Code><Message>as the test says</Message></Error></ErrorResponse>"
        ),
        _ => format!(r#"{{"__type":"{code}","message":"as the test says"}}"#),
    };
    let status = if service == "s3" && fault == Fault::Throttled { 503 } else { status };
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    if !matches!(service, "s3" | "iam" | "sts") {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    Some(response)
}
