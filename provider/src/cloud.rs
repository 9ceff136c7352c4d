//! The core's cloud port on AWS: one resource kind a file, each operation safe to repeat.
//!
//! It decides nothing about order or retries; it tells the core what an answer of AWS means ([`fault`]).

mod api;
mod artifact;
mod bucket;
mod bus;
mod fault;
mod function;
mod invoke_config;
mod log_group;
mod mapping;
mod operations;
mod ownership;
mod pace;
mod permission;
mod queue;
mod role;
mod route;
mod rule;
mod schedule_group;
mod table;
mod tags;
mod versions;

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use eventual_provider_core::cloud::{
    Cloud, CloudError, Identity, Made, Observed, Owner, Ownership, OwnershipState, Trouble,
};
use eventual_provider_core::config::Confidential;
use eventual_provider_core::resource::{Kind, Resource, Spec};
use eventual_provider_core::state::Recorded;

pub(crate) use fault::fault;
pub use pace::Limits;

/// Longest that one operation waits inside itself for a resource to settle, before it tells the core that it is busy.
const SETTLE: Duration = Duration::from_secs(30);
/// Pause between two looks at a resource that settles.
const LOOK: Duration = Duration::from_millis(150);

/// AWS with one set of credentials, in one region.
pub(crate) struct AwsCloud {
    identity: Identity,
    began: Instant,
    pace: pace::Pace,
    listing: tokio::sync::Mutex<Option<std::sync::Arc<route::Listing>>>,
    api: aws_sdk_apigatewayv2::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    events: aws_sdk_eventbridge::Client,
    iam: aws_sdk_iam::Client,
    lambda: aws_sdk_lambda::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    s3: aws_sdk_s3::Client,
    scheduler: aws_sdk_scheduler::Client,
    sqs: aws_sdk_sqs::Client,
    sts: aws_sdk_sts::Client,
}

impl std::fmt::Debug for AwsCloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsCloud").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl AwsCloud {
    /// Clients with these settings. An endpoint of its own has no names for buckets, so that they go into the path.
    pub(crate) fn new(settings: &SdkConfig, identity: Identity, own_endpoint: bool, limits: Limits) -> Self {
        let s3 = aws_sdk_s3::config::Builder::from(settings).force_path_style(own_endpoint).build();
        Self {
            identity,
            began: Instant::now(),
            pace: pace::Pace::new(limits),
            listing: tokio::sync::Mutex::default(),
            api: aws_sdk_apigatewayv2::Client::new(settings),
            dynamodb: aws_sdk_dynamodb::Client::new(settings),
            events: aws_sdk_eventbridge::Client::new(settings),
            iam: aws_sdk_iam::Client::new(settings),
            lambda: aws_sdk_lambda::Client::new(settings),
            logs: aws_sdk_cloudwatchlogs::Client::new(settings),
            s3: aws_sdk_s3::Client::from_conf(s3),
            scheduler: aws_sdk_scheduler::Client::new(settings),
            sqs: aws_sdk_sqs::Client::new(settings),
            sts: aws_sdk_sts::Client::new(settings),
        }
    }

    /// One call, `operation` being `service Operation`.
    async fn call<T, E>(
        &self,
        operation: &'static str,
        send: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, CloudError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.pace.wait(operation).await;
        let answer = Box::pin(send).await.map_err(|error| fault(operation, &error));
        if let Err(error) = &answer {
            if error.trouble == Trouble::Throttled {
                self.pace.slow_down(operation);
            }
            tracing::debug!(
                operation,
                code = error.code,
                message = error.message,
                request_id = error.request_id,
                "refused"
            );
        }
        answer
    }

    /// An ARN of a resource of this account and region.
    fn arn(&self, service: &str, rest: &str) -> String {
        let Identity { account, region, partition } = &self.identity;
        format!("arn:{partition}:{service}:{region}:{account}:{rest}")
    }
}

/// Something of this name is there that carries another owner's tag, or none.
fn foreign(operation: &str, name: &str) -> CloudError {
    CloudError {
        trouble: Trouble::Foreign,
        operation: operation.to_owned(),
        code: "Foreign".to_owned(),
        message: format!("{name} exists and does not carry this deployment's owner tag"),
        request_id: String::new(),
    }
}

/// The resource needs more time than one operation waits.
fn busy(operation: &str, message: String) -> CloudError {
    CloudError {
        trouble: Trouble::Busy,
        operation: operation.to_owned(),
        code: String::new(),
        message,
        request_id: String::new(),
    }
}

/// A request that the SDK refuses to build; a bug of ours.
fn malformed(operation: &str, error: impl std::fmt::Display) -> CloudError {
    CloudError {
        trouble: Trouble::Invalid,
        operation: operation.to_owned(),
        code: String::new(),
        message: error.to_string(),
        request_id: String::new(),
    }
}

/// `None` for what is not there.
fn present<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.trouble == Trouble::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Success for a deletion of what is not there.
fn gone<T>(answer: Result<T, CloudError>) -> Result<(), CloudError> {
    present(answer).map(|_| ())
}

#[async_trait]
impl Cloud for AwsCloud {
    async fn ensure(
        &self,
        owner: &Owner,
        resource: &Resource,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        match &resource.spec {
            Spec::Api(spec) => self.ensure_api(owner, resource, spec, recorded).await,
            Spec::Artifact(spec) => self.ensure_artifact(spec, recorded).await,
            Spec::Bucket(spec) => self.ensure_bucket(owner, resource, spec, recorded).await,
            Spec::Bus(_) => self.ensure_bus(owner, resource, recorded).await,
            Spec::Function(spec) => self.ensure_function(owner, resource, spec, recorded).await,
            Spec::InvokeConfig(spec) => self.ensure_invoke_config(spec).await,
            Spec::LogGroup(spec) => self.ensure_log_group(owner, resource, spec, recorded).await,
            Spec::Mapping(spec) => self.ensure_mapping(owner, resource, spec, recorded).await,
            Spec::Permission(spec) => self.ensure_permission(&resource.name, spec).await,
            Spec::Queue(spec) => self.ensure_queue(owner, resource, spec).await,
            Spec::Role(spec) => self.ensure_role(owner, resource, spec, recorded).await,
            Spec::Route(spec) => self.ensure_route(spec, recorded).await,
            Spec::Rule(spec) => self.ensure_rule(owner, resource, spec, recorded).await,
            Spec::ScheduleGroup => self.ensure_schedule_group(owner, resource, recorded).await,
            Spec::Table(spec) => self.ensure_table(owner, resource, spec, recorded).await,
        }
    }

    async fn delete(&self, owner: &Owner, recorded: &Recorded, verify: bool) -> Result<(), CloudError> {
        if verify && !self.is_ours(owner, recorded).await? {
            return Ok(());
        }
        match recorded.kind {
            Kind::Api => self.delete_api(owner, recorded).await,
            Kind::Artifact => self.delete_artifact(recorded).await,
            Kind::Bucket => self.delete_bucket(recorded).await,
            Kind::Bus => self.delete_bus(recorded).await,
            Kind::Function => self.delete_function(recorded).await,
            Kind::InvokeConfig => self.delete_invoke_config(recorded).await,
            Kind::LogGroup => self.delete_log_group(recorded).await,
            Kind::Mapping => self.delete_mapping(recorded).await,
            Kind::Permission => self.delete_permission(recorded).await,
            Kind::Queue => self.delete_queue(recorded).await,
            Kind::Role => self.delete_role(recorded).await,
            Kind::Route => self.delete_route(recorded).await,
            Kind::Rule => self.delete_rule(recorded).await,
            Kind::ScheduleGroup => self.delete_schedule_group(recorded).await,
            Kind::Table => self.delete_table(recorded).await,
        }
    }

    async fn describe(&self, _owner: &Owner, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        match recorded.kind {
            Kind::Api => self.describe_api(recorded).await,
            Kind::Artifact => self.describe_artifact(recorded).await,
            Kind::Bucket => self.describe_bucket(recorded).await,
            Kind::Bus => self.describe_bus(recorded).await,
            Kind::Function => self.describe_function(recorded).await,
            Kind::InvokeConfig => self.describe_invoke_config(recorded).await,
            Kind::LogGroup => self.describe_log_group(recorded).await,
            Kind::Mapping => self.describe_mapping(recorded).await,
            Kind::Permission => self.describe_permission(recorded).await,
            Kind::Queue => self.describe_queue(recorded).await,
            Kind::Role => self.describe_role(recorded).await,
            Kind::Route => self.describe_route(recorded).await,
            Kind::Rule => self.describe_rule(recorded).await,
            Kind::ScheduleGroup => self.describe_schedule_group(recorded).await,
            Kind::Table => self.describe_table(recorded).await,
        }
    }

    async fn environment(&self, recorded: &Recorded) -> Result<BTreeMap<String, Confidential>, CloudError> {
        match recorded.kind {
            Kind::Function => self.function_environment(recorded).await,
            _ => Ok(BTreeMap::new()),
        }
    }

    async fn settle(&self, recorded: &Recorded) -> Result<(), CloudError> {
        match recorded.kind {
            Kind::Function => self.settle_function(recorded).await,
            _ => Ok(()),
        }
    }

    async fn data(&self, recorded: &Recorded) -> Result<Option<String>, CloudError> {
        match recorded.kind {
            Kind::Table => self.table_data(recorded).await,
            Kind::Bucket => self.bucket_data(recorded).await,
            Kind::Queue => self.queue_data(recorded).await,
            _ => Ok(None),
        }
    }

    async fn ownership(&self, bucket: &str) -> Result<OwnershipState, CloudError> {
        self.read_ownership(bucket).await
    }

    async fn found(&self, bucket: &str) -> Result<(), CloudError> {
        self.create_bucket(bucket).await
    }

    async fn claim(
        &self,
        bucket: &str,
        record: &Ownership,
        expected: Option<&str>,
    ) -> Result<String, CloudError> {
        self.write_ownership(bucket, record, expected).await
    }

    fn epoch_s(&self) -> u64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn sleep_ms(&self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        // The system's generator fails only where nothing else works either; then the clock has to do.
        if getrandom::getrandom(&mut bytes).is_err() {
            return u64::try_from(self.began.elapsed().as_nanos() & u128::from(u64::MAX)).unwrap_or_default();
        }
        u64::from_ne_bytes(bytes)
    }
}
