//! One call of a command from outside.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use eventual_schema::deploy::http::RPC;

use super::attempts::{Asking, of_command};
use super::{Client, RemoteError};
use crate::ask::Ask;
use crate::call::{Call, Decode};
use crate::codec::Data;
use crate::error::{CallError, Error, Failure};
use crate::register::{Item, Registration};

/// A call of a command that is about to be sent: await it.
#[must_use = "nothing is sent until it is awaited"]
pub struct RemoteCall<T, E> {
    client: Client,
    ask: Ask,
    decode: Decode<T, E>,
    timeout: Option<Duration>,
    idempotent: Option<bool>,
    headers: Vec<(String, String)>,
}

impl<T, E> RemoteCall<T, E> {
    /// Longest time for this call, all of its attempts included.
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Whether doing it twice is doing it once, so that it may be attempted again when nobody knows whether it was done.
    /// Default: whether the command's own route is one of `GET`, `PUT` or `DELETE`. What the service refused to begin with
    /// is attempted again anyway.
    pub const fn idempotent(mut self, yes: bool) -> Self {
        self.idempotent = Some(yes);
        self
    }

    /// Sends this header besides the client's.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl<T: Data, E: Failure> RemoteCall<T, E> {
    pub(super) fn new(client: Client, call: Call<T, E>) -> Self {
        let (ask, decode) = call.into_parts();
        Self { client, ask, decode, timeout: None, idempotent: None, headers: Vec::new() }
    }

    async fn run(self) -> Result<T, RemoteError<E>> {
        let (name, input) = match self.ask {
            Ask::Command { name, input } => (name, input),
            Ask::Broken(error) => return Err(RemoteError::Invalid(error)),
            _ => {
                let message =
                    "only commands can be called from outside: start workflows with `client.executions()`";
                return Err(RemoteError::Invalid(Error::new("NotACommand", message)));
            }
        };
        let asking = Asking {
            target: format!("{RPC}{name}"),
            body: String::from_utf8_lossy(input.as_bytes()).into_owned(),
            headers: self.headers,
            idempotent: self.idempotent.unwrap_or_else(|| is_idempotent(name)),
            timeout: self.timeout.unwrap_or(self.client.timeout),
            retries: self.client.retries,
        };
        let outcome = self.client.ask(&asking, of_command).await;
        let outcome = outcome.map_err(|error| error.map(|never| match never {}))?;
        (self.decode)(outcome).map_err(|error| match error {
            CallError::Failed(error) => RemoteError::Failed(error),
            other => RemoteError::Invalid(Error::from(other)),
        })
    }
}

impl<T: Data, E: Failure> IntoFuture for RemoteCall<T, E> {
    type Output = Result<T, RemoteError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<T, E> fmt::Debug for RemoteCall<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteCall")
            .field("client", &self.client)
            .field("ask", &self.ask)
            .finish_non_exhaustive()
    }
}

/// Whether the route of the command of that name says so. Where several crates have one, all must.
fn is_idempotent(name: &str) -> bool {
    let methods: Vec<&str> = Registration::all()
        .filter(|it| it.name == name)
        .filter_map(|it| match &it.item {
            Item::Command { options, .. } => Some(options.route.map_or("POST", |(method, _)| method)),
            _ => None,
        })
        .collect();
    !methods.is_empty() && methods.iter().all(|it| matches!(*it, "GET" | "PUT" | "DELETE"))
}
