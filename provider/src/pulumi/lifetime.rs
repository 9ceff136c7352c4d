//! When this process may end, and what it does until then.
//!
//! The engine can drop a connection, cancel, or die at any moment; a deployment must not lose its thread over it. So
//! the work of each call goes on by itself ([`crate::work`]), and the process ends when it was told to *and* nothing runs any more.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventual_provider_core::request::Control;
use tokio::sync::watch;
use tonic::Status;

use crate::work::Work;

/// The life of the process.
pub(crate) struct Lifetime {
    /// Whether somebody asked for the end.
    ended: watch::Sender<bool>,
    work: Work,
    switches: Mutex<Switches>,
}

/// What cancels the calls in flight, by number.
#[derive(Default)]
struct Switches {
    running: BTreeMap<u64, Control>,
    next: u64,
}

impl Lifetime {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { ended: watch::Sender::new(false), work: Work::default(), switches: Mutex::default() })
    }

    /// Runs the work of a call to its end, also when the caller has gone in the meantime.
    ///
    /// # Errors
    /// When the work panicked, which is a bug of the provider.
    pub(crate) async fn run<T, F>(self: &Arc<Self>, control: &Control, work: F) -> Result<T, Status>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let running = self.enter(control.clone());
        let work = async move {
            let result = work.await;
            drop(running);
            result
        };
        self.work.finish(work).await.map_err(|_| {
            Status::internal("a bug in the provider stopped this operation half-way; please report it")
        })
    }

    /// Lets the calls in flight begin nothing new. Comes at every normal end too, so it is no sign of trouble.
    pub(crate) fn cancel(&self) {
        self.switches().running.values().for_each(Control::cancel);
    }

    /// Asks for the end: cancels what runs and lets [`Lifetime::over`] return once it has stopped.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
        self.cancel();
    }

    /// Returns when the end was asked for and nothing runs any more.
    pub(crate) async fn over(&self) {
        // The sender cannot be gone while `self` is borrowed, so waiting does not fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
        self.work.idle().await;
    }

    /// Asks for the end when standard input ends: the engine holds the other side of it as long as it lives.
    pub(crate) fn end_with_stdin(self: &Arc<Self>) {
        let lifetime = Arc::clone(self);
        // A thread, since a read of standard input cannot be abandoned.
        std::thread::spawn(move || {
            let mut ignored = [0; 256];
            while matches!(std::io::stdin().read(&mut ignored), Ok(1..)) {}
            lifetime.end();
        });
    }

    /// Asks for the end on SIGINT and SIGTERM.
    pub(crate) fn end_with_signals(self: &Arc<Self>) {
        let lifetime = Arc::clone(self);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                lifetime.end();
            }
        });
        #[cfg(unix)]
        if let Ok(mut terminations) =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        {
            let lifetime = Arc::clone(self);
            tokio::spawn(async move {
                if terminations.recv().await.is_some() {
                    lifetime.end();
                }
            });
        }
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, control: Control) -> Running {
        let mut switches = self.switches();
        if *self.ended.borrow() {
            control.cancel();
        }
        switches.next += 1;
        let number = switches.next;
        switches.running.insert(number, control);
        Running { lifetime: Arc::clone(self), number }
    }
}

/// A call that can be cancelled, until it is dropped.
struct Running {
    lifetime: Arc<Lifetime>,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifetime.switches().running.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_outlives_its_caller_and_the_process_outlives_the_work() {
        let lifetime = Lifetime::new();
        let control = Control::new("urn");
        let (begin, begun) = oneshot::channel();
        let (go, gone) = oneshot::channel::<()>();
        let (done, finished) = oneshot::channel();
        let work = async move {
            begin.send(()).unwrap();
            let _ = gone.await;
            done.send(()).unwrap();
        };
        let call = tokio::spawn({
            let (lifetime, control) = (Arc::clone(&lifetime), control.clone());
            async move { lifetime.run(&control, work).await }
        });
        begun.await.unwrap();
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());

        lifetime.cancel();
        lifetime.cancel();
        assert!(control.is_cancelled());
        lifetime.end();
        let over = tokio::spawn({
            let lifetime = Arc::clone(&lifetime);
            async move { lifetime.over().await }
        });
        tokio::task::yield_now().await;
        assert!(!over.is_finished(), "the work still runs");
        go.send(()).unwrap();
        finished.await.unwrap();
        over.await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_a_bug_and_nothing_more() {
        let lifetime = Lifetime::new();
        let failed =
            lifetime.run(&Control::new("urn"), async { panic!("secret words") }).await.map(|(): ()| ());
        assert!(!failed.unwrap_err().message().contains("secret"));
        lifetime.end();
        lifetime.over().await;
    }
}
