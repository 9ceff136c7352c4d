//! The handshake of go-plugin: what the host puts into our environment, and the line with which we answer.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// By this variable and its value a host says that it is Terraform; it protects nothing.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
/// Version of go-plugin's own handshake.
const CORE_VERSION: u32 = 1;
/// The version of Terraform's protocol that we speak.
const PROTOCOL: u32 = 6;
/// The name under which Terraform knows us.
const ADDRESS: &str = "registry.terraform.io/eventual/eventual";

/// What the host asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The certificate (PEM) that the host will show, and that alone may connect. Without it there is no TLS.
    pub(super) client_certificate: Option<String>,
    /// Folder for the socket, when the host insists.
    pub(super) socket_folder: Option<PathBuf>,
    /// Whether the host wants to know if we multiplex connections over one socket.
    asks_multiplex: bool,
}

/// Why we do not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A person started us.
    NotCalled,
    /// The host speaks none of our protocols.
    Protocols(String),
    /// The system refused something.
    Failed(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCalled => write!(
                f,
                "This is the eventual provider {} for Terraform and OpenTofu. They start it on their own: put \
                 `eventual = {{ source = \"eventual/eventual\" }}` into `required_providers` and run `terraform init`.\n\
                 To debug it, start it with --debug and give the line that it prints to Terraform.",
                env!("CARGO_PKG_VERSION")
            ),
            Self::Protocols(offered) => write!(
                f,
                "The eventual provider speaks protocol {PROTOCOL}, which Terraform has since 1.0; this host offers {offered}."
            ),
            Self::Failed(why) => write!(f, "The eventual provider cannot serve: {why}"),
        }
    }
}

/// Looks a variable of the process up.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// Whether the variables are those of a plugin that Terraform starts.
pub(super) fn is_called(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    variable(COOKIE.0).as_deref() == Some(COOKIE.1)
}

/// Reads what the host asks for. With `debug` nobody needs to have asked.
pub(super) fn read(variable: &dyn Fn(&str) -> Option<String>, debug: bool) -> Result<Call, Refusal> {
    if !debug && !is_called(variable) {
        return Err(Refusal::NotCalled);
    }
    if let Some(offered) = variable("PLUGIN_PROTOCOL_VERSIONS")
        && !offered.split(',').any(|it| it.trim().parse() == Ok(PROTOCOL))
    {
        return Err(Refusal::Protocols(offered));
    }
    Ok(Call {
        client_certificate: variable("PLUGIN_CLIENT_CERT").filter(|_| !debug),
        socket_folder: variable("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
        asks_multiplex: variable("PLUGIN_MULTIPLEX_GRPC").is_some_and(|it| it == "true" || it == "1"),
    })
}

/// Our answer: where we listen, and our own certificate (DER), which the host will then insist on.
pub(super) fn line(call: &Call, socket: &Path, certificate: Option<&[u8]>) -> String {
    let certificate = certificate.map(|it| STANDARD_NO_PAD.encode(it)).unwrap_or_default();
    let multiplex = if call.asks_multiplex { "|false" } else { "" };
    format!("{CORE_VERSION}|{PROTOCOL}|unix|{}|grpc|{certificate}{multiplex}", socket.display())
}

/// The setting with which Terraform uses this process instead of starting its own.
pub(super) fn reattach(socket: &Path) -> String {
    let reattach = serde_json::json!({
        ADDRESS: {
            "Protocol": "grpc",
            "ProtocolVersion": PROTOCOL,
            "Pid": std::process::id(),
            "Test": true,
            "Addr": { "Network": "unix", "String": socket },
        }
    });
    format!("TF_REATTACH_PROVIDERS='{reattach}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<'a>(variables: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned())
    }

    #[test]
    fn the_line_has_what_go_plugin_splits() {
        let call = read(&with(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", "6,5")]), false).unwrap();
        assert_eq!(line(&call, Path::new("/tmp/a/b.sock"), None), "1|6|unix|/tmp/a/b.sock|grpc|");
        let call = read(&with(&[COOKIE, ("PLUGIN_MULTIPLEX_GRPC", "true")]), false).unwrap();
        assert_eq!(
            line(&call, Path::new("/s"), Some(&[255, 254, 253, 252])),
            "1|6|unix|/s|grpc|//79/A|false"
        );
    }

    #[test]
    fn nobody_else_is_served() {
        assert_eq!(read(&with(&[]), false), Err(Refusal::NotCalled));
        assert_eq!(read(&with(&[(COOKIE.0, "x")]), false), Err(Refusal::NotCalled));
        let old = read(&with(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", "4,5")]), false);
        assert_eq!(old, Err(Refusal::Protocols("4,5".to_owned())));
        assert!(read(&with(&[]), true).is_ok());
    }
}
