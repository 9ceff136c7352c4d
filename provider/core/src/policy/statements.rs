//! The statements of a deployer's policy: which actions, on which resources, for what. Only the list; what is made of it is in
//! [`super::deployer`].

use super::Purpose;

/// A statement: its name, actions of one service, and the resources with `{p}`artition, `{r}`egion, `{a}`ccount and
/// `{s}`ervice left open.
pub(super) type Statement = (&'static str, &'static [&'static str], &'static [&'static str]);

/// To make, change, read and delete services.
const APPLY: &[Statement] = &[
    (
        "Functions",
        &[
            "lambda:AddPermission",
            "lambda:CreateAlias",
            "lambda:CreateFunction",
            "lambda:DeleteAlias",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionConcurrency",
            "lambda:GetFunction",
            "lambda:GetFunctionEventInvokeConfig",
            "lambda:GetPolicy",
            "lambda:ListAliases",
            "lambda:PublishVersion",
            "lambda:PutFunctionConcurrency",
            "lambda:PutFunctionEventInvokeConfig",
            "lambda:RemovePermission",
            "lambda:UpdateAlias",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
        &["arn:{p}:lambda:{r}:{a}:function:{s}-*"],
    ),
    // Whether open executions need code that would be put away.
    ("Versions", &["lambda:InvokeFunction"], &["arn:{p}:lambda:{r}:{a}:function:{s}-system:live"]),
    (
        "Mappings",
        &[
            "lambda:DeleteEventSourceMapping",
            "lambda:GetEventSourceMapping",
            "lambda:UpdateEventSourceMapping",
        ],
        &["arn:{p}:lambda:{r}:{a}:event-source-mapping:*"],
    ),
    // AWS has no narrower resource for these two.
    ("NewMappings", &["lambda:CreateEventSourceMapping", "lambda:ListEventSourceMappings"], &["*"]),
    (
        "FunctionTags",
        &["lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"],
        &["arn:{p}:lambda:{r}:{a}:function:{s}-*", "arn:{p}:lambda:{r}:{a}:event-source-mapping:*"],
    ),
    (
        "Roles",
        &[
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:ListRoleTags",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
        ],
        &["arn:{p}:iam::{a}:role/{s}-*"],
    ),
    (
        "LogGroups",
        &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:ListTagsForResource",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ],
        &["arn:{p}:logs:{r}:{a}:log-group:/aws/lambda/{s}-*"],
    ),
    ("FindLogGroups", &["logs:DescribeLogGroups"], &["arn:{p}:logs:{r}:{a}:log-group:*"]),
    (
        "Queues",
        &[
            "sqs:CreateQueue",
            "sqs:DeleteQueue",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListQueueTags",
            "sqs:SetQueueAttributes",
            "sqs:TagQueue",
            "sqs:UntagQueue",
        ],
        &["arn:{p}:sqs:{r}:{a}:{s}-*"],
    ),
    (
        "Table",
        &[
            "dynamodb:CreateTable",
            "dynamodb:DeleteTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:ListTagsOfResource",
            "dynamodb:Scan",
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
        ],
        &["arn:{p}:dynamodb:{r}:{a}:table/{s}-*"],
    ),
    (
        "Bucket",
        &[
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:GetBucketNotification",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:PutBucketNotification",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ],
        &["arn:{p}:s3:::{s}-*"],
    ),
    (
        "Objects",
        &["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"],
        &["arn:{p}:s3:::{s}-*/*"],
    ),
    (
        "Events",
        &[
            "events:CreateEventBus",
            "events:DeleteEventBus",
            "events:DeleteRule",
            "events:DescribeEventBus",
            "events:DescribeRule",
            "events:ListTagsForResource",
            "events:ListTargetsByRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "events:TagResource",
            "events:UntagResource",
        ],
        &["arn:{p}:events:{r}:{a}:event-bus/{s}-*", "arn:{p}:events:{r}:{a}:rule/{s}-*"],
    ),
    (
        "Timers",
        &[
            "scheduler:CreateScheduleGroup",
            "scheduler:DeleteScheduleGroup",
            "scheduler:GetScheduleGroup",
            "scheduler:ListTagsForResource",
            "scheduler:TagResource",
            "scheduler:UntagResource",
        ],
        &["arn:{p}:scheduler:{r}:{a}:schedule-group/{s}-*"],
    ),
    // Deleting a group deletes the schedules in it, in the name of who deletes it.
    ("Schedules", &["scheduler:DeleteSchedule"], &["arn:{p}:scheduler:{r}:{a}:schedule/{s}-*"]),
    // Ids of APIs are made by AWS.
    (
        "Api",
        &["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"],
        &[
            "arn:{p}:apigateway:{r}::/apis",
            "arn:{p}:apigateway:{r}::/apis/*",
            "arn:{p}:apigateway:{r}::/tags/*",
        ],
    ),
];

/// To find services, and to tell the environment of their functions, which the record does not hold.
const LIST: &[Statement] = &[
    ("FindServices", &["s3:ListAllMyBuckets"], &["*"]),
    ("Environments", &["lambda:GetFunction"], &["arn:{p}:lambda:{r}:{a}:function:{s}-*"]),
];

/// What a look at a deployed service begins with: its ownership record and its artifact.
const LOOK_UP: &[Statement] = &[("Records", &["s3:GetObject"], &["arn:{p}:s3:::{s}-*/*"])];

/// To call commands and the system function, and to redrive dead letters.
const ACTIONS: &[Statement] = &[
    ("Call", &["lambda:InvokeFunction"], &["arn:{p}:lambda:{r}:{a}:function:{s}-*"]),
    (
        "Redrive",
        &[
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ],
        &["arn:{p}:sqs:{r}:{a}:{s}-*"],
    ),
];

/// To lend credentials: of a role, or, which AWS permits to IAM users only, of oneself.
const CREDENTIALS: &[Statement] = &[
    ("LendRole", &["sts:AssumeRole"], &["{role}"]),
    ("LendUser", &["sts:GetFederationToken"], &["arn:{p}:sts::{a}:federated-user/*"]),
];

/// What each purpose needs; a statement may be one of several.
pub(super) fn of(purpose: Purpose) -> Vec<Statement> {
    match purpose {
        Purpose::Apply => APPLY.to_vec(),
        Purpose::List => [LOOK_UP, LIST].concat(),
        Purpose::Actions => [LOOK_UP, ACTIONS].concat(),
        Purpose::Credentials => [LOOK_UP, CREDENTIALS].concat(),
    }
}
