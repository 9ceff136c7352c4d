//! The least that somebody who deploys services must be permitted.
//!
//! One list: what is not called is not in it, which `provider/tests/cloud.rs` holds against what a whole life of a service
//! calls on an emulated AWS that enforces it.

use serde_json::{Value, json};

/// Which services somebody may deploy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployer {
    /// Name of the service, or `*` for any.
    pub service: String,
    /// Account, or `*`.
    pub account: String,
    /// Region, or `*`.
    pub region: String,
    /// Partition, `aws`.
    pub partition: String,
    /// Whether functions may be put into a VPC.
    pub vpc: bool,
}

/// A statement: its name, actions of one service, and the resources with `{p}`artition, `{r}`egion, `{a}`ccount and
/// `{s}`ervice left open.
type Statement = (&'static str, &'static [&'static str], &'static [&'static str]);

const STATEMENTS: &[Statement] = &[
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

/// The policy document, for people to read.
#[must_use]
pub fn deployer(deployer: &Deployer) -> String {
    let Deployer { service, account, region, partition, vpc } = deployer;
    let fill = |resource: &&str| {
        let filled = resource.replace("{p}", partition).replace("{r}", region).replace("{a}", account);
        Value::from(filled.replace("{s}", service))
    };
    let mut statements: Vec<Value> = STATEMENTS
        .iter()
        .map(|(sid, actions, resources)| {
            let resources: Vec<Value> = resources.iter().map(fill).collect();
            json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
        })
        .collect();
    statements.push(json!({
        "Sid": "PassRoles",
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": [fill(&"arn:{p}:iam::{a}:role/{s}-*")],
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    }));
    if *vpc {
        statements.push(json!({
            "Sid": "Network",
            "Effect": "Allow",
            "Action": ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
            "Resource": ["*"],
        }));
    }
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_action_is_a_pattern_or_stands_twice_and_names_are_filled_in() {
        let actions: Vec<&str> = STATEMENTS.iter().flat_map(|it| it.1).copied().collect();
        assert_eq!(actions.iter().collect::<BTreeSet<_>>().len(), actions.len());
        assert!(actions.iter().all(|it| !it.contains('*')));
        let who = Deployer {
            service: "shop".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            partition: "aws".to_owned(),
            vpc: true,
        };
        let text = deployer(&who);
        assert!(text.contains("arn:aws:lambda:eu-west-1:123456789012:function:shop-*"));
        assert!(!text.contains("{s}") && !text.contains("{a}") && text.contains("ec2:DescribeSubnets"));
        // Managed policies hold 6,144 characters without white space.
        assert!(text.chars().filter(|it| !it.is_whitespace()).count() < 6144);
    }
}
