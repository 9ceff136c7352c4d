//! What is generated for a handler without mistakes, and the registration of any item.
//!
//! For `async fn place(order: Order) -> Result<Placed, E>`: a function `place(order) -> Call<Placed, E>`, an empty type
//! `place` by which `uses(place)` finds it, implementations of the traits in `eventual`'s `function.rs` for that type,
//! with the user's body inside, and its registration.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ItemFn, Lit, Meta, Type};

use crate::function::{Argument, Function, Returns};
use crate::handler::Kind;

/// A handler without mistakes.
pub(crate) struct Handler {
    pub(crate) kind: Kind,
    pub(crate) function: Function,
    pub(crate) name: String,
    /// Its options, as tokens of the structs in `eventual`'s `register.rs`.
    pub(crate) options: TokenStream,
}

impl Handler {
    /// Everything that is generated for it.
    pub(crate) fn tokens(&self) -> TokenStream {
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
            let list_doc = format!("The executions of workflow `{name}`, newest first.");
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
                    #[doc = #list_doc]
                    #vis fn list() -> ::eventual::List {
                        ::eventual::__private::list::<#ident>()
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
        let completion = self.completion();
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            #[allow(non_camel_case_types, missing_debug_implementations, reason = "named as its function")]
            #vis enum #ident {}
            #workflow
            #completion
        }
    }

    /// How others answer for a task that takes a `Completion`.
    fn completion(&self) -> Option<TokenStream> {
        self.function.takes("Completion").filter(|_| self.kind == Kind::Task)?;
        let item = &self.function.item;
        let (vis, ident, name, cfgs) = (&item.vis, &item.sig.ident, &self.name, cfgs(&item.attrs));
        let doc = format!(
            "Answers for task `{name}` with a token that it handed out, in a handler that declares `uses({ident})`."
        );
        Some(quote! {
            #(#cfgs)*
            #[allow(dead_code, reason = "generated")]
            impl #ident {
                #[doc = #doc]
                #vis fn complete(token: ::eventual::TaskToken) -> ::eventual::CompletingTask<#ident> {
                    ::eventual::__private::complete_task(token)
                }
            }
            #(#cfgs)*
            impl ::eventual::__private::Usable for #ident {
                const USE: ::eventual::__private::Use = ::eventual::__private::Use {
                    kind: ::eventual::__private::UseKind::Task,
                    name: #name,
                    module: ::core::module_path!(),
                };
            }
        })
    }

    /// Result and error as they are written, or by what the result's type says of itself.
    pub(crate) fn types_of(&self) -> (TokenStream, TokenStream) {
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
    pub(crate) fn types(&self) -> TokenStream {
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
        let (ident, cfgs) = (&item.sig.ident, cfgs(&item.attrs));
        let kind = self.kind.trait_name();
        let private = quote!(::eventual::__private);
        let (request, future, opened) = match self.kind {
            Kind::Workflow => (
                quote!(#private::Payload),
                quote!(#private::WorkflowFuture),
                quote!(let __input = match #private::input::<#ident>(&request)),
            ),
            _ => (
                quote!(#private::HandlerRequest),
                quote!(#private::HandlerFuture),
                quote!(let (__input, __context) = match #private::open::<#ident>(request)),
            ),
        };
        // At the function's name: there the compiler says that a handler's future is not Send.
        let boxed = match self.kind {
            Kind::Workflow => quote_spanned!(ident.span()=> ::eventual::__private::scope),
            _ => quote_spanned!(ident.span()=> ::std::boxed::Box::pin),
        };
        let (constants, body, answered) = (self.constants(), self.body(), self.answered());
        quote! {
            #(#cfgs)*
            impl #private::#kind for #ident {
                #constants
                #[allow(unused_variables, clippy::used_underscore_binding, clippy::large_futures, reason = "generated")]
                fn run(request: #request) -> #future {
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

    /// What the kind's trait asks for besides code.
    fn constants(&self) -> TokenStream {
        let options = &self.options;
        match self.kind {
            Kind::Command => quote!(const OPTIONS: ::eventual::__private::CommandOptions = #options;),
            Kind::Task => quote!(const OPTIONS: ::eventual::__private::TaskOptions = #options;),
            Kind::Subscription => {
                let event = self.function.input().map(|(ty, _)| quote!(type Event = #ty;));
                quote!(#event const OPTIONS: ::eventual::__private::HandlerOptions = #options;)
            }
            Kind::Workflow => {
                // An actor has none.
                let given = quote!(const OPTIONS: ::eventual::__private::WorkflowOptions = #options;);
                if options.is_empty() { TokenStream::new() } else { given }
            }
        }
    }

    /// The function as the user wrote it, under a name that the user's code cannot mean.
    fn body(&self) -> ItemFn {
        let mut body = self.function.item.clone();
        body.vis = syn::Visibility::Inherited;
        body.attrs.retain(|it| !it.path().is_ident("doc") && !it.path().is_ident("deprecated"));
        body.sig.ident = Ident::new("__eventual_body", body.sig.ident.span());
        body.attrs.push(syn::parse_quote!(#[allow(clippy::unused_async, reason = "handlers are async")]));
        body
    }

    /// A call of the body with input and extractors, and the outcome of what it returns.
    fn answered(&self) -> TokenStream {
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
        let ident = &self.function.item.sig.ident;
        quote!(::eventual::__private::answer::<#ident>(#result))
    }
}

/// The crate that is being compiled, as `module_path!()` begins; empty where cargo does not run the compiler.
pub(crate) fn crate_name() -> String {
    std::env::var("CARGO_CRATE_NAME").unwrap_or_default()
}

/// A pair in the section `.eventual`; nothing where there is no name.
pub(crate) fn section_pair(kind: &str, name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{kind}\0{name}\0") }
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
    // Whose it is, so that readers can tell the service's own handlers from those of crates that it is a client of.
    let bytes = section_pair("crate", &crate_name()) + &section_pair(kind, name);
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
