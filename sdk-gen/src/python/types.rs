//! `types.py`: the service's types. Objects are `TypedDict`s: what `json` reads and writes, with types.

use std::collections::BTreeSet;

use super::{BUILTINS, KEYWORDS, docstring, header, quoted};
use crate::docs::Doc;
use crate::model::{Field, Format, Literal, Model, Named, Object, Shape, Type};
use crate::names::is_identifier;
use crate::writer::Writer;

const FORMATS: [(Format, &str, &str); 4] = [
    (Format::Bytes, "Bytes", "Bytes, as base64."),
    (Format::Date, "Day", "A day: `2026-11-21`."),
    (Format::DateTime, "DateTime", "A moment, by RFC 3339: `2026-11-21T15:50:00Z`."),
    (Format::Uuid, "Uuid", "A UUID: `67e55044-10b1-426f-9247-bb680e5fe0c8`."),
];

/// The names that `types.py` exports.
pub(super) fn names(model: &Model) -> Vec<&str> {
    let formats = FORMATS.iter().filter(|it| model.has(&Type::Text(it.0))).map(|it| it.1);
    let types = model.order.iter().map(|it| model.types[*it].name.as_str());
    let names: BTreeSet<&str> = formats.chain(types).collect();
    names.into_iter().collect()
}

/// The text of `types.py`.
pub(super) fn types(model: &Model) -> String {
    let body = body(model);
    let mut out = Writer::new("    ");
    out.line(&header(model));
    out.line(&format!("\"\"\"Types of the service `{}`, as JSON has them.\"\"\"", model.service));
    out.gap();
    let words: BTreeSet<&str> = body.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let known = ["Any", "Literal", "Never", "NotRequired", "TypeAlias", "TypedDict", "final"];
    let used: Vec<&str> = known.into_iter().filter(|it| words.contains(it)).collect();
    if !used.is_empty() {
        out.line(&format!("from typing import {}", used.join(", ")));
        out.gap();
    }
    if words.contains("_types") {
        out.line("from . import types as _types");
        out.gap();
    }
    out.block("__all__ = [", |out| names(model).iter().for_each(|it| out.line(&format!("\"{it}\","))));
    out.line("]");
    out.finish() + &body
}

fn body(model: &Model) -> String {
    let mut out = Writer::new("    ");
    for (format, name, text) in FORMATS {
        if model.has(&Type::Text(format)) {
            out.gap();
            out.line(&format!("{name}: TypeAlias = str"));
            docstring(&mut out, &Doc::of(text), &[]);
        }
    }
    let own: BTreeSet<&str> = names(model).into_iter().collect();
    let printer = Printer { model, scope: "", typing: "" };
    let mut after_class = false;
    for place in &model.order {
        let named = &model.types[*place];
        out.gap();
        if !matches!(named.shape, Shape::Alias(_)) || after_class {
            out.gap();
        }
        after_class = !matches!(named.shape, Shape::Alias(_));
        match &named.shape {
            Shape::Alias(ty) => alias(&mut out, printer, named, ty),
            Shape::Object(object) if is_class(object) => {
                // A field that is named as a type hides it in its class.
                let hides = object.fields.iter().any(|it| own.contains(it.name.as_str()));
                let scope = if hides { "_types." } else { "" };
                class(&mut out, Printer { scope, ..printer }, named, object);
            }
            Shape::Object(object) => dictionary(&mut out, printer, named, object),
        }
    }
    out.finish()
}

/// Whether every field of an object can be a field of a class.
fn is_class(object: &Object) -> bool {
    let words = || super::RESERVED[0].iter().chain(BUILTINS).chain(KEYWORDS);
    object.fields.iter().all(|it| {
        is_identifier(&it.name) && !it.name.starts_with("__") && !words().any(|word| *word == it.name)
    })
}

fn alias(out: &mut Writer, printer: Printer<'_>, named: &Named, ty: &Type) {
    out.line(&format!("{}: TypeAlias = {}", named.name, printer.later(ty)));
    let mut more = Vec::new();
    if let Type::Union(variants) = ty {
        for variant in variants.iter().filter(|it| !matches!(it.ty, Type::Named(_))) {
            let mut lines = variant.doc.lines().into_iter();
            if let Some(first) = lines.next() {
                let shown = match &variant.ty {
                    Type::Literal(literal) => value(literal),
                    other => printer.ty(other),
                };
                more.push(format!("- `{shown}`: {first}"));
                more.extend(lines.map(|it| format!("  {it}").trim_end().to_owned()));
            }
        }
    }
    docstring(out, &named.doc, &more);
}

/// As a class, where every field can be one of its names.
fn class(out: &mut Writer, printer: Printer<'_>, named: &Named, object: &Object) {
    if object.closed {
        // Then type checkers tell unions of such objects apart by their fields.
        out.line("@final");
    }
    out.block(&format!("class {}(TypedDict):", named.name), |out| {
        let more = others(printer, object);
        docstring(out, &named.doc, &more);
        let mut gap = named.doc != Doc::default() || !more.is_empty();
        for field in &object.fields {
            if gap {
                out.gap();
            }
            out.line(&format!("{}: {}", field.name, printer.field(field)));
            docstring(out, &field.doc, &[]);
            gap = field.doc != Doc::default();
        }
    });
}

/// As a call, which takes every name.
fn dictionary(out: &mut Writer, printer: Printer<'_>, named: &Named, object: &Object) {
    out.block(&format!("{} = TypedDict(", named.name), |out| {
        out.line(&format!("{},", quoted(&named.name)));
        out.block("{", |out| {
            for field in &object.fields {
                field.doc.lines().iter().for_each(|it| out.line(format!("# {it}").trim_end()));
                out.line(&format!("{}: {},", quoted(&field.name), printer.field(field)));
            }
        });
        out.line("},");
    });
    out.line(")");
    docstring(out, &named.doc, &others(printer, object));
}

/// What is said of members that have no field: `TypedDict` has no type for them.
fn others(printer: Printer<'_>, object: &Object) -> Vec<String> {
    object.rest.iter().map(|it| format!("Other members are `{}`.", printer.ty(it))).collect()
}

/// Prints types as they are called from one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer<'a> {
    pub(super) model: &'a Model,
    /// What stands before the names of types: `_types.`.
    pub(super) scope: &'static str,
    /// What stands before the names of `typing`: `_t.`.
    pub(super) typing: &'static str,
}

impl Printer<'_> {
    /// The type, as a text when a name in it may come later in the file.
    fn later(self, ty: &Type) -> String {
        let mut later = false;
        ty.walk(&mut |it| {
            later |= matches!(it, Type::Named(_)) || (!self.scope.is_empty() && matches!(it, Type::Text(_)))
        });
        let text = self.ty(ty);
        if later { quoted(&text) } else { text }
    }

    fn field(self, field: &Field) -> String {
        let text = self.later(&field.ty);
        if field.required { text } else { format!("NotRequired[{text}]") }
    }

    /// The type as it is written.
    pub(super) fn ty(self, ty: &Type) -> String {
        match ty {
            Type::Any => format!("{}Any", self.typing),
            Type::Boolean => "bool".to_owned(),
            Type::Integer => "int".to_owned(),
            Type::List(item) => format!("list[{}]", self.ty(item)),
            Type::Literal(literal) => format!("{}Literal[{}]", self.typing, value(literal)),
            Type::Map(entry) => format!("dict[str, {}]", self.ty(entry)),
            Type::Named(place) => format!("{}{}", self.scope, self.model.types[*place].name),
            Type::Never => format!("{}Never", self.typing),
            Type::Null => "None".to_owned(),
            Type::Number => "float".to_owned(),
            Type::Text(format) => match FORMATS.iter().find(|it| it.0 == *format) {
                Some((_, name, _)) => format!("{}{name}", self.scope),
                None => "str".to_owned(),
            },
            // `json` reads lists, never tuples.
            Type::Tuple(items, rest) => {
                let mut types: Vec<String> = Vec::new();
                for item in items.iter().chain(rest.as_deref()) {
                    let text = self.ty(item);
                    if !types.contains(&text) {
                        types.push(text);
                    }
                }
                format!("list[{}]", types.join(" | "))
            }
            Type::Union(variants) => {
                let mut literals: Vec<String> = Vec::new();
                let mut others: Vec<String> = Vec::new();
                for variant in variants {
                    match &variant.ty {
                        Type::Literal(literal) => literals.push(value(literal)),
                        other => others.push(self.ty(other)),
                    }
                }
                if !literals.is_empty() {
                    others.insert(0, format!("{}Literal[{}]", self.typing, literals.join(", ")));
                }
                // Unusual in front, usual at the end: `X | None`.
                others.sort_by_key(|it| it == "None");
                others.join(" | ")
            }
        }
    }
}

fn value(literal: &Literal) -> String {
    match literal {
        Literal::Boolean(true) => "True".to_owned(),
        Literal::Boolean(false) => "False".to_owned(),
        Literal::Integer(it) => it.to_string(),
        Literal::Text(it) => quoted(it),
    }
}
