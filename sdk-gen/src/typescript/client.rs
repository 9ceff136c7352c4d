//! `client.ts`, a class with a method for each command, and `index.ts`.

use super::types::Printer;
use super::{comment, header, quoted};
use crate::docs::Doc;
use crate::model::{Command, Model};
use crate::names::{Taken, pascal};
use crate::writer::Writer;

/// Methods that objects have, or that mean something to the language.
pub(super) const METHODS: &[&str] = &[
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "then",
    "toJSON",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// The text of `client.ts`.
pub(super) fn client(model: &Model) -> String {
    let mut out = Writer::new("  ");
    let printer = Printer { model, scope: "types." };
    out.line(&header(model));
    out.gap();
    let failing = model.commands.iter().any(|it| it.error.is_some());
    let value = if failing { "CommandError, Service" } else { "Service" };
    let options = if model.commands.is_empty() { "" } else { "type CallOptions, " };
    out.line(&format!("import {{ {options}type ClientOptions, {value} }} from \"./runtime.js\";"));
    if uses_types(model) {
        out.line("import type * as types from \"./types.js\";");
    }
    out.gap();
    let doc = format!(
        "Calls the commands of the service `{}`. Every call rejects with an `EventualError`.",
        model.service
    );
    comment(&mut out, &Doc::of(&doc), &[]);
    out.block(&format!("export class {}Client {{", model.title), |out| {
        out.line("readonly #service: Service;");
        out.gap();
        out.block("constructor(options: ClientOptions) {", |out| {
            out.line("this.#service = new Service(options);")
        });
        out.line("}");
        let mut methods = Taken::new(METHODS.iter().copied());
        for command in &model.commands {
            out.gap();
            let name =
                if methods.has(&command.name) { format!("{}_", command.name) } else { command.name.clone() };
            method(out, printer, command, &methods.take(&name, "_"));
        }
    });
    out.line("}");
    for command in &model.commands {
        if let Some(error) = &command.error {
            out.gap();
            let doc = Doc::of(&format!("`{}` answered an error that it declares.", command.name));
            failed(&mut out, &command.name, &doc, &printer.ty(error));
        }
    }
    out.finish()
}

fn uses_types(model: &Model) -> bool {
    let mut found = false;
    let named = |ty: &crate::model::Type| {
        use crate::model::{Format, Type};
        matches!(ty, Type::Named(_)) || matches!(ty, Type::Text(it) if *it != Format::Plain)
    };
    for command in &model.commands {
        for ty in command.input.iter().chain([&command.output]).chain(&command.error) {
            ty.walk(&mut |it| found |= named(it));
        }
    }
    found
}

fn method(out: &mut Writer, printer: Printer<'_>, command: &Command, name: &str) {
    let mut more = Vec::new();
    let route = command.sending.as_ref().map(|it| format!("Sent as `{} {}`.", it.method, it.path));
    more.push(route.unwrap_or_else(|| format!("Sent as `POST /rpc/{}`.", command.name)));
    more.extend(crate::sending::callers(command.auth.as_ref()));
    if command.error.is_some() {
        more.push(String::new());
        more.push(format!(
            "@throws {{@link {}Failed}} with the error that it answers.",
            pascal(&command.name)
        ));
    }
    comment(out, &command.doc, &more);
    let output = printer.ty(&command.output);
    let input = command.input.as_ref().map(|it| format!("input: {}, ", printer.ty(it))).unwrap_or_default();
    let first = format!("{name}({input}options?: CallOptions): Promise<{output}> {{");
    let mut arguments = vec![quoted(&command.name)];
    arguments.push(if command.input.is_some() { "input" } else { "undefined" }.to_owned());
    arguments.push("options".to_owned());
    let sending = command.sending.as_ref().map(|it| {
        let (method, path, rest) = (quoted(it.method), quoted(&it.path), quoted(it.rest.word()));
        format!("{{ method: {method}, path: {path}, rest: {rest} }}")
    });
    if sending.is_some() || command.error.is_some() {
        arguments.push(sending.unwrap_or_else(|| "undefined".to_owned()));
    }
    if command.error.is_some() {
        arguments.push(format!("{}Failed", pascal(&command.name)));
    }
    out.block(&first, |out| {
        out.block("return this.#service.call(", |out| {
            arguments.iter().for_each(|it| out.line(&format!("{it},")));
        });
        out.line(");");
    });
    out.line("}");
}

/// The class of an error that a command declares.
fn failed(out: &mut Writer, name: &str, doc: &Doc, data: &str) {
    let class = format!("{}Failed", pascal(name));
    comment(out, doc, &[]);
    out.block(&format!("export class {class} extends CommandError {{"), |out| {
        out.line(&format!("override readonly name = \"{class}\";"));
        out.line(&format!("declare readonly data: {data};"));
    });
    out.line("}");
}

/// The text of `index.ts`.
pub(super) fn index(model: &Model) -> String {
    let mut out = Writer::new("  ");
    out.line(&header(model));
    out.gap();
    out.line("export * from \"./client.js\";");
    out.line("export {");
    for name in [
        "type CallOptions",
        "type ClientOptions",
        "CommandError",
        "CrashedError",
        "EventualError",
        "type Failure",
        "InvalidInputError",
        "type InvalidInputProblem",
        "type OutgoingRequest",
        "RefusedError",
        "type RequestHeaders",
        "type Retries",
        "type Signer",
        "UnavailableError",
    ] {
        out.line(&format!("  {name},"));
    }
    out.line("} from \"./runtime.js\";");
    out.line("export { type AwsCredentials, sigV4, type SigV4Options } from \"./sigv4.js\";");
    if !model.workflows.is_empty() {
        out.line("export * from \"./executions.js\";");
        let names = "Execution, ExecutionError, type ExecutionSummary, type LambdaSystemOptions, lambdaSystem, localSystem, \
                     OperationRefused, type System, type SystemRequest, Workflow";
        out.line(&format!("export {{ {names} }} from \"./system.js\";"));
    }
    if !model.types.is_empty() {
        out.line("export type * from \"./types.js\";");
    }
    out.finish()
}
