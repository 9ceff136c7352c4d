//! How many calls a second AWS admits by default, by service and class of operation, each with the page that says so.
//!
//! These are defaults of an account; what an account has beyond them is not found out. What others call in the same account
//! counts as well, which only a refusal tells: see [`super::Pace::slow_down`].

/// A bucket of tokens: one a call, `rate` new ones a second, at most `burst` of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    pub(super) rate: f64,
    pub(super) burst: f64,
}

const fn limit(rate: f64, burst: f64) -> Limit {
    Limit { rate, burst }
}

/// For services that publish no rates: IAM, SQS, STS, and what S3 does to whole buckets. IAM says that it has a bucket for each
/// API and not how large ("How to monitor and query IAM resources at scale, part 2", AWS Security Blog). A guess of ours, that a
/// service of twenty functions hardly notices.
const UNPUBLISHED: Limit = limit(25.0, 25.0);

/// Lambda developer guide, "Lambda quotas", API requests: 15 a second for all of the control plane together, except GetFunction
/// with 100 and GetPolicy with 15 of their own.
const LAMBDA: Limit = limit(15.0, 15.0);
const GET_FUNCTION: Limit = limit(100.0, 100.0);

/// API Gateway developer guide, "Quotas for creating, deploying and managing an API": 10 a second in total, 40 at once.
const API_GATEWAY: Limit = limit(10.0, 40.0);

/// CloudWatch Logs user guide, "CloudWatch Logs service quotas": 10 a second for creating, deleting and describing log groups, each
/// for itself; 5 for retention and for each operation on tags.
const LOG_GROUPS: Limit = limit(10.0, 10.0);
const LOG_DETAILS: Limit = limit(5.0, 5.0);

/// EventBridge user guide, "Amazon EventBridge quotas": 50 a second for all but PutEvents.
const EVENTS: Limit = limit(50.0, 50.0);

/// DynamoDB developer guide, "Best practices for managing the control plane": 2,500 a second.
const DYNAMODB: Limit = limit(2500.0, 2500.0);

/// S3 user guide, "Best practices design patterns: optimizing Amazon S3 performance": 3,500 changes a second and prefix, more for
/// reading.
const OBJECTS: Limit = limit(3500.0, 3500.0);

/// EventBridge Scheduler user guide, "Quotas": schedules may be made in thousands a second; of groups, of which a service has one,
/// this is no more than a guess.
const SCHEDULE_GROUPS: Limit = limit(10.0, 10.0);

/// The class that an operation (`service Operation`) counts in, and its limit; `None` for calls of what is deployed, which are as
/// frequent as the user wants them.
pub(super) fn of(operation: &'static str) -> Option<(&'static str, Limit)> {
    let (service, name) = operation.split_once(' ').unwrap_or((operation, ""));
    Some(match (service, name) {
        ("lambda", "Invoke") | ("sqs", "SendMessage" | "ReceiveMessage" | "DeleteMessage") => return None,
        ("lambda", "GetFunction") => (operation, GET_FUNCTION),
        ("lambda", "GetPolicy") => (operation, LAMBDA),
        ("lambda", _) => (service, LAMBDA),
        ("apigateway", _) => (service, API_GATEWAY),
        ("logs", "CreateLogGroup" | "DeleteLogGroup" | "DescribeLogGroups") => (operation, LOG_GROUPS),
        ("logs", _) => (operation, LOG_DETAILS),
        ("events", _) => (service, EVENTS),
        ("dynamodb", _) => (service, DYNAMODB),
        ("s3", "GetObject" | "PutObject" | "HeadObject" | "DeleteObject" | "DeleteObjects") => {
            ("s3 objects", OBJECTS)
        }
        ("scheduler", _) => (operation, SCHEDULE_GROUPS),
        _ => (service, UNPUBLISHED),
    })
}
