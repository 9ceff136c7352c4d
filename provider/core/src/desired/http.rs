//! The HTTP API: its authorizers, and for each command an integration, its routes and the permission to call it.

use std::collections::BTreeMap;

use eventual_schema::deploy::http::RPC;
use eventual_schema::digest::short_hash;
use eventual_schema::{Auth, Command};

use super::{Graph, settings};
use crate::config::Setting;
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::resource::{ApiSpec, Authorizer, CorsSpec, PermissionSpec, RouteAuth, RouteSpec, Spec, Text};

pub(super) const API: &str = "api";
/// API Gateway answers 503 after that long, whatever the function's timeout.
const LONGEST_MS: u32 = 30_000;

/// Keys of a command's routes: RPC, and REST when it has one.
fn route_keys(command: &Command) -> Vec<String> {
    let rpc = format!("POST {RPC}{}", command.name);
    let rest = command.route.as_ref().map(|route| format!("{} {}", route.method.as_str(), route.path));
    std::iter::once(rpc).chain(rest).collect()
}

fn authorizer_name(issuer: &str, audience: &[String]) -> String {
    format!("jwt-{}", short_hash(&[issuer, &audience.join("\n")], 8))
}

pub(super) fn add(graph: &mut Graph<'_>) {
    let inputs = graph.inputs;
    let mut authorizers = BTreeMap::new();
    let mut api_unknown = inputs.config.cors.is_unknown();
    for command in &inputs.manifest.commands {
        let auth = settings::auth(inputs, command);
        api_unknown |= auth.is_unknown();
        if let Setting::Known(Auth::Jwt { issuer, audience }) = &auth {
            let authorizer = Authorizer { issuer: issuer.clone(), audience: audience.clone() };
            authorizers.insert(authorizer_name(issuer, audience), authorizer);
        }
        add_route(graph, command, &auth);
        add_permission(graph, command);
    }
    let cors = inputs.config.cors.known().map(|cors| CorsSpec {
        allow_origins: cors.allow_origins.clone(),
        allow_methods: cors.allow_methods.clone(),
        allow_headers: cors.allow_headers.clone(),
        expose_headers: cors.expose_headers.clone(),
        allow_credentials: cors.allow_credentials,
        max_age: cors.max_age_s,
    });
    let spec = Spec::Api(ApiSpec { authorizers, cors });
    graph.add(API, inputs.place.names().api(), None, spec, &[]).unknown |= api_unknown;
}

fn add_route(graph: &mut Graph<'_>, command: &Command, auth: &Setting<Auth>) {
    let place = graph.inputs.place;
    let function = format!("command-{}", command.name);
    let route_auth = match auth {
        Setting::Known(Auth::None) => RouteAuth::None,
        Setting::Known(Auth::Jwt { issuer, audience }) => RouteAuth::Jwt {
            authorizer: Text::Pieces(vec![crate::resource::Piece::Attribute {
                key: API.to_owned(),
                name: format!("authorizer/{}", authorizer_name(issuer, audience)),
            }]),
        },
        Setting::Known(Auth::Iam) | Setting::Unknown => RouteAuth::Iam,
        Setting::Absent => {
            graph.diagnostics.push(no_auth(command));
            RouteAuth::Iam
        }
    };
    let settings = graph.inputs.manifest.functions.iter().find(|it| it.name == function);
    let settings = settings.map(|function| settings::effective(graph.inputs, function));
    let timeout_s = settings.as_ref().map_or(30, |it| it.timeout_s);
    let spec = RouteSpec {
        api: Text::attribute(API, "api_id"),
        target: place.alias_arn(&function),
        // The integration waits a little longer than the function runs, so that the function's own timeout is what is seen.
        timeout_ms: (timeout_s * 1000 + 1000).min(LONGEST_MS),
        routes: route_keys(command),
        auth: route_auth,
    };
    let unknown = auth.is_unknown() || settings.is_some_and(|it| it.function_unknown);
    let key = format!("route/{}", command.name);
    graph.add(&key, command.name.to_string(), None, Spec::Route(spec), &[]).unknown |= unknown;
}

fn add_permission(graph: &mut Graph<'_>, command: &Command) {
    let place = graph.inputs.place;
    let function = format!("command-{}", command.name);
    // Any stage, method and path of this API: which routes lead to the function is the API's own to say.
    let (before, after) = place.execute_api_around("*");
    let spec = PermissionSpec {
        function: place.names().function(&function),
        principal: "apigateway.amazonaws.com".to_owned(),
        source_arn: Text::around(before, API, "api_id", after),
    };
    let key = format!("permission/{function}");
    graph.add(&key, "api".to_owned(), None, Spec::Permission(spec), &[&format!("function/{function}")]);
}

fn no_auth(command: &Command) -> Diagnostic {
    let name = &command.name;
    Diagnostic::error(
        "Command without auth",
        format!(
            "Nothing says who may call the command {name} ({}:{}). Say it in the code (`#[command(auth = ...)]`, or \
             `auth = ...` in `eventual::main!`), in `commands[\"{name}\"].auth`, or for all in `defaults.auth`: `none` \
             (everybody), `iam` or `jwt`.",
            command.source.file, command.source.line
        ),
    )
    .at(Path::of("commands").key(name.as_str()).attr("auth"))
}
