//! The contract between the provider, which makes a service's cloud resources, and the runtime, which uses them.
//!
//! Names of environment variables, attributes, object keys and resources: each is written here once, and nowhere else.

use crate::digest::short_hash;

/// Environment variables of every function that the provider makes.
pub mod env {
    /// Name of the deployment (`name` of the resource).
    pub const SERVICE: &str = "EVENTUAL_SERVICE";
    /// Name of the function within the manifest: `command-placeOrder`, `orchestrator`.
    pub const FUNCTION: &str = "EVENTUAL_FUNCTION";
    /// SHA-256 of the artifact's `bootstrap`. The provider does not set it, so that a change of code changes no
    /// function's configuration: a deployed function finds the hash in the artifact's manifest, beside itself.
    pub const CODE_HASH: &str = "EVENTUAL_CODE_HASH";
    /// Name of the engine table.
    pub const TABLE: &str = "EVENTUAL_TABLE";
    /// URL of the workflow queue.
    pub const WORKFLOW_QUEUE_URL: &str = "EVENTUAL_WORKFLOW_QUEUE_URL";
    /// URL of the timer queue.
    pub const TIMER_QUEUE_URL: &str = "EVENTUAL_TIMER_QUEUE_URL";
    /// ARN of the timer queue, the target of long timers.
    pub const TIMER_QUEUE_ARN: &str = "EVENTUAL_TIMER_QUEUE_ARN";
    /// Name of the service's bucket.
    pub const BUCKET: &str = "EVENTUAL_BUCKET";
    /// Name of the service's event bus.
    pub const EVENT_BUS: &str = "EVENTUAL_EVENT_BUS";
    /// Name of the schedule group of long timers.
    pub const SCHEDULE_GROUP: &str = "EVENTUAL_SCHEDULE_GROUP";
    /// ARN of the role with which EventBridge Scheduler sends to the timer queue.
    pub const SCHEDULER_ROLE_ARN: &str = "EVENTUAL_SCHEDULER_ROLE_ARN";
    /// ARN of the dead-letter queue of long timers.
    pub const DEAD_LETTER_QUEUE_ARN: &str = "EVENTUAL_DEAD_LETTER_QUEUE_ARN";
    /// Days that a closed execution is kept.
    pub const RETENTION_DAYS: &str = "EVENTUAL_RETENTION_DAYS";
}

/// The engine table. One or a few turns an item: the sort key is the number of its first turn, and the first write of a number wins.
pub mod table {
    /// Partition key, a string: the execution's id.
    pub const PARTITION: &str = "execution";
    /// Sort key, a string: [`META`], or [`TURN_PREFIX`], [`CLAIM_PREFIX`], [`ANSWER_PREFIX`] or [`ATTRIBUTE_PREFIX`] and what follows.
    pub const SORT: &str = "item";
    /// Sort key of what is known of an execution without its history.
    pub const META: &str = "meta";
    /// Prefix of the sort keys of items of turns, before the number of their first turn as ten decimal digits.
    pub const TURN_PREFIX: &str = "turn#";
    /// Prefix of the sort keys of claims, before `<seq>#<attempt>`.
    pub const CLAIM_PREFIX: &str = "claim#";
    /// Prefix of the sort keys of answers to updates, before the update's id.
    pub const ANSWER_PREFIX: &str = "answer#";
    /// Prefix of the sort keys of the items of attributes, before the attribute's name.
    pub const ATTRIBUTE_PREFIX: &str = "attribute#";
    /// Attribute, a number of seconds since 1970: when DynamoDB may delete the item.
    pub const EXPIRES: &str = "expires";
    /// Attribute of metas, a string `<status>#<shard>`, and of the items of attributes, a string
    /// [`INDEX_ATTRIBUTE`]`<name>=<value>#<shard>`; partition key of [`INDEX`].
    pub const INDEX_PARTITION: &str = "listed";
    /// Attribute of metas and of the items of attributes, a string `<start, milliseconds, 15 digits>#<execution>`; sort
    /// key of [`INDEX`].
    pub const INDEX_SORT: &str = "started";
    /// Before the name of an attribute in [`INDEX_PARTITION`]; no status begins so.
    pub const INDEX_ATTRIBUTE: &str = "@";
    /// Sparse index over metas and the items of attributes, with all of them.
    pub const INDEX: &str = "executions";
    /// Number of shards of each status in [`INDEX`], so that no status is one hot partition.
    pub const INDEX_SHARDS: u32 = 8;
    /// Attribute, a string `start` that is set on items which no message covers; the relay's mapping filters on it.
    pub const UNCOVERED: &str = "uncovered";
}

/// Keys in the service's bucket.
pub mod bucket {
    /// The ownership record.
    pub const OWNERSHIP: &str = "ownership.json";
    /// Prefix of uploaded artifacts, before `<sha256 of the zip>.zip`.
    pub const CODE: &str = "code/";
    /// Prefix of payloads that are too large for the table, before `<execution>/<sha256>`.
    pub const PAYLOADS: &str = "payloads/";
}

/// Routes of the HTTP API that no command chose.
pub mod http {
    /// Prefix of RPC routes, before the command's name; the method is `POST`.
    pub const RPC: &str = "/rpc/";
}

/// Text of the message with which a deployment wakes the orchestrator when the schedules in the code have changed: whatever
/// process receives it has declared them when it started.
pub const DEPLOYED: &str = r#"{"deployed":true}"#;
/// The alias through which everything calls a function.
pub const ALIAS: &str = "live";
/// The alias of a version of the orchestrator that runs the code of this hash, for executions that are pinned to it.
#[must_use]
pub fn code_alias(code: &str) -> String {
    format!("{CODE_ALIAS}{}", code.get(..16).unwrap_or(code))
}

/// What the aliases of [`code_alias`] begin with.
pub const CODE_ALIAS: &str = "code-";
/// Attribute of executions that are pinned to the code that they were started on, a text: its hash. As long as open ones
/// have it, the deployment keeps that code.
pub const CODE_ATTRIBUTE: &str = "eventualCode";
/// Sections of the bootstrap with the kinds and names of its handlers: `kind NUL name NUL`, one pair a handler.
pub const LINK_SECTION: &str = ".eventual";
/// Kind of a pair in [`LINK_SECTION`] that names the crate (`CARGO_CRATE_NAME`) of the pairs after it, up to the next of its kind.
pub const LINK_CRATE: &str = "crate";
/// Kind of a pair in [`LINK_SECTION`] that names a crate which is the service: one for each that `main!` names. Without any,
/// everything is the service's; with them, what other crates declare is a client's view of other services.
pub const LINK_SERVICE: &str = "service";
/// Name of the manifest within an artifact.
pub const MANIFEST_FILE: &str = "eventual.json";
/// Name of the binary within an artifact.
pub const BOOTSTRAP_FILE: &str = "bootstrap";
/// Environment variable that makes a service's binary print its manifest and exit.
pub const PRINT_MANIFEST: &str = "EVENTUAL_PRINT_MANIFEST";
/// Tag on every resource: the deployment's owner id, made at its first creation.
pub const TAG_OWNER: &str = "eventual:owner";
/// Tag on every resource: the deployment's name.
pub const TAG_SERVICE: &str = "eventual:service";
/// Longest delay of a message in the timer queue, in seconds (SQS's own limit).
pub const QUEUE_DELAY_MAX_S: u32 = 900;

/// Names of the resources of one deployment, computed, so that a repeated create finds what the first one made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    service: String,
    account: String,
    region: String,
}

impl Names {
    /// Names for the deployment `service` in this account and region.
    #[must_use]
    pub fn new(service: &str, account: &str, region: &str) -> Self {
        Self { service: service.to_owned(), account: account.to_owned(), region: region.to_owned() }
    }

    /// `<service>-<part>`, shortened with a hash of the whole when it is longer than `max` characters.
    fn fit(&self, part: &str, max: usize) -> String {
        let whole = format!("{}-{part}", self.service);
        if whole.len() <= max {
            return whole;
        }
        format!("{}-{}", whole[..max - 9].trim_end_matches('-'), short_hash(&[&whole], 8))
    }

    /// A Lambda function, by its name within the manifest. At most 64 characters.
    #[must_use]
    pub fn function(&self, function: &str) -> String {
        self.fit(function, 64)
    }

    /// The role of a function. Roles are global in an account, so the region is part of it. At most 64 characters.
    #[must_use]
    pub fn role(&self, function: &str) -> String {
        self.fit(&format!("{function}-{}", self.region), 64)
    }

    /// The log group of a function.
    #[must_use]
    pub fn log_group(&self, function: &str) -> String {
        format!("/aws/lambda/{}", self.function(function))
    }

    /// The engine table.
    #[must_use]
    pub fn table(&self) -> String {
        self.fit("executions", 255)
    }

    /// The FIFO queue that wakes the orchestrator.
    #[must_use]
    pub fn workflow_queue(&self) -> String {
        format!("{}.fifo", self.fit("workflows", 75))
    }

    /// The dead-letter queue of the workflow queue; FIFO as its source.
    #[must_use]
    pub fn workflow_dead_letter_queue(&self) -> String {
        format!("{}.fifo", self.fit("workflows-dead", 75))
    }

    /// The standard queue of timers and lost workers.
    #[must_use]
    pub fn timer_queue(&self) -> String {
        self.fit("timers", 80)
    }

    /// The dead-letter queue of everything that is not FIFO: timers, schedules, subscriptions, the relay.
    #[must_use]
    pub fn dead_letter_queue(&self) -> String {
        self.fit("dead", 80)
    }

    /// The bucket; its name is unique in the world by a hash of account and region.
    #[must_use]
    pub fn bucket(&self) -> String {
        format!("{}-{}", self.service, short_hash(&[&self.account, &self.region, &self.service], 12))
    }

    /// The event bus.
    #[must_use]
    pub fn event_bus(&self) -> String {
        self.fit("events", 256)
    }

    /// The rule of a subscription. At most 64 characters.
    #[must_use]
    pub fn rule(&self, subscription: &str) -> String {
        self.fit(subscription, 64)
    }

    /// The HTTP API.
    #[must_use]
    pub fn api(&self) -> String {
        self.service.clone()
    }

    /// The group of the schedules of long timers. At most 64 characters.
    #[must_use]
    pub fn schedule_group(&self) -> String {
        self.fit("timers", 64)
    }

    /// The role that EventBridge Scheduler assumes. At most 64 characters.
    #[must_use]
    pub fn scheduler_role(&self) -> String {
        self.fit(&format!("scheduler-{}", self.region), 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_stay_distinct() {
        let names = Names::new(&"s".repeat(32), "000000000000", "us-east-1");
        let one = names.role(&format!("subscription-{}", "a".repeat(40)));
        let two = names.role(&format!("subscription-{}b", "a".repeat(39)));
        assert!(one.len() <= 64 && two.len() <= 64 && one != two, "{one} {two}");
        assert!(names.bucket().len() <= 63);
        assert_eq!(
            Names::new("orders", "1", "r").function("command-placeOrder"),
            "orders-command-placeOrder"
        );
    }
}
