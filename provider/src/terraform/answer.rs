//! What goes wrong in a call becomes diagnostics in its answer: problems of the user, and bugs and panics of ours.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_wire::tfplugin6;
use futures_util::FutureExt;

use super::from_wire::DecodeError;
use super::to_wire::{self, EncodeError};

/// Why a call has no proper answer.
#[derive(Debug)]
pub(super) struct Trouble(Diagnostic);

impl From<Diagnostic> for Trouble {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(diagnostic)
    }
}

impl From<DecodeError> for Trouble {
    fn from(error: DecodeError) -> Self {
        Self(bug(&format!("Terraform sent a value that does not fit the schema: {error}.")))
    }
}

impl From<EncodeError> for Trouble {
    fn from(error: EncodeError) -> Self {
        Self(bug(&format!("An answer does not fit the schema: {error}.")))
    }
}

/// A bug of this provider, said to the user.
pub(super) fn bug(what: &str) -> Diagnostic {
    let detail = format!(
        "{what}\n\nThis is a bug of the eventual provider {}: please report it.",
        env!("CARGO_PKG_VERSION")
    );
    Diagnostic::error("Bug in the eventual provider", detail)
}

/// Runs a call to its answer. The process survives a panic in it, and `failed` makes the answer of what went wrong.
pub(super) async fn answer<T>(
    call: &'static str,
    work: impl Future<Output = Result<T, Trouble>>,
    failed: impl FnOnce(Vec<tfplugin6::Diagnostic>) -> T,
) -> T {
    let start = Instant::now();
    let done = AssertUnwindSafe(work).catch_unwind().await;
    let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(call, elapsed_ms, "answered");
    let diagnostic = match done {
        Ok(Ok(answer)) => return answer,
        Ok(Err(Trouble(diagnostic))) => diagnostic,
        Err(panic) => {
            let message = panic_message(panic.as_ref());
            tracing::error!(call, message, "panicked");
            bug(&format!("{call} panicked: {message}."))
        }
    };
    failed(to_wire::diagnostics(&[diagnostic]))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "without a message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_diagnostic() {
        let said: Vec<String> = answer("Test", async { panic!("index {}", 7) }, |diagnostics| {
            diagnostics.into_iter().map(|it| it.detail).collect()
        })
        .await;
        assert!(said[0].contains("Test panicked: index 7."), "{said:?}");
    }
}
