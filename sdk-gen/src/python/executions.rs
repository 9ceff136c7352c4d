//! `executions.py`: classes with the workflows of the service, one that blocks and one that does not.

use super::types::Printer;
use super::{BUILTINS, KEYWORDS, docstring, header, quoted};
use crate::docs::Doc;
use crate::model::{Model, Type, Workflow};
use crate::names::{Taken, pascal, snake};
use crate::writer::Writer;

/// The names that `executions.py` exports.
pub(super) fn exports(model: &Model) -> Vec<String> {
    if model.workflows.is_empty() {
        return Vec::new();
    }
    let mut names = Vec::new();
    for word in ["Execution", "Executions"] {
        names.extend([format!("{}{word}", model.title), format!("Async{}{word}", model.title)]);
    }
    let failing = model.workflows.iter().filter(|it| it.error.is_some());
    names.extend(failing.map(|it| format!("{}ExecutionFailed", pascal(&it.name))));
    names.sort();
    names
}

/// The text of `executions.py`.
pub(super) fn executions(model: &Model) -> String {
    let mut out = Writer::new("    ");
    out.line(&header(model));
    out.line(&format!("\"\"\"Executions of the service `{}`.\"\"\"", model.service));
    out.gap();
    out.line("from __future__ import annotations");
    out.gap();
    out.line("import typing as _t");
    out.gap();
    out.line("import httpx as _httpx");
    out.gap();
    out.line("from . import _system");
    out.line("from . import types as _types");
    out.gap();
    out.block("__all__ = [", |out| exports(model).iter().for_each(|it| out.line(&format!("\"{it}\","))));
    out.line("]");
    let printer = Printer { model, scope: "_types.", typing: "_t." };
    for workflow in &model.workflows {
        let Some(error) = &workflow.error else { continue };
        out.gap();
        out.gap();
        out.block(
            &format!("class {}ExecutionFailed(_system.ExecutionError):", pascal(&workflow.name)),
            |out| {
                let doc =
                    format!("An execution of `{}` ended with an error that it declares.", workflow.name);
                docstring(out, &Doc::of(&doc), &[]);
                out.gap();
                out.line(&format!("data: {}", printer.ty(error)));
            },
        );
    }
    out.gap();
    out.line("_Output = _t.TypeVar(\"_Output\")");
    for (prefix, word, wait) in [("", "", ""), ("Async", "async ", "await ")] {
        execution(&mut out, printer, (prefix, word, wait));
        executions_of_one(&mut out, printer, prefix, word, wait);
    }
    out.finish()
}

/// One execution, which takes the signals of the service.
fn execution(out: &mut Writer, printer: Printer<'_>, mode: (&str, &str, &str)) {
    let (prefix, word, wait) = mode;
    let model = printer.model;
    out.gap();
    out.gap();
    out.block(
        &format!("class {prefix}{}Execution(_system.{prefix}Execution[_Output]):", model.title),
        |out| {
            docstring(out, &Doc::of(&format!("One execution of the service `{}`.", model.service)), &[]);
            let takes = |name: &str, payload: &str| {
                format!(
                    "{word}def signal(self, signal: _t.Literal[{}], payload: {payload}) -> None:",
                    quoted(name)
                )
            };
            let first = match model.signals.as_slice() {
                [] => return,
                [one] => takes(&one.name, &printer.ty(&one.payload)),
                many => {
                    for signal in many {
                        out.gap();
                        out.line("@_t.overload");
                        out.line(&format!("{} ...", takes(&signal.name, &printer.ty(&signal.payload))));
                    }
                    format!("{word}def signal(self, signal: str, payload: _t.Any) -> None:")
                }
            };
            out.gap();
            out.block(&first, |out| {
                docstring(out, &Doc::of("Sends it a signal."), &[]);
                out.line(&format!(
                    "{wait}self._system.ask(self._request(\"signal\", signal=signal, payload=payload))"
                ));
            });
        },
    );
}

fn executions_of_one(out: &mut Writer, printer: Printer<'_>, prefix: &str, word: &str, wait: &str) {
    let model = printer.model;
    let mut members = Taken::new(KEYWORDS.iter().chain(BUILTINS).copied().chain(["close"]));
    let named: Vec<(String, &Workflow)> = model
        .workflows
        .iter()
        .map(|it| {
            let name = snake(&it.name);
            let name = if members.has(&name) { format!("{name}_") } else { name };
            (members.take(&name, "_"), it)
        })
        .collect();
    for (_, workflow) in &named {
        workflow_class(out, printer, (prefix, word, wait), workflow);
    }
    out.gap();
    out.gap();
    out.block(&format!("class {prefix}{}Executions:", model.title), |out| {
        let doc = format!(
            "Executions of the service `{}`, for whoever may invoke its system function.",
            model.service
        );
        docstring(out, &Doc::of(&doc), &[]);
        out.gap();
        let http = if prefix.is_empty() { "Client" } else { "AsyncClient" };
        out.block(
            &format!(
                "def __init__(self, place: _system.Place, *, http: _httpx.{http} | None = None) -> None:"
            ),
            |out| {
                docstring(
                    out,
                    &Doc::of("Of a deployment by `lambda_system`, of a local host by `local_system`."),
                    &[],
                );
                out.line(&format!("self._system = _system.{prefix}System(place, http)"));
                for (name, workflow) in &named {
                    out.line(&format!("self.{name} = _{prefix}{}(self._system)", pascal(&workflow.name)));
                    docstring(out, &workflow.doc, &[]);
                }
            },
        );
        out.gap();
        out.block(&format!("{word}def close(self) -> None:"), |out| {
            docstring(out, &Doc::of("Closes the connections that were opened."), &[]);
            out.line(&format!("{wait}self._system.close()"));
        });
    });
}

fn workflow_class(out: &mut Writer, printer: Printer<'_>, mode: (&str, &str, &str), workflow: &Workflow) {
    let (prefix, word, wait) = mode;
    let any = Type::Any;
    let output = if workflow.output == Type::Never { &any } else { &workflow.output };
    let class = format!("{prefix}{}Execution", printer.model.title);
    let execution = format!("{class}[{}]", printer.ty(output));
    let failing = workflow.error.as_ref().map(|_| format!(", {}ExecutionFailed", pascal(&workflow.name)));
    let failing = failing.unwrap_or_default();
    let name = quoted(&workflow.name);
    out.gap();
    out.gap();
    out.block(&format!("class _{prefix}{}:", pascal(&workflow.name)), |out| {
        out.block(&format!("def __init__(self, system: _system.{prefix}System) -> None:"), |out| {
            out.line("self._system = system");
        });
        out.gap();
        let input = workflow.input.as_ref().map(|it| format!("input: {}, ", printer.ty(it))).unwrap_or_default();
        out.block(&format!("{word}def start(self, {input}*, name: str | None = None) -> {execution}:"), |out| {
            let doc = "Starts an execution, under a random name when none is given. The same name with the same input again \
                       finds the one that is there.";
            docstring(out, &Doc::of(doc), &[]);
            let input = if workflow.input.is_some() { "input" } else { "None" };
            out.line(&format!("said = {wait}self._system.ask(_system.start_request({name}, {input}, name))"));
            out.line(&format!("return {class}(self._system, said[\"execution\"]{failing})"));
        });
        out.gap();
        out.block(&format!("def execution(self, name: str) -> {execution}:"), |out| {
            docstring(out, &Doc::of("The execution of this name, which need not exist."), &[]);
            out.line(&format!("return {class}(self._system, {name} + \"/\" + name{failing})"));
        });
        out.gap();
        out.block(&format!("{word}def list("), |out| {
            let given = "self, *, status: str | None = None, limit: int | None = None, after: str | None = None";
            out.line(given);
        });
        let page = format!("tuple[_t.List[_system.Progress[{}]], str | None]", printer.ty(output));
        out.block(&format!(") -> {page}:"), |out| {
            docstring(out, &Doc::of("A page of executions, newest first, and where the next page begins."), &[]);
            out.line("request = _system.list_request(status, limit, after)");
            out.line(&format!(
                "return _system.listed({wait}self._system.ask({{**request, \"workflow\": {name}}}))"
            ));
        });
    });
}
