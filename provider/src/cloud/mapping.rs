//! What feeds a queue or the table's stream into the alias of a function.

use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_sdk_lambda::types::{
    DestinationConfig, EventSourceMappingConfiguration, EventSourcePosition, Filter, FilterCriteria,
    FunctionResponseType, OnFailure, ScalingConfig,
};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::settings::{self, STREAM_BATCH};
use eventual_provider_core::resource::{MappingSpec, Resource, Source};
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::{ALIAS, DEPLOYED};

use super::{AwsCloud, gone, present, tags};

fn filters(pattern: &str) -> FilterCriteria {
    FilterCriteria::builder().filters(Filter::builder().pattern(pattern).build()).build()
}

fn on_failure(arn: &str) -> DestinationConfig {
    DestinationConfig::builder().on_failure(OnFailure::builder().destination(arn).build()).build()
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// What only streams have.
fn creation(
    create: CreateEventSourceMappingFluentBuilder,
    source: &Source,
) -> CreateEventSourceMappingFluentBuilder {
    match source {
        Source::Queue { batch } => create.batch_size(number(*batch)),
        Source::Stream { filter, retries, on_failure: arn } => create
            .batch_size(number(STREAM_BATCH))
            // From the oldest record: what was committed before the mapping was active is not lost.
            .starting_position(EventSourcePosition::TrimHorizon)
            .filter_criteria(filters(filter))
            .maximum_retry_attempts(number(*retries))
            .bisect_batch_on_function_error(true)
            .destination_config(on_failure(arn)),
    }
}

impl AwsCloud {
    /// The mapping of this source to the alias of this function.
    async fn mapping(
        &self,
        function: &str,
        source: Option<&str>,
    ) -> Result<Option<EventSourceMappingConfiguration>, CloudError> {
        let alias = format!("{function}:{ALIAS}");
        let list = self
            .lambda
            .list_event_source_mappings()
            .function_name(&alias)
            .set_event_source_arn(source.map(str::to_owned));
        let answer = present(self.call("lambda ListEventSourceMappings", list.send()).await)?;
        let ours = |it: &&EventSourceMappingConfiguration| {
            it.function_arn().is_some_and(|arn| arn.ends_with(&format!(":{alias}")))
        };
        Ok(answer.iter().flat_map(|it| it.event_source_mappings()).find(ours).cloned())
    }

    pub(super) async fn ensure_mapping(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &MappingSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let made = self.ensure_mapped(owner, resource, spec, recorded).await?;
        if let Some(deployed) = &spec.deployed {
            self.tell_deployed(spec, deployed).await?;
        }
        Ok(made)
    }

    /// Wakes the function behind a FIFO queue. It need not be active yet: the message waits for it.
    async fn tell_deployed(&self, spec: &MappingSpec, deployed: &str) -> Result<(), CloudError> {
        let name = spec.source_arn.as_str().rsplit(':').next().unwrap_or_default();
        let get = self.sqs.get_queue_url().queue_name(name);
        let answer = self.call("sqs GetQueueUrl", get.send()).await?;
        let send = self
            .sqs
            .send_message()
            .set_queue_url(answer.queue_url)
            .message_body(DEPLOYED)
            .message_group_id("deployed")
            .message_deduplication_id(deployed);
        self.call("sqs SendMessage", send.send()).await.map(drop)
    }

    async fn ensure_mapped(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &MappingSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let source = spec.source_arn.as_str();
        if let Some(before) = recorded.filter(|before| before.attribute("source") != source) {
            self.delete_mapping(before).await?;
        }
        let there = if recorded.is_some() { self.mapping(&spec.function, Some(source)).await? } else { None };
        if let Some(uuid) = there.and_then(|it| it.uuid) {
            return self.update_mapping(&uuid, owner, resource, spec).await;
        }
        let create = self
            .lambda
            .create_event_source_mapping()
            .event_source_arn(source)
            .function_name(format!("{}:{ALIAS}", spec.function))
            .function_response_types(FunctionResponseType::ReportBatchItemFailures)
            .set_tags(tags::map(&tags::wanted(owner, resource)));
        match self.call("lambda CreateEventSourceMapping", creation(create, &spec.source).send()).await {
            Ok(answer) => {
                Ok(made(answer.uuid().unwrap_or_default(), answer.event_source_mapping_arn(), spec))
            }
            Err(error) if error.code == "ResourceConflictException" => {
                match self.mapping(&spec.function, Some(source)).await?.and_then(|it| it.uuid) {
                    Some(uuid) => self.update_mapping(&uuid, owner, resource, spec).await,
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn update_mapping(
        &self,
        uuid: &str,
        owner: &Owner,
        resource: &Resource,
        spec: &MappingSpec,
    ) -> Result<Made, CloudError> {
        let update = self
            .lambda
            .update_event_source_mapping()
            .uuid(uuid)
            .function_name(format!("{}:{ALIAS}", spec.function))
            .enabled(true)
            .function_response_types(FunctionResponseType::ReportBatchItemFailures);
        // A FIFO queue can have no window, and Lambda takes none for one.
        let ordered = spec.source_arn.as_str().ends_with(".fifo");
        let update = update.set_maximum_batching_window_in_seconds((!ordered).then_some(0));
        let update = match &spec.source {
            // What is empty takes away what somebody else set.
            Source::Queue { batch } => update
                .batch_size(number(*batch))
                .filter_criteria(FilterCriteria::builder().build())
                .scaling_config(ScalingConfig::builder().build()),
            Source::Stream { filter, retries, on_failure: arn } => update
                .batch_size(number(STREAM_BATCH))
                .filter_criteria(filters(filter))
                .maximum_retry_attempts(number(*retries))
                .bisect_batch_on_function_error(true)
                .destination_config(on_failure(arn)),
        };
        let answer = self.call("lambda UpdateEventSourceMapping", update.send()).await?;
        let arn = answer.event_source_mapping_arn().unwrap_or_default();
        self.tag_lambda(arn, &tags::wanted(owner, resource)).await?;
        Ok(made(uuid, Some(arn), spec))
    }

    pub(super) async fn delete_mapping(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let uuid = match recorded.attribute("uuid") {
            "" => self.mapping(&recorded.name, None).await?.and_then(|it| it.uuid),
            uuid => Some(uuid.to_owned()),
        };
        let Some(uuid) = uuid else { return Ok(()) };
        gone(
            self.call(
                "lambda DeleteEventSourceMapping",
                self.lambda.delete_event_source_mapping().uuid(uuid).send(),
            )
            .await,
        )
    }

    pub(super) async fn describe_mapping(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let uuid = recorded.attribute("uuid");
        if uuid.is_empty() {
            return Ok(None);
        }
        let get = self.lambda.get_event_source_mapping().uuid(uuid);
        let Some(answer) = present(self.call("lambda GetEventSourceMapping", get.send()).await)? else {
            return Ok(None);
        };
        let state = answer.state().unwrap_or_default();
        if state == "Deleting" {
            return Ok(None);
        }
        let mut seen = Observed::of(described(&answer));
        if let Some(arn) = answer.event_source_mapping_arn() {
            let tags = present(self.lambda_tags(arn).await)?.unwrap_or_default();
            seen.settings.insert("tags".to_owned(), tags::digest(&tags));
        }
        Ok(Some(seen))
    }
}

/// Settings of a mapping that is there, without its tags.
fn described(there: &GetEventSourceMappingOutput) -> [(&'static str, String); 10] {
    let enabled = !matches!(there.state().unwrap_or_default(), "Disabled" | "Disabling");
    let text = |number: Option<i32>| number.map(|it| it.to_string()).unwrap_or_default();
    // The ARN of an alias ends with the function's name and the alias.
    let function = there.function_arn().unwrap_or_default();
    let function = function.strip_suffix(&format!(":{ALIAS}")).and_then(|arn| arn.rsplit(':').next());
    let answers: Vec<&str> = there.function_response_types().iter().map(|it| it.as_str()).collect();
    let filters = there.filter_criteria().map(|it| it.filters()).unwrap_or_default();
    let filters: Vec<String> =
        filters.iter().filter_map(|it| it.pattern()).map(settings::policy_digest).collect();
    let failure = there.destination_config().and_then(|it| it.on_failure()).and_then(|it| it.destination());
    [
        ("enabled", enabled.to_string()),
        ("function", function.unwrap_or_default().to_owned()),
        ("answers", answers.join(",")),
        ("window", there.maximum_batching_window_in_seconds().unwrap_or_default().to_string()),
        ("concurrency", text(there.scaling_config().and_then(|it| it.maximum_concurrency()))),
        ("batch", text(there.batch_size())),
        ("filter", filters.join(",")),
        ("retries", text(there.maximum_retry_attempts())),
        ("on_failure", failure.unwrap_or_default().to_owned()),
        ("bisect", there.bisect_batch_on_function_error().unwrap_or_default().to_string()),
    ]
}

fn made(uuid: &str, arn: Option<&str>, spec: &MappingSpec) -> Made {
    let attributes =
        [("uuid".to_owned(), uuid.to_owned()), ("source".to_owned(), spec.source_arn.as_str().to_owned())]
            .into();
    Made { arn: arn.unwrap_or(uuid).to_owned(), attributes }
}
