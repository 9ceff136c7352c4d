//! Requests to commands, answered by the code that answers them on AWS and on the local host.
//!
//! Deliberately no server: nothing is listened on, and headers that no command could see are not looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use eventual_engine::User;
use eventual_engine::http::{self, Answer, Asked};
use eventual_engine::ports::Clock;
use eventual_schema::{Auth, Command};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::TestEnvironment;

/// Largest body, in bytes, as API Gateway has it.
const BODY_MAX: usize = 10 << 20;
/// Longest time for an answer of a command that says nothing else, as API Gateway waits.
const LIMIT: Duration = Duration::from_secs(30);

/// A request that is put together. See [`TestEnvironment::request`].
#[derive(Debug)]
#[must_use = "nothing is asked until it is sent"]
pub struct Request<'a> {
    env: &'a TestEnvironment,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    user: Option<User>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: String,
}

impl Response {
    /// The body as a value.
    ///
    /// # Panics
    /// When it is no JSON of that shape.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }
}

impl TestEnvironment {
    /// A request to the service's HTTP API: `env.request("POST", "/orders").json(&order).send()`. The path is written as it
    /// stands in a URL, with a query if it has one. For a command by its types, see [`TestEnvironment::call`].
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Request {
            env: self,
            method: method.to_uppercase(),
            path: path.to_owned(),
            query: http::query(query),
            headers: BTreeMap::new(),
            body: Vec::new(),
            user: None,
        }
    }
}

impl Request<'_> {
    /// Adds a parameter to the query, as it is before it is encoded.
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to a value as JSON.
    ///
    /// # Panics
    /// When the value is none in JSON.
    #[track_caller]
    pub fn json(self, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_else(|error| panic!("{error}"));
        self.header("content-type", "application/json").body(body)
    }

    /// Who asks, as the command's authorizer would have found out.
    pub fn user(self, subject: &str) -> Self {
        self.claims(subject, &json!({ "sub": subject }))
    }

    /// The same, with the claims that the authorizer vouches for.
    ///
    /// # Panics
    /// When the claims are no JSON.
    #[track_caller]
    pub fn claims(mut self, subject: &str, claims: &impl Serialize) -> Self {
        let claims_json = serde_json::to_string(claims).unwrap_or_else(|error| panic!("{error}"));
        self.user = Some(User { subject: subject.to_owned(), claims_json });
        self
    }

    /// Sends it, and makes everything that is due after it.
    #[must_use]
    pub fn send(self) -> Response {
        let env = self.env;
        let answer = self.answer();
        env.settle();
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        Response { status: answer.status, headers, body: answer.body }
    }

    fn answer(self) -> Answer {
        let Self { env, method, path, query, body, user, .. } = self;
        let manifest = env.service().manifest();
        if body.len() > BODY_MAX {
            return plain(413, "Request Entity Too Large");
        }
        let Some(found) = http::find(&manifest.commands, &method, &path) else {
            return plain(404, "Not Found");
        };
        let user = match admitted(found.command, user) {
            Ok(user) => user,
            Err(refused) => return refused,
        };
        let limit = found.command.timeout_s.map_or(LIMIT, |it| Duration::from_secs(it.into()));
        let request_id = format!("{:016x}", env.drive().world().entropy());
        let asked = Asked { query, body: &body, user, request_id: &request_id, limit: Some(limit) };
        env.drive().answer(&manifest.schemas, found, asked)
    }
}

/// Who a command sees, or what the gateway answers in its place.
fn admitted(command: &Command, user: Option<User>) -> Result<Option<User>, Answer> {
    match (&command.auth, user) {
        // Where there is no authorizer, nobody is found out.
        (Some(Auth::None) | None, _) => Ok(None),
        (Some(Auth::Jwt { .. }), None) => Err(plain(401, "Unauthorized")),
        (Some(Auth::Iam), None) => Err(plain(403, "Forbidden")),
        (_, user) => Ok(user),
    }
}

/// An answer that is the gateway's and not the command's.
fn plain(status: u16, message: &str) -> Answer {
    Answer::new(status, json!({ "message": message }).to_string())
}
