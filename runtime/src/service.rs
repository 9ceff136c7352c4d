//! From what is registered in this binary to a service: its manifest and its handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use eventual_engine::{HandlerEntry, Registry, TaskEntry};
use eventual_schema::manifest::{self, FORMAT};
use eventual_schema::{
    HandlerName, HandlerRef, Manifest, Method, Need, Route, Schedule, ScheduleSpec, ServiceName, Source,
    Times, functions,
};
use serde_json::Value;

use crate::init::InitFn;
use crate::register::{
    Auth, CommandOptions, HandlerOptions, Item, Place, Registration, ScheduleOptions, TaskOptions, Types,
    Use, UseKind,
};
use crate::schemas::Schemas;

/// What `main!` and `service!` were told.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Declaration {
    /// The crates whose items are the service; others that are linked in are its clients and libraries.
    pub crates: &'static [&'static str],
    /// `name = ...`.
    pub name: Option<&'static str>,
    /// `auth = ...`.
    pub auth: Option<Auth>,
    /// `init = ...`.
    pub init: Option<InitFn>,
}

/// A service: what it declares, and its code. Made by [`service!`](crate::service!).
#[derive(Clone, Debug)]
pub struct Service {
    manifest: Manifest,
    registry: Arc<Registry>,
    init: Option<InitFn>,
    /// Handlers that take a `State`.
    stateful: BTreeSet<HandlerRef>,
}

/// Why what is linked into this binary is no service. Says everything at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    problems: Vec<String>,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for ServiceError {}

impl Service {
    /// What the service declares.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its handlers, by name, without their types.
    #[must_use]
    pub const fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Builds the values that its handlers take as `State`; absent when `init` was not given.
    #[must_use]
    pub const fn init(&self) -> Option<InitFn> {
        self.init
    }

    /// Whether one of these handlers takes a `State`.
    #[must_use]
    pub fn needs_state(&self, handlers: &[HandlerRef]) -> bool {
        handlers.iter().any(|it| self.stateful.contains(it))
    }

    /// The handlers that take a `State`, when nothing builds one.
    pub(crate) fn lacks_init(&self) -> Option<String> {
        if self.init.is_some() || self.stateful.is_empty() {
            return None;
        }
        let names: Vec<String> =
            self.stateful.iter().map(|it| format!("{} `{}`", it.kind, it.name)).collect();
        Some(format!(
            "a `State` is taken by {}, and nothing builds it: write `eventual::main!(..., init = path::to::init)`",
            names.join(", ")
        ))
    }

    /// The service of a declaration.
    #[doc(hidden)]
    pub fn of(declaration: &Declaration) -> Result<Self, ServiceError> {
        let crates = declaration.crates;
        let all: Vec<&Registration> = Registration::all().collect();
        let mut own: Vec<&Registration> =
            all.iter().copied().filter(|it| crates.contains(&it.place.krate())).collect();
        if own.is_empty() {
            let message = format!(
                "crate `{}` has no command, task, workflow or subscription: write `#[eventual::command]` above a \
                 function, or name the crate that has them: `eventual::main!(that_crate)`",
                crates.join("`, `")
            );
            return Err(ServiceError { problems: vec![message] });
        }
        // The order in which constructors ran is the linker's; the manifest must not depend on it.
        own.sort_by_key(|it| (it.name, it.place.file, it.place.line));
        let mut builder = Builder::new(declaration, &own);
        for registration in &own {
            builder.add(registration);
        }
        builder.add_borrowed(&all);
        builder.finish(declaration)
    }
}

struct Builder<'a> {
    crates: &'a [&'static str],
    manifest: Manifest,
    registry: Registry,
    stateful: BTreeSet<HandlerRef>,
    schemas: Schemas,
    problems: Vec<String>,
    /// Events and signals that handlers name, wherever they are written.
    named: BTreeSet<(&'static str, &'static str)>,
}

impl<'a> Builder<'a> {
    fn new(declaration: &'a Declaration, own: &[&Registration]) -> Self {
        let mut problems = Vec::new();
        // The first crate that was named is the service; it may have only events, but then another is not first.
        let first = |it: &&&Registration| Some(&it.place.krate()) == declaration.crates.first();
        let place = own.iter().find(first).or(own.first()).map(|it| it.place);
        let package = place.map_or("", |it| it.package);
        let name = declaration.name.map_or_else(|| package.to_lowercase().replace('_', "-"), str::to_owned);
        let fallback = ServiceName::new("service");
        let service = ServiceName::new(name).or_else(|error| {
            problems.push(format!("{error}; choose one: `eventual::main!(..., name = \"...\")`"));
            fallback
        });
        let manifest = Manifest {
            format: FORMAT,
            service: match service {
                Ok(service) => service,
                Err(error) => unreachable!("a literal is a valid name: {error}"),
            },
            version: place.map_or("", |it| it.version).to_owned(),
            code: None,
            functions: Vec::new(),
            commands: Vec::new(),
            tasks: Vec::new(),
            workflows: Vec::new(),
            subscriptions: Vec::new(),
            events: Vec::new(),
            signals: Vec::new(),
            schedules: Vec::new(),
            schemas: BTreeMap::new(),
        };
        Self {
            crates: declaration.crates,
            manifest,
            registry: Registry::default(),
            stateful: BTreeSet::new(),
            schemas: Schemas::default(),
            problems,
            named: BTreeSet::new(),
        }
    }

    fn add(&mut self, it: &Registration) {
        let name = match HandlerName::new(it.name) {
            Ok(name) => name,
            Err(error) => return self.problems.push(format!("{error} (at {})", source(&it.place))),
        };
        match it.item {
            Item::Command { run, types, options } => self.command(it, name, run, types, options),
            Item::Event { payload } => {
                let payload = self.schemas.schema(payload);
                let (summary, source) = (summary(it.place.doc), source(&it.place));
                self.manifest.events.push(manifest::Event { name, summary, payload, source });
            }
            Item::Signal { payload } => {
                let payload = self.schemas.schema(payload);
                let (summary, source) = (summary(it.place.doc), source(&it.place));
                self.manifest.signals.push(manifest::Signal { name, summary, payload, source });
            }
            Item::Subscription { run, event, options } => self.subscription(it, name, run, event, options),
            Item::Task { run, types, options } => self.task(it, name, run, types, options),
            Item::Workflow { run, types, options } => {
                let (input, output, error) = self.types(it, types);
                if let Some(options) = options.schedule {
                    self.schedule(it, &name, options);
                }
                let (summary, source) = (summary(it.place.doc), source(&it.place));
                self.manifest.workflows.push(manifest::Workflow {
                    name,
                    summary,
                    input,
                    output,
                    error,
                    pinned: options.pinned,
                    source,
                });
                self.registry.workflows.insert(it.name.to_owned(), run);
                if options.pinned {
                    self.registry.pinned.insert(it.name.to_owned());
                }
            }
        }
    }

    fn command(
        &mut self,
        it: &Registration,
        name: HandlerName,
        run: eventual_engine::HandlerFn,
        types: Types,
        options: CommandOptions,
    ) {
        let (input, output, error) = self.types(it, types);
        let needs = self.needs(it, &options.handler);
        self.registry.commands.insert(it.name.to_owned(), HandlerEntry { run, needs: needs.clone() });
        let route =
            options.route.map(|(method, path)| Route { method: method_of(method), path: path.to_owned() });
        self.manifest.commands.push(manifest::Command {
            name,
            summary: summary(it.place.doc),
            description: it.place.doc.to_owned(),
            input,
            output,
            error,
            route,
            auth: options.auth.map(auth_of),
            needs,
            timeout_s: options.handler.timeout_ms.map(seconds),
            memory_mb: options.handler.memory_mb,
            source: source(&it.place),
        });
    }

    fn task(
        &mut self,
        it: &Registration,
        name: HandlerName,
        run: eventual_engine::HandlerFn,
        types: Types,
        options: TaskOptions,
    ) {
        let (input, output, error) = self.types(it, types);
        let mut needs = self.needs(it, &options.handler);
        if options.heartbeat_ms.is_some() || options.completion {
            needs.insert(Need::Task(name.clone()));
        }
        let (inline, timeout_ms) = (options.inline, options.timeout_ms());
        let entry =
            TaskEntry { run, inline, needs: needs.clone(), timeout_ms, takes_token: options.completion };
        self.registry.tasks.insert(it.name.to_owned(), entry);
        self.manifest.tasks.push(manifest::Task {
            name,
            summary: summary(it.place.doc),
            input,
            output,
            error,
            inline: options.inline,
            needs,
            timeout_s: options.handler.timeout_ms.map(seconds),
            memory_mb: options.handler.memory_mb,
            source: source(&it.place),
        });
    }

    fn schedule(&mut self, it: &Registration, workflow: &HandlerName, options: ScheduleOptions) {
        let cron = options.cron.map(|it| Times::Cron(it.to_owned()));
        let every = options.every_ms.map(|every_ms| Times::Every { every_ms, offset_ms: 0 });
        let input = match serde_json::from_str(options.input.unwrap_or("null")) {
            Ok(input) => input,
            Err(error) => {
                let at = source(&it.place);
                return self.problems.push(format!("the input of the schedule at {at} is no JSON: {error}"));
            }
        };
        let spec = ScheduleSpec::new(workflow.clone(), input, cron.into_iter().chain(every).collect());
        let spec = ScheduleSpec {
            time_zone: options.time_zone.map_or(spec.time_zone, str::to_owned),
            jitter_ms: options.jitter_ms.unwrap_or_default(),
            catch_up_ms: options.catch_up_ms.unwrap_or(spec.catch_up_ms),
            overlap: options.overlap,
            paused: options.paused,
            ..spec
        };
        let name = options.name.unwrap_or(it.name).to_owned();
        let schedule = Schedule { name, spec, source: source(&it.place) };
        if let Err(problem) = eventual_engine::schedule::check(&schedule) {
            self.problems.push(format!("the schedule at {}: {problem}", schedule.source));
        }
        self.manifest.schedules.push(schedule);
    }

    fn subscription(
        &mut self,
        it: &Registration,
        name: HandlerName,
        run: eventual_engine::HandlerFn,
        event: &'static str,
        options: HandlerOptions,
    ) {
        let event_name = match HandlerName::new(event) {
            Ok(event) => event,
            Err(error) => return self.problems.push(format!("{error} (at {})", source(&it.place))),
        };
        self.named.insert(("event", event));
        let needs = self.needs(it, &options);
        self.registry.subscriptions.insert(it.name.to_owned(), HandlerEntry { run, needs: needs.clone() });
        self.manifest.subscriptions.push(manifest::Subscription {
            name,
            summary: summary(it.place.doc),
            event: event_name,
            needs,
            timeout_s: options.timeout_ms.map(seconds),
            memory_mb: options.memory_mb,
            source: source(&it.place),
        });
    }

    fn types(&mut self, it: &Registration, types: Types) -> (Value, Value, Value) {
        // The macros know a `Result` by its name. Under another one it would be data, and its errors results.
        if (types.output_name)().starts_with("core::result::Result<") {
            self.problems.push(format!(
                "{} `{}` at {} returns a `Result` under another name: write `Result<...>`, or name the alias `Result`",
                it.kind(),
                it.name,
                source(&it.place)
            ));
        }
        let mut schema = |make: Option<_>| make.map_or(Value::Null, |make| self.schemas.schema(make));
        (schema(types.input), schema(Some(types.output)), schema(types.error))
    }

    fn needs(&mut self, it: &Registration, options: &HandlerOptions) -> BTreeSet<Need> {
        if options.state
            && let Ok(name) = HandlerName::new(it.name)
        {
            self.stateful.insert(HandlerRef { kind: it.kind().to_owned(), name });
        }
        options.uses.iter().filter_map(|used| self.need(it, used)).collect()
    }

    fn need(&mut self, it: &Registration, used: &Use) -> Option<Need> {
        let name = HandlerName::new(used.name).ok()?;
        let krate = used.module.split("::").next().unwrap_or_default();
        match used.kind {
            UseKind::Event => {
                self.named.insert(("event", used.name));
                Some(Need::Event(name))
            }
            UseKind::Signal => {
                self.named.insert(("signal", used.name));
                Some(Need::Signal(name))
            }
            UseKind::Task if self.crates.contains(&krate) => Some(Need::Task(name)),
            UseKind::Workflow if self.crates.contains(&krate) => Some(Need::Workflow(name)),
            UseKind::Task | UseKind::Workflow => {
                let what = if used.kind == UseKind::Task { "task" } else { "workflow" };
                self.problems.push(format!(
                    "{} `{}` at {} uses {what} `{name}` of crate `{krate}`, which is not part of this service: name \
                     that crate too, `eventual::main!({}, {krate})`",
                    it.kind(),
                    it.name,
                    source(&it.place),
                    self.crates.join(", ")
                ));
                None
            }
        }
    }

    /// Adds events and signals of other crates that the service's handlers name.
    fn add_borrowed(&mut self, all: &[&Registration]) {
        for it in all {
            if self.named.contains(&(it.kind(), it.name)) && !self.crates.contains(&it.place.krate()) {
                self.add(it);
            }
        }
    }

    fn finish(mut self, declaration: &Declaration) -> Result<Service, ServiceError> {
        let (named, clashes) = self.schemas.finish();
        self.problems.extend(clashes.iter().map(|name| {
            format!(
                "two types of the service are named `{name}` in its schemas: rename one, or write \
                 `#[schemars(rename = \"Other{name}\")]` above it"
            )
        }));
        let mut manifest = self.manifest;
        manifest.schemas = named;
        if let Some(auth) = declaration.auth {
            for command in &mut manifest.commands {
                command.auth.get_or_insert_with(|| auth_of(auth));
            }
        }
        manifest.functions = functions::default_functions(&manifest);
        self.problems.extend(manifest.problems());
        if !self.problems.is_empty() {
            return Err(ServiceError { problems: self.problems });
        }
        let (registry, stateful) = (Arc::new(self.registry), self.stateful);
        Ok(Service { manifest, registry, init: declaration.init, stateful })
    }
}

fn source(place: &Place) -> Source {
    Source { file: place.file.to_owned(), line: place.line }
}

/// The first sentence of a doc comment.
fn summary(doc: &str) -> String {
    let paragraph =
        doc.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}

/// Whole seconds, rounded up: what manifests and clouds count in.
fn seconds(millis: u64) -> u32 {
    u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX)
}

fn method_of(name: &str) -> Method {
    match name {
        "DELETE" => Method::Delete,
        "GET" => Method::Get,
        "PATCH" => Method::Patch,
        "PUT" => Method::Put,
        _ => Method::Post,
    }
}

fn auth_of(auth: Auth) -> manifest::Auth {
    match auth {
        Auth::Iam => manifest::Auth::Iam,
        Auth::None => manifest::Auth::None,
        Auth::Jwt { issuer, audience } => manifest::Auth::Jwt {
            issuer: issuer.to_owned(),
            audience: audience.iter().map(|it| (*it).to_owned()).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_first_sentence() {
        assert_eq!(summary("Places an order. Then waits."), "Places an order.");
        assert_eq!(summary("Places an\norder\n\nMore"), "Places an order");
        assert_eq!(summary("Costs 1.5 units."), "Costs 1.5 units.");
        assert_eq!(summary(""), "");
    }

    #[test]
    fn a_crate_without_items_is_an_error() {
        let declaration = Declaration { crates: &["nothing_here"], name: None, auth: None, init: None };
        let error = Service::of(&declaration).unwrap_err().to_string();
        assert!(error.starts_with("crate `nothing_here` has no command"), "{error}");
    }
}
