//! Mistakes of the user, collected, so that one compilation shows all of them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// Mistakes, each with the tokens that it is about.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics(Vec<syn::Error>);

impl Diagnostics {
    /// Adds a mistake.
    pub(crate) fn error(&mut self, at: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(at, message));
    }

    /// Adds a mistake that syn found.
    pub(crate) fn syn(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their texts, for tests.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl ToTokens for Diagnostics {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let errors = self.0.iter().map(syn::Error::to_compile_error);
        tokens.extend(quote!(#(#errors)*));
    }
}
