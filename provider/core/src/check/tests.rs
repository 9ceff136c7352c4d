//! One of everything is sound; each planted mistake is found, and told in words that name it.

use std::collections::BTreeMap;

use super::{check, losses};
use crate::desired::Desired;
use crate::plan;
use crate::resource::{Kind, Resource, RouteAuth, Source, Spec, Text, VpcSpec};
use crate::state::{Recorded, State};
use crate::testing::{Shop, minimal};

fn shop() -> Desired {
    Shop::new().desired(&minimal()).0
}

/// The resource of that key, to plant a mistake in.
fn at<'a>(desired: &'a mut Desired, key: &str) -> &'a mut Resource {
    desired.resources.get_mut(key).unwrap()
}

/// The spec of the resource of that key.
macro_rules! spec {
    ($desired:expr, $key:expr, $kind:ident) => {{
        let Spec::$kind(spec) = &mut at($desired, $key).spec else { panic!("{} is another kind", $key) };
        spec
    }};
}

/// Takes the words out of the policy of a role, as if somebody had forgotten them.
fn forget(desired: &mut Desired, role: &str, action: &str) {
    let policy = &mut spec!(desired, role, Role).policy;
    assert!(policy.contains(action), "{role} does not permit {action} anyway");
    *policy = policy.replace(action, "none:Nothing");
}

type Plant = fn(&mut Desired);

/// Every edge: what it is, the mistake, what the check says.
const EDGES: &[(&str, Plant, &str)] = &[
    (
        "queue to function: receive",
        |it| forget(it, "role/orchestrator", "sqs:ReceiveMessage"),
        "lacks sqs:ReceiveMessage",
    ),
    (
        "queue to function: delete",
        |it| forget(it, "role/timers", "sqs:DeleteMessage"),
        "lacks sqs:DeleteMessage",
    ),
    (
        "queue to function: look",
        |it| forget(it, "role/timers", "sqs:GetQueueAttributes"),
        "lacks sqs:GetQueueAttributes",
    ),
    (
        "stream to function: read",
        |it| forget(it, "role/relay", "dynamodb:GetRecords"),
        "lacks dynamodb:GetRecords",
    ),
    (
        "stream to function: list",
        |it| forget(it, "role/relay", "dynamodb:ListStreams"),
        "lacks dynamodb:ListStreams",
    ),
    (
        "stream to function: give up",
        |it| forget(it, "role/relay", "sqs:SendMessage"),
        "lacks sqs:SendMessage",
    ),
    (
        "failed invocation to queue",
        |it| forget(it, "role/task-pay", "sqs:SendMessage"),
        "lacks sqs:SendMessage",
    ),
    (
        "bus to function",
        |it| drop(it.resources.remove("permission/subscription-onPaid")),
        "the rule may not call",
    ),
    (
        "bus to function: another rule's permission",
        |it| {
            spec!(it, "permission/subscription-onPaid", Permission).source_arn =
                Text::from("arn:aws:events:eu-west-1:123456789012:rule/shop/other");
        },
        "the rule may not call",
    ),
    ("bus to dead letters", |it| spec!(it, "queue/dead", Queue).policy = None, "does not admit dead letters"),
    (
        "bus to dead letters, for everybody",
        |it| {
            let policy = spec!(it, "queue/dead", Queue).policy.as_mut().unwrap();
            *policy = policy.replace("aws:SourceArn", "aws:Nothing");
        },
        "does not admit dead letters",
    ),
    (
        "gateway to function",
        |it| drop(it.resources.remove("permission/command-health")),
        "the API may not call",
    ),
    (
        "gateway to function: another service's permission",
        |it| spec!(it, "permission/command-health", Permission).principal = "s3.amazonaws.com".to_owned(),
        "the API may not call",
    ),
    (
        "gateway to function: anybody's permission",
        |it| spec!(it, "permission/command-health", Permission).source_arn = Text::from("*"),
        "could be anybody's",
    ),
    (
        "gateway to authorizer",
        |it| spec!(it, "route/health", Route).auth = RouteAuth::Jwt { authorizer: Text::from("gone") },
        "no such authorizer",
    ),
    (
        "orchestrator to schedule: pass",
        |it| forget(it, "role/orchestrator", "iam:PassRole"),
        "lacks iam:PassRole",
    ),
    ("schedule to queue", |it| forget(it, "role/scheduler", "sqs:SendMessage"), "schedules may not send to"),
    (
        "schedule assumes its role",
        |it| spec!(it, "role/scheduler", Role).trust = "{}".to_owned(),
        "Scheduler may not assume",
    ),
    ("schedule without a role", |it| drop(it.resources.remove("role/scheduler")), "there is no role"),
    (
        "function assumes its role",
        |it| spec!(it, "role/system", Role).trust = "{}".to_owned(),
        "Lambda may not assume",
    ),
    (
        "function assumes its role for any account",
        |it| {
            let trust = &mut spec!(it, "role/system", Role).trust;
            *trust = trust.replace("aws:SourceAccount", "aws:Nothing");
        },
        "Lambda may not assume",
    ),
    ("function to its logs", |it| forget(it, "role/system", "logs:PutLogEvents"), "lacks logs:PutLogEvents"),
    ("function without logs", |it| drop(it.resources.remove("log_group/system")), "has no log group"),
    (
        "function into a network",
        |it| {
            spec!(it, "function/system", Function).vpc =
                Some(VpcSpec { subnet_ids: vec!["s".to_owned()], security_group_ids: Vec::new() });
        },
        "lacks ec2:CreateNetworkInterface",
    ),
    (
        "a right that is denied as well",
        |it| {
            let policy = &mut spec!(it, "role/timers", Role).policy;
            let deny = r#""Statement":[{"Effect":"Deny","Action":"sqs:*","Resource":"*"},"#;
            *policy = policy.replace(r#""Statement":["#, deny);
        },
        "lacks sqs:ReceiveMessage",
    ),
];

/// The graph.
const GRAPH: &[(&str, Plant, &str)] = &[
    ("a bus that is not there", |it| drop(it.resources.remove("bus")), "needs bus, which is not there"),
    ("code that is not there", |it| drop(it.resources.remove("artifact")), "there is no artifact"),
    (
        "a target that is not there",
        |it| drop(it.resources.remove("function/command-health")),
        "no function behind",
    ),
    (
        "dead letters of the wrong kind",
        |it| {
            let dead = spec!(it, "queue/timers", Queue).dead_letters.clone();
            spec!(it, "queue/workflows", Queue).dead_letters = dead;
        },
        "no dead-letter queue of the same kind",
    ),
    (
        "a circle",
        |it| _ = at(it, "queue/dead").after.insert("mapping/timers".to_owned()),
        "wait for each other",
    ),
];

/// Names and limits.
const LIMITS: &[(&str, Plant, &str)] = &[
    ("a long function", |it| at(it, "function/relay").name = "x".repeat(65), "which has 65 characters"),
    ("a long role", |it| at(it, "role/relay").name = "x".repeat(65), "which has 65 characters"),
    ("a long queue", |it| at(it, "queue/dead").name = "x".repeat(81), "which has 81 characters"),
    ("a long bucket", |it| at(it, "bucket").name = "x".repeat(64), "which has 64 characters"),
    ("a short table", |it| at(it, "table").name = "x".to_owned(), "which has 1 characters"),
    ("a long rule", |it| at(it, "rule/onPaid").name = "x".repeat(65), "which has 65 characters"),
    ("a long schedule group", |it| at(it, "schedule_group").name = "x".repeat(65), "which has 65 characters"),
    ("capitals in a bucket", |it| at(it, "bucket").name = "Shop".to_owned(), "'S' is not possible"),
    ("a dot in a function", |it| at(it, "function/relay").name = "a.b".to_owned(), "'.' is not possible"),
    ("a FIFO queue without its end", |it| at(it, "queue/workflows").name = "q".to_owned(), "end with .fifo"),
    ("memory", |it| spec!(it, "function/relay", Function).memory_mb = 64, "AWS takes 128 to 10240"),
    ("timeout", |it| spec!(it, "function/relay", Function).timeout_s = 901, "AWS takes 1 to 900"),
    ("retention", |it| spec!(it, "queue/dead", Queue).retention_s = 59, "AWS takes 60 to 1209600"),
    ("visibility", |it| spec!(it, "queue/dead", Queue).visibility_s = 43_201, "AWS takes 0 to 43200"),
    (
        "visibility against timeout",
        |it| spec!(it, "queue/timers", Queue).visibility_s = 59,
        "hides a message Some(59)",
    ),
    ("retries", |it| spec!(it, "invoke_config/task-pay", InvokeConfig).retries = 3, "AWS takes 0 to 2"),
    (
        "the gateway's wait",
        |it| spec!(it, "route/health", Route).timeout_ms = 30_001,
        "AWS takes 50 to 30000",
    ),
    (
        "a large batch",
        |it| spec!(it, "mapping/timers", Mapping).source = Source::Queue { batch: 11 },
        "AWS takes 1 to 10",
    ),
    (
        "a long policy",
        |it| spec!(it, "role/relay", Role).policy.push_str(&"x".repeat(10_240)),
        "a role holds 10240",
    ),
    (
        "a long trust policy",
        |it| spec!(it, "role/relay", Role).trust.push_str(&"x".repeat(2048)),
        "AWS takes 2048",
    ),
    ("a long pattern", |it| spec!(it, "rule/onPaid", Rule).pattern = "x".repeat(2049), "AWS takes 2048"),
    (
        "a large environment",
        |it| {
            drop(
                spec!(it, "function/relay", Function)
                    .environment
                    .insert("BIG".into(), "x".repeat(4096).as_str().into()),
            )
        },
        "Lambda holds 4096",
    ),
    (
        "a variable of one letter",
        |it| drop(spec!(it, "function/relay", Function).environment.insert("X".into(), "y".into())),
        "has the environment variable \"X\"",
    ),
    (
        "a route twice",
        |it| spec!(it, "route/health", Route).routes.push("POST /orders".to_owned()),
        "have the route POST /orders",
    ),
    (
        "many routes",
        |it| spec!(it, "route/health", Route).routes = (0..300).map(|n| format!("GET /{n}")).collect(),
        "an HTTP API holds 300",
    ),
    (
        "much concurrency",
        |it| spec!(it, "function/relay", Function).reserved_concurrency = Some(901),
        "reserve 901 concurrent runs",
    ),
    (
        "a command that the gateway does not wait for",
        |it| spec!(it, "function/command-health", Function).timeout_s = 31,
        "API Gateway gives up after 30",
    ),
    (
        "many tags",
        |it| it.tags = (0..50).map(|n| (format!("t{n}"), String::new())).collect(),
        "AWS takes 50 in all",
    ),
    ("a tag of AWS", |it| drop(it.tags.insert("AWS:x".to_owned(), String::new())), "begins with `aws:`"),
    ("a long tag", |it| drop(it.tags.insert("x".to_owned(), "y".repeat(257))), "longer than 256"),
];

#[test]
fn each_planted_mistake_is_found() {
    assert_eq!(check(&shop()), []);
    for (what, plant, expected) in EDGES.iter().chain(GRAPH).chain(LIMITS) {
        let mut desired = shop();
        plant(&mut desired);
        let found = check(&desired);
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|it| it.contains(expected)), "{what}: {said:#?}");
    }
}

#[test]
fn data_that_may_be_deleted_is_named() {
    let recorded = |kind, name: &str| Recorded {
        kind,
        name: name.to_owned(),
        arn: String::new(),
        fingerprint: "f".to_owned(),
        attributes: BTreeMap::new(),
    };
    let children = [
        ("table".to_owned(), recorded(Kind::Table, "shop")),
        ("bucket".to_owned(), recorded(Kind::Bucket, "shop-1")),
        ("queue/dead".to_owned(), recorded(Kind::Queue, "shop-dead")),
        ("role/relay".to_owned(), recorded(Kind::Role, "shop-relay")),
    ];
    let state = State { incarnation: "i".to_owned(), children: children.into() };
    let removal = plan::removal(&state);
    let said = losses(&removal, false).unwrap().to_string();
    for name in ["table (shop: executions", "bucket (shop-1: payloads)", "queue/dead (shop-dead: messages)"] {
        assert!(said.contains(name), "{said}");
    }
    assert!(!said.contains("role") && said.contains("stops before anything is deleted"), "{said}");
    assert!(losses(&removal, true).unwrap().to_string().contains("whatever is in them is lost"));
    assert_eq!(losses(&plan::plan(&state, &shop()), false), None, "what stays is not lost");
}
