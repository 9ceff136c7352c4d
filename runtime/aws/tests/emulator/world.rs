//! One deployment's resources, made as `eventual_schema::deploy` describes them, and the host's adapters on them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType, TableStatus,
};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedCredentialsProvider;
use eventual_aws::{Aws, AwsDispatch, Config, DynamoStore, Resources, SystemClock};
use eventual_engine::ports::Clock;
use eventual_schema::deploy::{Names, table};
use eventual_schema::{Function, FunctionKind};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";
/// Longest wait for anything in a test.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) store: DynamoStore,
    pub(crate) dispatch: AwsDispatch,
    pub(crate) resources: Resources,
    config: Config,
    pub(crate) dynamo: aws_sdk_dynamodb::Client,
    pub(crate) queues: aws_sdk_sqs::Client,
    pub(crate) schedules: aws_sdk_scheduler::Client,
    pub(crate) bus: aws_sdk_eventbridge::Client,
    iam: aws_sdk_iam::Client,
    settings: SdkConfig,
    names: Names,
}

fn endpoint() -> String {
    std::env::var("EVENTUAL_TEST_ENDPOINT")
        .unwrap_or_else(|_| panic!("EVENTUAL_TEST_ENDPOINT is not set: run through `cargo xtask test`"))
}

fn settings(endpoint: &str) -> SdkConfig {
    let client =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        .endpoint_url(endpoint)
        .build()
}

/// Tries until `attempt` returns something, and fails the test when that takes too long.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl World {
    /// A deployment of its own, with a table and a bucket.
    pub(crate) async fn new() -> Self {
        let endpoint = endpoint();
        let settings = settings(&endpoint);
        let service = format!("t{:012x}", SystemClock.entropy() >> 16);
        let names = Names::new(&service, ACCOUNT, REGION);
        let queue_url = |name: &str| format!("{endpoint}/{ACCOUNT}/{name}");
        let queue_arn = |name: &str| format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let resources = Resources {
            table: names.table(),
            workflow_queue_url: queue_url(&names.workflow_queue()),
            timer_queue_url: queue_url(&names.timer_queue()),
            timer_queue_arn: queue_arn(&names.timer_queue()),
            bucket: names.bucket(),
            event_bus: names.event_bus(),
            schedule_group: names.schedule_group(),
            scheduler_role_arn: format!("arn:aws:iam::{ACCOUNT}:role/{}", names.scheduler_role()),
            dead_letter_queue_arn: queue_arn(&names.dead_letter_queue()),
            retention_days: 7,
        };
        let aws = Aws {
            region: REGION.to_owned(),
            endpoint: Some(endpoint),
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
            session_token: None,
        };
        let function = Function {
            name: "orchestrator".to_owned(),
            kind: FunctionKind::Orchestrator,
            handlers: Vec::new(),
        };
        let config = Config { service, function, code: "code".to_owned(), aws, resources: resources.clone() };
        let (store, dispatch) = eventual_aws::adapters(&config);
        let world = Self {
            store,
            dispatch,
            resources,
            config,
            dynamo: aws_sdk_dynamodb::Client::new(&settings),
            queues: aws_sdk_sqs::Client::new(&settings),
            schedules: aws_sdk_scheduler::Client::new(&settings),
            bus: aws_sdk_eventbridge::Client::new(&settings),
            iam: aws_sdk_iam::Client::new(&settings),
            settings,
            names,
        };
        world.make_bucket().await;
        world
    }

    /// The store of another process of the deployment, which remembers nothing.
    pub(crate) fn another_store(&self) -> DynamoStore {
        eventual_aws::adapters(&self.config).0
    }

    async fn make_bucket(&self) {
        let config = aws_sdk_s3::config::Builder::from(&self.settings).force_path_style(true).build();
        let client = aws_sdk_s3::Client::from_conf(config);
        client.create_bucket().bucket(&self.resources.bucket).send().await.unwrap();
    }

    /// The same deployment, with its table.
    pub(crate) async fn with_table(self) -> Self {
        let attribute = |name: &str| {
            let definition = AttributeDefinition::builder().attribute_name(name);
            definition.attribute_type(ScalarAttributeType::S).build().unwrap()
        };
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name(table::INDEX)
            .key_schema(key(table::INDEX_PARTITION, KeyType::Hash))
            .key_schema(key(table::INDEX_SORT, KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()
            .unwrap();
        let mut request = self.dynamo.create_table().table_name(&self.resources.table);
        for name in [table::PARTITION, table::SORT, table::INDEX_PARTITION, table::INDEX_SORT] {
            request = request.attribute_definitions(attribute(name));
        }
        request
            .key_schema(key(table::PARTITION, KeyType::Hash))
            .key_schema(key(table::SORT, KeyType::Range))
            .global_secondary_indexes(index)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await
            .unwrap();
        until("the table", || async {
            let answer = self.dynamo.describe_table().table_name(&self.resources.table).send().await.ok()?;
            let table = answer.table?;
            let index = table.global_secondary_indexes()[0].index_status() == Some(&IndexStatus::Active);
            (table.table_status() == Some(&TableStatus::Active) && index).then_some(())
        })
        .await;
        self
    }

    /// The same deployment, with its queues.
    pub(crate) async fn with_queues(self) -> Self {
        let fifo = HashMap::from([(QueueAttributeName::FifoQueue, "true".to_owned())]);
        let create = |name: String| self.queues.create_queue().queue_name(name);
        create(self.names.workflow_queue()).set_attributes(Some(fifo)).send().await.unwrap();
        create(self.names.timer_queue()).send().await.unwrap();
        create(self.names.dead_letter_queue()).send().await.unwrap();
        self
    }

    /// The same deployment, with its schedule group and the role of its schedules.
    pub(crate) async fn with_schedules(self) -> Self {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"Service":"scheduler.amazonaws.com"}}]}"#;
        let role = self.names.scheduler_role();
        self.iam.create_role().role_name(role).assume_role_policy_document(trust).send().await.unwrap();
        self.schedules.create_schedule_group().name(&self.resources.schedule_group).send().await.unwrap();
        self
    }

    /// The same deployment, with its bus and a rule that sends every event to the timer queue.
    pub(crate) async fn with_bus(self) -> Self {
        let bus = &self.resources.event_bus;
        self.bus.create_event_bus().name(bus).send().await.unwrap();
        let pattern = format!(r#"{{"source":["{}"]}}"#, self.service());
        self.bus.put_rule().name("all").event_bus_name(bus).event_pattern(pattern).send().await.unwrap();
        let arn = &self.resources.timer_queue_arn;
        let target = aws_sdk_eventbridge::types::Target::builder().id("all").arn(arn).build().unwrap();
        self.bus.put_targets().rule("all").event_bus_name(bus).targets(target).send().await.unwrap();
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},
            "Action":"sqs:SendMessage","Resource":"{arn}"}}]}}"#
        );
        let url = &self.resources.timer_queue_url;
        let attributes = self.queues.set_queue_attributes().queue_url(url);
        attributes.attributes(QueueAttributeName::Policy, policy).send().await.unwrap();
        self
    }

    /// The queue of what was given up.
    pub(crate) fn dead_letters_url(&self) -> String {
        let timers = &self.resources.timer_queue_url;
        timers.replace(&self.names.timer_queue(), &self.names.dead_letter_queue())
    }

    fn service(&self) -> &str {
        self.resources.table.trim_end_matches("-executions")
    }

    /// The messages of a queue, in the order in which they come, until there are `count` of them. They are deleted.
    pub(crate) async fn receive(&self, url: &str, count: usize) -> Vec<aws_sdk_sqs::types::Message> {
        let mut messages = Vec::new();
        let start = Instant::now();
        while messages.len() < count {
            assert!(start.elapsed() < PATIENCE, "{} of {count} messages came", messages.len());
            messages.extend(self.receive_now(url, 1).await);
        }
        messages
    }

    /// The messages that come within `wait_s` seconds. They are deleted.
    pub(crate) async fn receive_now(&self, url: &str, wait_s: i32) -> Vec<aws_sdk_sqs::types::Message> {
        let request = self.queues.receive_message().queue_url(url).max_number_of_messages(10);
        let messages = request.wait_time_seconds(wait_s).send().await.unwrap().messages.unwrap_or_default();
        for message in &messages {
            let handle = message.receipt_handle().unwrap();
            self.queues.delete_message().queue_url(url).receipt_handle(handle).send().await.unwrap();
        }
        messages
    }
}
