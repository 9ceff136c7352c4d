//! Event buses.

use aws_sdk_eventbridge::types::Tag;
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::Resource;
use eventual_provider_core::state::Recorded;

use super::tags::{self, Tags};
use super::{AwsCloud, foreign, gone, malformed, present};

/// Tags as EventBridge takes them.
pub(super) fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| malformed("events TagResource", error))
}

impl AwsCloud {
    /// Tags of a bus or rule.
    pub(super) async fn event_tags(&self, arn: &str) -> Result<Tags, CloudError> {
        let list = self.events.list_tags_for_resource().resource_arn(arn);
        let answer = self.call("events ListTagsForResource", list.send()).await?;
        Ok(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Brings the tags of a bus or rule up to date.
    pub(super) async fn tag_event(&self, arn: &str, there: &Tags, wanted: &Tags) -> Result<(), CloudError> {
        let (set, remove) = tags::difference(there, wanted);
        if !set.is_empty() {
            let tag = self.events.tag_resource().resource_arn(arn).set_tags(Some(sdk_tags(&set)?));
            self.call("events TagResource", tag.send()).await?;
        }
        if !remove.is_empty() {
            let untag = self.events.untag_resource().resource_arn(arn).set_tag_keys(Some(remove));
            self.call("events UntagResource", untag.send()).await?;
        }
        Ok(())
    }

    pub(super) async fn ensure_bus(
        &self,
        owner: &Owner,
        resource: &Resource,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let arn = resource.arn.clone().unwrap_or_default();
        let wanted = tags::wanted(owner, resource);
        let create = self.events.create_event_bus().name(&resource.name).set_tags(Some(sdk_tags(&wanted)?));
        match self.call("events CreateEventBus", create.send()).await {
            Err(error) if error.code == "ResourceAlreadyExistsException" => {
                let there = self.event_tags(&arn).await?;
                if recorded.is_none() && !tags::ours(owner, &there) {
                    return Err(foreign(
                        "events CreateEventBus",
                        &format!("the event bus {}", resource.name),
                    ));
                }
                self.tag_event(&arn, &there, &wanted).await?;
            }
            answer => {
                answer?;
            }
        }
        Ok(Made { arn, ..Made::default() })
    }

    pub(super) async fn delete_bus(&self, recorded: &Recorded) -> Result<(), CloudError> {
        gone(
            self.call("events DeleteEventBus", self.events.delete_event_bus().name(&recorded.name).send())
                .await,
        )
    }

    pub(super) async fn describe_bus(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let describe = self.events.describe_event_bus().name(&recorded.name);
        if present(self.call("events DescribeEventBus", describe.send()).await)?.is_none() {
            return Ok(None);
        }
        let tags = present(self.event_tags(&recorded.arn).await)?.unwrap_or_default();
        Ok(Some(Observed::of([("tags", tags::digest(&tags))])))
    }
}
