//! Who may assume the roles, and what each permits: what the function's declaration needs and no more.

use eventual_schema::deploy::{CODE_ALIAS, bucket, table};
use eventual_schema::{Function, FunctionKind, Need};
use serde_json::{Value as Json, json};

use super::{Effective, Inputs, Place};
use crate::config::Statement;

/// A trust policy for one AWS service, and only on behalf of this account.
pub(super) fn trust(place: &Place, service: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": place.identity().account}},
        }],
    })
    .to_string()
}

/// Statements of a policy.
struct Policy<'a> {
    place: &'a Place,
    /// Whether executions may be pinned to the code that they were started on.
    pinned: bool,
    statements: Vec<Json>,
}

impl Policy<'_> {
    fn allow(&mut self, sid: &str, actions: &[&str], resources: &[String]) {
        if !resources.is_empty() {
            self.statements
                .push(json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}));
        }
    }

    fn queue(&self, name: &str) -> String {
        self.place.queue_arn(name)
    }

    fn logs(&mut self, function: &str) {
        let group = self.place.log_group_arn(&self.place.names().log_group(function));
        self.allow("Logs", &["logs:CreateLogStream", "logs:PutLogEvents"], &[format!("{group}:*")]);
    }

    fn network(&mut self) {
        let actions = [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ];
        self.allow("Network", &actions, &["*".to_owned()]);
    }

    /// Payloads that are too large for the table or a message.
    fn payloads(&mut self) {
        let objects = format!("{}/{}*", self.place.bucket_arn(), bucket::PAYLOADS);
        self.allow("Payloads", &["s3:GetObject", "s3:PutObject"], &[objects]);
    }

    fn table(&mut self, actions: &[&str]) {
        let arn = self.place.table_arn();
        self.allow("Executions", actions, &[arn]);
    }

    fn index(&mut self) {
        let arn = format!("{}/index/{}", self.place.table_arn(), table::INDEX);
        self.allow("ListExecutions", &["dynamodb:Query"], &[arn]);
    }

    fn send(&mut self, sid: &str, queues: &[String]) {
        let arns: Vec<String> = queues.iter().map(|name| self.queue(name)).collect();
        self.allow(sid, &["sqs:SendMessage"], &arns);
    }

    fn consume(&mut self, queue: &str) {
        let actions = [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ];
        let arn = self.queue(queue);
        self.allow("Receive", &actions, &[arn]);
    }

    fn events(&mut self) {
        let arn = self.place.bus_arn();
        self.allow("Events", &["events:PutEvents"], &[arn]);
    }

    /// Versions of the orchestrator, for executions that are pinned to their code.
    fn versions(&mut self) {
        if self.pinned {
            let orchestrator = self.place.function_arn("orchestrator");
            self.allow("Versions", &["lambda:InvokeFunction"], &[format!("{orchestrator}:{CODE_ALIAS}*")]);
        }
    }

    /// What `uses(...)` of the handlers asks for.
    fn needs(&mut self, needs: &[Need]) {
        let names = self.place.names();
        let starts = needs.iter().any(|it| matches!(it, Need::Workflow(_)));
        let signals = needs.iter().any(|it| matches!(it, Need::Signal(_)));
        let answers = needs.iter().any(|it| matches!(it, Need::Task(_)));
        let emits = needs.iter().any(|it| matches!(it, Need::Event(_)));
        let mut actions = Vec::new();
        if starts || signals || answers {
            actions.push("dynamodb:GetItem");
        }
        if starts {
            actions.extend(["dynamodb:PutItem", "dynamodb:Query"]);
            self.index();
            self.versions();
        }
        if answers {
            actions.push("dynamodb:UpdateItem");
        }
        if !actions.is_empty() {
            self.table(&actions);
            self.send("Wake", &[names.workflow_queue()]);
            self.payloads();
        }
        if emits {
            self.events();
        }
    }

    fn user(&mut self, statements: &[Statement]) {
        for statement in statements {
            let mut json = json!({
                "Effect": if statement.allow { "Allow" } else { "Deny" },
                "Action": statement.actions,
                "Resource": statement.resources,
            });
            if let Some(condition) = &statement.condition {
                json["Condition"] = condition.clone();
            }
            self.statements.push(json);
        }
    }

    fn document(self) -> String {
        json!({"Version": "2012-10-17", "Statement": self.statements}).to_string()
    }
}

/// What EventBridge Scheduler may do when a long timer is due, or cannot be delivered.
pub(super) fn scheduler(place: &Place) -> String {
    let mut policy = Policy { place, pinned: false, statements: Vec::new() };
    policy.send("Fire", &[place.names().timer_queue(), place.names().dead_letter_queue()]);
    policy.document()
}

/// What a function of the manifest may do.
pub(super) fn function(inputs: &Inputs<'_>, function: &Function, effective: &Effective) -> String {
    let mut policy = Policy { place: inputs.place, pinned: inputs.has_pinned(), statements: Vec::new() };
    let names = inputs.place.names();
    policy.logs(&function.name);
    if effective.vpc.is_some() {
        policy.network();
    }
    match function.kind {
        FunctionKind::Command => policy.needs(&effective.needs),
        FunctionKind::Subscription => {
            policy.needs(&effective.needs);
            policy.send("Dead", &[names.dead_letter_queue()]);
        }
        FunctionKind::Task => task(&mut policy, &effective.needs),
        FunctionKind::Orchestrator => orchestrator(&mut policy, inputs, &effective.needs),
        FunctionKind::Timers => {
            policy.consume(&names.timer_queue());
            policy.send("Wake", &[names.workflow_queue(), names.timer_queue()]);
            policy.send("Dead", &[names.dead_letter_queue()]);
            policy.payloads();
        }
        FunctionKind::Relay => relay(&mut policy),
        FunctionKind::System => {
            policy.table(&["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]);
            policy.index();
            policy.versions();
            policy.send("Wake", &[names.workflow_queue()]);
            policy.payloads();
        }
    }
    policy.user(&effective.policies);
    policy.document()
}

/// A task claims its attempt, performs it, and sends the outcome; Lambda reports a lost worker with the same role.
fn task(policy: &mut Policy<'_>, needs: &[Need]) {
    let names = policy.place.names();
    let starts = needs.iter().any(|it| matches!(it, Need::Workflow(_)));
    let answers = needs.iter().any(|it| matches!(it, Need::Task(_)));
    let mut actions = vec!["dynamodb:PutItem"];
    if starts || answers || needs.iter().any(|it| matches!(it, Need::Signal(_))) {
        actions.insert(0, "dynamodb:GetItem");
    }
    if starts {
        actions.push("dynamodb:Query");
        policy.index();
        policy.versions();
    }
    if answers {
        actions.push("dynamodb:UpdateItem");
    }
    policy.table(&actions);
    policy.send("Wake", &[names.workflow_queue()]);
    policy.send("Lost", &[names.timer_queue()]);
    policy.payloads();
    if needs.iter().any(|it| matches!(it, Need::Event(_))) {
        policy.events();
    }
}

fn orchestrator(policy: &mut Policy<'_>, inputs: &Inputs<'_>, needs: &[Need]) {
    let place = inputs.place;
    let names = place.names();
    policy.table(&["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]);
    policy.consume(&names.workflow_queue());
    policy.send("Wake", &[names.workflow_queue(), names.timer_queue()]);
    policy.send("Dead", &[names.dead_letter_queue()]);
    policy.payloads();
    let tasks = inputs.manifest.functions.iter().filter(|it| it.kind == FunctionKind::Task);
    let tasks: Vec<String> = tasks.map(|it| place.alias_arn(&it.name)).collect();
    policy.allow("Tasks", &["lambda:InvokeFunction"], &tasks);
    policy.versions();
    // Workflow code may emit any event of the service.
    if inputs.has_bus() || needs.iter().any(|it| matches!(it, Need::Event(_))) {
        policy.events();
    }
    policy.allow("LongTimers", &["scheduler:CreateSchedule"], &[place.schedules_arn()]);
    let role = place.role_arn(&names.scheduler_role());
    let pass = json!({
        "Sid": "PassScheduler",
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": [role],
        "Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
    });
    policy.statements.push(pass);
}

fn relay(policy: &mut Policy<'_>) {
    let names = policy.place.names();
    let stream = format!("{}/stream/*", policy.place.table_arn());
    let actions = [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    ];
    policy.allow("Stream", &actions, &[stream]);
    policy.send("Wake", &[names.workflow_queue(), names.dead_letter_queue()]);
}
