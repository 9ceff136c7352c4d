//! The service resource: what the user configures, then what the provider answers.

use super::{Attribute, Kind, Object, list, map, object};

/// The attribute with what the last run came to. No two runs share it, so that a difference in it is none of the service.
pub const DEPLOYMENT: &str = "deployment";

const MEMORY: &str = "Memory in MB, 128 to 10240; processor time grows with it. Default: what the service's code \
                      declares, then `defaults`, then 512.";
const TIMEOUT: &str = "Longest run in seconds, 1 to 900. Default: what the service's code declares, then `defaults`, \
                       then 10 (tasks 60).";
const CONCURRENCY: &str = "Number of runs at the same time that are set aside for the function and that it cannot \
                           exceed; 0 stops it. Default: not limited, taken from what the account has.";
const LOG_RETENTION: &str = "Days that logs are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, \
                             1096, 1827, 2192, 2557, 2922, 3288 or 3653. Default: `defaults`, then 30.";
const ENVIRONMENT: &str = "Environment variables, added to and winning over those further out. Names start with a \
                           letter and hold letters, digits and underscores; `AWS_`, `LAMBDA_` and `EVENTUAL_` are \
                           reserved; all variables of a function together fit in 4 KB.";
const POLICIES: &str = "IAM statements that its role gets beside what the code declares that it needs.";
const VPC: &str =
    "Subnets and security groups in which it runs. Default: `defaults`, then outside of any VPC.";

pub(super) fn declare() -> Object {
    let mut attributes = inputs();
    attributes.extend(outputs());
    Object {
        name: "Service",
        description: "A whole service: its HTTP API, functions, workflow engine, queues, tables, bucket, event bus, roles \
                      and log groups, made from the artifact that `cargo eventual build` writes.",
        attributes,
    }
}

/// The same with the attributes whose values Terraform keeps nowhere.
pub(super) fn declare_for_terraform() -> Object {
    let mut service = declare();
    let at = service.attributes.iter().position(|it| it.name == "defaults").unwrap_or_default();
    let write_only = [
        Attribute::optional(
            "environment_wo",
            map(Kind::String),
            "Environment variables of every function whose values are kept neither in a plan nor in the state, under the \
             same rules as `environment`, over which they win. They are written when a function is made, and later \
             whenever it is changed or `environment_wo_version` is another one. Needs Terraform 1.11 or OpenTofu 1.11.",
        )
        .write_only(),
        Attribute::optional(
            "environment_wo_version",
            Kind::String,
            "Version of the values of `environment_wo`, any text: the provider cannot see that they changed, so another \
             text here makes it write them. Removing it together with `environment_wo` removes the variables.",
        ),
    ];
    service.attributes.splice(at..at, write_only);
    service
}

fn inputs() -> Vec<Attribute> {
    vec![
        Attribute::required(
            "name",
            Kind::String,
            "Name of the deployment, part of the name of everything that is made: 1 to 32 lower-case letters, digits \
             and hyphens, a letter first, no hyphen last. Unique in the account and region. Another name means \
             another service.",
        )
        .replaces(),
        Attribute::required(
            "artifact",
            Kind::String,
            "Path of the artifact, the zip that `cargo eventual build` writes to `target/eventual/<service>.zip`. \
             Relative to the working directory.",
        ),
        Attribute::optional(
            "environment",
            map(Kind::String),
            "Environment variables of every function. Names start with a letter and hold letters, digits and \
             underscores; `AWS_`, `LAMBDA_` and `EVENTUAL_` are reserved; all variables of a function together fit in \
             4 KB. Values are not shown by the provider; mark them as secret where your tool shows them.",
        ),
        Attribute::optional("defaults", defaults(), "Settings of every function that does not say otherwise."),
        Attribute::optional("commands", map(command()), "Settings of commands, by the command's name."),
        Attribute::optional("tasks", map(function()), "Settings of remote tasks, by the task's name."),
        Attribute::optional("subscriptions", map(function()), "Settings of subscriptions, by the subscription's name."),
        Attribute::optional("workflows", map(workflow()), "Settings of workflows, by the workflow's name."),
        Attribute::optional(
            "orchestrator",
            function(),
            "Settings of the function that runs workflows and inline tasks.",
        ),
        Attribute::optional("cors", cors(), "Cross-origin requests to the HTTP API. Default: none are allowed."),
        Attribute::optional(
            "tags",
            map(Kind::String),
            "Tags of every AWS resource of the service, at most 40. Keys up to 128 characters, values up to 256; \
             `aws:` and `eventual:` are reserved.",
        ),
        Attribute::optional(
            "force_destroy",
            Kind::Bool,
            "Whether destroying the service also deletes tables and buckets that hold data. Default: `false`, it \
             fails before anything is deleted.",
        ),
        Attribute::optional(
            "on_create_failure",
            Kind::String,
            "What becomes of a creation that fails: `rollback` deletes what was made, `resume` leaves it, and the next \
             apply finishes it. Default: `rollback` for Terraform, `resume` for Pulumi. With Terraform, what was left is \
             not in the state: apply again, or it stays.",
        ),
        Attribute::optional("timeouts", timeouts(), "How long operations may take, such as `10m` or `1h30m`."),
    ]
}

fn outputs() -> Vec<Attribute> {
    vec![
        Attribute::computed("id", Kind::String, "The name of the deployment; `import` takes it."),
        url(),
        account_id(),
        region(),
        Attribute::computed("event_bus_arn", Kind::String, "ARN of the event bus."),
        Attribute::computed(
            "artifact_sha256",
            Kind::String,
            "SHA-256 of the deployed artifact, in hexadecimal; it changes with the file's content.",
        ),
        functions(),
        resources(),
        Attribute::computed(
            "openapi_json",
            Kind::String,
            "OpenAPI 3.1 document of the service's commands, as JSON.",
        ),
        Attribute::computed("grants", grants(), "IAM policy documents to let others use the service."),
        Attribute::computed(
            "tags_all",
            map(Kind::String),
            "Tags of every AWS resource of the service: the provider's `default_tags`, then `tags`.",
        ),
        incarnation(),
        Attribute::computed(
            DEPLOYMENT,
            deployment(),
            "What the last apply that changed something came to; null after an import.",
        ),
    ]
}

// What a look-up knows of a deployment too.

pub(super) fn url() -> Attribute {
    Attribute::computed(
        "url",
        Kind::String,
        "URL of the HTTP API, without a slash at its end; null when the service has no commands.",
    )
}

pub(super) fn account_id() -> Attribute {
    Attribute::computed("account_id", Kind::String, "Number of the AWS account that it lives in.")
}

pub(super) fn region() -> Attribute {
    Attribute::computed("region", Kind::String, "AWS region that it lives in.")
}

pub(super) fn functions() -> Attribute {
    Attribute::computed(
        "functions",
        map(Kind::String),
        "ARN of the alias of each function, by the function's name, such as `command-placeOrder`.",
    )
}

pub(super) fn resources() -> Attribute {
    Attribute::computed(
        "resources",
        map(resource()),
        "Everything that was made, by its key within the service.",
    )
}

pub(super) fn incarnation() -> Attribute {
    Attribute::computed(
        "incarnation",
        Kind::String,
        "Identifies this life of the deployment, from its creation to its end.",
    )
}

fn defaults() -> Kind {
    object(
        "DefaultSettings",
        "Settings of every function that does not say otherwise.",
        vec![
            Attribute::optional("memory_mb", Kind::Number, "Memory in MB, 128 to 10240. Default: 512."),
            Attribute::optional(
                "timeout",
                Kind::Number,
                "Longest run in seconds, 1 to 900. Default: 10 (tasks 60).",
            ),
            Attribute::optional("environment", map(Kind::String), ENVIRONMENT),
            Attribute::optional("reserved_concurrency", Kind::Number, CONCURRENCY),
            Attribute::optional("log_retention_days", Kind::Number, LOG_RETENTION),
            Attribute::optional(
                "vpc",
                vpc(),
                "Subnets and security groups in which functions run. Default: outside of any VPC.",
            ),
            Attribute::optional("auth", auth(), "Who may call commands whose code does not say it."),
        ],
    )
}

fn function_attributes() -> Vec<Attribute> {
    vec![
        Attribute::optional("memory_mb", Kind::Number, MEMORY),
        Attribute::optional("timeout", Kind::Number, TIMEOUT),
        Attribute::optional("environment", map(Kind::String), ENVIRONMENT),
        Attribute::optional("reserved_concurrency", Kind::Number, CONCURRENCY),
        Attribute::optional("log_retention_days", Kind::Number, LOG_RETENTION),
        Attribute::optional("policies", list(statement()), POLICIES),
        Attribute::optional("vpc", vpc(), VPC),
    ]
}

fn function() -> Kind {
    object("FunctionSettings", "Settings of one function.", function_attributes())
}

fn command() -> Kind {
    let mut attributes = function_attributes();
    attributes.push(Attribute::optional(
        "auth",
        auth(),
        "Who may call the command; wins over what its code says. Default: what the code says, then `defaults`. There \
         is no default beyond: a command that nothing says it for is an error.",
    ));
    object("CommandSettings", "Settings of one command.", attributes)
}

fn workflow() -> Kind {
    object(
        "WorkflowSettings",
        "Settings of one workflow.",
        vec![
            Attribute::optional(
                "retention_days",
                Kind::Number,
                "Days that closed executions are kept, 1 to 3653. Default: 30.",
            ),
            Attribute::optional("policies", list(statement()), POLICIES),
        ],
    )
}

fn statement() -> Kind {
    object(
        "PolicyStatement",
        "A statement of an IAM policy.",
        vec![
            Attribute::optional("effect", Kind::String, "`Allow` or `Deny`. Default: `Allow`."),
            Attribute::required(
                "actions",
                list(Kind::String),
                "Actions, such as `s3:GetObject`; at least one.",
            ),
            Attribute::required("resources", list(Kind::String), "ARNs or patterns of ARNs; at least one."),
            Attribute::optional(
                "condition_json",
                Kind::String,
                "The statement's `Condition`, an object as JSON. Default: no condition.",
            ),
        ],
    )
}

fn vpc() -> Kind {
    object(
        "Vpc",
        "Where in a VPC a function runs.",
        vec![
            Attribute::required(
                "subnet_ids",
                list(Kind::String),
                "Ids of the subnets, `subnet-...`; at least one.",
            ),
            Attribute::required(
                "security_group_ids",
                list(Kind::String),
                "Ids of the security groups, `sg-...`; at least one.",
            ),
        ],
    )
}

fn auth() -> Kind {
    object(
        "Auth",
        "Who may call a command.",
        vec![
            Attribute::required(
                "type",
                Kind::String,
                "`none` for everybody, `iam` for callers that sign with AWS credentials and may `execute-api:Invoke`, \
                 `jwt` for callers with a JSON Web Token.",
            ),
            Attribute::optional(
                "issuer",
                Kind::String,
                "URL of the tokens' issuer, as in their `iss`; required for `jwt`, and only for it.",
            ),
            Attribute::optional(
                "audience",
                list(Kind::String),
                "Accepted `aud` or `client_id` of tokens, at least one; required for `jwt`, and only for it.",
            ),
        ],
    )
}

fn cors() -> Kind {
    object(
        "Cors",
        "Cross-origin requests to the HTTP API.",
        vec![
            Attribute::optional(
                "allow_origins",
                list(Kind::String),
                "Origins that may call, such as `https://example.com`, or `*`. Default: none.",
            ),
            Attribute::optional(
                "allow_methods",
                list(Kind::String),
                "Methods that they may use, such as `POST`, or `*`. Default: none.",
            ),
            Attribute::optional(
                "allow_headers",
                list(Kind::String),
                "Headers that they may send, or `*`. Default: none.",
            ),
            Attribute::optional(
                "expose_headers",
                list(Kind::String),
                "Headers that they may read. Default: none.",
            ),
            Attribute::optional(
                "allow_credentials",
                Kind::Bool,
                "Whether they may send cookies; not together with an origin of `*`. Default: `false`.",
            ),
            Attribute::optional(
                "max_age",
                Kind::Number,
                "Seconds that a browser may remember these answers, 0 to 86400. Default: the browser's own.",
            ),
        ],
    )
}

fn timeouts() -> Kind {
    object(
        "Timeouts",
        "How long operations may take. On expiry no new work is started, work in flight is finished, and the state says \
         what was reached.",
        vec![
            Attribute::optional(
                "create",
                Kind::String,
                "For the first deployment, such as `10m`. Default: `30m`.",
            ),
            Attribute::optional(
                "read",
                Kind::String,
                "For reading the state of the cloud, such as `90s`. Default: `5m`.",
            ),
            Attribute::optional(
                "update",
                Kind::String,
                "For a later deployment, such as `10m`. Default: `30m`.",
            ),
            Attribute::optional(
                "delete",
                Kind::String,
                "For the destruction, such as `10m`. Default: `30m`.",
            ),
        ],
    )
}

pub(super) fn resource() -> Kind {
    object(
        "ChildResource",
        "One AWS resource of the service.",
        vec![
            Attribute::computed("type", Kind::String, "What it is, such as `function` or `table`."),
            Attribute::computed("name", Kind::String, "Its name in AWS."),
            Attribute::computed("arn", Kind::String, "Its ARN, or its id where AWS has no ARN for it."),
            Attribute::computed(
                "attributes",
                map(Kind::String),
                "What others of the service refer to, such as the URL of a queue.",
            ),
            Attribute::computed(
                "fingerprint",
                Kind::String,
                "Hash of how it is configured; what is equal is not touched.",
            ),
        ],
    )
}

fn deployment() -> Kind {
    let count = |name, description| Attribute::computed(name, Kind::Number, description);
    object(
        "Deployment",
        "What an apply came to.",
        vec![
            count("created", "Number of AWS resources that were made."),
            count("updated", "Number of AWS resources that were changed."),
            count("deleted", "Number of AWS resources that were deleted."),
            count("elapsed_ms", "Milliseconds that all of it took."),
            Attribute::computed("slowest", Kind::String, "Key of the resource that took longest."),
            count("slowest_ms", "Milliseconds that this one took."),
        ],
    )
}

pub(super) fn grants() -> Kind {
    object(
        "Grants",
        "IAM policy documents, as JSON, to attach to roles of others.",
        vec![
            Attribute::computed(
                "start_execution_json",
                Kind::String,
                "Permits to start, get and list executions; null when the service has no workflows.",
            ),
            Attribute::computed(
                "send_signal_json",
                Kind::String,
                "Permits to send signals to executions; null when the service has no workflows.",
            ),
            Attribute::computed(
                "emit_events_json",
                Kind::String,
                "Permits to publish events to the service.",
            ),
            Attribute::computed(
                "invoke_json",
                Kind::String,
                "Permits to call the commands whose auth is `iam`; null when the service has no commands.",
            ),
        ],
    )
}
