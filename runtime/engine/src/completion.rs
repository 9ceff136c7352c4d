//! Answering for an attempt of a task from anywhere, with its token.

use eventual_core::limits::HEARTBEAT_DETAILS_MAX as DETAILS_MAX;
use eventual_core::{ExecutionId, Fact, Outcome, Payload};
use eventual_schema::Need;

use crate::client::{Client, ClientError};
use crate::codec;
use crate::ports::{AttemptId, Completed};
use crate::token::Token;

impl Client {
    /// Gives the answer of the attempt that a token is for. When this returns, it counts even if the caller dies. The same
    /// answer again is no error.
    ///
    /// # Errors
    /// When the token is forged, its attempt was given up or has another answer, or the handler did not declare the task.
    pub async fn complete(&self, token: &str, outcome: Outcome) -> Result<ExecutionId, ClientError> {
        let (id, closed) = self.checked(token).await?;
        let execution = id.execution.clone();
        let store = &self.ports().store;
        let completed = if closed {
            let before = store.attempt_of(&id).await?.and_then(|it| it.outcome);
            before.map_or(Completed::Cancelled, Completed::Before)
        } else {
            store.complete_attempt(&id, &outcome).await?
        };
        match completed {
            Completed::Cancelled => return Err(ClientError::StaleToken(execution)),
            Completed::Before(other) if !same(&other, &outcome) => {
                return Err(ClientError::Completed(execution));
            }
            // Whoever gave it before may have died before the execution was told.
            Completed::Before(_) if closed => return Ok(execution),
            Completed::Before(_) | Completed::Kept => {}
        }
        let fact = Fact::TaskDone { seq: id.seq, attempt: id.attempt, outcome };
        self.ports().dispatch.wake(&execution, &id.message(fact)).await?;
        Ok(execution)
    }

    /// Says that the attempt that a token is for is alive and, with details, how far it is. Answers the execution, and
    /// whether nobody waits for the attempt any more.
    ///
    /// # Errors
    /// When the token is forged, the details are larger than 32 KB, or the handler did not declare the task.
    pub async fn beat(
        &self,
        token: &str,
        details: Option<&Payload>,
    ) -> Result<(ExecutionId, bool), ClientError> {
        let (id, closed) = self.checked(token).await?;
        if closed {
            return Ok((id.execution, true));
        }
        if let Some(size) = details.map(|it| it.as_bytes().len()).filter(|it| *it > DETAILS_MAX) {
            let what = format!("the details of a heartbeat have {size} bytes and may have {DETAILS_MAX}");
            return Err(ClientError::Name(what));
        }
        let now = self.ports().clock.now();
        let beat = self.ports().store.heartbeat(&id, now, details).await?;
        Ok((id.execution, beat.cancelled))
    }

    /// The attempt that a token is for, if it was made here, and whether its execution has ended. Every run has a secret of
    /// its own, so that no token is taken for another run's.
    async fn checked(&self, token: &str) -> Result<(AttemptId, bool), ClientError> {
        let token = Token::read(token).ok_or(ClientError::ForgedToken)?;
        self.check("answers for task", &token.task, Need::Task)?;
        let meta = self.ports().store.meta(&token.execution).await?.ok_or(ClientError::ForgedToken)?;
        if !token.is_signed_with(&meta.secret) {
            return Err(ClientError::ForgedToken);
        }
        Ok((meta.attempt(token.seq, token.attempt), meta.status.is_closed()))
    }
}

/// Whether two answers are the same to whoever gets them.
fn same(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (Outcome::Succeeded(a), Outcome::Succeeded(b)) => codec::same(a, b),
        (Outcome::Failed(a), Outcome::Failed(b)) => {
            a.class == b.class && a.message == b.message && codec::same(&a.data, &b.data)
        }
        _ => a == b,
    }
}
