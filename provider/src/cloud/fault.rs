//! What an answer of AWS means: its code and words as [`Trouble`].
//!
//! The words are AWS's own, quoted in public logs; where a code says enough, the words are not looked at.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use eventual_provider_core::cloud::{CloudError, Trouble};

/// The error of an operation, `service Operation`.
pub(crate) fn fault<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let header = |name: &str| {
        error.raw_response().and_then(|response| response.headers().get(name)).unwrap_or_default().to_owned()
    };
    let request_id = Some(header("x-amzn-requestid"))
        .filter(|it| !it.is_empty())
        .unwrap_or_else(|| header("x-amz-request-id"));
    let Some(service) = error.as_service_error() else {
        let malformed = matches!(error, SdkError::ConstructionFailure(_));
        let trouble = if malformed {
            Trouble::Invalid
        } else if status == 0 || status >= 500 {
            Trouble::Unreachable
        } else {
            by_status(status)
        };
        let message = DisplayErrorContext(error).to_string();
        return CloudError {
            trouble,
            operation: operation.to_owned(),
            code: String::new(),
            message,
            request_id,
        };
    };
    let code = service.code().unwrap_or_default().to_owned();
    let message = service.message().map_or_else(|| format!("HTTP status {status}"), without_secrets);
    CloudError {
        trouble: trouble(&code, &message, status),
        operation: operation.to_owned(),
        code,
        message,
        request_id,
    }
}

/// The message without the environment of a function, which Lambda quotes whole when it is too large.
fn without_secrets(message: &str) -> String {
    const QUOTE: &str = "String measured";
    message.find(QUOTE).map_or(message, |at| message[..at].trim_end()).to_owned()
}

const fn by_status(status: u16) -> Trouble {
    match status {
        404 => Trouble::NotFound,
        403 => Trouble::Denied,
        409 | 412 => Trouble::Lost,
        429 | 503 => Trouble::Throttled,
        500.. => Trouble::Unreachable,
        _ => Trouble::Other,
    }
}

/// Words of a role or permission that is not seen yet.
const PROPAGATING: [&str; 10] = [
    "cannot be assumed",
    "role defined for the function",
    "does not have permissions to call",
    "do not have permissions to call",
    "Cannot access stream",
    "Please ensure the role can perform",
    "must allow AWS EventBridge Scheduler to assume",
    "Invalid principal in policy",
    "execution role does not have permission",
    "KMS key is invalid for CreateGrant",
];
/// Words of a resource that is still being worked on.
const BUSY: [&str; 14] = [
    "currently in the following state: Pending",
    "update is in progress",
    "concurrent update",
    "concurrent modification",
    "try again later",
    "conflicting conditional operation",
    "because it is in use",
    "still in use",
    "Table is being",
    "Backups are being enabled",
    "Time to live has been modified multiple times",
    "Subscriber limit exceeded",
    "is being deleted",
    "wait 60 seconds",
];

fn trouble(code: &str, message: &str, status: u16) -> Trouble {
    let says = |words: &[&str]| words.iter().any(|it| message.contains(it));
    let short = code.rsplit(['.', '#']).next().unwrap_or(code);
    if says(&PROPAGATING) {
        return Trouble::Propagating;
    }
    if says(&BUSY) {
        return Trouble::Busy;
    }
    if message.contains("Rate exceeded") || short.contains("Throttl") {
        return Trouble::Throttled;
    }
    match short {
        "TooManyRequestsException" | "RequestLimitExceeded" | "SlowDown" | "PriorRequestNotComplete" => {
            Trouble::Throttled
        }
        "QueueDeletedRecently"
        | "ContinuousBackupsUnavailableException"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "EntityTemporarilyUnmodifiable"
        | "OperationAborted"
        | "OperationAbortedException"
        | "ResourceNotReadyException"
        | "TableInUseException" => Trouble::Busy,
        "NonExistentQueue"
        | "QueueDoesNotExist"
        | "NoSuchEntity"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchTagSet"
        | "NoSuchBucketPolicy"
        | "NoSuchLifecycleConfiguration"
        | "NoSuchPublicAccessBlockConfiguration"
        | "ServerSideEncryptionConfigurationNotFoundError"
        | "NotFound"
        | "NotFoundException"
        | "ResourceNotFoundException" => Trouble::NotFound,
        "PreconditionFailed" | "ConditionalRequestConflict" => Trouble::Lost,
        _ if short.contains("AccessDenied")
            || short.contains("NotAuthorized")
            || short.contains("Unauthorized") =>
        {
            Trouble::Denied
        }
        "InvalidClientTokenId" | "SignatureDoesNotMatch" | "ExpiredToken" | "ExpiredTokenException" => {
            Trouble::Denied
        }
        _ if short.starts_with("Validation")
            || short.starts_with("Invalid")
            || short.starts_with("Malformed") =>
        {
            Trouble::Invalid
        }
        "" => by_status(status),
        _ if status >= 500 => Trouble::Unreachable,
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_aws() {
        let cases = [
            (
                "InvalidParameterValueException",
                "The role defined for the function cannot be assumed by Lambda.",
                400,
                Trouble::Propagating,
            ),
            (
                "InvalidParameterValueException",
                "The function execution role does not have permissions to call ReceiveMessage on SQS",
                400,
                Trouble::Propagating,
            ),
            (
                "InvalidParameterValueException",
                "Unzipped size must be smaller than 262144000 bytes",
                400,
                Trouble::Invalid,
            ),
            (
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress for resource: x",
                409,
                Trouble::Busy,
            ),
            ("ResourceConflictException", "Function already exist: x", 409, Trouble::Other),
            (
                "ConflictException",
                "Unable to complete operation due to concurrent modification. Please try again later.",
                409,
                Trouble::Busy,
            ),
            (
                "InvalidParameterValueException",
                "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant.",
                400,
                Trouble::Propagating,
            ),
            (
                "AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue",
                400,
                Trouble::Busy,
            ),
            (
                "AWS.SimpleQueueService.NonExistentQueue",
                "The specified queue does not exist.",
                400,
                Trouble::NotFound,
            ),
            ("TooManyRequestsException", "Too Many Requests", 429, Trouble::Throttled),
            (
                "AccessDeniedException",
                "User: x is not authorized to perform: iam:PassRole",
                403,
                Trouble::Denied,
            ),
            (
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                412,
                Trouble::Lost,
            ),
            ("InternalError", "We encountered an internal error", 500, Trouble::Unreachable),
        ];
        for (code, message, status, expected) in cases {
            assert_eq!(trouble(code, message, status), expected, "{code}: {message}");
        }
    }

    #[test]
    fn a_quoted_environment_is_cut() {
        let said = "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.";
        assert_eq!(without_secrets(&format!("{said} String measured: {{\"KEY\":\"secret\"}}")), said);
        assert_eq!(without_secrets(said), said);
    }
}
