//! HTTP API -> command. The route says which command and how its input is put together.

use eventual_core::Payload;
use eventual_schema::deploy::http as routes;
use eventual_schema::request::{self, Parts};
use eventual_schema::shape::Problem;
use eventual_schema::{Command, FunctionKind, Route};

use crate::host::Host;
use crate::refusal::Refusal;
use crate::wire::http::{self, Request, Response};

/// Answers a request; `request_id` stands in the answer to one that crashed and in the log.
pub(crate) async fn handle(host: &Host, event: &str, request_id: &str) -> Result<Response, Refusal> {
    let request = http::request(event)?;
    let Some((command, route)) = target(host, &request.route_key) else {
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

/// The command behind a route of this function, and its own route unless it is called as RPC.
fn target<'a>(host: &'a Host, route_key: &str) -> Option<(&'a Command, Option<&'a Route>)> {
    host.handlers(FunctionKind::Command).filter_map(|name| host.manifest.command(name)).find_map(|command| {
        if route_key == format!("POST {}{}", routes::RPC, command.name) {
            return Some((command, None));
        }
        let route = command.route.as_ref()?;
        (route_key == format!("{} {}", route.method.as_str(), route.path)).then_some((command, Some(route)))
    })
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
