//! What follows from a manifest and a configuration.

use std::collections::{BTreeMap, BTreeSet};

use eventual_schema::{Schedule, ScheduleSpec, Times};
use expect_test::expect;
use serde_json::Value as Json;

use crate::check;
use crate::resource::Spec;
use crate::testing::{Shop, identity, minimal, with};
use crate::value::Value;

use super::Desired;

fn shop() -> Desired {
    let (desired, wrong) = Shop::new().desired(&minimal());
    assert_eq!(wrong, []);
    assert_eq!(check::check(&desired), []);
    desired
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// `service:Action resource` of every statement of a role, one a line.
fn permits(desired: &Desired, role: &str) -> BTreeSet<String> {
    let Spec::Role(spec) = &desired.resources[&format!("role/{role}")].spec else {
        panic!("{role} is a role")
    };
    let document: Json = serde_json::from_str(&spec.policy).unwrap();
    let mut lines = BTreeSet::new();
    for statement in document["Statement"].as_array().unwrap() {
        for action in statement["Action"].as_array().unwrap() {
            for resource in statement["Resource"].as_array().unwrap() {
                let resource = resource.as_str().unwrap().replace(":eu-west-1:123456789012:", "::");
                lines.insert(format!("{} {resource}", action.as_str().unwrap()));
            }
        }
    }
    lines
}

fn lines(set: &BTreeSet<String>) -> String {
    set.iter().fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn what_is_made_for_one_of_everything() {
    let keys: BTreeSet<String> = shop().resources.into_keys().collect();
    expect![[r#"
        api
        artifact
        bucket
        bus
        function/command-health
        function/command-placeOrder
        function/command-shipOrder
        function/orchestrator
        function/relay
        function/subscription-onPaid
        function/system
        function/task-pay
        function/timers
        invoke_config/subscription-onPaid
        invoke_config/task-pay
        log_group/command-health
        log_group/command-placeOrder
        log_group/command-shipOrder
        log_group/orchestrator
        log_group/relay
        log_group/subscription-onPaid
        log_group/system
        log_group/task-pay
        log_group/timers
        mapping/orchestrator
        mapping/relay
        mapping/timers
        permission/command-health
        permission/command-placeOrder
        permission/command-shipOrder
        permission/subscription-onPaid
        queue/dead
        queue/timers
        queue/workflows
        queue/workflows-dead
        role/command-health
        role/command-placeOrder
        role/command-shipOrder
        role/orchestrator
        role/relay
        role/scheduler
        role/subscription-onPaid
        role/system
        role/task-pay
        role/timers
        route/health
        route/placeOrder
        route/shipOrder
        rule/onPaid
        schedule_group
        table
    "#]]
    .assert_eq(&lines(&keys));
}

#[test]
fn what_a_service_does_not_need_is_not_made() {
    let (desired, wrong) = Shop::commands_only().desired(&minimal());
    assert_eq!(wrong, []);
    let keys: Vec<&str> = desired.resources.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "api",
            "artifact",
            "bucket",
            "function/command-health",
            "log_group/command-health",
            "permission/command-health",
            "role/command-health",
            "route/health"
        ]
    );
}

#[test]
fn each_role_permits_what_its_function_needs() {
    let desired = shop();
    expect![[r#"
        logs:CreateLogStream arn:aws:logs::log-group:/aws/lambda/shop-command-health:*
        logs:PutLogEvents arn:aws:logs::log-group:/aws/lambda/shop-command-health:*
    "#]]
    .assert_eq(&lines(&permits(&desired, "command-health")));
    expect![[r#"
        dynamodb:GetItem arn:aws:dynamodb::table/shop-executions
        dynamodb:PutItem arn:aws:dynamodb::table/shop-executions
        dynamodb:Query arn:aws:dynamodb::table/shop-executions
        dynamodb:Query arn:aws:dynamodb::table/shop-executions/index/executions
        logs:CreateLogStream arn:aws:logs::log-group:/aws/lambda/shop-command-placeOrder:*
        logs:PutLogEvents arn:aws:logs::log-group:/aws/lambda/shop-command-placeOrder:*
        s3:GetObject arn:aws:s3:::shop-8c2bec51601f/payloads/*
        s3:PutObject arn:aws:s3:::shop-8c2bec51601f/payloads/*
        sqs:SendMessage arn:aws:sqs::shop-workflows.fifo
    "#]]
    .assert_eq(&lines(&permits(&desired, "command-placeOrder")));
    expect![[r#"
        dynamodb:GetItem arn:aws:dynamodb::table/shop-executions
        logs:CreateLogStream arn:aws:logs::log-group:/aws/lambda/shop-command-shipOrder:*
        logs:PutLogEvents arn:aws:logs::log-group:/aws/lambda/shop-command-shipOrder:*
        s3:GetObject arn:aws:s3:::shop-8c2bec51601f/payloads/*
        s3:PutObject arn:aws:s3:::shop-8c2bec51601f/payloads/*
        sqs:SendMessage arn:aws:sqs::shop-workflows.fifo
    "#]]
    .assert_eq(&lines(&permits(&desired, "command-shipOrder")));
}

#[test]
fn the_engines_roles_action_by_action() {
    let desired = shop();
    for (role, expected) in [
        (
            "orchestrator",
            &[
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "events:PutEvents",
                "iam:PassRole",
                "lambda:InvokeFunction",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "s3:GetObject",
                "s3:PutObject",
                "scheduler:CreateSchedule",
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ][..],
        ),
        (
            "relay",
            &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "sqs:SendMessage",
            ][..],
        ),
        (
            "task-pay",
            &[
                "dynamodb:PutItem",
                "events:PutEvents",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "s3:GetObject",
                "s3:PutObject",
                "sqs:SendMessage",
            ],
        ),
        ("subscription-onPaid", &["logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"]),
        ("scheduler", &["sqs:SendMessage"]),
    ] {
        let permitted = permits(&desired, role);
        let actions: BTreeSet<&str> = permitted.iter().filter_map(|it| it.split(' ').next()).collect();
        assert_eq!(actions.into_iter().collect::<Vec<_>>(), expected, "{role}");
        assert!(
            permitted.iter().all(|it| !it.ends_with(" *")),
            "{role} reaches beyond the service: {permitted:?}"
        );
    }
    assert!(
        permits(&desired, "orchestrator")
            .contains("lambda:InvokeFunction arn:aws:lambda::function:shop-task-pay:live")
    );
}

#[test]
fn layers_of_settings() {
    let defaults = Value::map([("memory_mb", Value::Number(256.0)), ("timeout", Value::Number(5.0))]);
    let tasks = Value::map([("pay", Value::map([("memory_mb", Value::Number(1024.0))]))]);
    let (desired, _) = Shop::new().desired(&with(with(minimal(), "defaults", defaults), "tasks", tasks));
    let settings = |key: &str| match &desired.resources[key].spec {
        Spec::Function(spec) => (spec.memory_mb, spec.timeout_s),
        _ => panic!("{key} is a function"),
    };
    assert_eq!(settings("function/task-pay"), (1024, 20), "the override, then the code");
    assert_eq!(settings("function/command-health"), (256, 5), "the defaults");
    let Spec::Queue(queue) = &desired.resources["queue/workflows"].spec else { panic!("it is a queue") };
    assert_eq!(queue.visibility_s, 6, "it follows the orchestrator's timeout");
    let (plain, _) = Shop::new().desired(&minimal());
    let Spec::Function(function) = &plain.resources["function/command-health"].spec else {
        panic!("it is a function")
    };
    assert_eq!((function.memory_mb, function.timeout_s, function.architecture.as_str()), (512, 10, "arm64"));
}

/// What the original forgot: a turn of three seconds, subscriptions that nobody tries again, functions without the
/// environment, queues without a place for what nobody can handle.
#[test]
fn every_function_has_time_its_environment_and_somewhere_to_fail() {
    let config = with(minimal(), "environment", Value::map([("REGION_OF_OURS", text("here"))]));
    let (desired, wrong) = Shop::new().desired(&config);
    assert_eq!(wrong, []);
    for (key, resource) in &desired.resources {
        match &resource.spec {
            Spec::Function(function) => {
                assert!(function.environment.contains_key("REGION_OF_OURS"), "{key} knows its environment");
                let engines = key.starts_with("function/orchestrator") || key.starts_with("function/timers");
                assert!(!engines || function.timeout_s >= 60, "{key} has {} s", function.timeout_s);
            }
            Spec::InvokeConfig(config) => assert!(config.on_failure.contains(":sqs:"), "{key}"),
            Spec::Queue(queue) => {
                assert_eq!(queue.dead_letters.is_none(), key.contains("dead"), "{key}");
                assert!(queue.dead_letters.as_ref().is_none_or(|it| it.max_receives >= 3), "{key}");
            }
            _ => {}
        }
    }
    let Spec::InvokeConfig(subscription) = &desired.resources["invoke_config/subscription-onPaid"].spec
    else {
        panic!("it says how a subscription is invoked")
    };
    assert_eq!(subscription.retries, 2, "an event is tried three times in all");
}

#[test]
fn a_misspelt_override_names_the_nearest() {
    let (_, wrong) = Shop::new().desired(&with(
        minimal(),
        "commands",
        Value::map([("plceOrder", Value::map::<String>([]))]),
    ));
    expect![[r#"commands["plceOrder"]: Unknown command: The service shop has no command plceOrder. Did you mean placeOrder?"#]]
        .assert_eq(&wrong[0].to_string());
    let (_, wrong) =
        Shop::new().desired(&with(minimal(), "tasks", Value::map([("note", Value::map::<String>([]))])));
    assert!(wrong[0].to_string().contains("inline"), "{}", wrong[0]);
}

#[test]
fn the_orchestrator_is_told_when_the_schedules_in_the_code_change() {
    let told = |cron: Option<&str>| {
        let mut shop = Shop::new();
        let workflow = shop.manifest.workflows[0].name.clone();
        shop.manifest.schedules.extend(cron.map(|cron| Schedule {
            name: "nightly".into(),
            spec: ScheduleSpec::new(workflow, Json::Null, vec![Times::Cron(cron.into())]),
            source: shop.manifest.workflows[0].source.clone(),
        }));
        let (desired, _) = shop.desired(&minimal());
        let deployed = |key: &str| match &desired.resources[key].spec {
            Spec::Mapping(spec) => spec.deployed.clone(),
            _ => panic!("{key} is a mapping"),
        };
        assert_eq!((deployed("mapping/timers"), deployed("mapping/relay")), (None, None));
        deployed("mapping/orchestrator")
    };
    assert_eq!(told(None), None);
    assert!(told(Some("0 2 * * *")).is_some());
    assert_eq!(told(Some("0 2 * * *")), told(Some("0 2 * * *")), "nothing is written when nothing changed");
    assert_ne!(told(Some("0 2 * * *")), told(Some("0 3 * * *")));
}

#[test]
fn nothing_is_public_by_accident() {
    let mut shop = Shop::commands_only();
    shop.manifest.commands[0].auth = None;
    let (_, wrong) = shop.desired(&minimal());
    assert!(
        wrong[0].to_string().starts_with(r#"commands["health"].auth: Command without auth"#),
        "{}",
        wrong[0]
    );
    let open = Value::map([("auth", Value::map([("type", text("none"))]))]);
    assert_eq!(shop.desired(&with(minimal(), "defaults", open)).1, []);
}

#[test]
fn secrets_change_the_fingerprint_and_show_nowhere() {
    let shop = Shop::commands_only();
    let print = |secret: &str| {
        let config = with(minimal(), "environment", Value::map([("TOKEN", text(secret).secret())]));
        let (desired, _) = shop.desired(&config);
        assert!(!format!("{desired:?}").contains(secret));
        desired.resources["function/command-health"].fingerprint()
    };
    assert_ne!(print("hunter2"), print("hunter3"));
    assert_eq!(print("hunter2"), print("hunter2"));
}

#[test]
fn unknown_parts_are_unknown_where_they_belong() {
    let config = with(minimal(), "environment", Value::map([("TOKEN", Value::Unknown)]));
    let (desired, wrong) = Shop::new().desired(&config);
    assert_eq!(wrong, []);
    let unknown: BTreeMap<&str, bool> =
        desired.resources.iter().map(|(key, it)| (key.as_str(), it.fingerprint().is_none())).collect();
    assert!(unknown["function/relay"] && unknown["function/command-health"]);
    assert!(!unknown["role/relay"] && !unknown["table"] && !unknown["route/health"]);
}

/// Where AWS is another one, no name points to the usual one.
#[test]
fn every_arn_is_of_the_partition_that_is_deployed_to() {
    for (partition, region) in [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")] {
        let mut there = identity();
        partition.clone_into(&mut there.partition);
        region.clone_into(&mut there.region);
        let (desired, wrong) = Shop::new().desired_at(&there, &minimal());
        assert_eq!((wrong, check::check(&desired)), (Vec::new(), Vec::new()));
        let all = format!("{:?}", desired.resources);
        let ours = format!("arn:{partition}:");
        assert!(all.matches(&ours).count() > 40, "{}", all.matches(&ours).count());
        assert_eq!(all.matches("arn:aws").count(), all.matches(&ours).count());
        assert!(!all.contains(":us-east-1:") && !all.contains(":eu-west-1:"));
    }
}

/// What holds data or words of people: encrypted, closed, by TLS alone, and not for ever.
#[test]
fn what_is_at_rest_is_closed_and_encrypted() {
    let desired = shop();
    let (mut queues, mut groups) = (0, 0);
    for resource in desired.resources.values() {
        let settings = resource.settings("owner");
        let is = |name: &str, value: &str| {
            assert_eq!(settings[name], value, "{}: {name}", resource.key);
        };
        match &resource.spec {
            Spec::Bucket(spec) => {
                is("encryption", "AES256");
                is("public_access", "blocked");
                let policy: Json = serde_json::from_str(&spec.policy).unwrap();
                let statement = &policy["Statement"][0];
                assert_eq!(
                    (statement["Effect"].as_str(), statement["Principal"].as_str()),
                    (Some("Deny"), Some("*"))
                );
                assert_eq!(statement["Condition"]["Bool"]["aws:SecureTransport"], "false");
                assert_eq!(
                    statement["Resource"].as_array().map(Vec::len),
                    Some(2),
                    "the bucket and what is in it"
                );
            }
            Spec::Queue(_) => {
                is("encryption", "true");
                queues += 1;
            }
            Spec::LogGroup(spec) => {
                assert!((1..=3653).contains(&spec.retention_days), "{}", resource.key);
                groups += 1;
            }
            _ => {}
        }
    }
    assert!(queues >= 4 && groups >= 9, "{queues} queues, {groups} groups");
}
