//! Settings of each function after all layers: override, code, defaults, built-in.

use std::collections::BTreeMap;

use eventual_schema::nearest::nearest;
use eventual_schema::{Auth, Function, FunctionKind, Need};

use super::Inputs;
use crate::config::{Confidential, FunctionSettings, Setting, Statement, Vpc};
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::resource::Text;

/// Memory of a function that nobody says it for, in MB.
const MEMORY_MB: u32 = 512;
/// Retention of logs that nobody says it for, in days.
const LOG_RETENTION_DAYS: u32 = 30;

/// Settings of one function.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// Memory in MB.
    pub memory_mb: u32,
    /// Longest run in seconds.
    pub timeout_s: u32,
    /// Days that logs are kept.
    pub log_retention_days: u32,
    /// Concurrency set aside.
    pub reserved_concurrency: Option<u32>,
    /// The user's environment variables.
    pub environment: BTreeMap<String, Text>,
    /// Statements that the role gets as well.
    pub policies: Vec<Statement>,
    /// Where in a VPC it runs.
    pub vpc: Option<Vpc>,
    /// What its handlers may touch.
    pub needs: Vec<Need>,
    /// Whether something of the function itself is known later.
    pub function_unknown: bool,
    /// Whether something of its log group is known later.
    pub log_unknown: bool,
    /// Whether something of its role is known later.
    pub role_unknown: bool,
}

const NOTHING: &FunctionSettings = &FunctionSettings {
    memory_mb: Setting::Absent,
    timeout_s: Setting::Absent,
    log_retention_days: Setting::Absent,
    reserved_concurrency: Setting::Absent,
    environment: Setting::Absent,
    policies: Setting::Absent,
    vpc: Setting::Absent,
    auth: Setting::Absent,
};

/// What the user configured for the one, and whether that is known.
fn configured<'a>(
    map: &'a Setting<BTreeMap<String, Setting<FunctionSettings>>>,
    name: &str,
) -> (&'a FunctionSettings, bool) {
    match map {
        Setting::Unknown => (NOTHING, true),
        Setting::Absent => (NOTHING, false),
        Setting::Known(all) => all.get(name).map_or((NOTHING, false), of),
    }
}

fn of(setting: &Setting<FunctionSettings>) -> (&FunctionSettings, bool) {
    (setting.known().unwrap_or(NOTHING), setting.is_unknown())
}

/// What the code declares.
#[derive(Default)]
struct Declared {
    memory_mb: Option<u32>,
    timeout_s: Option<u32>,
    needs: Vec<Need>,
}

fn declared(inputs: &Inputs<'_>, function: &Function) -> Declared {
    let manifest = inputs.manifest;
    let mut declared = Declared::default();
    for handler in &function.handlers {
        let name = handler.name.as_str();
        let (memory_mb, timeout_s, needs) = match handler.kind.as_str() {
            "command" => manifest.command(name).map(|it| (it.memory_mb, it.timeout_s, &it.needs)),
            "task" => manifest.task(name).map(|it| (it.memory_mb, it.timeout_s, &it.needs)),
            "subscription" => manifest.subscription(name).map(|it| (it.memory_mb, it.timeout_s, &it.needs)),
            _ => None,
        }
        .map_or((None, None, Vec::new()), |(memory_mb, timeout_s, needs)| {
            (memory_mb, timeout_s, needs.iter().cloned().collect())
        });
        // Inline tasks share the orchestrator, whose own settings count.
        if function.kind != FunctionKind::Orchestrator {
            declared.memory_mb = declared.memory_mb.max(memory_mb);
            declared.timeout_s = declared.timeout_s.max(timeout_s);
        }
        declared.needs.extend(needs);
    }
    declared
}

const fn built_in_timeout_s(kind: FunctionKind) -> u32 {
    match kind {
        FunctionKind::Command | FunctionKind::Subscription => 10,
        FunctionKind::Orchestrator | FunctionKind::Task | FunctionKind::Timers => 60,
        FunctionKind::Relay | FunctionKind::System => 30,
    }
}

fn layers<'a>(inputs: &Inputs<'a>, function: &Function) -> (&'a FunctionSettings, bool) {
    let handler = function.handlers.first().map_or("", |it| it.name.as_str());
    match function.kind {
        FunctionKind::Command => configured(&inputs.config.commands, handler),
        FunctionKind::Task => configured(&inputs.config.tasks, handler),
        FunctionKind::Subscription => configured(&inputs.config.subscriptions, handler),
        FunctionKind::Orchestrator => of(&inputs.config.orchestrator),
        FunctionKind::Relay | FunctionKind::System | FunctionKind::Timers => (NOTHING, false),
    }
}

/// Settings of a function of the manifest.
pub(super) fn effective(inputs: &Inputs<'_>, function: &Function) -> Effective {
    let (own, own_unknown) = layers(inputs, function);
    let (defaults, defaults_unknown) = of(&inputs.config.defaults);
    let declared = declared(inputs, function);
    let mut unknown = own_unknown || defaults_unknown;
    let mut number = |own: &Setting<u32>, declared: Option<u32>, default: &Setting<u32>, built_in: u32| match (
        own, declared, default,
    ) {
        (Setting::Known(value), ..) | (Setting::Absent, None, Setting::Known(value)) => *value,
        (Setting::Absent, Some(value), _) => value,
        (Setting::Absent, None, Setting::Absent) => built_in,
        (Setting::Unknown, ..) | (_, _, Setting::Unknown) => {
            unknown = true;
            built_in
        }
    };
    let memory_mb = number(&own.memory_mb, declared.memory_mb, &defaults.memory_mb, MEMORY_MB);
    let timeout_s =
        number(&own.timeout_s, declared.timeout_s, &defaults.timeout_s, built_in_timeout_s(function.kind));
    let reserved = own.reserved_concurrency.or(&defaults.reserved_concurrency);
    let vpc = own.vpc.or(&defaults.vpc);
    let retention = own.log_retention_days.or(&defaults.log_retention_days);
    let (environment, environment_unknown) =
        environment([&inputs.config.environment, &defaults.environment, &own.environment]);
    let (policies, policies_unknown) = policies(inputs, function, own);
    Effective {
        memory_mb,
        timeout_s,
        log_retention_days: retention.known().copied().unwrap_or(LOG_RETENTION_DAYS),
        reserved_concurrency: reserved.known().copied(),
        environment,
        policies,
        vpc: vpc.known().cloned(),
        needs: declared.needs,
        function_unknown: unknown || reserved.is_unknown() || vpc.is_unknown() || environment_unknown,
        log_unknown: own_unknown || defaults_unknown || retention.is_unknown(),
        role_unknown: own_unknown || defaults_unknown || policies_unknown || vpc.is_unknown(),
    }
}

/// Variables of all layers; later layers win. `true` when it is not known which variables there are.
fn environment(layers: [&crate::config::Environment; 3]) -> (BTreeMap<String, Text>, bool) {
    let mut variables = BTreeMap::new();
    let mut unknown = false;
    for layer in layers {
        unknown |= layer.is_unknown();
        for (name, value) in layer.known().into_iter().flatten() {
            let text = match value {
                Setting::Known(value) => Text::Secret(Confidential::reveal(value).to_owned()),
                Setting::Unknown => Text::Unknown,
                Setting::Absent => continue,
            };
            variables.insert(name.clone(), text);
        }
    }
    (variables, unknown)
}

fn policies(inputs: &Inputs<'_>, function: &Function, own: &FunctionSettings) -> (Vec<Statement>, bool) {
    let mut lists = vec![&own.policies];
    let mut unknown = false;
    if function.kind == FunctionKind::Orchestrator {
        unknown |= inputs.config.workflows.is_unknown();
        for workflow in inputs.config.workflows.known().into_iter().flat_map(BTreeMap::values) {
            unknown |= workflow.is_unknown();
            lists.extend(workflow.known().map(|it| &it.policies));
        }
    }
    let mut statements = Vec::new();
    for list in lists {
        unknown |= list.is_unknown();
        for statement in list.known().into_iter().flatten() {
            unknown |= statement.is_unknown();
            statements.extend(statement.known().cloned());
        }
    }
    (statements, unknown)
}

/// Who may call a command: what its override says, then its code, then the defaults. `Setting::Absent` when nothing does.
pub(super) fn auth(inputs: &Inputs<'_>, command: &eventual_schema::Command) -> Setting<Auth> {
    let (own, own_unknown) = configured(&inputs.config.commands, command.name.as_str());
    let (defaults, defaults_unknown) = of(&inputs.config.defaults);
    match (&own.auth, &command.auth) {
        (Setting::Known(auth), _) => Setting::Known(auth.clone()),
        (Setting::Unknown, _) => Setting::Unknown,
        (Setting::Absent, _) if own_unknown => Setting::Unknown,
        (Setting::Absent, Some(auth)) => Setting::Known(auth.clone()),
        (Setting::Absent, None) if defaults_unknown => Setting::Unknown,
        (Setting::Absent, None) => defaults.auth.clone(),
    }
}

/// Days that closed executions are kept: the longest that a workflow asks for, so that none is lost early.
pub(super) fn retention_days(inputs: &Inputs<'_>) -> (u32, bool) {
    let mut unknown = inputs.config.workflows.is_unknown();
    let mut days = None;
    for workflow in inputs.config.workflows.known().into_iter().flat_map(BTreeMap::values) {
        unknown |= workflow.is_unknown() || workflow.known().is_some_and(|it| it.retention_days.is_unknown());
        days = days.max(workflow.known().and_then(|it| it.retention_days.known().copied()));
    }
    (days.unwrap_or(30), unknown)
}

/// Names of `attribute` (`commands`, ...) that the service has.
#[must_use]
pub fn names_known<'a>(manifest: &'a eventual_schema::Manifest, attribute: &str) -> Vec<&'a str> {
    match attribute {
        "commands" => manifest.commands.iter().map(|it| it.name.as_str()).collect(),
        "tasks" => manifest.tasks.iter().filter(|it| !it.inline).map(|it| it.name.as_str()).collect(),
        "subscriptions" => manifest.subscriptions.iter().map(|it| it.name.as_str()).collect(),
        _ => manifest.workflows.iter().map(|it| it.name.as_str()).collect(),
    }
}

/// Overrides of what the service has not are errors that name the nearest it has.
pub(super) fn check_names(inputs: &Inputs<'_>) -> Vec<Diagnostic> {
    fn keys<T>(map: &Setting<BTreeMap<String, Setting<T>>>) -> Vec<&str> {
        map.known().into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }
    let config = inputs.config;
    let given = [
        ("commands", "command", keys(&config.commands)),
        ("tasks", "remote task", keys(&config.tasks)),
        ("subscriptions", "subscription", keys(&config.subscriptions)),
        ("workflows", "workflow", keys(&config.workflows)),
    ];
    let mut diagnostics = Vec::new();
    for (attribute, what, names) in given {
        let known = names_known(inputs.manifest, attribute);
        for name in names.into_iter().filter(|name| !known.contains(name)) {
            let path = Path::of(attribute).key(name);
            diagnostics.push(
                Diagnostic::error(format!("Unknown {what}"), unknown(inputs, attribute, what, name, &known))
                    .at(path),
            );
        }
    }
    diagnostics
}

fn unknown(inputs: &Inputs<'_>, attribute: &str, what: &str, name: &str, known: &[&str]) -> String {
    let service = &inputs.manifest.service;
    if attribute == "tasks" && inputs.manifest.task(name).is_some_and(|it| it.inline) {
        return format!(
            "The task {name} is inline: it runs in the orchestrator. Configure `orchestrator` instead, or make the task remote in the code."
        );
    }
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("The service {service} has no {what} {name}. Did you mean {near}?");
    }
    if known.is_empty() {
        return format!("The service {service} has no {what} {name}; it has no {what}s at all.");
    }
    format!("The service {service} has no {what} {name}. It has {}.", known.join(", "))
}
