//! `#[event]` and `#[signal]`: a type becomes something that is published, or sent to executions.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Item;

use crate::diagnostics::Diagnostics;
use crate::emit::{cfgs, registration};
use crate::handler::wire_name;
use crate::options::Options;

/// Which attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Event,
    Signal,
}

/// Expands one attribute on one item.
pub(crate) fn expand(message: Message, attr: TokenStream, item: &TokenStream) -> TokenStream {
    let (tokens, errors) = generate(message, attr, item);
    quote!(#item #tokens #errors)
}

/// What is generated besides the item itself, and what is wrong.
pub(crate) fn generate(
    message: Message,
    attr: TokenStream,
    item: &TokenStream,
) -> (TokenStream, Diagnostics) {
    let mut errors = Diagnostics::default();
    let word = match message {
        Message::Event => "event",
        Message::Signal => "signal",
    };
    let parsed = syn::parse2::<Item>(item.clone());
    let (vis, ident, generics, attrs) = match &parsed {
        Ok(Item::Struct(it)) => (&it.vis, &it.ident, &it.generics, &it.attrs),
        Ok(Item::Enum(it)) => (&it.vis, &it.ident, &it.generics, &it.attrs),
        Ok(_) => {
            errors.error(item, format!("`#[{word}]` stands above a struct or an enum"));
            return (TokenStream::new(), errors);
        }
        Err(error) => {
            errors.syn(error.clone());
            return (TokenStream::new(), errors);
        }
    };
    if !generics.params.is_empty() {
        errors.error(
            generics,
            format!("an {word} cannot be generic: its type stands in the manifest")
                .replace("an signal", "a signal"),
        );
    }
    let mut options = Options::parse(attr, &format!("`#[{word}]`"), &["name"], &mut errors);
    let name = wire_name(&mut options, ident.to_string().trim_start_matches("r#"), ident, &mut errors);
    if !errors.is_empty() {
        return (TokenStream::new(), errors);
    }
    let kind = Ident::new(if message == Message::Event { "Event" } else { "Signal" }, Span::call_site());
    let cfgs = cfgs(attrs);
    let methods = methods(message, vis, ident);
    let registration = registration(word, &name, ident, attrs, false);
    // At the type's name, so that a missing derive is one error there.
    let implemented = quote_spanned!(ident.span()=> ::eventual::#kind for #ident);
    let tokens = quote! {
        #(#cfgs)*
        impl #implemented {
            const NAME: &'static str = #name;
        }
        #(#cfgs)*
        impl ::eventual::__private::Usable for #ident {
            const USE: ::eventual::__private::Use = ::eventual::__private::Use {
                kind: ::eventual::__private::UseKind::#kind,
                name: #name,
                module: ::core::module_path!(),
            };
        }
        #(#cfgs)*
        #methods
        #registration
    };
    (tokens, errors)
}

/// The trait's methods, so that nobody has to import it.
fn methods(message: Message, vis: &syn::Visibility, ident: &Ident) -> TokenStream {
    let methods = match message {
        Message::Event => quote! {
            /// Publishes the event. In a handler that declares `uses(<this type>)`, and in workflows.
            #[track_caller]
            #vis fn emit(self) -> ::eventual::Call<()> {
                <Self as ::eventual::Event>::emit(self)
            }
        },
        Message::Signal => quote! {
            /// The next signal of this type. In workflows only. Signals that came before anybody waited are kept.
            #[track_caller]
            #vis fn next() -> ::eventual::Call<Self> {
                <Self as ::eventual::Signal>::next()
            }

            /// Sends the signal to an execution. In a handler that declares `uses(<this type>)`, and in workflows.
            #[track_caller]
            #vis fn send(self, to: impl ::eventual::Receiver) -> ::eventual::Call<()> {
                <Self as ::eventual::Signal>::send(self, to)
            }
        },
    };
    quote! {
        #[allow(dead_code, reason = "generated")]
        impl #ident {
            #methods
        }
    }
}
