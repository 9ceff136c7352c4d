//! Names and ARNs of a deployment's resources, as far as they can be computed.

use eventual_schema::deploy::{ALIAS, Names};

use crate::cloud::Identity;

/// Where a deployment lives, and what its resources are called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    service: String,
    identity: Identity,
    names: Names,
}

impl Place {
    /// The place of the deployment `service`.
    #[must_use]
    pub fn new(service: &str, identity: &Identity) -> Self {
        let names = Names::new(service, &identity.account, &identity.region);
        Self { service: service.to_owned(), identity: identity.clone(), names }
    }

    /// Name of the deployment.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Account, region and partition.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Names of resources.
    #[must_use]
    pub const fn names(&self) -> &Names {
        &self.names
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        let Identity { account, region, partition } = &self.identity;
        format!("arn:{partition}:{service}:{region}:{account}:{rest}")
    }

    /// A function, by its name in the manifest.
    #[must_use]
    pub fn function_arn(&self, function: &str) -> String {
        self.arn("lambda", &format!("function:{}", self.names.function(function)))
    }

    /// The alias of a function, by its name in the manifest.
    #[must_use]
    pub fn alias_arn(&self, function: &str) -> String {
        format!("{}:{ALIAS}", self.function_arn(function))
    }

    /// A role, by its name in the cloud.
    #[must_use]
    pub fn role_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role/{name}", self.identity.partition, self.identity.account)
    }

    /// A queue, by its name in the cloud.
    #[must_use]
    pub fn queue_arn(&self, name: &str) -> String {
        self.arn("sqs", name)
    }

    /// The engine table.
    #[must_use]
    pub fn table_arn(&self) -> String {
        self.arn("dynamodb", &format!("table/{}", self.names.table()))
    }

    /// The bucket.
    #[must_use]
    pub fn bucket_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.identity.partition, self.names.bucket())
    }

    /// The event bus.
    #[must_use]
    pub fn bus_arn(&self) -> String {
        self.arn("events", &format!("event-bus/{}", self.names.event_bus()))
    }

    /// A rule of the bus, by its name in the cloud.
    #[must_use]
    pub fn rule_arn(&self, name: &str) -> String {
        self.arn("events", &format!("rule/{}/{name}", self.names.event_bus()))
    }

    /// A log group, by its name in the cloud.
    #[must_use]
    pub fn log_group_arn(&self, name: &str) -> String {
        self.arn("logs", &format!("log-group:{name}"))
    }

    /// The group of long timers.
    #[must_use]
    pub fn schedule_group_arn(&self) -> String {
        self.arn("scheduler", &format!("schedule-group/{}", self.names.schedule_group()))
    }

    /// All schedules in that group.
    #[must_use]
    pub fn schedules_arn(&self) -> String {
        self.arn("scheduler", &format!("schedule/{}/*", self.names.schedule_group()))
    }

    /// What may be called at an API whose id is put in later: text before and after the id.
    #[must_use]
    pub fn execute_api_around(&self, rest: &str) -> (String, String) {
        (self.arn("execute-api", ""), format!("/{rest}"))
    }
}
