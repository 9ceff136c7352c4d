//! `method`, `path` and `auth` of a command.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit, LitStr};

use crate::diagnostics::Diagnostics;
use crate::options::Options;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The route's tokens: `Some((method, path))` or `None`.
pub(crate) fn route(options: &mut Options, errors: &mut Diagnostics) -> TokenStream {
    let method = options.word("method", "method = POST", errors);
    let path = options.text("path", "path = \"/orders/{id}\"", errors);
    let method_text = method.as_ref().map(ToString::to_string);
    if let (Some(method), Some(text)) = (&method, &method_text)
        && !METHODS.contains(&text.as_str())
    {
        let near = METHODS.iter().find(|it| it.eq_ignore_ascii_case(text));
        let hint = near.map_or_else(
            || format!("there are {}", METHODS.join(", ")),
            |it| format!("did you mean `{it}`?"),
        );
        errors.error(method, format!("`{text}` is no method; {hint}"));
    }
    match (&method, &path) {
        (Some(method), None) => errors.error(method, "a method needs a path: `path = \"/orders/{id}\"`"),
        (None, Some(path)) => errors.error(path, "a path needs a method: `method = GET`"),
        _ => {}
    }
    if let Some(path) = &path
        && let Some(problem) = path_problem(&path.value())
    {
        errors.error(path, problem);
    }
    match (method_text, path) {
        (Some(method), Some(path)) => quote!(::core::option::Option::Some((#method, #path))),
        _ => quote!(::core::option::Option::None),
    }
}

/// What is wrong with a path.
fn path_problem(path: &str) -> Option<String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Some(format!("a path starts with a slash: \"/{path}\""));
    };
    if rest.is_empty() {
        return None;
    }
    if path == "/rpc" || path.starts_with("/rpc/") {
        return Some("paths below /rpc are taken: every command is there by its name".to_owned());
    }
    let mut parameters: Vec<&str> = Vec::new();
    for part in rest.split('/') {
        if part.is_empty() {
            return Some("a path has no empty segment, and no slash at its end".to_owned());
        }
        let Some(parameter) = part.strip_prefix('{') else {
            let fine = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
            if !part.chars().all(fine) {
                return Some(format!(
                    "`{part}` is no segment of a path: letters, digits and -_.~, or a parameter in braces: `{{id}}`"
                ));
            }
            continue;
        };
        let name = parameter.strip_suffix('}').filter(|it| syn::parse_str::<syn::Ident>(it).is_ok());
        let Some(name) = name else {
            return Some(format!("`{part}` is no parameter: a field of the input in braces, `{{id}}`"));
        };
        if parameters.contains(&name) {
            return Some(format!("the parameter `{name}` is there twice"));
        }
        parameters.push(name);
    }
    None
}

/// The tokens of `auth`: `Some(...)` or `None`.
pub(crate) fn auth(options: &mut Options, errors: &mut Diagnostics) -> TokenStream {
    const EXAMPLE: &str = "auth = none | iam | jwt(issuer = \"https://...\", audience = [\"...\"])";
    let none = quote!(::core::option::Option::None);
    let Some(value) = options.expr("auth", EXAMPLE, errors) else { return none };
    let name = match &value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.get_ident().map(|it| format!("{it}()")),
            _ => None,
        },
        _ => None,
    };
    let auth = match (name.as_deref(), &value) {
        (Some("none"), _) => quote!(::eventual::__private::Auth::None),
        (Some("iam"), _) => quote!(::eventual::__private::Auth::Iam),
        (Some("jwt()"), Expr::Call(call)) => match jwt(call, errors) {
            Some(jwt) => jwt,
            None => return none,
        },
        _ => {
            errors.error(&value, format!("`auth` is one of `{EXAMPLE}`"));
            return none;
        }
    };
    quote!(::core::option::Option::Some(#auth))
}

fn jwt(call: &syn::ExprCall, errors: &mut Diagnostics) -> Option<TokenStream> {
    let mut options = Options::of_call(call, "`jwt(...)`", &["issuer", "audience"], errors);
    let issuer = options.text("issuer", "issuer = \"https://...\"", errors);
    let audience = options.expr("audience", "audience = [\"...\"]", errors);
    let (Some(issuer), Some(audience)) = (&issuer, &audience) else {
        if errors.is_empty() {
            errors.error(call, "`jwt` needs both: `jwt(issuer = \"https://...\", audience = [\"...\"])`");
        }
        return None;
    };
    let Some(audience) = texts(audience) else {
        errors.error(audience, "`audience` takes texts: `audience = [\"...\"]`");
        return None;
    };
    Some(quote!(::eventual::__private::Auth::Jwt { issuer: #issuer, audience: &[#(#audience),*] }))
}

fn texts(value: &Expr) -> Option<Vec<LitStr>> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(vec![text.clone()]),
        Expr::Array(array) if !array.elems.is_empty() => array
            .elems
            .iter()
            .map(|it| match it {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::path_problem;

    #[test]
    fn paths() {
        for fine in ["/", "/orders", "/orders/{id}", "/a/{b}/c-1/{d_e}"] {
            assert_eq!(path_problem(fine), None, "{fine}");
        }
        for (bad, start) in [
            ("orders", "a path starts with a slash"),
            ("/orders/", "a path has no empty segment"),
            ("/a//b", "a path has no empty segment"),
            ("/a b", "`a b` is no segment"),
            ("/{id", "`{id` is no parameter"),
            ("/{proxy+}", "`{proxy+}` is no parameter"),
            ("/{a}/{a}", "the parameter `a` is there twice"),
            ("/rpc/x", "paths below /rpc are taken"),
        ] {
            let problem = path_problem(bad).unwrap_or_default();
            assert!(problem.starts_with(start), "{bad}: {problem}");
        }
    }
}
