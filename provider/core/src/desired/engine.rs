//! The workflow engine's resources: table, queues, mappings, schedule group and the role of schedules.

use eventual_schema::FunctionKind;
use eventual_schema::deploy::table;
use eventual_schema::digest::short_hash;
use serde_json::json;

use super::{Graph, roles, settings};
use crate::resource::{DeadLetters, MappingSpec, QueueSpec, RoleSpec, Source, Spec, TableSpec, Text};

pub(super) const TABLE: &str = "table";
pub(super) const WORKFLOWS: &str = "queue/workflows";
pub(super) const WORKFLOWS_DEAD: &str = "queue/workflows-dead";
pub(super) const TIMERS: &str = "queue/timers";
pub(super) const DEAD: &str = "queue/dead";
pub(super) const SCHEDULE_GROUP: &str = "schedule_group";
pub(super) const SCHEDULER_ROLE: &str = "role/scheduler";

/// SQS's longest retention.
const RETENTION_S: u32 = 14 * 24 * 3600;
/// Visibility of queues that nothing of ours receives from.
const DEAD_VISIBILITY_S: u32 = 30;
/// Receives of a message before it is a dead letter. A message that meets a throttled or killed function costs one.
const MAX_RECEIVES: u32 = 20;
/// Messages of one invocation, the most of a FIFO queue.
const BATCH: u32 = 10;
/// Retries of a batch of the stream before it is a dead letter.
const STREAM_RETRIES: u32 = 20;

/// Seconds that a message stays hidden while a function works on it.
///
/// It must not be shorter than the function's timeout, and it is how long an execution whose worker was killed waits.
/// So it is hardly longer: AWS's advice of six times the timeout is for batches that wait for a throttled function,
/// and those cost us a receive of [`MAX_RECEIVES`], not correctness (the conditional write of a turn decides).
pub(super) fn visibility_s(timeout_s: u32) -> u32 {
    timeout_s + (timeout_s / 10).clamp(1, 5)
}

fn timeout_s(graph: &Graph<'_>, kind: FunctionKind) -> (u32, bool) {
    let function = graph.inputs.manifest.functions.iter().find(|it| it.kind == kind);
    function.map_or((60, false), |function| {
        let effective = settings::effective(graph.inputs, function);
        (effective.timeout_s, effective.function_unknown)
    })
}

fn queue(graph: &mut Graph<'_>, key: &str, name: String, spec: QueueSpec, after: &[&str], unknown: bool) {
    let arn = graph.inputs.place.queue_arn(&name);
    graph.add(key, name, Some(arn), Spec::Queue(spec), after).unknown |= unknown;
}

/// The dead-letter queue of everything that is not FIFO. EventBridge sends to it, which needs the queue's own policy.
pub(super) fn add_dead_letters(graph: &mut Graph<'_>) {
    let place = graph.inputs.place;
    let name = place.names().dead_letter_queue();
    let arn = place.queue_arn(&name);
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "EventsOfTheBus",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnLike": {"aws:SourceArn": place.rule_arn("*")}},
        }],
    });
    let policy = (!graph.inputs.manifest.subscriptions.is_empty()).then(|| policy.to_string());
    let spec = QueueSpec {
        fifo: false,
        visibility_s: DEAD_VISIBILITY_S,
        retention_s: RETENTION_S,
        dead_letters: None,
        policy,
    };
    queue(graph, DEAD, name, spec, &[], false);
}

pub(super) fn add(graph: &mut Graph<'_>) {
    let place = graph.inputs.place;
    let names = place.names();
    let table_arn = place.table_arn();
    graph.add(
        TABLE,
        names.table(),
        Some(table_arn),
        Spec::Table(TableSpec { point_in_time_recovery: true }),
        &[],
    );
    queues(graph);
    let group_arn = place.schedule_group_arn();
    graph.add(SCHEDULE_GROUP, names.schedule_group(), Some(group_arn), Spec::ScheduleGroup, &[]);
    let name = names.scheduler_role();
    let spec =
        RoleSpec { trust: roles::trust(place, "scheduler.amazonaws.com"), policy: roles::scheduler(place) };
    graph.add(SCHEDULER_ROLE, name.clone(), Some(place.role_arn(&name)), Spec::Role(spec), &[]);
    mappings(graph);
}

fn queues(graph: &mut Graph<'_>) {
    let place = graph.inputs.place;
    let names = place.names();
    let dead_name = names.workflow_dead_letter_queue();
    let dead_letters =
        |name: &str| Some(DeadLetters { arn: place.queue_arn(name), max_receives: MAX_RECEIVES });
    let spec = QueueSpec {
        fifo: true,
        visibility_s: DEAD_VISIBILITY_S,
        retention_s: RETENTION_S,
        dead_letters: None,
        policy: None,
    };
    queue(graph, WORKFLOWS_DEAD, dead_name.clone(), spec, &[], false);
    let (timeout, unknown) = timeout_s(graph, FunctionKind::Orchestrator);
    let spec = QueueSpec {
        fifo: true,
        visibility_s: visibility_s(timeout),
        retention_s: RETENTION_S,
        dead_letters: dead_letters(&dead_name),
        policy: None,
    };
    queue(graph, WORKFLOWS, names.workflow_queue(), spec, &[WORKFLOWS_DEAD], unknown);
    let (timeout, unknown) = timeout_s(graph, FunctionKind::Timers);
    let spec = QueueSpec {
        fifo: false,
        visibility_s: visibility_s(timeout),
        retention_s: RETENTION_S,
        dead_letters: dead_letters(&names.dead_letter_queue()),
        policy: None,
    };
    queue(graph, TIMERS, names.timer_queue(), spec, &[DEAD], unknown);
}

/// Hash of the schedules in the code, if there are any.
fn schedules(graph: &Graph<'_>) -> Option<String> {
    let schedules = &graph.inputs.manifest.schedules;
    let specs: Vec<_> = schedules.iter().map(|it| json!([it.name, it.spec]).to_string()).collect();
    let texts: Vec<&str> = specs.iter().map(String::as_str).collect();
    (!texts.is_empty()).then(|| short_hash(&texts, 16))
}

fn mappings(graph: &mut Graph<'_>) {
    let place = graph.inputs.place;
    let names = place.names();
    let queue = Source::Queue { batch: BATCH };
    let filter = json!({"dynamodb": {"NewImage": {table::UNCOVERED: {"S": [{"exists": true}]}}}});
    let stream = Source::Stream {
        filter: filter.to_string(),
        retries: STREAM_RETRIES,
        on_failure: place.queue_arn(&names.dead_letter_queue()),
    };
    let all = [
        ("orchestrator", Text::from(place.queue_arn(&names.workflow_queue())), queue.clone(), WORKFLOWS),
        ("timers", Text::from(place.queue_arn(&names.timer_queue())), queue, TIMERS),
        ("relay", Text::attribute(TABLE, "stream_arn"), stream, DEAD),
    ];
    for (function, source_arn, source, after) in all {
        let name = names.function(function);
        let deployed = (function == "orchestrator").then(|| schedules(graph)).flatten();
        let spec = MappingSpec { source_arn, function: name.clone(), source, deployed };
        let key = format!("function/{function}");
        graph.add(&format!("mapping/{function}"), name, None, Spec::Mapping(spec), &[&key, after]);
    }
}
