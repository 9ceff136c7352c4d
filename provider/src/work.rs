//! Work that goes on when nobody waits for its answer any more. Whoever asked for it may be killed, or drop the connection, and
//! what was begun in the cloud has to be finished and written down all the same. What is cancelled, and when the process ends, is
//! each wire's own affair.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

/// What runs in this process. Every clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Work(Arc<watch::Sender<usize>>);

/// Work that did not come to its end: it panicked, or the process ends. A panic's own words may hold anything, secrets too, so they
/// stay with the panic hook.
#[derive(Debug)]
pub(crate) struct Unfinished;

impl Work {
    /// Begins something that is waited for at the end of the process.
    pub(crate) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let running = Running::of(&self.0);
        tokio::spawn(async move {
            work.await;
            drop(running);
        });
    }

    /// Runs something to its end, also when who asked for it has gone in the meantime.
    ///
    /// # Errors
    /// When it does not come to its end.
    pub(crate) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Unfinished> {
        let running = Running::of(&self.0);
        let task = tokio::spawn(async move {
            let done = work.await;
            drop(running);
            done
        });
        task.await.map_err(|_| Unfinished)
    }

    /// Returns when nothing runs.
    pub(crate) async fn idle(&self) {
        // The sender lives as long as `self`, so waiting does not fail.
        let _ = self.0.subscribe().wait_for(|running| *running == 0).await;
    }
}

/// One thing that runs, until it is dropped.
struct Running(Arc<watch::Sender<usize>>);

impl Running {
    fn of(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|running| *running += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_was_begun_is_finished_without_who_asked_and_waited_for() {
        let work = Work::default();
        work.idle().await;
        let (go, gone) = oneshot::channel::<()>();
        let (done, finished) = oneshot::channel();
        let asked = tokio::spawn({
            let work = work.clone();
            async move {
                let long = async move {
                    let _ = gone.await;
                    done.send(()).unwrap();
                };
                work.finish(long).await
            }
        });
        let begun = |running: &usize| *running == 1;
        work.0.subscribe().wait_for(begun).await.unwrap();
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
        let idle = tokio::spawn({
            let work = work.clone();
            async move { work.idle().await }
        });
        tokio::task::yield_now().await;
        assert!(!idle.is_finished(), "it still runs");
        go.send(()).unwrap();
        finished.await.unwrap();
        idle.await.unwrap();
    }

    #[tokio::test]
    async fn what_panics_is_over_and_is_said_to_be_unfinished() {
        let work = Work::default();
        let broken = async { panic!("secret words") };
        assert!(work.finish(broken).await.map(|(): ()| ()).is_err());
        work.idle().await;
    }
}
