//! `#[actor]` on the methods of a struct: what is generated so that they can be called on a durable object by its key.
//!
//! The methods stay what they are, so that a plain test can call them. Beside them stand a reference by key with one method
//! for each, the code that finds a method by its name, and a workflow that lives on calls.

use eventual_schema::name::lower_camel;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ImplItem, ItemFn, ItemImpl, ReceiverKind, Type};

use crate::diagnostics::Diagnostics;
use crate::emit::{Handler, registration};
use crate::function::{Function, Returns};
use crate::handler::{Kind, wire_name};
use crate::options::Options;
use crate::scan;

/// Expands the attribute on an `impl` block.
pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let (tokens, errors) = generate(attr, item);
    quote!(#tokens #errors)
}

pub(crate) fn generate(attr: TokenStream, item: TokenStream) -> (TokenStream, Diagnostics) {
    let mut errors = Diagnostics::default();
    let mut parsed: ItemImpl = match syn::parse2(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = format!("`#[actor]` stands above the `impl` of a struct's methods: {error}");
            errors.syn(syn::Error::new(error.span(), message));
            return (item, errors);
        }
    };
    let Some(ident) = state_of(&parsed, &mut errors) else { return (item, errors) };
    let mut options = Options::parse(attr, "`#[actor]`", &["name", "allow_nondeterminism"], &mut errors);
    let name = wire_name(&mut options, &lower_camel(&ident.to_string()), &ident, &mut errors);
    let scanned = options.flag("allow_nondeterminism", &mut errors).is_none();
    let methods: Vec<Method> =
        parsed.items.iter_mut().filter_map(|it| method(it, &ident, scanned, &mut errors)).collect();
    if !errors.is_empty() {
        // The item as it was written keeps editors and later errors going.
        let kept = quote!(#[allow(dead_code, unused, reason = "the attribute has an error")] #parsed);
        return (kept, errors);
    }
    let actor = Actor { ident, name, methods };
    let (code, reference, workflow) = (actor.code(), actor.reference(), actor.workflow(&parsed));
    (quote!(#parsed #code #reference #workflow), errors)
}

/// The struct's name.
fn state_of(item: &ItemImpl, errors: &mut Diagnostics) -> Option<Ident> {
    if let Some((path, _)) = &item.trait_ {
        errors.error(path, "`#[actor]` stands above the methods of a struct, not of a trait");
    }
    if !item.generics.params.is_empty() {
        errors.error(
            &item.generics,
            "an actor cannot be generic: its state is written down; choose concrete types",
        );
    }
    match &*item.self_ty {
        Type::Path(path) if path.qself.is_none() && path.path.segments.len() == 1 => {
            path.path.segments.last().map(|it| it.ident.clone())
        }
        other => {
            errors.error(other, "an actor is a struct of this module: write its plain name");
            None
        }
    }
}

/// A method, told as a handler without `self`.
struct Method {
    handler: Handler,
    /// Its name in code.
    ident: Ident,
}

/// Takes the attributes off that allow nondeterminism, which nobody else knows.
fn method(item: &mut ImplItem, actor: &Ident, scanned: bool, errors: &mut Diagnostics) -> Option<Method> {
    let ImplItem::Fn(method) = item else {
        errors.error(item, "only methods stand in an actor's `impl`; put the rest into another one");
        return None;
    };
    let ident = method.sig.ident.clone();
    let mut sig = method.sig.clone();
    match sig.inputs.first() {
        Some(FnArg::Receiver(it)) if matches!(it.kind, ReceiverKind::Reference(..)) => {}
        _ => {
            let message =
                "an actor's method takes `&mut self` or `&self`; put other functions into another `impl`";
            errors.error(&sig, message);
            return None;
        }
    }
    sig.inputs = sig.inputs.into_iter().skip(1).collect();
    sig.ident = format_ident!("__{actor}_{ident}", span = ident.span());
    let mut item = ItemFn {
        attrs: method.attrs.clone(),
        vis: method.vis.clone(),
        modifiers: method.modifiers.clone(),
        sig,
        block: Box::new(method.block.clone()),
    };
    let mut allowed = Diagnostics::default();
    scan::scan(&mut item, if scanned { errors } else { &mut allowed });
    method.block = (*item.block).clone();
    let function = Function::new(item, "method of an actor", errors);
    for extractor in ["State", "Ctx", "User"] {
        if let Some(ty) = function.takes(extractor) {
            errors.error(ty, format!("an actor's method takes no {extractor}: it runs as a workflow does; call a task that takes it"));
        }
    }
    let name = lower_camel(&ident.to_string());
    let handler = Handler { kind: Kind::Workflow, function, name, options: TokenStream::new() };
    Some(Method { handler, ident })
}

struct Actor {
    ident: Ident,
    name: String,
    methods: Vec<Method>,
}

impl Actor {
    /// Finds a method by its name and calls it.
    fn code(&self) -> TokenStream {
        let ident = &self.ident;
        let markers = self.methods.iter().map(|it| {
            let (marker, types) = (&it.handler.function.item.sig.ident, it.handler.types());
            quote! {
                #[doc(hidden)]
                #[allow(non_camel_case_types, missing_debug_implementations, reason = "generated")]
                pub enum #marker {}
                #types
            }
        });
        let names = self.methods.iter().map(|it| &it.handler.name);
        let arms = self.methods.iter().map(|it| {
            let (marker, name, method) = (&it.handler.function.item.sig.ident, &it.handler.name, &it.ident);
            let argument = it.handler.function.input().map(|_| quote!(, __input));
            let called = quote_spanned!(method.span()=> Self::#method(self #argument).await);
            let result = match it.handler.function.returns {
                Returns::Plain(_) => quote!(::core::result::Result::Ok(#called)),
                Returns::Both(..) | Returns::Hidden { .. } => {
                    quote!(::eventual::__private::Returns::into_result(#called))
                }
            };
            quote! {
                #name => match ::eventual::__private::input::<#marker>(input) {
                    ::core::result::Result::Err(refused) => refused,
                    #[allow(unused_variables, reason = "generated")]
                    ::core::result::Result::Ok(__input) => ::eventual::__private::answer::<#marker>(#result),
                },
            }
        });
        quote! {
            #(#markers)*
            impl ::eventual::__private::Actor for #ident {
                const METHODS: &'static [&'static str] = &[#(#names),*];
                fn call<'a>(
                    &'a mut self,
                    method: &'a str,
                    input: &'a ::eventual::__private::Payload,
                ) -> ::eventual::__private::MethodFuture<'a> {
                    ::std::boxed::Box::pin(async move {
                        match method {
                            #(#arms)*
                            other => ::eventual::__private::no_method::<Self>(other),
                        }
                    })
                }
            }
        }
    }

    /// The actor of a key, as others see it.
    fn reference(&self) -> TokenStream {
        let (ident, name) = (&self.ident, &self.name);
        let reference = format_ident!("{ident}Ref");
        let methods = self.methods.iter().map(|it| {
            let item = &it.handler.function.item;
            let (vis, method, marker) = (&item.vis, &it.ident, &item.sig.ident);
            let attrs =
                item.attrs.iter().filter(|it| it.path().is_ident("doc") || it.path().is_ident("deprecated"));
            let (argument, value) = match it.handler.function.input() {
                Some((ty, name)) => (quote!(, #name: #ty), quote!(&#name)),
                None => (TokenStream::new(), quote!(&())),
            };
            let (output, error) = it.handler.types_of();
            quote! {
                #(#attrs)*
                #[track_caller]
                #[allow(dead_code, clippy::needless_pass_by_value, private_interfaces, reason = "generated")]
                #vis fn #method(&self #argument) -> ::eventual::Call<#output, #error> {
                    ::eventual::__private::call_actor::<#ident, #marker>(&self.key, #value)
                }
            }
        });
        let about = format!(
            "The actor `{name}` of one key. Its calls are made one at a time, in the order in which they come."
        );
        let at = format!("The actor `{name}` of this key; it begins with its first call.");
        quote! {
            #[doc = #about]
            #[derive(Clone, Debug)]
            #[allow(unreachable_pub, reason = "generated")]
            pub struct #reference {
                key: ::std::string::String,
            }
            impl #reference {
                #(#methods)*
            }
            impl #ident {
                #[doc = #at]
                #[allow(dead_code, unreachable_pub, reason = "generated")]
                pub fn at(key: impl ::core::convert::Into<::std::string::String>) -> #reference {
                    #reference { key: key.into() }
                }
            }
        }
    }

    /// The workflow that an actor is.
    fn workflow(&self, item: &ItemImpl) -> TokenStream {
        let (ident, name) = (&self.ident, &self.name);
        let registration = registration(Kind::Workflow.word(), name, ident, &item.attrs, true);
        let state = item.self_ty.span();
        let function = quote_spanned! {state=>
            impl ::eventual::__private::Function for #ident {
                const NAME: &'static str = #name;
                const INPUT: bool = true;
                type Input = ::core::option::Option<#ident>;
                type Output = #ident;
                type Error = ::eventual::__private::Never;
            }
        };
        quote! {
            #function
            impl ::eventual::__private::Workflow for #ident {
                fn run(state: ::eventual::__private::Payload) -> ::eventual::__private::WorkflowFuture {
                    ::eventual::__private::scope(::eventual::__private::live::<#ident>(state))
                }
            }
            impl ::eventual::__private::Usable for #ident {
                const USE: ::eventual::__private::Use = ::eventual::__private::Use {
                    kind: ::eventual::__private::UseKind::Workflow,
                    name: #name,
                    module: ::core::module_path!(),
                };
            }
            #registration
        }
    }
}
