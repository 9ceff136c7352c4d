//! What happens to asynchronous invocations of an alias that fail.

use aws_sdk_lambda::types::{DestinationConfig, OnFailure};
use eventual_provider_core::cloud::{CloudError, Made, Observed};
use eventual_provider_core::resource::InvokeConfigSpec;
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::ALIAS;

use super::{AwsCloud, gone, present};

impl AwsCloud {
    pub(super) async fn ensure_invoke_config(&self, spec: &InvokeConfigSpec) -> Result<Made, CloudError> {
        let failure = OnFailure::builder().destination(&spec.on_failure).build();
        let put = self
            .lambda
            .put_function_event_invoke_config()
            .function_name(&spec.function)
            .qualifier(ALIAS)
            .maximum_retry_attempts(i32::try_from(spec.retries).unwrap_or_default())
            .destination_config(DestinationConfig::builder().on_failure(failure).build());
        self.call("lambda PutFunctionEventInvokeConfig", put.send()).await?;
        Ok(Made::default())
    }

    pub(super) async fn delete_invoke_config(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let delete =
            self.lambda.delete_function_event_invoke_config().function_name(&recorded.name).qualifier(ALIAS);
        gone(self.call("lambda DeleteFunctionEventInvokeConfig", delete.send()).await)
    }

    pub(super) async fn describe_invoke_config(
        &self,
        recorded: &Recorded,
    ) -> Result<Option<Observed>, CloudError> {
        let get =
            self.lambda.get_function_event_invoke_config().function_name(&recorded.name).qualifier(ALIAS);
        let answer = present(self.call("lambda GetFunctionEventInvokeConfig", get.send()).await)?;
        Ok(answer.map(|answer| {
            let destinations = answer.destination_config();
            let failure = destinations.and_then(|it| it.on_failure()).and_then(|it| it.destination());
            let success = destinations.and_then(|it| it.on_success()).and_then(|it| it.destination());
            Observed::of([
                ("retries", answer.maximum_retry_attempts().map(|it| it.to_string()).unwrap_or_default()),
                ("on_failure", failure.unwrap_or_default().to_owned()),
                ("on_success", success.unwrap_or_default().to_owned()),
            ])
        }))
    }
}
