//! The options between an attribute's parentheses: `name = value`, `name(list)` and bare `name`.

use std::time::Duration;

use eventual_schema::nearest::nearest;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token, parenthesized};

use crate::diagnostics::Diagnostics;

/// How long something may run, and what to do instead of running longer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    longest: Duration,
    instead: &'static str,
}

/// What Lambda allows a function.
pub(crate) const FUNCTION: Limit = Limit {
    longest: Duration::from_secs(900),
    instead: "a function runs for at most 15 minutes; split longer work, or wait in a workflow",
};

/// What a turn of an execution waits for.
pub(crate) const INLINE: Limit = Limit {
    longest: Duration::from_secs(45),
    instead: "an inline task runs for at most 45 seconds, because a turn waits for it; make longer work a remote task",
};

/// What API Gateway waits for an answer.
pub(crate) const REQUEST: Limit = Limit {
    longest: Duration::from_secs(30),
    instead: "a request is answered within 30 seconds, or API Gateway gives up; start a workflow for longer work",
};

/// One option.
#[derive(Debug, Clone)]
struct Arg {
    name: Ident,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Flag,
    Is(Box<Expr>),
    List(TokenStream),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.call(syn::ext::IdentExt::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Is(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::Flag
        };
        Ok(Self { name, value })
    }
}

/// The options of one attribute. Each is taken by whoever knows it.
#[derive(Debug, Default)]
pub(crate) struct Options {
    args: Vec<Arg>,
}

impl Options {
    /// Parses options. Names that are not in `known`, and names that are there twice, are reported and dropped. `what`
    /// is what the options belong to, for messages: `#[task]`.
    pub(crate) fn parse(tokens: TokenStream, what: &str, known: &[&str], errors: &mut Diagnostics) -> Self {
        let parsed = Punctuated::<Arg, Token![,]>::parse_terminated.parse2(tokens);
        let mut options = Self::default();
        match parsed {
            Err(error) => errors.syn(error),
            Ok(args) => {
                for arg in args {
                    let name = arg.name.to_string();
                    if !known.contains(&name.as_str()) {
                        errors.error(&arg.name, unknown(&name, what, known));
                    } else if options.args.iter().any(|it| it.name == arg.name) {
                        errors.error(&arg.name, format!("`{name}` is there twice"));
                    } else {
                        options.args.push(arg);
                    }
                }
            }
        }
        options
    }

    fn take(&mut self, name: &str) -> Option<Arg> {
        let index = self.args.iter().position(|it| it.name == name)?;
        Some(self.args.remove(index))
    }

    /// Whether an option is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.args.iter().any(|it| it.name == name)
    }

    /// `name`, without a value.
    pub(crate) fn flag(&mut self, name: &str, errors: &mut Diagnostics) -> Option<Ident> {
        let arg = self.take(name)?;
        if !matches!(arg.value, Value::Flag) {
            errors.error(&arg.name, format!("`{name}` takes no value"));
        }
        Some(arg.name)
    }

    /// `name = value`.
    pub(crate) fn expr(&mut self, name: &str, example: &str, errors: &mut Diagnostics) -> Option<Expr> {
        let arg = self.take(name)?;
        match arg.value {
            Value::Is(value) => Some(*value),
            Value::Flag | Value::List(_) => {
                errors.error(&arg.name, format!("`{name}` needs a value: `{example}`"));
                None
            }
        }
    }

    /// `name = "text"`.
    pub(crate) fn text(&mut self, name: &str, example: &str, errors: &mut Diagnostics) -> Option<LitStr> {
        match self.expr(name, example, errors)? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
            other => {
                errors.error(other, format!("`{name}` takes a text: `{example}`"));
                None
            }
        }
    }

    /// `name = word`.
    pub(crate) fn word(&mut self, name: &str, example: &str, errors: &mut Diagnostics) -> Option<Ident> {
        match self.expr(name, example, errors)? {
            Expr::Path(path) if path.path.get_ident().is_some() => path.path.get_ident().cloned(),
            other => {
                errors.error(other, format!("`{name}` takes a word: `{example}`"));
                None
            }
        }
    }

    /// `name = 128`, within limits.
    pub(crate) fn integer(
        &mut self,
        name: &str,
        limits: (u32, u32),
        errors: &mut Diagnostics,
    ) -> Option<u32> {
        let (least, most) = limits;
        let value = self.expr(name, &format!("{name} = {least}"), errors)?;
        let number = match &value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<u32>().ok(),
            _ => None,
        };
        let number = number.filter(|it| (least..=most).contains(it));
        if number.is_none() {
            errors.error(value, format!("`{name}` takes a whole number from {least} to {most}"));
        }
        number
    }

    /// `name = 2.0`, at least 1.
    pub(crate) fn factor(&mut self, name: &str, errors: &mut Diagnostics) -> Option<f64> {
        let value = self.expr(name, &format!("{name} = 2.0"), errors)?;
        let number = match &value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<f64>().ok(),
            Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>().ok(),
            _ => None,
        };
        let number = number.filter(|it| (1.0..=1_000.0).contains(it));
        if number.is_none() {
            errors.error(value, format!("`{name}` takes a number from 1 to 1000: `{name} = 2.0`"));
        }
        number
    }

    /// `name = 0.2`, from 0 to 1, in per cent.
    pub(crate) fn part(&mut self, name: &str, errors: &mut Diagnostics) -> Option<u32> {
        let value = self.expr(name, &format!("{name} = 0.2"), errors)?;
        let number = match &value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<f64>().ok(),
            Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>().ok(),
            _ => None,
        };
        let number = number.filter(|it| (0.0..=1.0).contains(it));
        if number.is_none() {
            errors.error(value, format!("`{name}` takes a number from 0 to 1: `{name} = 0.2`"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
        number.map(|it| (it * 100.0).round() as u32)
    }

    /// `name = "10s"`, in milliseconds.
    pub(crate) fn duration(&mut self, name: &str, errors: &mut Diagnostics) -> Option<u64> {
        let example = format!("{name} = \"10s\"");
        let text = self.text(name, &example, errors)?;
        match duration(&text.value()) {
            Some(duration) if !duration.is_zero() => u64::try_from(duration.as_millis()).ok(),
            _ => {
                errors.error(
                    text,
                    format!("`{name}` takes a time as a whole number of ms, s, m or h: `{example}`"),
                );
                None
            }
        }
    }

    /// `timeout = "10s"`, in milliseconds, no longer than a function may run.
    pub(crate) fn timeout(&mut self, limit: Limit, errors: &mut Diagnostics) -> Option<u64> {
        let at = self.args.iter().find(|it| it.name == "timeout").map(|it| it.name.clone());
        let millis = self.duration("timeout", errors)?;
        if Duration::from_millis(millis) > limit.longest {
            errors.error(at, limit.instead);
            return None;
        }
        Some(millis)
    }

    /// `name(path, path)`.
    pub(crate) fn paths(&mut self, name: &str, example: &str, errors: &mut Diagnostics) -> Vec<Path> {
        let Some(arg) = self.take(name) else { return Vec::new() };
        let Value::List(list) = arg.value else {
            errors.error(&arg.name, format!("`{name}` takes a list: `{example}`"));
            return Vec::new();
        };
        match Punctuated::<Path, Token![,]>::parse_terminated.parse2(list) {
            Ok(paths) => paths.into_iter().collect(),
            Err(error) => {
                errors.syn(syn::Error::new(error.span(), format!("`{name}` takes names: `{example}`")));
                Vec::new()
            }
        }
    }

    /// `name(option, option)`, with where it stands.
    pub(crate) fn nested(
        &mut self,
        name: &str,
        example: &str,
        known: &[&str],
        errors: &mut Diagnostics,
    ) -> Option<(Ident, Self)> {
        let arg = self.take(name)?;
        let Value::List(list) = arg.value else {
            errors.error(&arg.name, format!("`{name}` takes options: `{example}`"));
            return None;
        };
        let nested = Self::parse(list, &format!("`{name}(...)`"), known, errors);
        Some((arg.name, nested))
    }

    /// Options of a call expression: `jwt(issuer = "...")`.
    pub(crate) fn of_call(
        call: &syn::ExprCall,
        what: &str,
        known: &[&str],
        errors: &mut Diagnostics,
    ) -> Self {
        Self::parse(call.args.to_token_stream(), what, known, errors)
    }
}

/// What to say of an option that there is not.
fn unknown(name: &str, what: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("{what} has no options");
    }
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("{what} has no option `{name}`; did you mean `{near}`?"),
        None => format!("{what} has no option `{name}`; there are {}", known.join(", ")),
    }
}

/// `10s`, `250ms`, `5m`, `1h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    match text[split..].trim() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3_600)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let read = |text| duration(text).map(|it| it.as_millis());
        assert_eq!(read("10s"), Some(10_000));
        assert_eq!(read("250ms"), Some(250));
        assert_eq!(read("2 m"), Some(120_000));
        assert_eq!(read("1h"), Some(3_600_000));
        for bad in ["10", "s", "-1s", "1.5s", "1 week", ""] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
