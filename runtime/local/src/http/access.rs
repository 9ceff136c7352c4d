//! Who may call. This host verifies no signatures: a command that wants a verified caller is refused, unless the one who
//! started the process said that callers may pretend, which is for a developer's own machine.

use axum::http::{HeaderMap, header};
use eventual_engine::User;
use eventual_schema::{Auth, Command};

/// Header in which a caller who may pretend says who they are.
const PRETENDED: &str = "x-eventual-user";

/// What is known of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Only commands for everybody are served.
    Nobody,
    /// Everybody is who they say, in the header `x-eventual-user`.
    Pretend,
}

impl Callers {
    /// The caller of a command, if it may be called.
    pub(crate) fn user(self, command: &Command, headers: &HeaderMap) -> Result<Option<User>, String> {
        let wanted = match &command.auth {
            Some(Auth::None) => return Ok(None),
            Some(Auth::Iam) => "callers signed with AWS credentials",
            Some(Auth::Jwt { .. }) => "callers with a verified token",
            None => "an `auth`, which neither it nor `main!` says",
        };
        if self == Self::Nobody {
            return Err(format!(
                "Forbidden: command `{}` wants {wanted}; the local host verifies nobody. On your own machine, `serve \
                 --pretend-callers` takes the name in the header {PRETENDED} instead",
                command.name
            ));
        }
        let said = headers.get(PRETENDED).and_then(|it| it.to_str().ok()).unwrap_or("local");
        let claims_json = serde_json::json!({ "sub": said }).to_string();
        Ok(Some(User { subject: said.to_owned(), claims_json }))
    }
}

/// Whether the request was sent to this machine by its own name, and not by one that a stranger's DNS made up.
pub(crate) fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|it| it.to_str().ok()) else { return true };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// Whether the body says that it is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_are_its_names() {
        let named = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            names_this_machine(&headers)
        };
        for own in ["localhost", "LOCALHOST:3000", "127.0.0.1:80", "[::1]:3000", "127.0.0.9"] {
            assert!(named(own), "{own}");
        }
        for strange in ["example.com", "localhost.example.com:3000", "10.0.0.1", "[2001:db8::1]:80"] {
            assert!(!named(strange), "{strange}");
        }
    }
}
