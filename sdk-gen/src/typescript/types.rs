//! `types.ts`: the service's types.

use super::{comment, header, quoted};
use crate::docs::Doc;
use crate::model::{Format, Literal, Model, Object, Shape, Type};
use crate::names::is_identifier;
use crate::writer::Writer;

/// The text of `types.ts`.
pub(super) fn types(model: &Model) -> String {
    let mut out = Writer::new("  ");
    out.line(&header(model));
    out.line("//");
    out.line("// Whole numbers of more than 53 bits are not exact in JavaScript, here as everywhere.");
    let printer = Printer { model, scope: "" };
    let formats = [
        (Format::Bytes, "Bytes", "Bytes, as base64."),
        (Format::Date, "Day", "A day: `2026-11-21`."),
        (Format::DateTime, "DateTime", "A moment, by RFC 3339: `2026-11-21T15:50:00Z`."),
        (Format::Uuid, "Uuid", "A UUID: `67e55044-10b1-426f-9247-bb680e5fe0c8`."),
    ];
    let mut body = Writer::new("  ");
    for place in &model.order {
        body.gap();
        let named = &model.types[*place];
        comment(&mut body, &named.doc, &[]);
        match &named.shape {
            Shape::Alias(Type::Union(variants)) => {
                body.block(&format!("export type {} =", named.name), |body| {
                    for (index, variant) in variants.iter().enumerate() {
                        if !matches!(variant.ty, Type::Named(_)) {
                            comment(body, &variant.doc, &[]);
                        }
                        let end = if index + 1 == variants.len() { ";" } else { "" };
                        body.line(&format!("| {}{end}", printer.ty(&variant.ty)));
                    }
                });
            }
            Shape::Alias(ty) => body.line(&format!("export type {} = {};", named.name, printer.ty(ty))),
            Shape::Object(object) => {
                body.block(&format!("export interface {} {{", named.name), |body| {
                    printer.fields(body, object)
                });
                body.line("}");
            }
        }
    }
    for (format, name, text) in formats {
        if model.has(&Type::Text(format)) {
            out.gap();
            comment(&mut out, &Doc::of(text), &[]);
            out.line(&format!("export type {name} = string;"));
        }
    }
    out.finish() + &body.finish()
}

/// Prints types as they are called from one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer<'a> {
    pub(super) model: &'a Model,
    /// What stands before the names of types: `types.`.
    pub(super) scope: &'static str,
}

impl Printer<'_> {
    fn fields(self, out: &mut Writer, object: &Object) {
        for field in &object.fields {
            comment(out, &field.doc, &[]);
            let name = if is_identifier(&field.name) { field.name.clone() } else { quoted(&field.name) };
            let mark = if field.required { "" } else { "?" };
            out.line(&format!("{name}{mark}: {};", self.ty(&field.ty)));
        }
        if let Some(rest) = &object.rest {
            // All members must be of the type of the others, so that is the type of all.
            let mut types: Vec<String> = vec![self.ty(rest)];
            for field in &object.fields {
                types.push(self.ty(&field.ty));
            }
            if object.fields.iter().any(|it| !it.required) {
                types.push("undefined".to_owned());
            }
            let mut distinct: Vec<String> = Vec::new();
            types.into_iter().for_each(|it| {
                if !distinct.contains(&it) {
                    distinct.push(it);
                }
            });
            comment(out, &Doc::of(&format!("Others are `{}`.", distinct[0])), &[]);
            out.line(&format!("[name: string]: {};", distinct.join(" | ")));
        }
    }

    /// The type as it is written.
    pub(super) fn ty(self, ty: &Type) -> String {
        match ty {
            Type::Any => "unknown".to_owned(),
            Type::Boolean => "boolean".to_owned(),
            Type::Integer | Type::Number => "number".to_owned(),
            Type::List(item) => format!("{}[]", self.grouped(item)),
            Type::Literal(Literal::Boolean(it)) => it.to_string(),
            Type::Literal(Literal::Integer(it)) => it.to_string(),
            Type::Literal(Literal::Text(it)) => quoted(it),
            Type::Map(value) => format!("{{ [name: string]: {} }}", self.ty(value)),
            Type::Named(place) => format!("{}{}", self.scope, self.model.types[*place].name),
            Type::Never => "never".to_owned(),
            Type::Null => "null".to_owned(),
            Type::Text(format) => match format {
                Format::Bytes => format!("{}Bytes", self.scope),
                Format::Date => format!("{}Day", self.scope),
                Format::DateTime => format!("{}DateTime", self.scope),
                Format::Plain => "string".to_owned(),
                Format::Uuid => format!("{}Uuid", self.scope),
            },
            Type::Tuple(items, rest) => {
                let mut items: Vec<String> = items.iter().map(|it| self.ty(it)).collect();
                items.extend(rest.as_ref().map(|it| format!("...{}[]", self.grouped(it))));
                format!("[{}]", items.join(", "))
            }
            Type::Union(variants) => {
                let variants: Vec<String> = variants.iter().map(|it| self.ty(&it.ty)).collect();
                variants.join(" | ")
            }
        }
    }

    fn grouped(self, ty: &Type) -> String {
        let text = self.ty(ty);
        if matches!(ty, Type::Union(_)) { format!("({text})") } else { text }
    }
}
