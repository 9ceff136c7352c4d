//! Loops over hash maps that await something: their order is another one in every process.
//!
//! Deliberately no more than that. What collects a map into something sorted, sums it, or looks into it is fine; a map that
//! is given to a helper function is the matter of twins.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprForLoop, FnArg, Local, Pat, Signature, Type};

use super::ALLOW;
use crate::diagnostics::Diagnostics;

const UNORDERED: [&str; 4] = ["HashMap", "HashSet", "FxHashMap", "AHashMap"];
/// Methods of maps, and of their iterators, that keep the order what it was.
const KEEPING: [&str; 17] = [
    "iter",
    "iter_mut",
    "into_iter",
    "keys",
    "into_keys",
    "values",
    "values_mut",
    "into_values",
    "drain",
    "clone",
    "enumerate",
    "filter",
    "map",
    "copied",
    "cloned",
    "take",
    "skip",
];

pub(super) fn scan(signature: &Signature, body: &Block, errors: &mut Diagnostics) {
    let mut names = Names::default();
    for argument in &signature.inputs {
        if let FnArg::Typed(argument) = argument
            && is_unordered(&argument.ty)
        {
            names.add(&argument.pat);
        }
    }
    names.visit_block(body);
    Loops { names: &names.0, errors }.visit_block(body);
}

/// Whether a type is one without an order, perhaps behind a reference.
fn is_unordered(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|it| UNORDERED.iter().any(|name| it.ident == name))
        }
        Type::Reference(reference) => is_unordered(&reference.elem),
        _ => false,
    }
}

/// Names of variables that are maps, as far as it is written out.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Ident(it) => drop(self.0.insert(it.ident.to_string())),
            Pat::Type(it) => self.add(&it.pat),
            _ => {}
        }
    }

    fn remove(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Ident(it) => drop(self.0.remove(&it.ident.to_string())),
            Pat::Type(it) => self.remove(&it.pat),
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_local(&mut self, local: &'ast Local) {
        let typed = match &local.pat {
            Pat::Type(it) => Some(is_unordered(&it.ty)),
            _ => None,
        };
        let made = || local.init.as_ref().is_some_and(|it| makes_unordered(&it.expr));
        if typed.unwrap_or_else(made) {
            self.add(&local.pat);
        } else {
            // The name is another thing from here on. A loop before it is missed, which twins are not.
            self.remove(&local.pat);
        }
        visit::visit_local(self, local);
    }
}

/// Whether an expression makes a map: `HashMap::new()`, `HashSet::from(...)`, `x.collect::<HashMap<_, _>>()`.
fn makes_unordered(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                path.path.segments.iter().any(|it| UNORDERED.iter().any(|name| it.ident == name))
            }
            _ => false,
        },
        Expr::MethodCall(call) if call.method == "collect" => {
            let turbofish = call.turbofish.to_token_stream().to_string();
            UNORDERED.iter().any(|name| turbofish.starts_with(&format!(":: < {name}")))
        }
        Expr::MethodCall(call) if call.method == "clone" => makes_unordered(&call.receiver),
        Expr::Try(it) => makes_unordered(&it.expr),
        Expr::Await(it) => makes_unordered(&it.base),
        _ => false,
    }
}

struct Loops<'a> {
    names: &'a BTreeSet<String>,
    errors: &'a mut Diagnostics,
}

impl Loops<'_> {
    /// What a loop goes over, if it is a map.
    fn over(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Path(path) => {
                path.path.get_ident().map(ToString::to_string).filter(|it| self.names.contains(it))
            }
            Expr::Reference(it) => self.over(&it.expr),
            Expr::Paren(it) => self.over(&it.expr),
            Expr::MethodCall(call) if KEEPING.iter().any(|it| call.method == it) => self.over(&call.receiver),
            other if makes_unordered(other) => Some("it".to_owned()),
            _ => None,
        }
    }
}

impl<'ast> Visit<'ast> for Loops<'_> {
    fn visit_expr_for_loop(&mut self, it: &'ast ExprForLoop) {
        if let Some(name) = self.over(&it.expr)
            && awaits(&it.body)
        {
            let message = format!(
                "`{name}` has another order when the workflow is replayed, and the loop awaits in that order: make it a \
                 BTreeMap or BTreeSet, or collect it into a Vec and sort that ({ALLOW})"
            );
            self.errors.error(&it.expr, message);
        }
        visit::visit_expr_for_loop(self, it);
    }
}

/// Whether something is awaited in a block.
fn awaits(block: &Block) -> bool {
    struct Finder(bool);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
            self.0 = true;
        }
    }
    let mut finder = Finder(false);
    finder.visit_block(block);
    finder.0
}
