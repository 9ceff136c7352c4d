//! `#[command]`, `#[task]`, `#[workflow]` and `#[subscription]`: a function becomes a handler.
//!
//! Generated for `async fn place(order: Order) -> Result<Placed, E>`: a function `place(order) -> Call<Placed, E>`, an
//! empty type `place` by which `uses(place)` finds it, implementations of the traits in `eventual`'s `function.rs` for
//! that type, with the user's body inside, and its registration.

use eventual_schema::HandlerName;
use eventual_schema::name::lower_camel;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ItemFn, Lit, Meta, Type};

use crate::diagnostics::Diagnostics;
use crate::function::{Argument, Function, Returns};
use crate::options::Options;
use crate::{route, scan};

/// Which attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Command,
    Subscription,
    Task,
    Workflow,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Subscription => "subscription",
            Self::Task => "task",
            Self::Workflow => "workflow",
        }
    }

    /// The trait in `eventual::__private`.
    fn trait_name(self) -> Ident {
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
            Self::Task => &["name", "inline", "uses", "timeout", "memory", "retry", "at_most_once"],
            Self::Workflow => &["name", "allow_nondeterminism"],
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
    let function = Function::new(parsed, word, &mut errors);
    refuse_extractors(kind, &function, &mut errors);
    let mut options = Options::parse(attr, &format!("`#[{word}]`"), kind.options(), &mut errors);
    let name = wire_name(
        &mut options,
        &lower_camel(&function.item.sig.ident.to_string()),
        &function.item.sig.ident,
        &mut errors,
    );
    let given = Given::take(kind, &function, &mut options, &mut errors);
    if kind == Kind::Workflow && options.flag("allow_nondeterminism", &mut errors).is_none() {
        scan::scan(function.item.block.to_token_stream(), &mut errors);
    }
    let handler = Handler { kind, function, name, given };
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

fn refuse_extractors(kind: Kind, function: &Function, errors: &mut Diagnostics) {
    let refused: &[(&str, &str)] = match kind {
        Kind::Command => &[],
        Kind::Task => &[("User", "a task has no user; pass on what it needs of the user as input")],
        Kind::Subscription => {
            &[("User", "a subscription has no user; events come from nobody in particular")]
        }
        Kind::Workflow => &[
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
struct Given {
    options: TokenStream,
}

impl Given {
    fn take(kind: Kind, function: &Function, options: &mut Options, errors: &mut Diagnostics) -> Self {
        let options = match kind {
            Kind::Command => {
                let route = route::route(options, errors);
                let auth = route::auth(options, errors);
                let handler = common(function, options, errors);
                quote!(::eventual::__private::CommandOptions { route: #route, auth: #auth, handler: #handler })
            }
            Kind::Subscription => common(function, options, errors),
            Kind::Task => {
                let inline = options.flag("inline", errors);
                let retry = retry(options, errors);
                if let Some(inline) = &inline
                    && options.has("memory")
                {
                    errors.error(inline, "an inline task runs in the orchestrator, which has a memory of its own: remove `inline` or `memory`");
                }
                let handler = common(function, options, errors);
                let inline = inline.is_some();
                quote!(::eventual::__private::TaskOptions { inline: #inline, retry: #retry, handler: #handler })
            }
            Kind::Workflow => TokenStream::new(),
        };
        Self { options }
    }
}

/// `HandlerOptions`: what all handlers in functions of their own have.
fn common(function: &Function, options: &mut Options, errors: &mut Diagnostics) -> TokenStream {
    let uses = options.paths("uses", "uses(process_order, OrderCreated)", errors);
    let timeout = optional(options.timeout(errors));
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

/// `RetryPolicy` of a task.
fn retry(options: &mut Options, errors: &mut Diagnostics) -> TokenStream {
    const EXAMPLE: &str = "retry(attempts = 5, initial = \"1s\", backoff = 2.0, max = \"1m\", errors)";
    let at_most_once = options.flag("at_most_once", errors);
    let known = ["attempts", "initial", "backoff", "max", "errors"];
    let retry = options.nested("retry", EXAMPLE, &known, errors);
    if let (Some(once), Some(_)) = (&at_most_once, &retry) {
        errors.error(once, "`at_most_once` makes one attempt, `retry` more: remove one of them");
    }
    let (mut attempts, mut initial, mut percent, mut max, mut on_errors) = (3, 0, 200, 60_000, false);
    if at_most_once.is_some() {
        attempts = 1;
    }
    if let Some((_, mut retry)) = retry {
        on_errors = retry.flag("errors", errors).is_some();
        attempts = retry.integer("attempts", (1, 1_000), errors).unwrap_or(attempts);
        initial = retry.duration("initial", errors).unwrap_or(if on_errors { 1_000 } else { 0 });
        max = retry.duration("max", errors).unwrap_or(max);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 1000")]
        if let Some(factor) = retry.factor("backoff", errors) {
            percent = (factor * 100.0).round() as u32;
        }
    }
    quote! {
        ::eventual::__private::RetryPolicy {
            attempts: #attempts,
            errors: #on_errors,
            initial_ms: #initial,
            backoff_percent: #percent,
            max_ms: #max,
        }
    }
}

fn optional(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(|| quote!(::core::option::Option::None), |it| quote!(::core::option::Option::Some(#it)))
}

/// A handler without mistakes.
struct Handler {
    kind: Kind,
    function: Function,
    name: String,
    given: Given,
}

impl Handler {
    fn tokens(&self) -> TokenStream {
        let (caller, marker) = (self.caller(), self.marker());
        let (types, code) = (self.types(), self.code());
        let registration = registration(
            self.kind.word(),
            &self.name,
            &self.function.item.sig.ident,
            &self.function.item.attrs,
            true,
        );
        quote!(#caller #marker #types #code #registration)
    }

    /// The function that the user calls.
    fn caller(&self) -> TokenStream {
        let item = &self.function.item;
        let (vis, ident) = (&item.vis, &item.sig.ident);
        let attrs = outer(&item.attrs);
        let call = format_ident!("call_{}", self.kind.word());
        let (argument, value) = match self.function.input() {
            Some((ty, name)) => (quote!(#name: #ty), quote!(&#name)),
            None => (TokenStream::new(), quote!(&())),
        };
        let (output, error) = self.types_of();
        quote! {
            #(#attrs)*
            #[track_caller]
            #[allow(dead_code, clippy::needless_pass_by_value, reason = "generated")]
            #vis fn #ident(#argument) -> ::eventual::Call<#output, #error> {
                ::eventual::__private::#call::<#ident>(#value)
            }
        }
    }

    /// The type of the same name.
    fn marker(&self) -> TokenStream {
        let item = &self.function.item;
        let (vis, ident, name) = (&item.vis, &item.sig.ident, &self.name);
        let cfgs = cfgs(&item.attrs);
        let workflow = (self.kind == Kind::Workflow).then(|| {
            let doc = format!("The execution of this name of workflow `{name}`; it need not exist.");
            quote! {
                #(#cfgs)*
                #[allow(dead_code, reason = "generated")]
                impl #ident {
                    #[doc = #doc]
                    #vis fn execution(
                        name: impl ::core::convert::AsRef<str>,
                    ) -> ::core::result::Result<::eventual::Execution, ::eventual::ClientError> {
                        ::eventual::__private::execution::<#ident>(name.as_ref())
                    }
                }
                #(#cfgs)*
                impl ::eventual::__private::Usable for #ident {
                    const USE: ::eventual::__private::Use = ::eventual::__private::Use {
                        kind: ::eventual::__private::UseKind::Workflow,
                        name: #name,
                        module: ::core::module_path!(),
                    };
                }
            }
        });
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            #[allow(non_camel_case_types, missing_debug_implementations, reason = "named as its function")]
            #vis enum #ident {}
            #workflow
        }
    }

    /// Result and error as they are written, or by what the result's type says of itself.
    fn types_of(&self) -> (TokenStream, TokenStream) {
        let returns = |ty: &Type, part: &str| {
            let part = Ident::new(part, ty.span());
            quote_spanned!(ty.span()=> <#ty as ::eventual::__private::Returns>::#part)
        };
        match &self.function.returns {
            Returns::Both(value, error) => (quote!(#value), quote!(#error)),
            Returns::Hidden { ty, value } => {
                let value = value.as_ref().map_or_else(|| returns(ty, "Output"), ToTokens::to_token_stream);
                (value, returns(ty, "Error"))
            }
            Returns::Plain(ty) => (
                ty.as_ref().map_or_else(|| quote!(()), ToTokens::to_token_stream),
                quote!(::eventual::__private::Never),
            ),
        }
    }

    /// `Function`: each bound is asserted here, at the type, and nowhere else.
    fn types(&self) -> TokenStream {
        let (ident, name) = (&self.function.item.sig.ident, &self.name);
        let cfgs = cfgs(&self.function.item.attrs);
        let has_input = self.function.input().is_some();
        let input = self.function.input().map_or_else(|| quote!(()), |(ty, _)| ty.to_token_stream());
        let (output, error) = self.types_of();
        quote! {
            #(#cfgs)*
            impl ::eventual::__private::Function for #ident {
                const NAME: &'static str = #name;
                const INPUT: bool = #has_input;
                type Input = #input;
                type Output = #output;
                type Error = #error;
            }
        }
    }

    /// The kind's trait: options, and the user's body behind what takes its arguments apart.
    fn code(&self) -> TokenStream {
        let item = &self.function.item;
        let ident = &item.sig.ident;
        let cfgs = cfgs(&item.attrs);
        let trait_name = self.kind.trait_name();
        let mut body = item.clone();
        body.vis = syn::Visibility::Inherited;
        body.attrs.retain(|it| !it.path().is_ident("doc") && !it.path().is_ident("deprecated"));
        body.sig.ident = Ident::new("__eventual_body", ident.span());
        let arguments = self.function.arguments.iter().map(|it| match it {
            Argument::Input { .. } => quote!(__input),
            Argument::Extractor { ty, .. } => {
                quote_spanned!(ty.span()=> match <#ty as ::eventual::Extract>::extract(&__context) {
                    ::core::result::Result::Ok(it) => it,
                    ::core::result::Result::Err(outcome) => return outcome,
                })
            }
        });
        let called = quote!(__eventual_body(#(#arguments),*).await);
        let result = match self.function.returns {
            Returns::Both(..) | Returns::Hidden { .. } => {
                quote!(::eventual::__private::Returns::into_result(#called))
            }
            Returns::Plain(_) => quote!(::core::result::Result::Ok(#called)),
        };
        let answered = quote!(::eventual::__private::answer::<#ident>(#result));
        let (options, open) = (&self.given.options, quote!(::eventual::__private));
        let (constant, parameter, future, opened) = match self.kind {
            Kind::Workflow => (
                TokenStream::new(),
                quote!(request: #open::Payload),
                quote!(#open::WorkflowFuture),
                quote!(let __input = match #open::input::<#ident>(&request)),
            ),
            _ => {
                let ty = match self.kind {
                    Kind::Command => quote!(#open::CommandOptions),
                    Kind::Task => quote!(#open::TaskOptions),
                    Kind::Subscription | Kind::Workflow => quote!(#open::HandlerOptions),
                };
                (
                    quote!(const OPTIONS: #ty = #options;),
                    quote!(request: #open::HandlerRequest),
                    quote!(#open::HandlerFuture),
                    quote!(let (__input, __context) = match #open::open::<#ident>(request)),
                )
            }
        };
        let boxed = match self.kind {
            Kind::Workflow => quote_spanned!(ident.span()=> ::eventual::__private::scope),
            _ => quote_spanned!(ident.span()=> ::std::boxed::Box::pin),
        };
        quote! {
            #(#cfgs)*
            impl ::eventual::__private::#trait_name for #ident {
                #constant
                #[allow(unused_variables, clippy::used_underscore_binding, clippy::large_futures, reason = "generated")]
                fn run(#parameter) -> #future {
                    #body
                    #boxed(async move {
                        #opened {
                            ::core::result::Result::Ok(it) => it,
                            ::core::result::Result::Err(outcome) => return outcome,
                        };
                        #answered
                    })
                }
            }
        }
    }
}

/// The registration of an item, its bytes in the section `.eventual` (handlers only), and a macro whose only purpose is
/// that a second item of the same kind and name in the crate is a duplicate for the compiler.
pub(crate) fn registration(
    kind: &str,
    name: &str,
    ident: &Ident,
    attrs: &[Attribute],
    handler: bool,
) -> TokenStream {
    let cfgs = cfgs(attrs);
    let doc = doc(attrs);
    let make = Ident::new(kind, Span::call_site());
    let line = quote_spanned!(ident.span()=> ::core::line!());
    let bytes = format!("{kind}\0{name}\0");
    let length = bytes.len();
    let bytes = Literal::byte_string(bytes.as_bytes());
    let (section, reference) = if handler {
        let section = quote! {
            #[used]
            #[cfg_attr(any(target_os = "linux", target_os = "android"), unsafe(link_section = ".eventual"))]
            static SECTION: [u8; #length] = *#bytes;
        };
        (section, quote!(&SECTION))
    } else {
        (TokenStream::new(), quote!(&[]))
    };
    let unique = Ident::new(&format!("__eventual_{kind}_named_{name}"), ident.span());
    quote! {
        #(#cfgs)*
        const _: () = {
            #section
            ::eventual::__private::inventory::submit! {
                ::eventual::__private::Registration::#make::<#ident>(::eventual::__private::Place {
                    package: ::core::env!("CARGO_PKG_NAME"),
                    version: ::core::env!("CARGO_PKG_VERSION"),
                    module: ::core::module_path!(),
                    file: ::core::file!(),
                    line: #line,
                    doc: #doc,
                    section: #reference,
                })
            }
        };
        #(#cfgs)*
        #[doc(hidden)]
        #[macro_export]
        #[allow(unused_macros, non_local_definitions, reason = "makes a second item of this kind and name an error")]
        macro_rules! #unique {
            () => {};
        }
    }
}

/// Attributes that concern the generated function as well.
fn outer(attrs: &[Attribute]) -> Vec<&Attribute> {
    let wanted = ["doc", "cfg", "deprecated", "allow"];
    attrs.iter().filter(|it| wanted.iter().any(|name| it.path().is_ident(name))).collect()
}

pub(crate) fn cfgs(attrs: &[Attribute]) -> Vec<&Attribute> {
    attrs.iter().filter(|it| it.path().is_ident("cfg")).collect()
}

/// The doc comment as one text.
pub(crate) fn doc(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|it| match &it.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> =
        lines.map(|it| it.strip_prefix(' ').unwrap_or(&it).trim_end().to_owned()).collect();
    lines.join("\n").trim().to_owned()
}
