//! The whole `main` of a service's binary: how it was started decides what it does.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use eventual_schema::deploy;

use crate::service::{Declaration, Service};

/// Set by Lambda for every process that it starts.
const LAMBDA: &str = "AWS_LAMBDA_RUNTIME_API";

/// Prints the manifest, runs on Lambda, serves on this machine, or says what this binary is for.
#[doc(hidden)]
#[must_use]
pub fn main(declaration: &Declaration) -> ExitCode {
    let service = match Service::of(declaration) {
        Ok(service) => service,
        Err(error) => return complain(&error),
    };
    if let Some(problem) = service.lacks_init() {
        return complain(&problem);
    }
    if std::env::var_os(deploy::PRINT_MANIFEST).is_some() {
        return print(&service.manifest().to_json());
    }
    if std::env::var_os(LAMBDA).is_some() {
        return on_lambda(service);
    }
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("serve") => on_this_machine(&service, arguments),
        #[cfg(feature = "local")]
        Some("check") => eventual_local::check(arguments),
        // By a program that serves, for executions that are pinned to this one.
        #[cfg(feature = "local")]
        Some("former") => eventual_local::former(program(&service)),
        _ => complain(&about(&service)),
    }
}

#[cfg(feature = "local")]
fn on_this_machine(service: &Service, arguments: impl Iterator<Item = String>) -> ExitCode {
    eventual_local::run(program(service), arguments)
}

#[cfg(feature = "local")]
fn program(service: &Service) -> eventual_local::Program {
    let (registry, manifest, init) = (service.registry().clone(), service.manifest().clone(), service.init());
    eventual_local::Program { registry, manifest, init }
}

#[cfg(not(feature = "local"))]
fn on_this_machine(service: &Service, _arguments: impl Iterator<Item = String>) -> ExitCode {
    complain(&format!(
        "service {} was built without the feature `local` of eventual-runtime, so it cannot serve on this machine: \
         `cargo run --features eventual/local -- serve`",
        service.manifest().service
    ))
}

#[cfg(feature = "aws")]
fn on_lambda(service: Service) -> ExitCode {
    // Only a function whose handlers take states builds them.
    let name = std::env::var(deploy::env::FUNCTION).unwrap_or_default();
    let function = service.manifest().functions.iter().find(|it| it.name == name);
    let init = service.init().filter(|_| function.is_some_and(|it| service.needs_state(&it.handlers)));
    let (registry, manifest) = (service.registry().clone(), service.manifest().clone());
    eventual_aws::run(eventual_aws::Program { registry, manifest, init })
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::needless_pass_by_value, reason = "its twin with the feature consumes the service")]
fn on_lambda(service: Service) -> ExitCode {
    complain(&format!(
        "service {} was built without the feature `aws` of eventual-runtime, so it cannot run on Lambda: build the \
         artifact with `cargo eventual build`",
        service.manifest().service
    ))
}

fn about(service: &Service) -> String {
    let manifest = service.manifest();
    let name = &manifest.service;
    let counts = [
        (manifest.commands.len(), "command"),
        (manifest.tasks.len(), "task"),
        (manifest.workflows.len(), "workflow"),
        (manifest.subscriptions.len(), "subscription"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" })).collect();
    format!(
        "This is the service {name} {version}: {counts}.\n\
         It runs on AWS Lambda, and on this machine when it is told to.\n\
         - Serve it here: `cargo run --features eventual/local -- serve`\n\
         - Check its store while nothing serves it: `cargo run --features eventual/local -- check`\n\
         - Package it: `cargo eventual build` makes target/eventual/{name}.zip\n\
         - Deploy it: `eventual_service` in Terraform, `eventual.Service` in Pulumi, with that file as `artifact`\n\
         - Test it without AWS: `eventual_testing::TestEnvironment::new(eventual::service!(...))` in `cargo test`\n\
         - See what it declares: {print}=1 before the command that brought you here",
        version = manifest.version,
        counts = counts.join(", "),
        print = deploy::PRINT_MANIFEST,
    )
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

fn complain(text: &dyn Display) -> ExitCode {
    // Nobody is left to be told when this fails too.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}
