//! `client.py`, a class that blocks and one that does not, and `__init__.py`.

use super::types::{Printer, names};
use super::{BUILTINS, KEYWORDS, docstring, header, quoted};
use crate::docs::Doc;
use crate::model::{Command, Model, Type};
use crate::names::{Taken, pascal, snake};
use crate::sending::callers;
use crate::writer::Writer;

/// Whether a client blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Async,
    Blocking,
}

/// The text of `client.py`.
pub(super) fn client(model: &Model) -> String {
    let mut out = Writer::new("    ");
    out.line(&header(model));
    out.line(&format!("\"\"\"Clients of the service `{}`.\"\"\"", model.service));
    out.gap();
    out.line("from __future__ import annotations");
    out.gap();
    // Names with a line before them, because methods may have any other.
    out.line("import typing as _t");
    out.line("from collections.abc import Callable as _Callable");
    out.gap();
    out.line("import httpx as _httpx");
    out.gap();
    out.line("from . import _runtime");
    out.line("from . import types as _types");
    out.gap();
    out.block("__all__ = [", |out| exports(model).iter().for_each(|it| out.line(&format!("\"{it}\","))));
    out.line("]");
    let printer = Printer { model, scope: "_types.", typing: "_t." };
    for command in model.commands.iter().filter(|it| it.error.is_some()) {
        let Some(error) = &command.error else { continue };
        out.gap();
        out.gap();
        out.block(&format!("class {}Failed(_runtime.CommandError):", pascal(&command.name)), |out| {
            let doc = Doc::of(&format!("`{}` answered an error that it declares.", command.name));
            docstring(out, &doc, &[]);
            out.gap();
            out.line(&format!("data: {}", printer.ty(error)));
        });
    }
    for mode in [Mode::Blocking, Mode::Async] {
        out.gap();
        out.gap();
        class(&mut out, printer, mode);
    }
    out.finish()
}

fn exports(model: &Model) -> Vec<String> {
    let mut names = vec![format!("{}Client", model.title), format!("Async{}Client", model.title)];
    let failing = model.commands.iter().filter(|it| it.error.is_some());
    names.extend(failing.map(|it| format!("{}Failed", pascal(&it.name))));
    names.sort();
    names
}

fn class(out: &mut Writer, printer: Printer<'_>, mode: Mode) {
    let model = printer.model;
    let (prefix, word, service, http) = match mode {
        Mode::Async => ("Async", "async ", "AsyncService", "AsyncClient"),
        Mode::Blocking => ("", "", "Service", "Client"),
    };
    let name = format!("{prefix}{}Client", model.title);
    out.block(&format!("class {name}:"), |out| {
        let doc = format!(
            "Calls the commands of the service `{}`. Every call raises an `EventualError` when it fails.",
            model.service
        );
        docstring(out, &Doc::of(&doc), &[]);
        out.gap();
        constructor(out, service, http);
        out.gap();
        let (enter, exit) = if mode == Mode::Async { ("aenter", "aexit") } else { ("enter", "exit") };
        out.block(&format!("{word}def __{enter}__(self) -> _t.Self:"), |out| out.line("return self"));
        out.gap();
        out.block(&format!("{word}def __{exit}__(self, *_: object) -> None:"), |out| {
            out.line(if mode == Mode::Async { "await self.close()" } else { "self.close()" });
        });
        out.gap();
        out.block(&format!("{word}def close(self) -> None:"), |out| {
            docstring(out, &Doc::of("Closes the connections that the client opened."), &[]);
            let wait = if mode == Mode::Async { "await " } else { "" };
            out.line(&format!("{wait}self._service.close()"));
        });
        let mut methods = Taken::new(KEYWORDS.iter().chain(BUILTINS).copied().chain(["close"]));
        for command in &model.commands {
            out.gap();
            let name = snake(&command.name);
            let name = if methods.has(&name) { format!("{name}_") } else { name };
            method(out, printer, mode, command, &methods.take(&name, "_"));
        }
    });
}

fn constructor(out: &mut Writer, service: &str, http: &str) {
    out.block("def __init__(", |out| {
        out.line("self,");
        out.line("url: str,");
        out.line("*,");
        out.line("headers: _runtime.Headers | _Callable[[], _runtime.Headers] | None = None,");
        out.line("auth: _httpx.Auth | None = None,");
        out.line("timeout: float = 30.0,");
        out.line("retries: _runtime.Retries = _runtime.Retries(),");
        out.line(&format!("http: _httpx.{http} | None = None,"));
    });
    out.block(") -> None:", |out| {
        let arguments = [
            "Args:",
            "    url: Where the service is: the `url` of its deployment, or `http://localhost:3000`.",
            "    headers: Headers of every request, or what makes them, such as a bearer token's.",
            "    auth: Signs requests, such as `SigV4Auth` for commands with `auth = iam`.",
            "    timeout: Seconds for a call, all of its attempts included.",
            "    retries: When a call is attempted again.",
            "    http: The connections to use; the client does not close them.",
        ];
        docstring(out, &Doc::of("Opens no connection yet."), &arguments.map(str::to_owned));
        out.line("options = _runtime.ClientOptions(url, headers, auth, timeout, retries)");
        out.line(&format!("self._service = _runtime.{service}(options, http)"));
    });
}

fn method(out: &mut Writer, printer: Printer<'_>, mode: Mode, command: &Command, name: &str) {
    let (word, wait) = if mode == Mode::Async { ("async ", "await ") } else { ("", "") };
    // What never answers is of no use to somebody who waits for it.
    let output = if command.output == Type::Never { &Type::Any } else { &command.output };
    let output = printer.ty(output);
    out.block(&format!("{word}def {name}("), |out| {
        out.line("self,");
        if let Some(input) = &command.input {
            out.line(&format!("input: {},", printer.ty(input)));
        }
        out.line("*,");
        out.line("timeout: float | None = None,");
        out.line("headers: _runtime.Headers | None = None,");
        out.line("idempotent: bool | None = None,");
        out.line("retries: _runtime.Retries | None = None,");
    });
    out.block(&format!(") -> {output}:"), |out| {
        docstring(out, &command.doc, &notes(command));
        let input = if command.input.is_some() { "input" } else { "_runtime.NOTHING" };
        let sending = command.sending.as_ref().map(|it| {
            let (method, path, rest) = (quoted(it.method), quoted(&it.path), quoted(it.rest.word()));
            format!("_runtime.Sending({method}, {path}, {rest})")
        });
        out.block(&format!("output: {output} = {wait}self._service.call("), |out| {
            out.line(&format!("{},", quoted(&command.name)));
            out.line(&format!("{input},"));
            out.line("_runtime.CallOptions(timeout, headers, idempotent, retries),");
            if let Some(sending) = sending {
                out.line(&format!("sending={sending},"));
            }
            if command.error.is_some() {
                out.line(&format!("failing={}Failed,", pascal(&command.name)));
            }
        });
        out.line(")");
        out.line("return output");
    });
}

fn notes(command: &Command) -> Vec<String> {
    let mut more = Vec::new();
    let route = command.sending.as_ref().map(|it| format!("Sent as `{} {}`.", it.method, it.path));
    more.push(route.unwrap_or_else(|| format!("Sent as `POST /rpc/{}`.", command.name)));
    more.extend(callers(command.auth.as_ref()));
    if command.error.is_some() {
        more.extend([String::new(), "Raises:".to_owned()]);
        more.push(format!("    {}Failed: With the error that it answers.", pascal(&command.name)));
    }
    more
}

/// The text of `__init__.py`.
pub(super) fn index(model: &Model) -> String {
    let mut out = Writer::new("    ");
    let runtime = [
        "CommandError",
        "CrashedError",
        "EventualError",
        "InvalidInputError",
        "InvalidInputProblem",
        "RefusedError",
        "Retries",
        "UnavailableError",
    ];
    let system = [
        "AsyncExecution",
        "Execution",
        "ExecutionError",
        "OperationRefused",
        "Place",
        "Progress",
        "lambda_system",
        "local_system",
    ];
    let owned = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<String>>();
    let mut modules = vec![
        ("_runtime", owned(&runtime)),
        ("_sigv4", owned(&["AwsCredentials", "SigV4Auth"])),
        ("client", exports(model)),
        ("executions", super::executions::exports(model)),
        ("types", owned(&names(model))),
    ];
    if !model.workflows.is_empty() {
        modules.insert(2, ("_system", owned(&system)));
    }
    out.line(&header(model));
    out.line(&format!("\"\"\"Client of the service `{}`.\"\"\"", model.service));
    out.gap();
    for (module, names) in modules.iter().filter(|it| !it.1.is_empty()) {
        out.block(&format!("from .{module} import ("), |out| {
            names.iter().for_each(|it| out.line(&format!("{it},")))
        });
        out.line(")");
    }
    out.gap();
    let mut all: Vec<String> = modules.into_iter().flat_map(|it| it.1).collect();
    all.sort_unstable();
    out.block("__all__ = [", |out| all.iter().for_each(|it| out.line(&format!("\"{it}\","))));
    out.line("]");
    out.finish()
}
