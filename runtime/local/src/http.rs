//! The service's HTTP API: a request becomes a command's input, its outcome the answer, exactly as behind API Gateway.
//!
//! Below `/_eventual/` are the operations for operators, for callers on this machine only.

mod access;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use eventual_engine::SystemRequest;
use eventual_engine::http::{self, Answer, Asked};
use eventual_engine::ports::Clock;
use eventual_schema::Manifest;
use serde_json::{Value, json};

use crate::clock::SystemClock;
use crate::host::Host;
pub(crate) use access::Callers;

/// Largest body, in bytes, as API Gateway has it.
const BODY_MAX: usize = 10 << 20;
/// Most dead letters in one answer.
const DEAD_MAX: usize = 100;

/// What answers requests.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) host: Arc<Host>,
    pub(crate) manifest: Manifest,
    pub(crate) callers: Callers,
}

/// The server's routes.
pub(crate) fn router(api: Api) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(api))
}

async fn handle(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let answer = match to_bytes(body, BODY_MAX).await {
        Err(_) => plain(413, "Request Entity Too Large"),
        Ok(body) if parts.uri.path().starts_with("/_eventual/") => {
            operation(&api, peer, parts.method.as_str(), parts.uri.path(), &parts.headers, &body).await
        }
        Ok(body) => {
            let query = parts.uri.query().unwrap_or_default();
            command(&api, parts.method.as_str(), parts.uri.path(), query, &parts.headers, &body).await
        }
    };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// An answer that is the gateway's and not the command's.
fn plain(status: u16, message: &str) -> Answer {
    Answer::new(status, json!({ "message": message }).to_string())
}

fn refusal(status: u16, class: &str, message: &str) -> Answer {
    Answer::new(status, json!({ "class": class, "message": message, "data": Value::Null }).to_string())
}

async fn command(
    api: &Api,
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let Some(found) = http::find(&api.manifest.commands, method, path) else {
        return plain(404, "Not Found");
    };
    let user = match api.callers.user(found.command, headers) {
        Ok(user) => user,
        Err(why) => return plain(403, &why),
    };
    let limit = found.command.timeout_s.map(|it| Duration::from_secs(it.into()));
    let request_id = format!("{:016x}", SystemClock.entropy());
    let asked = Asked { query: http::query(query), body, user, request_id: &request_id, limit };
    api.host.engine().answer(&api.manifest.schemas, found, asked).await
}

/// What operators ask. A page in somebody's browser must not: it can neither set this content type nor this host name.
async fn operation(
    api: &Api,
    peer: SocketAddr,
    method: &str,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    if !peer.ip().is_loopback() || !access::names_this_machine(headers) {
        let message = "operations are for callers on this machine: ask http://localhost, or through a tunnel";
        return refusal(403, "Forbidden", message);
    }
    match (method, path) {
        ("POST", "/_eventual/system") if access::is_json(headers) => system(api, body).await,
        ("POST", "/_eventual/system") => {
            refusal(415, "UnsupportedMediaType", "send the request with `content-type: application/json`")
        }
        ("GET", "/_eventual/dead-letters") => match api.host.store().dead_letters(DEAD_MAX) {
            Ok(letters) => Answer::new(200, json!({ "deadLetters": letters }).to_string()),
            Err(fault) => refusal(503, "Fault", &fault.to_string()),
        },
        _ => plain(404, "Not Found"),
    }
}

async fn system(api: &Api, body: &[u8]) -> Answer {
    let request: SystemRequest = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return refusal(400, "Invalid", &format!("not a system request: {error}")),
    };
    match api.host.engine().system(request).await {
        Ok(response) => match serde_json::to_string(&response) {
            Ok(body) => Answer::new(200, body),
            Err(error) => refusal(500, "Fault", &error.to_string()),
        },
        Err(error) => refusal(error.status(), error.class(), &error.to_string()),
    }
}
