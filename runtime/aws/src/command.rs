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
    let commands = host.handlers(FunctionKind::Command).filter_map(|name| host.manifest.command(name));
    let Some((command, route)) = target(commands, &request.route_key) else {
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

/// The command behind a route, and its own route unless it is called as RPC.
fn target<'a>(
    mut commands: impl Iterator<Item = &'a Command>,
    route_key: &str,
) -> Option<(&'a Command, Option<&'a Route>)> {
    commands.find_map(|command| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_says_command_and_way() {
        let command = |name: &str, route: &str| -> Command {
            let source = r#""source":{"file":"src/lib.rs","line":1}"#;
            let text = format!(r#"{{"name":"{name}","input":null,"output":null,{source}{route}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let commands =
            [command("ping", ""), command("getOrder", r#","route":{"method":"GET","path":"/orders/{id}"}"#)];
        let found = |key: &str| {
            target(commands.iter(), key).map(|(command, route)| (command.name.as_str(), route.is_some()))
        };
        assert_eq!(found("POST /rpc/ping"), Some(("ping", false)));
        assert_eq!(found("POST /rpc/getOrder"), Some(("getOrder", false)));
        assert_eq!(found("GET /orders/{id}"), Some(("getOrder", true)));
        for unknown in ["GET /rpc/ping", "POST /orders/{id}", "$default", "POST /rpc/pin"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }
}
