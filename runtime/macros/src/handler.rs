//! `#[command]`, `#[task]`, `#[workflow]` and `#[subscription]`: what they are told, and every mistake in it.

use eventual_schema::HandlerName;
use eventual_schema::name::lower_camel;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ItemFn;
use syn::spanned::Spanned;

use crate::diagnostics::Diagnostics;
use crate::emit::Handler;
use crate::function::Function;
use crate::options::{FUNCTION, Limit, Options, REQUEST};
use crate::{route, scan, schedule, task};

/// Which attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Command,
    Subscription,
    Task,
    Workflow,
}

impl Kind {
    /// The attribute's name.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Subscription => "subscription",
            Self::Task => "task",
            Self::Workflow => "workflow",
        }
    }

    /// The trait in `eventual::__private`.
    pub(crate) fn trait_name(self) -> Ident {
        let name = match self {
            Self::Command => "Command",
            Self::Subscription => "Subscription",
            Self::Task => "Task",
            Self::Workflow => "Workflow",
        };
        Ident::new(name, Span::call_site())
    }

    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Command => &["name", "method", "path", "auth", "uses", "timeout", "memory"],
            Self::Subscription => &["name", "uses", "timeout", "memory"],
            Self::Task => task::OPTIONS,
            Self::Workflow => &["name", "allow_nondeterminism", "pinned", "schedule"],
        }
    }
}

/// Expands one attribute on one item.
pub(crate) fn expand(kind: Kind, attr: TokenStream, item: TokenStream) -> TokenStream {
    let (tokens, errors) = generate(kind, attr, item);
    quote!(#tokens #errors)
}

/// What is generated, and what is wrong. With mistakes, the function that callers and editors need stays.
pub(crate) fn generate(kind: Kind, attr: TokenStream, item: TokenStream) -> (TokenStream, Diagnostics) {
    let mut errors = Diagnostics::default();
    let word = kind.word();
    let parsed: ItemFn = match syn::parse2(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = format!("`#[{word}]` stands above a free `async fn`: {error}");
            errors.syn(syn::Error::new(error.span(), message));
            return (item, errors);
        }
    };
    let mut function = Function::new(parsed, word, &mut errors);
    refuse_extractors(kind, &function, &mut errors);
    let mut options = Options::parse(attr, &format!("`#[{word}]`"), kind.options(), &mut errors);
    let name = wire_name(
        &mut options,
        &lower_camel(&function.item.sig.ident.to_string()),
        &function.item.sig.ident,
        &mut errors,
    );
    let given = given(kind, &function, &mut options, &mut errors);
    if kind == Kind::Workflow {
        let allowed = options.flag("allow_nondeterminism", &mut errors).is_some();
        let mut found = Diagnostics::default();
        // What is allowed statement by statement loses the attributes that say so in any case.
        scan::scan(&mut function.item, if allowed { &mut found } else { &mut errors });
    }
    let handler = Handler { kind, function, name, options: given };
    if errors.is_empty() {
        return (handler.tokens(), errors);
    }
    // The item as it was written keeps editors and later errors going.
    let item = &handler.function.item;
    (quote!(#[allow(dead_code, unused, reason = "the attribute has an error")] #item), errors)
}

/// The name on the wire: `name = "..."`, or the one that the item's own name makes.
pub(crate) fn wire_name(
    options: &mut Options,
    default: &str,
    item: &Ident,
    errors: &mut Diagnostics,
) -> String {
    let given = options.text("name", "name = \"placeOrder\"", errors);
    let name = given.as_ref().map_or_else(|| default.to_owned(), syn::LitStr::value);
    if let Err(error) = HandlerName::new(name.as_str()) {
        match given {
            Some(given) => errors.error(given, error),
            None => errors.error(item, format!("{error}; choose one: `name = \"...\"`")),
        }
    }
    name
}

/// Why only tasks take one.
const COMPLETION: &str =
    "only a task can be completed later; a command answers at once, and a workflow waits for a task that is";

fn refuse_extractors(kind: Kind, function: &Function, errors: &mut Diagnostics) {
    let refused: &[(&str, &str)] = match kind {
        Kind::Command => &[("Completion", COMPLETION)],
        Kind::Task => &[("User", "a task has no user; pass on what it needs of the user as input")],
        Kind::Subscription => &[
            ("User", "a subscription has no user; events come from nobody in particular"),
            ("Completion", COMPLETION),
        ],
        Kind::Workflow => &[
            ("Completion", COMPLETION),
            ("User", "a workflow has no user; pass on what it needs of the user as input"),
            (
                "State",
                "a workflow takes no state, because a replay could see another one; take it in the tasks it calls",
            ),
            (
                "Ctx",
                "a workflow takes no Ctx; use `eventual::this_execution()`, and `Ctx` in the tasks it calls",
            ),
        ],
    };
    for (name, message) in refused {
        if let Some(ty) = function.takes(name) {
            errors.error(ty, message);
        }
    }
    if kind == Kind::Subscription && function.input().is_none() {
        errors.error(
            &function.item.sig.ident,
            "a subscription takes the event that it reacts to: `async fn on_it(event: OrderCreated)`",
        );
    }
}

/// What the attribute's options said, as tokens of the structs in `eventual`'s `register.rs`.
fn given(kind: Kind, function: &Function, options: &mut Options, errors: &mut Diagnostics) -> TokenStream {
    match kind {
        Kind::Command => {
            let route = route::route(options, errors);
            let auth = route::auth(options, errors);
            let handler = common(function, REQUEST, options, errors);
            quote!(::eventual::__private::CommandOptions { route: #route, auth: #auth, handler: #handler })
        }
        Kind::Subscription => common(function, FUNCTION, options, errors),
        Kind::Task => task::given(function, options, errors),
        Kind::Workflow => {
            let schedule = schedule::schedule(function, options, errors);
            let pinned = options.flag("pinned", errors).is_some();
            quote!(::eventual::__private::WorkflowOptions { schedule: #schedule, pinned: #pinned })
        }
    }
}

/// `HandlerOptions`: what all handlers in functions of their own have.
pub(crate) fn common(
    function: &Function,
    limit: Limit,
    options: &mut Options,
    errors: &mut Diagnostics,
) -> TokenStream {
    let uses = options.paths("uses", "uses(process_order, OrderCreated)", errors);
    let timeout = optional(options.timeout(limit, errors));
    let memory = optional(options.integer("memory", (128, 10_240), errors));
    let state = function.takes("State").is_some();
    let uses =
        uses.iter().map(|path| quote_spanned!(path.span()=> <#path as ::eventual::__private::Usable>::USE));
    quote! {
        ::eventual::__private::HandlerOptions {
            uses: &[#(#uses),*],
            timeout_ms: #timeout,
            memory_mb: #memory,
            state: #state,
        }
    }
}

pub(crate) fn optional(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(|| quote!(::core::option::Option::None), |it| quote!(::core::option::Option::Some(#it)))
}
