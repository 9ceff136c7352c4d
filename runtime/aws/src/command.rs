//! HTTP API -> command. The route says which command; the engine puts its input together and answers.

use eventual_engine::http::{Asked, Found, target};
use eventual_schema::shape::Problem;
use eventual_schema::{FunctionKind, request};

use crate::host::Host;
use crate::refusal::Refusal;
use crate::wire::http::{self, Response};

/// Answers a request; `request_id` stands in the answer to one that crashed and in the log.
pub(crate) async fn handle(host: &Host, event: &str, request_id: &str) -> Result<Response, Refusal> {
    let request = http::request(event)?;
    let commands = host.handlers(FunctionKind::Command).filter_map(|name| host.manifest.command(name));
    let Some((command, route)) = target(commands, &request.route_key) else {
        let function = &host.config.function.name;
        return Err(Refusal::misrouted(format!(
            "{function} has no command for route {:?}",
            request.route_key
        )));
    };
    let Some(body) = request.body() else {
        let problem = Problem::new("", "the body is not the base64 that it says to be");
        return Ok(http::response(400, request::refusal(&[problem]).to_string()));
    };
    let found = Found { command, route, values: request.path() };
    // Lambda itself watches over the time.
    let asked = Asked { query: request.query(), body: &body, user: request.user(), request_id, limit: None };
    Ok(http::answered(host.engine.answer(&host.manifest.schemas, found, asked).await))
}
