//! How a command is sent at its own route: what of the input goes into the path, the query and the body.
//!
//! Texts of path and query become values by the schema at the receiver, and not every value survives that: `null`, `[]` and
//! nested objects do not. A command whose input could be garbled has no route here; it is sent as RPC, which always
//! works.

use eventual_schema::{Command, Route, shape};
use serde_json::Value;

use crate::raw::{Raw, Rest};

/// How a command is sent at its own route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sending {
    /// The HTTP method.
    pub(crate) method: &'static str,
    /// Path with parameters in braces.
    pub(crate) path: String,
    /// Where the input goes besides the path.
    pub(crate) rest: Carrier,
}

/// Where the input goes that the path does not carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Into the body.
    Body,
    /// There is none.
    Nothing,
    /// Into the query.
    Query,
    /// The input is the path's one parameter.
    Whole,
}

impl Carrier {
    /// The word for it in generated code.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Nothing => "nothing",
            Self::Query => "query",
            Self::Whole => "whole",
        }
    }
}

/// How a command is sent at its own route; `None` when only RPC is safe. `resolve` sees through references.
pub(crate) fn sending(
    command: &Command,
    input: Option<&Raw>,
    schemas: &shape::Schemas,
    resolve: &dyn Fn(&Raw) -> Raw,
) -> Option<Sending> {
    let route = command.route.as_ref()?;
    let rest = carrier(command, route, input, schemas, resolve)?;
    Some(Sending { method: route.method.as_str(), path: route.path.clone(), rest })
}

fn carrier(
    command: &Command,
    route: &Route,
    input: Option<&Raw>,
    schemas: &shape::Schemas,
    resolve: &dyn Fn(&Raw) -> Raw,
) -> Option<Carrier> {
    let Some(input) = input else { return Some(Carrier::Nothing) };
    let parameters = route.parameters();
    if !shape::takes_object(&command.input, schemas) {
        return match parameters.len() {
            1 => is_word(input, resolve).then_some(Carrier::Whole),
            0 if route.method.has_body() => Some(Carrier::Body),
            _ => None,
        };
    }
    let Raw::Object(object) = resolve(input) else { return None };
    let field = |name: &str| object.fields.iter().find(|it| it.name == name);
    if !parameters.iter().all(|name| field(name).is_some_and(|it| it.required && is_word(&it.ty, resolve))) {
        return None;
    }
    if route.method.has_body() {
        return Some(Carrier::Body);
    }
    // What the schema does not name would be dropped from a query.
    let closed = !matches!(object.rest, Rest::Of(_));
    let in_query = object.fields.iter().filter(|it| !parameters.contains(&it.name.as_str()));
    let plain = in_query.clone().all(|it| match resolve(&it.ty) {
        // An empty list is a parameter that is not there, and so is a list that is not there.
        Raw::List(item) => !it.required && is_empty_list(it.default.as_ref()) && is_word(&item, resolve),
        // Nor is `null` there.
        ty => {
            is_word(&without_null(&ty), resolve)
                && (!has_null(&ty) || (!it.required && is_null(it.default.as_ref())))
        }
    });
    match (closed && plain, in_query.count()) {
        (false, _) => None,
        (true, 0) => Some(Carrier::Nothing),
        (true, _) => Some(Carrier::Query),
    }
}

fn is_null(default: Option<&Value>) -> bool {
    default.is_none_or(Value::is_null)
}

fn is_empty_list(default: Option<&Value>) -> bool {
    default.is_none_or(|it| it.as_array().is_some_and(Vec::is_empty))
}

fn has_null(ty: &Raw) -> bool {
    match ty {
        Raw::Null => true,
        Raw::Union(variants) => variants.iter().any(|it| it.ty == Raw::Null),
        _ => false,
    }
}

fn without_null(ty: &Raw) -> Raw {
    match ty {
        Raw::Union(variants) => {
            let rest: Vec<_> = variants.iter().filter(|it| it.ty != Raw::Null).cloned().collect();
            match <[_; 1]>::try_from(rest) {
                Ok([one]) => one.ty,
                Err(rest) => Raw::Union(rest),
            }
        }
        other => other.clone(),
    }
}

/// Whether every value of the type is one text, which becomes the same value again: texts, or numbers, or booleans, but
/// no mixture of them.
fn is_word(ty: &Raw, resolve: &dyn Fn(&Raw) -> Raw) -> bool {
    fn kind(ty: &Raw, resolve: &dyn Fn(&Raw) -> Raw) -> Option<u8> {
        use crate::model::Literal;
        match resolve(ty) {
            Raw::Text(_) | Raw::Literal(Literal::Text(_)) => Some(0),
            Raw::Integer | Raw::Number | Raw::Literal(Literal::Integer(_)) => Some(1),
            Raw::Boolean | Raw::Literal(Literal::Boolean(_)) => Some(2),
            Raw::Union(variants) => {
                let mut kinds = variants.iter().map(|it| kind(&it.ty, resolve));
                let first = kinds.next()??;
                kinds.all(|it| it == Some(first)).then_some(first)
            }
            _ => None,
        }
    }
    kind(ty, resolve).is_some()
}

/// Who may call a command, as a sentence for its doc comment; nothing when everybody may or the deployment says.
pub(crate) fn callers(auth: Option<&eventual_schema::Auth>) -> Option<String> {
    use eventual_schema::Auth;
    match auth? {
        Auth::Iam => Some("For callers that sign with AWS credentials.".to_owned()),
        Auth::Jwt { issuer, audience } => {
            Some(format!("For callers with a token of {issuer} for {}.", audience.join(" or ")))
        }
        Auth::None => None,
    }
}
