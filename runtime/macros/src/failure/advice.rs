//! What an error says of another attempt: `#[failure(final)]` and `#[failure(retry_after = "30s")]`, or `= field`.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Expr, ExprLit, Fields, Lit};

use super::Said;
use crate::diagnostics::Diagnostics;
use crate::options::duration;

/// The methods `is_final` and `retry_after`.
pub(super) fn advice(input: &DeriveInput, whole: &Said, errors: &mut Diagnostics) -> TokenStream {
    let mut arms = Vec::new();
    match &input.data {
        Data::Struct(data) => arms.push(arm(&quote!(Self), &data.fields, whole, None, errors)),
        Data::Enum(data) => {
            for variant in &data.variants {
                // What is wrong with the attribute was reported before.
                let said = Said::of(&variant.attrs, true, &mut Diagnostics::default());
                let name = &variant.ident;
                arms.push(arm(&quote!(Self::#name), &variant.fields, &said, Some(whole), errors));
            }
        }
        Data::Union(_) => {}
    }
    let (finals, afters): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
    let nothing = if finals.is_empty() {
        (quote!(_ => false,), quote!(_ => ::core::option::Option::None,))
    } else {
        (TokenStream::new(), TokenStream::new())
    };
    let (no, none) = nothing;
    quote! {
        fn is_final(&self) -> bool {
            match self { #(#finals)* #no }
        }

        fn retry_after(&self) -> ::core::option::Option<::core::time::Duration> {
            match self { #(#afters)* #none }
        }
    }
}

/// The arms of one variant, or of a struct.
fn arm(
    path: &TokenStream,
    fields: &Fields,
    said: &Said,
    whole: Option<&Said>,
    errors: &mut Diagnostics,
) -> (TokenStream, TokenStream) {
    if said.call.is_some() && said.finally.is_none() && said.after.is_none() {
        // The error of a call says what it said.
        let member = fields.members().next().into_iter();
        let pattern = quote!(#path { #(#member: it,)* .. });
        return (
            quote!(#pattern => ::eventual::Failure::is_final(it),),
            quote!(#pattern => ::eventual::Failure::retry_after(it),),
        );
    }
    let finally = said.finally.as_ref().or(whole.and_then(|it| it.finally.as_ref()));
    let after = said.after.as_ref().or(whole.and_then(|it| it.after.as_ref()));
    if let (Some(finally), Some(_)) = (finally, after) {
        errors.error(finally, "`final` means no other attempt, `retry_after` when it is: remove one of them");
    }
    let is_final = finally.is_some();
    (quote!(#path { .. } => #is_final,), after_arm(path, fields, after, errors))
}

fn after_arm(
    path: &TokenStream,
    fields: &Fields,
    after: Option<&Expr>,
    errors: &mut Diagnostics,
) -> TokenStream {
    let none = quote!(#path { .. } => ::core::option::Option::None,);
    let Some(after) = after else { return none };
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = after {
        let Some(pause) = duration(&text.value()).and_then(|it| u64::try_from(it.as_millis()).ok()) else {
            errors.error(
                text,
                "`retry_after` takes a time as a whole number of ms, s, m or h: `retry_after = \"30s\"`",
            );
            return none;
        };
        let pause = Literal::u64_unsuffixed(pause);
        return quote! {
            #path { .. } => ::core::option::Option::Some(::core::time::Duration::from_millis(#pause)),
        };
    }
    let wanted = after.to_token_stream().to_string();
    let Some(member) = fields.members().find(|it| it.to_token_stream().to_string() == wanted) else {
        let message = "`retry_after` takes a time, `retry_after = \"30s\"`, or the name of a field that has one: `retry_after = wait`";
        errors.error(after, message);
        return none;
    };
    let value = quote_spanned!(after.span()=> ::eventual::RetryAfter::retry_after(it));
    quote!(#path { #member: it, .. } => #value,)
}
