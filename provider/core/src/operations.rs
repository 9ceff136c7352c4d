//! The port for what is done with a service that is deployed: looking into it, calling it, handing out credentials for it,
//! emptying its dead-letter queues.
//!
//! Deploying is not here, that is [`crate::cloud`]. Like there, an implementation decides nothing.

use std::collections::BTreeMap;

use async_trait::async_trait;
use eventual_schema::Manifest;

use crate::cloud::CloudError;
use crate::config::Confidential;

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The answer, JSON.
    pub answer: String,
    /// Whether the function failed; then the answer says how.
    pub failed: bool,
}

/// What credentials are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsAsk {
    /// The role to assume; `None` for a federated session of the caller.
    pub role_arn: Option<String>,
    /// Name of the session.
    pub session_name: String,
    /// Session policy, JSON.
    pub policy: String,
    /// How long they are good for, in seconds.
    pub duration_s: u64,
}

/// Short-lived credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Id of the access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Confidential,
    /// What goes with it.
    pub session_token: Confidential,
    /// When they end, as RFC 3339.
    pub expires_at: String,
}

/// A message of a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Letter {
    /// Its id, the same however often it is received.
    pub id: String,
    /// What removes it.
    pub receipt: String,
    /// Its body.
    pub body: String,
    /// Its attributes that are text.
    pub attributes: BTreeMap<String, String>,
    /// Its message group; empty in a queue that is not FIFO.
    pub group: String,
}

/// What is done with services that are deployed.
#[async_trait]
pub trait Operations: Send + Sync {
    /// What the code of an artifact declares; `None` when there is no such object.
    ///
    /// # Errors
    /// When it cannot be read, or is no artifact.
    async fn manifest(&self, bucket: &str, object: &str) -> Result<Option<Manifest>, CloudError>;

    /// Names of all buckets of the account.
    ///
    /// # Errors
    /// When they cannot be listed.
    async fn buckets(&self) -> Result<Vec<String>, CloudError>;

    /// ARN of whoever calls.
    ///
    /// # Errors
    /// When there are no usable credentials.
    async fn caller(&self) -> Result<String, CloudError>;

    /// Calls a function and waits for its answer.
    ///
    /// # Errors
    /// When it could not be called; that it failed is an answer.
    async fn invoke(&self, function_arn: &str, payload: &str) -> Result<Invocation, CloudError>;

    /// Calls a function and does not wait.
    ///
    /// # Errors
    /// When the call was not accepted.
    async fn enqueue(&self, function_arn: &str, payload: &str) -> Result<(), CloudError>;

    /// Makes credentials.
    ///
    /// # Errors
    /// When they are refused.
    async fn credentials(&self, ask: &CredentialsAsk) -> Result<Credentials, CloudError>;

    /// About how many messages the queue of this name holds that can be received; `None` without the queue.
    ///
    /// # Errors
    /// When it cannot be found out.
    async fn depth(&self, queue: &str) -> Result<Option<u64>, CloudError>;

    /// Up to `most` messages of a queue and at most ten, hidden from others for a while; none means that there are none just
    /// now.
    ///
    /// # Errors
    /// When the queue refuses.
    async fn receive(&self, queue: &str, most: u64) -> Result<Vec<Letter>, CloudError>;

    /// Sends the body of a message to a queue, in its group where that is FIFO.
    ///
    /// # Errors
    /// When the queue refuses.
    async fn send(&self, queue: &str, letter: &Letter) -> Result<(), CloudError>;

    /// Removes a message that was received.
    ///
    /// # Errors
    /// When the queue refuses.
    async fn discard(&self, queue: &str, letter: &Letter) -> Result<(), CloudError>;
}
