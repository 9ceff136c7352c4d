//! What `#[task]` is told besides what all handlers are.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::diagnostics::Diagnostics;
use crate::function::Function;
use crate::handler::{common, optional};
use crate::options::{FUNCTION, INLINE, Options};

/// Its options.
pub(crate) const OPTIONS: &[&str] =
    &["name", "inline", "uses", "timeout", "total_timeout", "heartbeat", "memory", "retry", "at_most_once"];

/// `TaskOptions`.
pub(crate) fn given(function: &Function, options: &mut Options, errors: &mut Diagnostics) -> TokenStream {
    let inline = options.flag("inline", errors);
    let (retry, final_errors) = retry(options, errors);
    if let Some(inline) = &inline {
        if options.has("memory") {
            let message = "an inline task runs in the orchestrator, which has a memory of its own: remove `inline` or `memory`";
            errors.error(inline, message);
        }
        if options.has("heartbeat") {
            let message = "an inline task runs within a turn, whose message comes again when its process dies: remove `inline` or `heartbeat`";
            errors.error(inline, message);
        }
    }
    let heartbeat = optional(options.duration("heartbeat", errors));
    let total = optional(options.duration("total_timeout", errors));
    let limit = if inline.is_some() { INLINE } else { FUNCTION };
    let handler = common(function, limit, options, errors);
    let (inline, completion) = (inline.is_some(), function.takes("Completion").is_some());
    quote! {
        ::eventual::__private::TaskOptions {
            inline: #inline,
            retry: #retry,
            final_errors: &[#(#final_errors),*],
            heartbeat_ms: #heartbeat,
            total_ms: #total,
            completion: #completion,
            handler: #handler,
        }
    }
}

/// The class of an error by the path of its variant: its last two names.
fn class(path: &Path) -> String {
    let names: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
    names[names.len().saturating_sub(2)..].join("::")
}

/// `RetryPolicy` of a task.
fn retry(options: &mut Options, errors: &mut Diagnostics) -> (TokenStream, Vec<String>) {
    const EXAMPLE: &str =
        "retry(attempts = 5, initial = \"1s\", backoff = 2.0, max = \"1m\", jitter = 0.2, errors)";
    let at_most_once = options.flag("at_most_once", errors);
    let known = ["attempts", "initial", "backoff", "max", "jitter", "errors", "final_errors"];
    let retry = options.nested("retry", EXAMPLE, &known, errors);
    if let (Some(once), Some(_)) = (&at_most_once, &retry) {
        errors.error(once, "`at_most_once` makes one attempt, `retry` more: remove one of them");
    }
    let (mut attempts, mut initial, mut percent, mut max, mut on_errors) = (3, 0, 200, 60_000, false);
    let (mut jitter, mut final_errors) = (0, Vec::new());
    if at_most_once.is_some() {
        attempts = 1;
    }
    if let Some((_, mut retry)) = retry {
        on_errors = retry.flag("errors", errors).is_some();
        jitter = retry.part("jitter", errors).unwrap_or(jitter);
        let paths = retry.paths("final_errors", "final_errors(PayError::Declined)", errors);
        if let Some(path) = paths.first().filter(|_| !on_errors) {
            errors.error(
                path,
                "without `errors`, every error is final: remove `final_errors`, or add `errors`",
            );
        }
        final_errors.extend(paths.iter().map(class));
        attempts = retry.integer("attempts", (1, 1_000), errors).unwrap_or(attempts);
        initial = retry.duration("initial", errors).unwrap_or(if on_errors { 1_000 } else { 0 });
        max = retry.duration("max", errors).unwrap_or(max);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 1000")]
        if let Some(factor) = retry.factor("backoff", errors) {
            percent = (factor * 100.0).round() as u32;
        }
    }
    let policy = quote! {
        ::eventual::__private::RetryPolicy {
            attempts: #attempts,
            errors: #on_errors,
            initial_ms: #initial,
            backoff_percent: #percent,
            max_ms: #max,
            jitter_percent: #jitter,
        }
    };
    (policy, final_errors)
}
