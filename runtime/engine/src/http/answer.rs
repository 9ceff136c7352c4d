//! From a request that was led to a command to its answer. Deliberately knows neither connections nor who may call: the
//! host has found out both.

use std::time::Duration;

use eventual_core::{Outcome, Payload};
use eventual_schema::request::{self, Parts};
use eventual_schema::shape::Schemas;

use super::{Answer, Found, of_outcome};
use crate::engine::Engine;
use crate::registry::User;

/// What a command is asked besides its route.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The query's parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// The body's bytes.
    pub body: &'a [u8],
    /// Who asks, as the host has found out.
    pub user: Option<User>,
    /// Stands in the answer to a request that crashed, and in the log.
    pub request_id: &'a str,
    /// Longest time for an answer, if the host itself watches over it.
    pub limit: Option<Duration>,
}

impl Engine {
    /// Answers a request to a command: puts its input together, checks it, runs the command and tells its outcome.
    pub async fn answer(&self, schemas: &Schemas, found: Found<'_>, asked: Asked<'_>) -> Answer {
        let Found { command, route, values } = found;
        let parts = Parts { path: values, query: asked.query, body: asked.body };
        let input = match request::assemble(command, schemas, route, &parts) {
            Ok(input) => Payload::from(input.to_string().as_str()),
            Err(problems) => return Answer::new(400, request::refusal(&problems).to_string()),
        };
        let name = command.name.as_str();
        let running = self.command(name, input, asked.user);
        let outcome = match asked.limit {
            None => running.await,
            Some(limit) => tokio::time::timeout(limit, running).await.unwrap_or(Outcome::TimedOut),
        };
        if !matches!(outcome, Outcome::Succeeded(_) | Outcome::Failed(_)) {
            tracing::error!(
                command = name,
                request_id = asked.request_id,
                ?outcome,
                "command did not answer"
            );
        }
        of_outcome(&outcome, asked.request_id)
    }
}
