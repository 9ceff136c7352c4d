//! HTTP API -> command. The route says which command and how its input is put together.

use eventual_core::Payload;
use eventual_engine::http as engine_http;
use eventual_schema::request::{self, Parts};
use eventual_schema::shape::Problem;
use eventual_schema::{Command, FunctionKind, Route};

use crate::host::Host;
use crate::refusal::Refusal;
use crate::wire::http::{self, Request, Response};

/// Answers a request; `request_id` stands in the answer to one that crashed and in the log.
pub(crate) async fn handle(host: &Host, event: &str, request_id: &str) -> Result<Response, Refusal> {
    let request = http::request(event)?;
    let commands = host.handlers(FunctionKind::Command).filter_map(|name| host.manifest.command(name));
    let Some((command, route)) = engine_http::target(commands, &request.route_key) else {
        let function = &host.config.function.name;
        return Err(Refusal::misrouted(format!(
            "{function} has no command for route {:?}",
            request.route_key
        )));
    };
    let input = match input(host, command, route, &request) {
        Ok(input) => input,
        Err(problems) => return Ok(http::response(400, request::refusal(&problems).to_string())),
    };
    let outcome = host.engine.command(command.name.as_str(), input, request.user()).await;
    Ok(http::of_outcome(&outcome, request_id))
}

fn input(
    host: &Host,
    command: &Command,
    route: Option<&Route>,
    request: &Request,
) -> Result<Payload, Vec<Problem>> {
    let body = request
        .body()
        .ok_or_else(|| vec![Problem::new("", "the body is not the base64 that it says to be")])?;
    let parts = Parts { path: request.path(), query: request.query(), body: &body };
    let input = request::assemble(command, &host.manifest.schemas, route, &parts)?;
    Ok(Payload::from(input.to_string().as_str()))
}
