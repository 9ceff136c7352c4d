//! Cancellation in workflow code: a tree of scopes, and the shield under which code cleans up.
//!
//! An execution that is asked to cancel itself ([`Execution::cancel`](crate::Execution::cancel)) learns it from the calls
//! that it waits for: they answer [`CallError::Cancelled`](crate::CallError::Cancelled), and so does what it asks for
//! afterwards. `?` passes that on, and the execution ends as cancelled.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use eventual_core::ScopeId;
use eventual_engine::ambient;

/// Runs a future that is not cancelled with what is around it: the place to clean up.
///
/// ```
/// # use std::time::Duration;
/// # #[eventual::task] async fn reserve() {}
/// # #[eventual::task] async fn release() {}
/// #[eventual::workflow]
/// async fn book() -> eventual::Result<()> {
///     reserve().await?;
///     let waited = eventual::sleep(Duration::from_secs(3600)).await;
///     if eventual::is_cancelled() {
///         eventual::shield(release()).await?;
///     }
///     Ok(waited?)
/// }
/// ```
pub fn shield<F: Future>(future: F) -> Scoped<F> {
    Scoped { scope: ambient::open_scope(true), future: Box::pin(future) }
}

/// Whether the code that asks is cancelled: its execution, or the scope in which it runs. `false` outside of workflows and
/// in a [`shield`].
#[must_use]
pub fn is_cancelled() -> bool {
    ambient::is_cancelled(None)
}

/// A part of a workflow that can be cancelled by itself. It is cancelled with the execution, too.
///
/// ```
/// # use std::time::Duration;
/// # #[eventual::task] async fn crawl(url: String) -> u64 { url.len() as u64 }
/// #[eventual::workflow]
/// async fn crawl_for_an_hour(urls: Vec<String>) -> eventual::Result<u64> {
///     let scope = eventual::CancelScope::new();
///     let crawling = eventual::spawn(scope.run(async move {
///         let mut found = 0;
///         for url in urls {
///             found += crawl(url).await.unwrap_or_default();
///         }
///         found
///     }));
///     eventual::sleep(Duration::from_secs(3600)).await?;
///     scope.cancel();
///     Ok(crawling.await)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CancelScope {
    scope: Option<ScopeId>,
}

impl CancelScope {
    /// A scope within the one that the code runs in. Outside of workflows nothing can cancel it.
    #[must_use]
    pub fn new() -> Self {
        Self { scope: ambient::open_scope(false) }
    }

    /// Runs a future in the scope.
    pub fn run<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped { scope: self.scope, future: Box::pin(future) }
    }

    /// Cancels what runs in the scope: its calls answer that they are cancelled. Children are asked to cancel
    /// themselves, and waited for.
    pub fn cancel(&self) {
        if let Some(scope) = self.scope {
            ambient::cancel_scope(scope);
        }
    }

    /// Whether the scope, or what is around it, is cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.scope.is_some_and(|it| ambient::is_cancelled(Some(it)))
    }
}

impl Default for CancelScope {
    fn default() -> Self {
        Self::new()
    }
}

/// A future in a scope of cancellation.
#[must_use = "nothing runs until it is awaited"]
pub struct Scoped<F> {
    scope: Option<ScopeId>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.scope {
            Some(scope) => ambient::in_scope(scope, || self.future.as_mut().poll(cx)),
            None => self.future.as_mut().poll(cx),
        }
    }
}

impl<F> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scoped({:?})", self.scope)
    }
}
