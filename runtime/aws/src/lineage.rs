//! Keeps Lambda's recursion detection out of executions.
//!
//! Lambda gives every invocation a lineage (`X-Amzn-Trace-Id`), which the SDK sends on with every message and invocation,
//! and ends a lineage that comes to the same function some 16 times. The turns of an execution are such a lineage by
//! design: a loop over twenty tasks is no runaway. What bounds an execution is its own code, its attempts and its
//! dead-letter queue, so our messages and invocations each begin a lineage of their own.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The header that carries the lineage. It is not among those that a signature covers.
const LINEAGE: &str = "x-amzn-trace-id";

/// Sends no lineage on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnLineage;

impl Intercept for OwnLineage {
    fn name(&self) -> &'static str {
        "OwnLineage"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().remove(LINEAGE);
        Ok(())
    }
}
