//! `outputs.tf`: what the resource answers, and what each handler is in the cloud.

use eventual_provider_core::declaration::{self, Mode};
use eventual_schema::deploy::http::RPC;
use eventual_schema::{Manifest, Method};

use super::hcl::{self, Entry, key, quoted};
use super::header;
use crate::writer::Writer;

/// The text of `outputs.tf`.
pub(super) fn outputs(manifest: &Manifest) -> String {
    let mut out = Writer::new("  ");
    out.line(&header(manifest));
    for attribute in declaration::terraform_service().attributes.iter().filter(|it| it.mode == Mode::Computed)
    {
        let mut entries = vec![
            Entry::line("description", quoted(attribute.description)),
            Entry::line("value", format!("eventual_service.this.{}", attribute.name)),
        ];
        if attribute.sensitive {
            entries.push(Entry::line("sensitive", "true"));
        }
        output(&mut out, attribute.name, &entries);
    }
    let commands = manifest.commands.iter().map(|it| {
        let rpc = (Method::Post, format!("{RPC}{}", it.name));
        let (method, path) = it.route.as_ref().map_or(rpc, |route| (route.method, route.path.clone()));
        let path = quoted(&path);
        let url = format!("\"${{eventual_service.this.url}}{}", path.trim_start_matches('"'));
        let mut entries = function(manifest, "command", it.name.as_str());
        entries.extend([Entry::line("method", quoted(method.as_str())), Entry::line("url", url)]);
        Entry::object(&key(it.name.as_str()), entries)
    });
    let about = "Each command: the ARN of its function, and method and URL of its route; braces stand for path parameters.";
    of_kind(&mut out, "commands", about, commands.collect());
    let remote = manifest.tasks.iter().filter(|it| !it.inline).map(|it| it.name.as_str());
    let tasks = remote.map(|it| Entry::object(&key(it), function(manifest, "task", it)));
    of_kind(&mut out, "tasks", "Each remote task: the ARN of its function.", tasks.collect());
    let subscriptions = manifest.subscriptions.iter().map(|it| it.name.as_str());
    let subscriptions =
        subscriptions.map(|it| Entry::object(&key(it), function(manifest, "subscription", it)));
    of_kind(
        &mut out,
        "subscriptions",
        "Each subscription: the ARN of its function.",
        subscriptions.collect(),
    );
    out.finish()
}

fn of_kind(out: &mut Writer, name: &str, description: &str, handlers: Vec<Entry>) {
    if !handlers.is_empty() {
        output(
            out,
            name,
            &[Entry::line("description", quoted(description)), Entry::object("value", handlers)],
        );
    }
}

fn output(out: &mut Writer, name: &str, entries: &[Entry]) {
    out.gap();
    out.block(&format!("output {} {{", quoted(name)), |out| hcl::entries(out, entries));
    out.line("}");
}

/// The function in which a handler runs.
fn function(manifest: &Manifest, kind: &str, name: &str) -> Vec<Entry> {
    let runs = |it: &&eventual_schema::Function| {
        it.handlers.iter().any(|it| it.kind == kind && it.name.as_str() == name)
    };
    let function = manifest.functions.iter().find(runs);
    let entry = function.map(|it| {
        Entry::line("function_arn", format!("eventual_service.this.functions[{}]", quoted(&it.name)))
    });
    entry.into_iter().collect()
}
