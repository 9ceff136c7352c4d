//! Errors of the SDK as faults that a person can act on: what was done, AWS's code and words, and the request id.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use aws_smithy_types::error::display::DisplayErrorContext;
use eventual_engine::ports::Fault;

/// A fault of `operation`, from what the SDK returned.
pub(crate) fn aws<E, R>(operation: impl Into<String>, error: &SdkError<E, R>) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: RequestId,
{
    Fault::new(operation, describe(error))
}

/// `ThrottlingException: Rate exceeded (request 4b2f)`; the chain of causes when AWS did not answer.
pub(crate) fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: RequestId,
{
    let Some(service) = error.as_service_error() else { return DisplayErrorContext(error).to_string() };
    let code = service.code().unwrap_or("unknown error");
    let message = service.message().unwrap_or("no message");
    match error.request_id() {
        Some(request) => format!("{code}: {message} (request {request})"),
        None => format!("{code}: {message}"),
    }
}
