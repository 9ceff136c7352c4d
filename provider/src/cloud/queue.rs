//! Queues.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner, Trouble};
use eventual_provider_core::resource::{QueueSpec, Resource, settings};
use eventual_provider_core::state::Recorded;
use serde_json::{Value, json};

use super::tags::{self, Tags};
use super::{AwsCloud, foreign, gone, present};

/// Attributes that a queue is made with; those that only a creation may name are left out of an update.
fn attributes(spec: &QueueSpec, creating: bool) -> HashMap<Name, String> {
    let mut attributes = HashMap::from([
        (Name::VisibilityTimeout, spec.visibility_s.to_string()),
        (Name::MessageRetentionPeriod, spec.retention_s.to_string()),
        (Name::DelaySeconds, "0".to_owned()),
        (Name::SqsManagedSseEnabled, "true".to_owned()),
    ]);
    if spec.fifo {
        if creating {
            attributes.insert(Name::FifoQueue, "true".to_owned());
        }
        // Executions do not wait for each other: order and quota are each message group's own.
        attributes.insert(Name::DeduplicationScope, "messageGroup".to_owned());
        attributes.insert(Name::FifoThroughputLimit, "perMessageGroupId".to_owned());
    }
    if let Some(dead) = &spec.dead_letters {
        let redrive = json!({"deadLetterTargetArn": dead.arn, "maxReceiveCount": dead.max_receives});
        attributes.insert(Name::RedrivePolicy, redrive.to_string());
    } else if !creating {
        attributes.insert(Name::RedrivePolicy, String::new());
    }
    match &spec.policy {
        Some(policy) => attributes.insert(Name::Policy, policy.clone()),
        None if creating => None,
        None => attributes.insert(Name::Policy, String::new()),
    };
    attributes
}

impl AwsCloud {
    async fn queue_url(&self, name: &str) -> Result<Option<String>, CloudError> {
        let answer = self.call("sqs GetQueueUrl", self.sqs.get_queue_url().queue_name(name).send()).await;
        Ok(present(answer)?.and_then(|it| it.queue_url))
    }

    /// URL and tags of the queue.
    pub(super) async fn queue_tags(&self, name: &str) -> Result<Option<(String, Tags)>, CloudError> {
        let Some(url) = self.queue_url(name).await? else { return Ok(None) };
        let answer =
            present(self.call("sqs ListQueueTags", self.sqs.list_queue_tags().queue_url(&url).send()).await)?;
        let tags = |tags: Option<&HashMap<String, String>>| {
            tags.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        Ok(answer.map(|answer| (url, tags(answer.tags()))))
    }

    pub(super) async fn ensure_queue(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &QueueSpec,
    ) -> Result<Made, CloudError> {
        let name = &resource.name;
        let wanted = tags::wanted(owner, resource);
        let url = if let Some((url, there)) = self.queue_tags(name).await? {
            if !tags::ours(owner, &there) {
                return Err(foreign("sqs CreateQueue", &format!("the queue {name}")));
            }
            self.update_queue(&url, spec, &there, &wanted).await?;
            url
        } else {
            let create =
                self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes(spec, true)));
            let created = self.call("sqs CreateQueue", create.set_tags(tags::map(&wanted)).send()).await;
            created.map_err(missing_dead_letters)?.queue_url.unwrap_or_default()
        };
        let attributes = [("url".to_owned(), url)].into();
        Ok(Made { arn: resource.arn.clone().unwrap_or_default(), attributes })
    }

    async fn update_queue(
        &self,
        url: &str,
        spec: &QueueSpec,
        there: &Tags,
        wanted: &Tags,
    ) -> Result<(), CloudError> {
        let set =
            self.sqs.set_queue_attributes().queue_url(url).set_attributes(Some(attributes(spec, false)));
        self.call("sqs SetQueueAttributes", set.send()).await.map_err(missing_dead_letters)?;
        let (set, remove) = tags::difference(there, wanted);
        if !set.is_empty() {
            let tag = self.sqs.tag_queue().queue_url(url).set_tags(tags::map(&set));
            self.call("sqs TagQueue", tag.send()).await?;
        }
        if !remove.is_empty() {
            let untag = self.sqs.untag_queue().queue_url(url).set_tag_keys(Some(remove));
            self.call("sqs UntagQueue", untag.send()).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_queue(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let Some(url) = self.queue_url(&recorded.name).await? else { return Ok(()) };
        gone(self.call("sqs DeleteQueue", self.sqs.delete_queue().queue_url(url).send()).await)
    }

    /// Messages that wait, are being worked on, or are delayed. SQS counts them roughly.
    pub(super) async fn queue_data(&self, recorded: &Recorded) -> Result<Option<String>, CloudError> {
        let Some(url) = self.queue_url(&recorded.name).await? else { return Ok(None) };
        let names = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesNotVisible,
            Name::ApproximateNumberOfMessagesDelayed,
        ];
        let get = self.sqs.get_queue_attributes().queue_url(&url).set_attribute_names(Some(names.to_vec()));
        let answer = present(self.call("sqs GetQueueAttributes", get.send()).await)?;
        let counts = answer.and_then(|it| it.attributes).unwrap_or_default();
        let count: u64 = names.iter().filter_map(|it| counts.get(it)?.parse::<u64>().ok()).sum();
        Ok((count > 0).then(|| format!("{count} messages")))
    }

    pub(super) async fn describe_queue(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let Some(url) = self.queue_url(&recorded.name).await? else { return Ok(None) };
        let get = self.sqs.get_queue_attributes().queue_url(&url).attribute_names(Name::All);
        let Some(answer) = present(self.call("sqs GetQueueAttributes", get.send()).await)? else {
            return Ok(None);
        };
        let list = self.sqs.list_queue_tags().queue_url(&url);
        let tags = present(self.call("sqs ListQueueTags", list.send()).await)?;
        let tags: Tags = tags
            .iter()
            .flat_map(|it| it.tags().into_iter().flatten())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut seen = Observed::of(described(answer.attributes().unwrap_or(&HashMap::new())));
        seen.settings.insert("tags".to_owned(), tags::digest(&tags));
        seen.attributes.insert("url".to_owned(), url);
        Ok(Some(seen))
    }
}

/// Settings of a queue with these attributes, without its tags.
fn described(attributes: &HashMap<Name, String>) -> [(&'static str, String); 7] {
    let value = |name: &Name| attributes.get(name).cloned().unwrap_or_default();
    let redrive: Value = serde_json::from_str(&value(&Name::RedrivePolicy)).unwrap_or_default();
    let dead = redrive["deadLetterTargetArn"].as_str().map(|arn| {
        let receives = &redrive["maxReceiveCount"];
        let receives = receives.as_u64().or_else(|| receives.as_str()?.parse().ok()).unwrap_or_default();
        settings::dead_letters(arn, u32::try_from(receives).unwrap_or(u32::MAX))
    });
    let (scope, limit) = (value(&Name::DeduplicationScope), value(&Name::FifoThroughputLimit));
    let fifo = value(&Name::FifoQueue) == "true";
    [
        ("visibility", value(&Name::VisibilityTimeout)),
        ("retention", value(&Name::MessageRetentionPeriod)),
        ("delay", value(&Name::DelaySeconds)),
        ("encryption", value(&Name::SqsManagedSseEnabled)),
        ("policy", settings::policy_digest(&value(&Name::Policy))),
        ("dead_letters", dead.unwrap_or_default()),
        ("order", if fifo { settings::fifo(&scope, &limit) } else { String::new() }),
    ]
}

/// SQS sees a dead-letter queue some moments after it was made.
fn missing_dead_letters(error: CloudError) -> CloudError {
    let early = error.message.contains("Dead letter target does not exist");
    if early { CloudError { trouble: Trouble::Propagating, ..error } } else { error }
}
