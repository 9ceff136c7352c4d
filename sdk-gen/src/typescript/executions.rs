//! `executions.ts`: a class with the workflows of the service.

use super::client::METHODS;
use super::types::Printer;
use super::{comment, header, quoted};
use crate::docs::Doc;
use crate::model::{Model, Workflow};
use crate::names::{Taken, is_identifier, pascal};
use crate::writer::Writer;

/// The text of `executions.ts`.
pub(super) fn executions(model: &Model) -> String {
    let mut out = Writer::new("  ");
    let printer = Printer { model, scope: "types." };
    out.line(&header(model));
    out.gap();
    let failing = model.workflows.iter().any(|it| it.error.is_some());
    let error = if failing { "ExecutionError, " } else { "" };
    out.line(&format!("import {{ {error}type System, Workflow }} from \"./system.js\";"));
    // Types are there whenever a workflow has one that has a name; an import that is not used is an error.
    let mut body = Writer::new("  ");
    signals(&mut body, printer);
    class(&mut body, printer);
    for workflow in &model.workflows {
        if let Some(error) = &workflow.error {
            body.gap();
            let doc = Doc::of(&format!(
                "An execution of `{}` ended with an error that it declares.",
                workflow.name
            ));
            comment(&mut body, &doc, &[]);
            let class = format!("{}ExecutionFailed", pascal(&workflow.name));
            body.block(&format!("export class {class} extends ExecutionError {{"), |out| {
                out.line(&format!("override readonly name = \"{class}\";"));
                out.line(&format!("declare readonly data: {};", printer.ty(error)));
            });
            body.line("}");
        }
    }
    let body = body.finish();
    if body.contains("types.") {
        out.line("import type * as types from \"./types.js\";");
    }
    out.finish() + &body
}

fn signals(out: &mut Writer, printer: Printer<'_>) {
    out.gap();
    comment(out, &Doc::of("The signals of the service, by name."), &[]);
    out.block(&format!("export interface {}Signals {{", printer.model.title), |out| {
        for signal in &printer.model.signals {
            comment(out, &signal.doc, &[]);
            let name = if is_identifier(&signal.name) { signal.name.clone() } else { quoted(&signal.name) };
            out.line(&format!("{name}: {};", printer.ty(&signal.payload)));
        }
    });
    out.line("}");
}

fn class(out: &mut Writer, printer: Printer<'_>) {
    let model = printer.model;
    out.gap();
    let doc =
        format!("Executions of the service `{}`, for whoever may invoke its system function.", model.service);
    comment(out, &Doc::of(&doc), &[]);
    let mut members = Taken::new(METHODS.iter().copied());
    let named: Vec<(String, &Workflow)> = model
        .workflows
        .iter()
        .map(|it| {
            let name = if members.has(&it.name) { format!("{}_", it.name) } else { it.name.clone() };
            (members.take(&name, "_"), it)
        })
        .collect();
    out.block(&format!("export class {}Executions {{", model.title), |out| {
        for (name, workflow) in &named {
            comment(out, &workflow.doc, &[]);
            let input =
                workflow.input.as_ref().map(|it| format!("input: {}", printer.ty(it))).unwrap_or_default();
            let output = printer.ty(&workflow.output);
            out.line(&format!("readonly {name}: Workflow<[{input}], {output}, {}Signals>;", model.title));
        }
        out.gap();
        comment(out, &Doc::of("Of a deployment by `lambdaSystem`, of a local host by `localSystem`."), &[]);
        out.block("constructor(system: System) {", |out| {
            for (name, workflow) in &named {
                let failed =
                    workflow.error.as_ref().map(|_| format!(", {}ExecutionFailed", pascal(&workflow.name)));
                let failed = failed.unwrap_or_default();
                out.line(&format!("this.{name} = new Workflow(system, {}{failed});", quoted(&workflow.name)));
            }
        });
        out.line("}");
    });
    out.line("}");
}
