//! `#[derive(Failure)]`: an error that handlers return, with `#[failure(status = 402)]` on variants (or the struct) and
//! `#[failure(call)]` on the one variant that holds an `eventual::Error`, into which `?` turns everything else.

mod advice;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Fields, Meta};

use crate::diagnostics::Diagnostics;
use crate::options::Options;

/// Status of an error that says nothing else.
const DEFAULT_STATUS: u32 = 500;

/// Expands the derive on one item.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let (tokens, errors) = generate(item);
    quote!(#tokens #errors)
}

/// What is generated, and what is wrong.
pub(crate) fn generate(item: TokenStream) -> (TokenStream, Diagnostics) {
    let mut errors = Diagnostics::default();
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => {
            errors.syn(error);
            return (TokenStream::new(), errors);
        }
    };
    if !input.generics.params.is_empty() {
        errors.error(
            &input.generics,
            "an error that handlers return cannot be generic: its type stands in the manifest",
        );
    }
    let ident = &input.ident;
    let whole = Said::of(&input.attrs, false, &mut errors);
    let (classes, statuses, conversions) = match &input.data {
        Data::Struct(_) => {
            let (class, status) = (ident.to_string(), status_token(whole.status.unwrap_or(DEFAULT_STATUS)));
            (quote!(_ => #class,), quote!(_ => #status,), TokenStream::new())
        }
        Data::Enum(data) => variants(ident, data, whole.status, &mut errors),
        Data::Union(data) => {
            errors.error(data.union_token, "an error is a struct or an enum");
            return (TokenStream::new(), errors);
        }
    };
    let advice = advice::advice(&input, &whole, &mut errors);
    // At the type's name, so that each missing trait is one error there.
    let wire = quote_spanned!(ident.span()=> #ident);
    let message = quote_spanned!(ident.span()=> ::std::format!("{}", self));
    let tokens = quote! {
        impl ::eventual::Failure for #ident {
            type Wire = #wire;

            fn class(&self) -> ::std::string::String {
                let class = match self { #classes };
                ::std::string::String::from(class)
            }

            fn message(&self) -> ::std::string::String {
                #message
            }

            fn status(&self) -> u16 {
                match self { #statuses }
            }

            #advice

            fn into_wire(self) -> Self {
                self
            }

            fn from_wire(wire: Self) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(wire)
            }
        }
        #conversions
    };
    (tokens, errors)
}

/// Match arms of class and status, and the conversions into the variant of calls.
fn variants(
    ident: &Ident,
    data: &syn::DataEnum,
    default: Option<u32>,
    errors: &mut Diagnostics,
) -> (TokenStream, TokenStream, TokenStream) {
    let (mut classes, mut statuses, mut conversions) =
        (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for variant in &data.variants {
        let name = &variant.ident;
        let said = Said::of(&variant.attrs, true, errors);
        let class = format!("{ident}::{name}");
        classes.extend(quote!(Self::#name { .. } => #class,));
        let Some(call) = said.call else {
            let status = status_token(said.status.or(default).unwrap_or(DEFAULT_STATUS));
            statuses.extend(quote!(Self::#name { .. } => #status,));
            continue;
        };
        if !conversions.is_empty() {
            errors.error(&call, "only one variant takes the errors of calls");
            continue;
        }
        let (pattern, field) = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => (quote!((it)), quote!((error))),
            Fields::Named(fields) if fields.named.len() == 1 => {
                let field = fields.named.iter().filter_map(|it| it.ident.as_ref()).next();
                (quote!({ #field: it }), quote!({ #field: error }))
            }
            _ => {
                errors.error(variant, format!("`#[failure(call)]` stands above a variant that holds an eventual::Error: `{name}(eventual::Error)`"));
                continue;
            }
        };
        let status = said.status.map_or_else(
            || quote!(it.status),
            |it| {
                let it = status_token(it);
                quote!({ let _ = it; #it })
            },
        );
        statuses.extend(quote!(Self::#name #pattern => #status,));
        conversions.extend(quote! {
            impl ::core::convert::From<::eventual::Error> for #ident {
                fn from(error: ::eventual::Error) -> Self {
                    Self::#name #field
                }
            }
            impl<E: ::eventual::Failure> ::core::convert::From<::eventual::CallError<E>> for #ident {
                fn from(error: ::eventual::CallError<E>) -> Self {
                    ::core::convert::From::from(::eventual::Error::from(error))
                }
            }
            impl ::core::convert::From<::eventual::ClientError> for #ident {
                fn from(error: ::eventual::ClientError) -> Self {
                    ::core::convert::From::from(::eventual::Error::from(error))
                }
            }
        });
    }
    if data.variants.is_empty() {
        classes.extend(quote!(_ => "",));
        statuses.extend(quote!(_ => 500,));
    }
    (classes, statuses, conversions)
}

fn status_token(status: u32) -> proc_macro2::Literal {
    proc_macro2::Literal::u32_unsuffixed(status)
}

/// What `#[failure(...)]` said.
#[derive(Default)]
struct Said {
    status: Option<u32>,
    call: Option<Ident>,
    /// `final`.
    finally: Option<Ident>,
    /// `retry_after = ...`.
    after: Option<syn::Expr>,
}

impl Said {
    fn of(attrs: &[Attribute], variant: bool, errors: &mut Diagnostics) -> Self {
        let mut said = Self::default();
        for attr in attrs.iter().filter(|it| it.path().is_ident("failure")) {
            let Meta::List(list) = &attr.meta else {
                errors
                    .error(attr, "write `#[failure(status = 402)]`, or `#[failure(call)]` above one variant");
                continue;
            };
            let known: &[&str] = if variant {
                &["status", "call", "final", "retry_after"]
            } else {
                &["status", "final", "retry_after"]
            };
            let mut options = Options::parse(list.tokens.clone(), "`#[failure]`", known, errors);
            said.status = options.integer("status", (400, 599), errors).or(said.status);
            said.call = options.flag("call", errors).or(said.call);
            said.finally = options.flag("final", errors).or(said.finally);
            said.after = options.expr("retry_after", "retry_after = \"30s\"", errors).or(said.after);
        }
        said
    }
}
