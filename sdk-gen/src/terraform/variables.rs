//! `variables.tf`.

use eventual_provider_core::declaration::{self, Attribute, Kind, Mode, Object};
use eventual_schema::Manifest;

use super::hcl::{self, Entry, quoted};
use super::{Handler, KINDS, header};
use crate::writer::Writer;

/// Whether users say it.
pub(super) fn is_input(attribute: &Attribute) -> bool {
    attribute.mode != Mode::Computed
}

/// The text of `variables.tf`.
pub(super) fn variables(manifest: &Manifest, handlers: &[Handler]) -> String {
    let mut out = Writer::new("  ");
    out.line(&header(manifest));
    for attribute in declaration::terraform_service().attributes.iter().filter(|it| is_input(it)) {
        if KINDS.iter().any(|(kind, _)| *kind == attribute.name) {
            let Kind::Map(settings) = &attribute.kind else { continue };
            for handler in handlers.iter().filter(|it| it.kind == attribute.name) {
                let text = format!("Settings of the {} `{}`.", word(handler), handler.name);
                let text = if handler.doc.is_empty() { text } else { format!("{}\n\n{text}", handler.doc) };
                variable(&mut out, &handler.variable, &text, settings, Some("null"), &[]);
            }
            continue;
        }
        let default = match (attribute.name, attribute.mode) {
            // One deployment needs no other name than its service has.
            ("name", _) => Some(quoted(manifest.service.as_str())),
            (_, Mode::Required) => None,
            _ => Some("null".to_owned()),
        };
        // What is kept nowhere must come from nowhere that keeps it.
        let flags = [(attribute.write_only, "ephemeral"), (attribute.sensitive, "sensitive")];
        let flags: Vec<&str> = flags.into_iter().filter(|it| it.0).map(|it| it.1).collect();
        variable(
            &mut out,
            attribute.name,
            attribute.description,
            &attribute.kind,
            default.as_deref(),
            &flags,
        );
    }
    out.finish()
}

fn word(handler: &Handler) -> &'static str {
    KINDS.iter().find(|(kind, _)| *kind == handler.kind).map_or("", |(_, word)| word)
}

fn variable(
    out: &mut Writer,
    name: &str,
    description: &str,
    kind: &Kind,
    default: Option<&str>,
    flags: &[&str],
) {
    let mut entries = vec![Entry::line("description", quoted(description)), typed("type", kind, "", "")];
    match default {
        Some("null") => entries.push(Entry::line("default", "null")),
        Some(value) => entries.extend([Entry::line("default", value), Entry::line("nullable", "false")]),
        None => entries.push(Entry::line("nullable", "false")),
    }
    entries.extend(flags.iter().map(|it| Entry::line(it, "true")));
    out.gap();
    out.block(&format!("variable {} {{", quoted(name)), |out| hcl::entries(out, &entries));
    out.line("}");
}

/// An entry whose value is a type, between what opens and what closes around it.
fn typed(name: &str, kind: &Kind, open: &str, close: &str) -> Entry {
    match kind {
        Kind::String => Entry::line(name, format!("{open}string{close}")),
        Kind::Bool => Entry::line(name, format!("{open}bool{close}")),
        Kind::Number => Entry::line(name, format!("{open}number{close}")),
        Kind::List(inner) => typed(name, inner, &format!("{open}list("), &format!("){close}")),
        Kind::Map(inner) => typed(name, inner, &format!("{open}map("), &format!("){close}")),
        Kind::Object(object) => {
            Entry::block(name, &format!("{open}object({{"), fields(object), &format!("}}){close}"))
        }
    }
}

fn fields(object: &Object) -> Vec<Entry> {
    let inputs = object.attributes.iter().filter(|it| is_input(it));
    let field = |it: &Attribute| match it.mode {
        Mode::Required => typed(it.name, &it.kind, "", ""),
        _ => typed(it.name, &it.kind, "optional(", ")"),
    };
    inputs.map(field).collect()
}
