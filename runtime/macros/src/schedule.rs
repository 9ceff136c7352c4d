//! `schedule(...)` of a workflow: when it is started by itself. Whether a cron expression is one is told when the service is
//! built, because the compiler has no time zones.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::LitStr;

use crate::diagnostics::Diagnostics;
use crate::function::Function;
use crate::handler::optional;
use crate::options::Options;

const EXAMPLE: &str = "schedule(cron = \"0 9 * * *\", time_zone = \"Europe/Berlin\")";
const KNOWN: [&str; 9] =
    ["cron", "every", "time_zone", "input", "jitter", "catch_up", "overlap", "name", "paused"];
/// The overlap policies, as they are written and as the variants of `eventual::Overlap`.
const OVERLAPS: [(&str, &str); 6] = [
    ("skip", "Skip"),
    ("buffer_one", "BufferOne"),
    ("buffer_all", "BufferAll"),
    ("cancel_other", "CancelOther"),
    ("terminate_other", "TerminateOther"),
    ("allow_all", "AllowAll"),
];

/// `Option<ScheduleOptions>` of a workflow.
pub(crate) fn schedule(function: &Function, options: &mut Options, errors: &mut Diagnostics) -> TokenStream {
    let Some((at, mut given)) = options.nested("schedule", EXAMPLE, &KNOWN, errors) else {
        return quote!(::core::option::Option::None);
    };
    if !given.has("cron") && !given.has("every") {
        errors.error(&at, format!("a schedule says when: `{EXAMPLE}`, or `schedule(every = \"1h\")`"));
    }
    if function.input().is_some() && !given.has("input") {
        let message = "a workflow with a schedule takes no input, or the schedule says which, as JSON: `input = \"{}\"`";
        errors.error(&at, message);
    }
    let mut text = |name: &str, example: &str, errors: &mut Diagnostics| {
        optional(given.text(name, example, errors).as_ref().map(LitStr::value))
    };
    let cron = text("cron", "cron = \"0 9 * * *\"", errors);
    let zone = text("time_zone", "time_zone = \"Europe/Berlin\"", errors);
    let input = text("input", "input = \"{}\"", errors);
    let name = text("name", "name = \"nightly\"", errors);
    let every = optional(given.duration("every", errors));
    let jitter = optional(given.duration("jitter", errors));
    let catch_up = optional(given.duration("catch_up", errors));
    let overlap = overlap(&mut given, errors);
    let paused = given.flag("paused", errors).is_some();
    quote! {
        ::core::option::Option::Some(::eventual::__private::ScheduleOptions {
            name: #name,
            cron: #cron,
            every_ms: #every,
            time_zone: #zone,
            input: #input,
            jitter_ms: #jitter,
            catch_up_ms: #catch_up,
            overlap: ::eventual::__private::Overlap::#overlap,
            paused: #paused,
        })
    }
}

fn overlap(options: &mut Options, errors: &mut Diagnostics) -> Ident {
    let span = proc_macro2::Span::call_site();
    let Some(word) = options.word("overlap", "overlap = skip", errors) else {
        return Ident::new("Skip", span);
    };
    match OVERLAPS.iter().find(|(name, _)| word == name) {
        Some((_, variant)) => Ident::new(variant, span),
        None => {
            let names = OVERLAPS.map(|(name, _)| name).join(", ");
            errors.error(&word, format!("`overlap` is one of {names}"));
            Ident::new("Skip", span)
        }
    }
}
