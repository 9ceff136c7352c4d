//! What the macros need to know of a function, and every reason why a function cannot be a handler.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::visit::Visit;
use syn::{FnArg, GenericArgument, ItemFn, Pat, PathArguments, ReturnType, Type};

use crate::diagnostics::Diagnostics;

/// A function that can be a handler.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) item: ItemFn,
    /// Arguments in order.
    pub(crate) arguments: Vec<Argument>,
    pub(crate) returns: Returns,
}

/// One argument.
#[derive(Debug)]
pub(crate) enum Argument {
    /// `State<T>`, `Ctx`, `User`, `Option<User>`.
    Extractor { ty: Type, name: String },
    /// The input. `name` for the generated function's argument.
    Input { ty: Type, name: Ident },
}

/// What it returns.
#[derive(Debug)]
pub(crate) enum Returns {
    /// `Result<T, E>`.
    Both(Type, Type),
    /// A `Result` that hides its error: `eventual::Result<T>`, and perhaps its value.
    Hidden { ty: Type, value: Option<Type> },
    /// Anything else; it cannot fail.
    Plain(Option<Type>),
}

impl Function {
    /// The input's type, when it takes one.
    pub(crate) fn input(&self) -> Option<(&Type, &Ident)> {
        self.arguments.iter().find_map(|it| match it {
            Argument::Input { ty, name } => Some((ty, name)),
            Argument::Extractor { .. } => None,
        })
    }

    /// Whether it takes an extractor of that name.
    pub(crate) fn takes(&self, extractor: &str) -> Option<&Type> {
        self.arguments.iter().find_map(|it| match it {
            Argument::Extractor { ty, name } if name == extractor => Some(ty),
            _ => None,
        })
    }

    /// Looks at a function. What is wrong with it is reported; the function is still returned.
    pub(crate) fn new(item: ItemFn, attribute: &str, errors: &mut Diagnostics) -> Self {
        signature(&item, attribute, errors);
        let mut arguments = Vec::new();
        let mut input: Option<Type> = None;
        for argument in &item.sig.inputs {
            let FnArg::Typed(argument) = argument else {
                errors.error(argument, format!("a {attribute} is a free function: it has no `self`"));
                continue;
            };
            let ty = (*argument.ty).clone();
            refuse_borrowed(&ty, "an argument", errors);
            match extractor(&ty) {
                Some(name) => arguments.push(Argument::Extractor { ty, name }),
                None => {
                    if input.is_some() {
                        errors.error(
                            argument,
                            format!("a {attribute} takes one input; put both into a struct (State, Ctx and User are not inputs)"),
                        );
                        continue;
                    }
                    input = Some(ty.clone());
                    arguments.push(Argument::Input { ty, name: name_of(&argument.pat) });
                }
            }
        }
        if let ReturnType::Type(_, ty) = &item.sig.output {
            refuse_borrowed(ty, "a result", errors);
        }
        let returns = returns(&item.sig.output);
        Self { item, arguments, returns }
    }
}

fn signature(item: &ItemFn, attribute: &str, errors: &mut Diagnostics) {
    let sig = &item.sig;
    if sig.asyncness.is_none() {
        errors.error(sig.fn_token, format!("a {attribute} is async: write `async fn {}`", sig.ident));
    }
    if !sig.generics.params.is_empty() {
        errors.error(
            &sig.generics,
            format!("a {attribute} cannot be generic: its types stand in the manifest; choose concrete ones"),
        );
    }
    if sig.constness.is_some() || sig.abi.is_some() || sig.variadic.is_some() {
        errors.error(sig.fn_token, format!("a {attribute} is a plain `async fn`"));
    }
}

/// Types that cross the wire own what they hold.
fn refuse_borrowed(ty: &Type, what: &str, errors: &mut Diagnostics) {
    struct Finder<'a>(&'a str, &'a mut Diagnostics);
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_type_reference(&mut self, it: &'ast syn::TypeReference) {
            let owned = match it.elem.to_token_stream().to_string().as_str() {
                "str" => "; write `String`".to_owned(),
                other if !other.contains('[') => format!("; write `{other}`"),
                _ => "; write a `Vec`".to_owned(),
            };
            self.1.error(it, format!("{} cannot be a reference, because it crosses the wire{owned}", self.0));
        }
        fn visit_type_impl_trait(&mut self, it: &'ast syn::TypeImplTrait) {
            self.1.error(
                it,
                format!(
                    "{} cannot be `impl Trait`: its type stands in the manifest; name a concrete one",
                    self.0
                ),
            );
        }
    }
    Finder(what, errors).visit_type(ty);
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

fn type_arguments(segment: &syn::PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|it| match it {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// The extractor's name, when the type is one by its name: alone (`User`) or of ours (`eventual::User`). With another
/// path (`crate::User`) it is a type of the user's.
fn extractor(ty: &Type) -> Option<String> {
    let segment = last_segment(ty)?;
    if let Type::Path(path) = ty
        && path.path.segments.len() > 1
        && path
            .path
            .segments
            .first()
            .is_some_and(|it| !["eventual", "std", "core"].iter().any(|name| it.ident == name))
    {
        return None;
    }
    let arguments = type_arguments(segment);
    match (segment.ident.to_string().as_str(), arguments.as_slice()) {
        (name @ "State", [_]) | (name @ ("Completion" | "Ctx" | "User"), []) => Some(name.to_owned()),
        ("Option", [inner]) => extractor(inner).filter(|it| it == "User"),
        _ => None,
    }
}

fn returns(output: &ReturnType) -> Returns {
    let ReturnType::Type(_, ty) = output else { return Returns::Plain(None) };
    let Some(segment) = last_segment(ty).filter(|it| it.ident == "Result") else {
        return Returns::Plain(Some((**ty).clone()));
    };
    match type_arguments(segment).as_slice() {
        [value, error] => Returns::Both((*value).clone(), (*error).clone()),
        [value] => Returns::Hidden { ty: (**ty).clone(), value: Some((*value).clone()) },
        _ => Returns::Hidden { ty: (**ty).clone(), value: None },
    }
}

/// A name for the generated function's argument.
fn name_of(pat: &Pat) -> Ident {
    match pat {
        Pat::Ident(it) => Ident::new(&it.ident.to_string().replace("r#", ""), it.ident.span()),
        _ => Ident::new("input", Span::call_site()),
    }
}
