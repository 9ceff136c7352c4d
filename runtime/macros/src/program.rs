//! `main!` and `service!`: which crates are the service, and what holds for all of it.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Token;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Expr, Ident};

use crate::diagnostics::Diagnostics;
use crate::emit::{crate_name, section_pair};
use crate::options::Options;
use crate::route;

/// The crates at the start, and the options after them.
struct Input {
    /// `crate` itself is among them, or nothing is.
    own: bool,
    crates: Vec<Ident>,
    options: TokenStream,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut own, mut crates) = (false, Vec::new());
        let option = |input: ParseStream<'_>| input.peek2(Token![=]) || input.peek2(syn::token::Paren);
        while (input.peek(Ident) || input.peek(Token![crate])) && !option(input) {
            if input.parse::<Option<Token![crate]>>()?.is_some() {
                own = true;
            } else {
                crates.push(input.parse()?);
            }
            if input.parse::<Option<Token![,]>>()?.is_none() {
                break;
            }
        }
        Ok(Self { own: own || crates.is_empty(), crates, options: input.parse()? })
    }
}

/// `fn main` of a service's binary.
pub(crate) fn main(input: TokenStream) -> TokenStream {
    let crates = syn::parse2::<Input>(input.clone()).map_or_else(|_| Vec::new(), |it| names(&it.crates));
    let (declaration, errors) = generate(input);
    let section = section(&if crates.is_empty() { vec![crate_name()] } else { crates });
    quote! {
        fn main() -> ::std::process::ExitCode {
            ::eventual::__private::main(&#declaration)
        }
        #section
        #errors
    }
}

/// The bytes in the section `.eventual` that tell readers which crates are the service.
fn section(crates: &[String]) -> TokenStream {
    let bytes: String = crates.iter().map(|it| section_pair("service", it)).collect();
    let length = bytes.len();
    let bytes = Literal::byte_string(bytes.as_bytes());
    quote! {
        const _: () = {
            #[used]
            #[cfg_attr(any(target_os = "linux", target_os = "android"), unsafe(link_section = ".eventual"))]
            static SECTION: [u8; #length] = *#bytes;
        };
    }
}

fn names(crates: &[Ident]) -> Vec<String> {
    crates.iter().map(|it| it.to_string().trim_start_matches("r#").to_owned()).collect()
}

/// The service as a value.
pub(crate) fn service(input: TokenStream) -> TokenStream {
    let (declaration, errors) = generate(input);
    quote! {{
        #errors
        match ::eventual::Service::of(&#declaration) {
            ::core::result::Result::Ok(service) => service,
            ::core::result::Result::Err(error) => ::core::panic!("{error}"),
        }
    }}
}

/// The `Declaration`, and what is wrong.
pub(crate) fn generate(input: TokenStream) -> (TokenStream, Diagnostics) {
    let mut errors = Diagnostics::default();
    let Input { own, crates, options } = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => {
            errors.syn(error);
            Input { own: true, crates: Vec::new(), options: TokenStream::new() }
        }
    };
    let mut options = Options::parse(options, "`main!`", &["name", "init", "auth"], &mut errors);
    let name = options.text("name", "name = \"orders\"", &mut errors);
    if let Some(name) = &name
        && let Err(error) = eventual_schema::ServiceName::new(name.value())
    {
        errors.error(name, error);
    }
    let name = name
        .map_or_else(|| quote!(::core::option::Option::None), |it| quote!(::core::option::Option::Some(#it)));
    let auth = route::auth(&mut options, &mut errors);
    let init = options
        .expr("init", "init = orders::init", &mut errors)
        .map_or_else(|| quote!(::core::option::Option::None), |path| init(&path, &mut errors));
    let names = names(&crates);
    let own = own.then(|| quote!(::eventual::__private::crate_of(::core::module_path!()),));
    let names = quote!(&[#own #(#names),*]);
    // The linker drops a crate that nothing names.
    let aliases = (0..crates.len()).map(|index| format_ident!("__eventual_crate_{index}"));
    let linked = quote!(#(#[allow(unused_imports, reason = "links the crate")] use ::#crates as #aliases;)*);
    let declaration = quote! {{
        #linked
        const CRATES: &[&::core::primitive::str] = #names;
        ::eventual::__private::Declaration { crates: CRATES, name: #name, auth: #auth, init: #init }
    }};
    (declaration, errors)
}

fn init(path: &Expr, errors: &mut Diagnostics) -> TokenStream {
    if !matches!(path, Expr::Path(_)) {
        errors.error(path, "`init` takes the name of an async function: `init = orders::init`");
        return quote!(::core::option::Option::None);
    }
    let call = quote_spanned!(path.span()=> #path().await);
    quote! {
        ::core::option::Option::Some({
            #[allow(unused_imports, clippy::needless_borrow, reason = "method resolution chooses among them")]
            fn __eventual_init() -> ::eventual::__private::InitFuture {
                use ::eventual::__private::{ManyKind, OneKind, TryManyKind, TryOneKind};
                ::std::boxed::Box::pin(async {
                    let value = #call;
                    let kind = (&&&&::eventual::__private::tag(&value)).kind();
                    kind.states(value).map_err(::core::convert::Into::into)
                })
            }
            __eventual_init
        })
    }
}
