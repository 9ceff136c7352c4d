//! Each function of the manifest with its role, its log group and its failure destination.

use std::collections::BTreeMap;

use eventual_schema::deploy::env;
use eventual_schema::{Function, FunctionKind};

use super::{Effective, Graph, Inputs, engine, roles, settings, storage};
use crate::config::{Confidential, Setting};
use crate::resource::{
    FunctionSpec, InvokeConfigSpec, KeepsSpec, LogGroupSpec, RoleSpec, Spec, Text, VpcSpec,
};

/// The key of the function that takes turns.
const ORCHESTRATOR: &str = "function/orchestrator";
/// Retries by Lambda of an event that a subscription failed to handle.
const SUBSCRIPTION_RETRIES: u32 = 2;

pub(super) fn add(graph: &mut Graph<'_>) {
    let inputs = graph.inputs;
    for function in &inputs.manifest.functions {
        let effective = settings::effective(inputs, function);
        add_role(graph, function, &effective);
        let log_group = inputs.place.names().log_group(&function.name);
        let arn = inputs.place.log_group_arn(&log_group);
        let spec = Spec::LogGroup(LogGroupSpec { retention_days: effective.log_retention_days });
        graph.add(&format!("log_group/{}", function.name), log_group, Some(arn), spec, &[]).unknown |=
            effective.log_unknown;
        add_function(graph, function, effective);
        add_invoke_config(graph, function);
    }
}

fn add_role(graph: &mut Graph<'_>, function: &Function, effective: &Effective) {
    let place = graph.inputs.place;
    let name = place.names().role(&function.name);
    let spec = RoleSpec {
        trust: roles::trust(place, "lambda.amazonaws.com"),
        policy: roles::function(graph.inputs, function, effective),
    };
    let key = format!("role/{}", function.name);
    graph.add(&key, name.clone(), Some(place.role_arn(&name)), Spec::Role(spec), &[]).unknown |=
        effective.role_unknown;
}

fn add_function(graph: &mut Graph<'_>, function: &Function, effective: Effective) {
    let inputs = graph.inputs;
    let place = inputs.place;
    let (_, retention_unknown) = settings::retention_days(inputs);
    let spec = FunctionSpec {
        role: place.role_arn(&place.names().role(&function.name)),
        code_bucket: place.names().bucket(),
        code_object: storage::object(inputs.sha256),
        code_sha256: inputs.sha256.to_owned(),
        architecture: inputs.manifest.code.as_ref().map_or("x86_64", |code| &code.architecture).to_owned(),
        memory_mb: effective.memory_mb,
        timeout_s: effective.timeout_s,
        environment: environment(graph, function, effective.environment),
        hidden: hidden(inputs),
        hidden_version: hidden_version(inputs),
        reserved_concurrency: effective.reserved_concurrency,
        vpc: effective
            .vpc
            .map(|vpc| VpcSpec { subnet_ids: vpc.subnet_ids, security_group_ids: vpc.security_group_ids }),
        description: format!("{} of {}", function.name, place.service()),
        keeps: keeps(inputs, function),
    };
    let name = place.names().function(&function.name);
    let arn = place.function_arn(&function.name);
    let after = [
        format!("role/{}", function.name),
        format!("log_group/{}", function.name),
        storage::ARTIFACT.to_owned(),
    ];
    let mut after: Vec<&str> = after.iter().map(String::as_str).collect();
    if inputs.has_pinned() && function.kind != FunctionKind::Orchestrator {
        // What it starts is pinned to its code, which an older orchestrator then must find.
        after.push(ORCHESTRATOR);
    }
    let unknown = effective.function_unknown
        || inputs.config.environment_wo_version.is_unknown()
        || (inputs.has_workflows() && retention_unknown);
    graph
        .add(&format!("function/{}", function.name), name, Some(arn), Spec::Function(Box::new(spec)), &after)
        .unknown |= unknown;
}

/// How the orchestrator's versions are kept.
fn keeps(inputs: &Inputs<'_>, function: &Function) -> Option<KeepsSpec> {
    let code = inputs.manifest.code.as_ref()?;
    let kept = inputs.has_pinned() && function.kind == FunctionKind::Orchestrator;
    kept.then(|| KeepsSpec { code: code.sha256.clone(), asks: inputs.place.alias_arn("system") })
}

/// The user's variables that leave no trace. Those that are not known yet are when it matters.
fn hidden(inputs: &Inputs<'_>) -> BTreeMap<String, Confidential> {
    let variables = inputs.config.environment_wo.known().into_iter().flatten();
    variables.filter_map(|(name, value)| Some((name.clone(), value.known()?.clone()))).collect()
}

/// The version of those; that there are any counts as one.
fn hidden_version(inputs: &Inputs<'_>) -> Option<String> {
    let none = inputs.config.environment_wo == Setting::Absent;
    (!none).then(|| inputs.config.environment_wo_version.known().cloned().unwrap_or_default())
}

/// The user's variables, then the contract's, which win.
fn environment(
    graph: &Graph<'_>,
    function: &Function,
    mut variables: BTreeMap<String, Text>,
) -> BTreeMap<String, Text> {
    let inputs = graph.inputs;
    let (place, names) = (inputs.place, inputs.place.names());
    let mut set = |name: &str, value: Text| variables.insert(name.to_owned(), value);
    set(env::SERVICE, place.service().into());
    set(env::FUNCTION, function.name.as_str().into());
    set(env::BUCKET, names.bucket().into());
    if inputs.has_bus() {
        set(env::EVENT_BUS, names.event_bus().into());
    }
    if inputs.has_workflows() {
        set(env::TABLE, names.table().into());
        set(env::WORKFLOW_QUEUE_URL, Text::attribute(engine::WORKFLOWS, "url"));
        set(env::TIMER_QUEUE_URL, Text::attribute(engine::TIMERS, "url"));
        set(env::TIMER_QUEUE_ARN, place.queue_arn(&names.timer_queue()).into());
        set(env::SCHEDULE_GROUP, names.schedule_group().into());
        set(env::SCHEDULER_ROLE_ARN, place.role_arn(&names.scheduler_role()).into());
        set(env::DEAD_LETTER_QUEUE_ARN, place.queue_arn(&names.dead_letter_queue()).into());
        set(env::RETENTION_DAYS, settings::retention_days(inputs).0.to_string().into());
    }
    variables
}

/// Tasks are retried by the engine, not by Lambda, and a lost worker is reported to the timer queue. An event that a
/// subscription cannot handle ends in the dead-letter queue.
fn add_invoke_config(graph: &mut Graph<'_>, function: &Function) {
    let place = graph.inputs.place;
    let (retries, queue, queue_key) = match function.kind {
        FunctionKind::Task => (0, place.names().timer_queue(), engine::TIMERS),
        FunctionKind::Subscription => (SUBSCRIPTION_RETRIES, place.names().dead_letter_queue(), engine::DEAD),
        _ => return,
    };
    let name = place.names().function(&function.name);
    let spec = InvokeConfigSpec { function: name.clone(), retries, on_failure: place.queue_arn(&queue) };
    let key = format!("invoke_config/{}", function.name);
    graph.add(
        &key,
        name,
        None,
        Spec::InvokeConfig(spec),
        &[&format!("function/{}", function.name), queue_key],
    );
}
