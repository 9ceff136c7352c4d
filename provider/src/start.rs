//! Which protocol this process speaks: by its name, then by what its parent put into the environment.

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::artifacts::Files;
use crate::ports::Ports;
use crate::session::Aws;
use crate::{deployer, doctor, pulumi, terraform};

/// What was asked of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A plugin of Terraform or OpenTofu.
    Terraform,
    /// A plugin of Pulumi.
    Pulumi,
    /// Print the package schema of Pulumi.
    Schema,
    /// Print the policy of a deployer.
    Policy,
    /// Say what a deployment would find here.
    Doctor,
    /// Print name and version.
    Version,
}

/// The whole program.
#[must_use]
pub fn run() -> ExitCode {
    let mut arguments = env::args();
    let name = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    match role(&name, &arguments, terraform::is_called()) {
        Role::Terraform => with_runtime(terraform::serve(&arguments, ports())),
        Role::Pulumi => with_runtime(pulumi::serve(arguments, ports())),
        Role::Schema => print(&pulumi::schema_json()),
        Role::Policy => match deployer::policy(&arguments[1..]) {
            Ok(policy) => print(&policy),
            Err(usage) => {
                let _ = writeln!(std::io::stderr(), "{usage}");
                ExitCode::FAILURE
            }
        },
        Role::Doctor => with_runtime(async { doctor::run(&arguments[1..], ports()).await }),
        Role::Version => print(&format!("eventual provider {}\n", env!("CARGO_PKG_VERSION"))),
    }
}

/// The name that the program was started by decides; under another name, what is in the environment. Flags that we do
/// not know are left to the wires, which tolerate them: hosts add new ones.
fn role(name: &str, arguments: &[String], cookie: bool) -> Role {
    let file = Path::new(name).file_name().and_then(|it| it.to_str()).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("--version" | "-V" | "version") => Role::Version,
        Some("schema") => Role::Schema,
        Some("policy") => Role::Policy,
        Some("doctor") => Role::Doctor,
        _ if file.starts_with("terraform-provider-") => Role::Terraform,
        _ if file.starts_with("pulumi-resource-") => Role::Pulumi,
        _ if cookie => Role::Terraform,
        _ => Role::Pulumi,
    }
}

fn ports() -> Ports {
    Ports { artifacts: Arc::new(Files), connect: Arc::new(Aws) }
}

fn with_runtime(serve: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(serve);
            // What is still under way has been cancelled and waited for by the wire; idle connections are dropped.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            let _ = writeln!(
                std::io::stderr(),
                "eventual provider: the system refuses threads or an event queue: {error}"
            );
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_then_the_cookie() {
        let none = Vec::new();
        assert_eq!(role("/x/terraform-provider-eventual_v0.1.0", &none, false), Role::Terraform);
        assert_eq!(role("pulumi-resource-eventual", &["127.0.0.1:1".to_owned()], true), Role::Pulumi);
        assert_eq!(role("provider", &none, true), Role::Terraform);
        assert_eq!(role("terraform-provider-eventual", &["--version".to_owned()], false), Role::Version);
        assert_eq!(role("pulumi-resource-eventual", &["doctor".to_owned()], false), Role::Doctor);
        assert_eq!(role("terraform-provider-eventual", &["--unknown".to_owned()], true), Role::Terraform);
    }
}
