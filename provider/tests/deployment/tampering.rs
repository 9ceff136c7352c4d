//! What people change behind a deployment's back, by hand and one child at a time: through the SDK, never through the
//! provider.

use aws_config::SdkConfig;
use aws_sdk_apigatewayv2::Client as Api;
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_dynamodb::Client as Tables;
use aws_sdk_eventbridge::Client as Events;
use aws_sdk_iam::Client as Roles;
use aws_sdk_lambda::Client as Functions;
use aws_sdk_s3::Client as Buckets;
use aws_sdk_scheduler::Client as Schedules;
use aws_sdk_sqs::Client as Queues;
use eventual_provider_core::state::{Recorded, State};
use eventual_provider_core::value::Value;

use super::Deployment;

/// What was done to which child, by key, and what of it shows.
type Done = Vec<(String, String)>;

struct Tamper<'a> {
    settings: SdkConfig,
    state: &'a State,
    done: Done,
}

impl Deployment {
    /// Changes or removes children of every kind; answers what must be told of each, by key.
    pub(crate) async fn tamper(&self, state: &Value) -> Vec<(String, String)> {
        let state = State::from_value(state);
        let mut tamper = Tamper { settings: self.settings().await, state: &state, done: Vec::new() };
        tamper.functions().await;
        tamper.invocations().await;
        tamper.roles().await;
        tamper.queues().await;
        tamper.storage().await;
        tamper.events().await;
        tamper.api().await;
        let mut done = tamper.done;
        done.sort();
        done
    }
}

impl Tamper<'_> {
    fn child(&self, key: &str) -> &Recorded {
        self.state.children.get(key).unwrap_or_else(|| panic!("there is no {key}"))
    }

    fn name(&self, key: &str) -> String {
        self.child(key).name.clone()
    }

    fn done(&mut self, key: &str, changed: &str) {
        self.done.push((key.to_owned(), changed.to_owned()));
    }

    async fn functions(&mut self) {
        let lambda = Functions::new(&self.settings);
        let name = self.name("function/command-ping");
        lambda.delete_alias().function_name(&name).name("live").send().await.unwrap();
        self.done("function/command-ping", "alias");
        let name = self.name("function/task-work");
        let environment = aws_sdk_lambda::types::Environment::builder().variables("OTHER", "y").build();
        let update = lambda.update_function_configuration().function_name(&name).memory_size(640).timeout(7);
        update.environment(environment).send().await.unwrap();
        lambda
            .put_function_concurrency()
            .function_name(&name)
            .reserved_concurrent_executions(3)
            .send()
            .await
            .unwrap();
        lambda
            .tag_resource()
            .resource(&self.child("function/task-work").arn)
            .tags("who", "me")
            .send()
            .await
            .unwrap();
        self.done("function/task-work", "environment, memory, reserved_concurrency, tags, timeout");
        lambda.delete_function().function_name(self.name("function/command-begin")).send().await.unwrap();
        self.done("function/command-begin", "");
        let permission = self.child("permission/command-tell").clone();
        let function = permission.attribute("function");
        let remove = lambda.remove_permission().function_name(function).qualifier("live");
        remove.statement_id(&permission.name).send().await.unwrap();
        let add = lambda.add_permission().function_name(function).qualifier("live");
        let add = add.statement_id(&permission.name).principal("apigateway.amazonaws.com");
        let add =
            add.action("lambda:InvokeFunction").source_arn("arn:aws:execute-api:us-east-1:000000000000:x/*");
        add.send().await.unwrap();
        self.done("permission/command-tell", "statement");
        // What lies in it went with it.
        self.done("permission/command-begin", "");
        self.done("permission/command-ping", "");
    }

    /// Returns when no mapping is being changed: then AWS takes changes.
    async fn mappings_rest(&self) {
        let lambda = Functions::new(&self.settings);
        let uuids = self.state.children.values().map(|it| it.attribute("uuid")).filter(|it| !it.is_empty());
        for uuid in uuids {
            for _ in 0..100 {
                let mapping = lambda.get_event_source_mapping().uuid(uuid).send().await.unwrap();
                if mapping.state() == Some("Enabled") {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }

    async fn invocations(&mut self) {
        self.mappings_rest().await;
        let lambda = Functions::new(&self.settings);
        let put = lambda.put_function_event_invoke_config().function_name(self.name("function/task-work"));
        put.qualifier("live").maximum_retry_attempts(2).send().await.unwrap();
        self.done("invoke_config/task-work", "on_failure, retries");
        let uuid = |tamper: &Self, key: &str| tamper.child(key).attribute("uuid").to_owned();
        let update = lambda.update_event_source_mapping().uuid(uuid(self, "mapping/timers"));
        update.batch_size(3).enabled(false).send().await.unwrap();
        self.done("mapping/timers", "batch, enabled");
        lambda.delete_event_source_mapping().uuid(uuid(self, "mapping/orchestrator")).send().await.unwrap();
        self.done("mapping/orchestrator", "");
        let filter = aws_sdk_lambda::types::Filter::builder().pattern(r#"{"eventName": ["INSERT"]}"#).build();
        let filters = aws_sdk_lambda::types::FilterCriteria::builder().filters(filter).build();
        let update = lambda.update_event_source_mapping().uuid(uuid(self, "mapping/relay"));
        update.filter_criteria(filters).maximum_retry_attempts(1).send().await.unwrap();
        self.done("mapping/relay", "filter, retries");
    }

    async fn roles(&mut self) {
        let iam = Roles::new(&self.settings);
        let broad =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}"#;
        let role = self.name("role/system");
        iam.put_role_policy()
            .role_name(&role)
            .policy_name("more")
            .policy_document(broad)
            .send()
            .await
            .unwrap();
        let managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        iam.attach_role_policy().role_name(&role).policy_arn(managed).send().await.unwrap();
        self.done("role/system", "attached_policies, inline_policies");
        let role = self.name("role/relay");
        iam.put_role_policy()
            .role_name(&role)
            .policy_name("eventual")
            .policy_document(broad)
            .send()
            .await
            .unwrap();
        let tag = aws_sdk_iam::types::Tag::builder().key("team").value("others").build().unwrap();
        iam.tag_role().role_name(&role).tags(tag).send().await.unwrap();
        self.done("role/relay", "policy, tags");
        let role = self.name("role/scheduler");
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        iam.update_assume_role_policy().role_name(&role).policy_document(trust).send().await.unwrap();
        self.done("role/scheduler", "trust");
    }

    async fn queues(&mut self) {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let sqs = Queues::new(&self.settings);
        let url = |tamper: &Self, key: &str| tamper.child(key).attribute("url").to_owned();
        let set = sqs.set_queue_attributes().queue_url(url(self, "queue/timers"));
        let set = set.attributes(Name::VisibilityTimeout, "1").attributes(Name::RedrivePolicy, "");
        set.attributes(Name::DelaySeconds, "9").send().await.unwrap();
        sqs.untag_queue().queue_url(url(self, "queue/timers")).tag_keys("team").send().await.unwrap();
        self.done("queue/timers", "dead_letters, delay, tags, visibility");
        let set = sqs.set_queue_attributes().queue_url(url(self, "queue/dead"));
        set.attributes(Name::Policy, "").attributes(Name::MessageRetentionPeriod, "60").send().await.unwrap();
        self.done("queue/dead", "policy, retention");
        sqs.delete_queue().queue_url(url(self, "queue/workflows-dead")).send().await.unwrap();
        self.done("queue/workflows-dead", "");
    }

    async fn storage(&mut self) {
        let dynamodb = Tables::new(&self.settings);
        let table = self.name("table");
        let off = aws_sdk_dynamodb::types::PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(false)
            .build()
            .unwrap();
        let update = dynamodb.update_continuous_backups().table_name(&table);
        update.point_in_time_recovery_specification(off).send().await.unwrap();
        let protect = dynamodb.update_table().table_name(&table).deletion_protection_enabled(true);
        protect.send().await.unwrap();
        let tag = aws_sdk_dynamodb::types::Tag::builder().key("cost").value("1").build().unwrap();
        dynamodb.tag_resource().resource_arn(&self.child("table").arn).tags(tag).send().await.unwrap();
        self.done("table", "deletion_protection, point_in_time_recovery, tags");
        let path = aws_sdk_s3::config::Builder::from(&self.settings).force_path_style(true).build();
        let s3 = Buckets::from_conf(path);
        let bucket = self.name("bucket");
        s3.delete_public_access_block().bucket(&bucket).send().await.unwrap();
        s3.delete_bucket_policy().bucket(&bucket).send().await.unwrap();
        let enabled = aws_sdk_s3::types::VersioningConfiguration::builder()
            .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
            .build();
        s3.put_bucket_versioning().bucket(&bucket).versioning_configuration(enabled).send().await.unwrap();
        s3.delete_bucket_tagging().bucket(&bucket).send().await.unwrap();
        self.extend_bucket(&s3, &bucket).await;
        self.done("bucket", "lifecycle, notifications, policy, public_access, tags, versioning");
        let logs = Logs::new(&self.settings);
        logs.delete_retention_policy().log_group_name(self.name("log_group/timers")).send().await.unwrap();
        self.done("log_group/timers", "retention");
        logs.delete_log_group().log_group_name(self.name("log_group/relay")).send().await.unwrap();
        self.done("log_group/relay", "");
        let object = self.name("artifact");
        s3.delete_object().bucket(&bucket).key(object).send().await.unwrap();
        self.done("artifact", "");
    }

    /// A rule that deletes payloads, and somebody who hears of objects.
    async fn extend_bucket(&self, s3: &Buckets, bucket: &str) {
        use aws_sdk_s3::types::{
            BucketLifecycleConfiguration, EventBridgeConfiguration, ExpirationStatus, LifecycleExpiration,
            LifecycleRule, LifecycleRuleFilter, NotificationConfiguration,
        };
        let rule = LifecycleRule::builder()
            .id("cleanup")
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("payloads/").build())
            .expiration(LifecycleExpiration::builder().days(1).build())
            .build()
            .unwrap();
        let rules = BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
        let put = s3.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(rules);
        put.send().await.unwrap();
        let bus = EventBridgeConfiguration::builder().build();
        let notify = NotificationConfiguration::builder().event_bridge_configuration(bus).build();
        let put = s3.put_bucket_notification_configuration().bucket(bucket);
        put.notification_configuration(notify).send().await.unwrap();
    }

    async fn events(&mut self) {
        let events = Events::new(&self.settings);
        let (bus, rule) = (self.name("bus"), self.name("rule/noted"));
        events.disable_rule().name(&rule).event_bus_name(&bus).send().await.unwrap();
        let target = aws_sdk_eventbridge::types::Target::builder()
            .id("mine")
            .arn(&self.child("queue/dead").arn)
            .build()
            .unwrap();
        events.put_targets().rule(&rule).event_bus_name(&bus).targets(target).send().await.unwrap();
        self.done("rule/noted", "state, targets");
        let untag = events.untag_resource().resource_arn(&self.child("bus").arn);
        untag.tag_keys("made").send().await.unwrap();
        self.done("bus", "tags");
        let scheduler = Schedules::new(&self.settings);
        let tag = aws_sdk_scheduler::types::Tag::builder().key("x").value("y").build().unwrap();
        let arn = &self.child("schedule_group").arn;
        scheduler.tag_resource().resource_arn(arn).tags(tag).send().await.unwrap();
        self.done("schedule_group", "tags");
    }

    async fn api(&mut self) {
        let gateway = Api::new(&self.settings);
        let api = self.child("api").clone();
        let id = api.attribute("api_id");
        gateway.update_api().api_id(id).name("renamed").send().await.unwrap();
        let stage = gateway.update_stage().api_id(id).stage_name("$default").auto_deploy(false);
        stage.send().await.unwrap();
        let (name, authorizer) =
            api.attributes.iter().find(|(name, _)| name.starts_with("authorizer/")).unwrap();
        let jwt = aws_sdk_apigatewayv2::types::JwtConfiguration::builder()
            .issuer("https://elsewhere.example")
            .audience("probe")
            .build();
        let update = gateway.update_authorizer().api_id(id).authorizer_id(authorizer);
        update.jwt_configuration(jwt).send().await.unwrap();
        self.done("api", &format!("{name}, name, stage"));
        let routes = gateway.get_routes().api_id(id).send().await.unwrap();
        let of = |tamper: &Self, key: &str| {
            let target = format!("integrations/{}", tamper.child(key).attribute("integration_id"));
            let routes = routes.items().iter().filter(|it| it.target() == Some(&target));
            routes.map(|it| it.route_id().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let open = aws_sdk_apigatewayv2::types::AuthorizationType::None;
        let update = gateway.update_route().api_id(id).route_id(&of(self, "route/begin")[0]);
        update.authorization_type(open).send().await.unwrap();
        self.done("route/begin", "routes");
        for route in of(self, "route/ping") {
            gateway.delete_route().api_id(id).route_id(route).send().await.unwrap();
        }
        let integration = self.child("route/ping").attribute("integration_id").to_owned();
        gateway.delete_integration().api_id(id).integration_id(integration).send().await.unwrap();
        self.done("route/ping", "");
        let integration = self.child("route/tell").attribute("integration_id").to_owned();
        let update = gateway.update_integration().api_id(id).integration_id(integration);
        update.timeout_in_millis(77).send().await.unwrap();
        self.done("route/tell", "timeout");
    }
}
