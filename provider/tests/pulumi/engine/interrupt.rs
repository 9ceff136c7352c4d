//! Users and fate, who interfere with a call while it runs.

use std::future::Future;

use tonic::{Response, Status};

use super::Engine;
use super::plugin::Plugin;

/// When the user, or fate, interferes with the first creation or update of a command: after that many lines of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// Ctrl-C: `Cancel`, then wait without limit.
    Cancel(usize),
    /// Ctrl-C twice: `Cancel`, then the call is abandoned and the provider ended.
    CancelTwice(usize),
    /// The engine dies.
    Die(usize),
    /// The provider is killed.
    Kill(usize),
}

/// The engine no longer waits for a call.
pub(super) enum Died {
    /// It is dead.
    Engine,
    /// The user wants it to end.
    Abandoned,
}

impl Engine {
    /// Waits for the call, unless somebody interferes.
    pub(super) async fn interruptible<T: Send + 'static>(
        &mut self,
        plugin: &Plugin,
        call: impl Future<Output = Result<Response<T>, Status>> + Send + 'static,
    ) -> Result<Result<Response<T>, Status>, Died> {
        match self.interrupt.take() {
            None => Ok(call.await),
            Some(Interrupt::Cancel(lines)) => {
                let (log, mut client) = (self.log.clone(), plugin.client.clone());
                let cancel = async move {
                    log.more(lines).await;
                    client.cancel(()).await.unwrap();
                };
                let (answer, ()) = tokio::join!(call, cancel);
                Ok(answer)
            }
            Some(Interrupt::Kill(lines)) => {
                let kill = async {
                    self.log.more(lines).await;
                    plugin.kill();
                };
                let (answer, ()) = tokio::join!(call, kill);
                // "error reading from server: EOF", for the real engine: nothing in the state, no pending operation.
                assert!(answer.is_err(), "a killed provider does not answer");
                Ok(answer)
            }
            Some(Interrupt::Die(lines)) => {
                let task = tokio::spawn(call);
                self.log.more(lines).await;
                task.abort();
                Err(Died::Engine)
            }
            Some(Interrupt::CancelTwice(lines)) => {
                let task = tokio::spawn(call);
                self.log.more(lines).await;
                let mut client = plugin.client.clone();
                client.cancel(()).await.unwrap();
                task.abort();
                Err(Died::Abandoned)
            }
        }
    }
}
