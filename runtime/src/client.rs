//! Calling a deployed service from other programs, with the types of the service's own crate.
//!
//! The functions that make calls inside of a service make them here too: `client.call(orders::place_order(order))`. No
//! code is generated, and nothing of the service runs in the calling process. Deliberately no second way to write handlers:
//! within the service, calls are awaited as they are.

mod attempts;
mod call;
mod error;
mod executions;
#[cfg(feature = "sigv4")]
mod sigv4;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::call::Call;
use crate::codec::Data;
use crate::error::Failure;

pub use call::RemoteCall;
pub use error::{InputProblem, RemoteError};
pub use executions::{
    ExecutionError, Executions, Progress, RemoteExecution, SystemRefusal, Transport, Transported,
};
#[cfg(feature = "sigv4")]
pub use sigv4::{Credentials, ProvideCredentials, SigV4};

/// A service that is somewhere else. Cheap to clone; clones share their connections.
///
/// ```no_run
/// # #[eventual::command] async fn ping(name: String) -> String { name }
/// # async fn example() -> Result<(), eventual::Error> {
/// use eventual::client::Client;
///
/// let client = Client::new("https://abc.execute-api.eu-central-1.amazonaws.com")?;
/// let answer: String = client.call(ping("Ada".to_owned())).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    /// Without a slash at its end.
    url: String,
    http: reqwest::Client,
    headers: Vec<(String, String)>,
    signer: Option<Arc<dyn Signer>>,
    timeout: Duration,
    retries: Retries,
}

impl Client {
    /// A client of the service at `url`: the `url` of its deployment, or `http://localhost:3000`. Calls take 30 seconds at
    /// most and are attempted up to three times, until something else is said.
    ///
    /// # Errors
    /// When the text is no URL of HTTP, or this machine has no certificates to verify servers with.
    pub fn new(url: impl Into<String>) -> Result<Self, NoClient> {
        let url: String = url.into();
        let parsed =
            reqwest::Url::parse(&url).map_err(|error| NoClient(format!("{url:?} is no URL: {error}")))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(NoClient(format!("{url:?} is no URL of HTTP, such as https://example.com")));
        }
        let http = reqwest::Client::builder().build();
        let http = http.map_err(|error| NoClient(format!("cannot make an HTTP client: {error}")))?;
        let url = url.trim_end_matches('/').to_owned();
        let (timeout, retries) = (Duration::from_secs(30), Retries::default());
        Ok(Self { url, http, headers: Vec::new(), signer: None, timeout, retries })
    }

    /// Uses these connections, with what they know of proxies and certificates.
    #[must_use]
    pub fn http(mut self, http: reqwest::Client) -> Self {
        self.http = http;
        self
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends this token with every request, for commands with `auth = jwt(...)`. For tokens that expire, see
    /// [`sign`](Self::sign).
    #[must_use]
    pub fn bearer(self, token: impl fmt::Display) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Has every request signed: with `SigV4` of the feature `sigv4` for commands with `auth = iam`, or with whatever fetches a
    /// token.
    #[must_use]
    pub fn sign(mut self, signer: impl Signer) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// Longest time for a call, all of its attempts included. Default: 30 seconds.
    #[must_use]
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// When calls are attempted again. Default: up to three attempts, see [`Retries`].
    #[must_use]
    pub const fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Calls a command: `client.call(orders::place_order(order)).await`. What is no call of a command is an error.
    pub fn call<T: Data, E: Failure>(&self, call: Call<T, E>) -> RemoteCall<T, E> {
        RemoteCall::new(self.clone(), call)
    }

    /// The executions of a service on a local host, which lets programs on its own machine use them. Those of a deployed
    /// service are reached by its system function: [`Executions::new`].
    #[must_use]
    pub fn executions(&self) -> Executions {
        Executions::of_local_host(self.clone())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers hold secrets.
        f.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Why there is no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoClient(String);

/// When a call is attempted again. Errors of the command are never: they are its answer. Nor is what may have been done
/// already, unless doing it twice is doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Most attempts; 1 means none but the first. Default: 3.
    pub attempts: u32,
    /// Pause before the second attempt; doubled for each after it, and shortened by chance. Default: 200 ms.
    pub delay: Duration,
    /// Longest pause, also when the service asks for more. Default: 5 s.
    pub max_delay: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 3, delay: Duration::from_millis(200), max_delay: Duration::from_secs(5) }
    }
}

/// A request that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingRequest {
    /// The method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Headers so far, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What [`Signer::sign`] answers: headers to add, or why there are none.
pub type Signed = Result<Vec<(String, String)>, Box<dyn std::error::Error + Send + Sync>>;

/// Makes a request a signed one. Async functions that take an [`OutgoingRequest`] and answer [`Signed`] are signers.
pub trait Signer: Send + Sync + 'static {
    /// The headers that make it one.
    fn sign(&self, request: OutgoingRequest) -> Pin<Box<dyn Future<Output = Signed> + Send>>;
}

impl<S, F> Signer for S
where
    S: Fn(OutgoingRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Signed> + Send + 'static,
{
    fn sign(&self, request: OutgoingRequest) -> Pin<Box<dyn Future<Output = Signed> + Send>> {
        Box::pin(self(request))
    }
}
