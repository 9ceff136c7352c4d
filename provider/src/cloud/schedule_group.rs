//! The schedule group of long timers. Deleting it deletes the schedules in it.

use aws_sdk_scheduler::types::{ScheduleGroupState, Tag};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::Resource;
use eventual_provider_core::state::Recorded;

use super::tags::{self, Tags};
use super::{AwsCloud, busy, foreign, gone, malformed, present};

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| malformed("scheduler TagResource", error))
}

impl AwsCloud {
    pub(super) async fn schedule_group_tags(&self, arn: &str) -> Result<Tags, CloudError> {
        let list = self.scheduler.list_tags_for_resource().resource_arn(arn);
        let answer = self.call("scheduler ListTagsForResource", list.send()).await?;
        Ok(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Its state; `None` when it is not there.
    async fn schedule_group_state(&self, name: &str) -> Result<Option<ScheduleGroupState>, CloudError> {
        let get = self
            .call("scheduler GetScheduleGroup", self.scheduler.get_schedule_group().name(name).send())
            .await;
        Ok(present(get)?.and_then(|it| it.state))
    }

    pub(super) async fn ensure_schedule_group(
        &self,
        owner: &Owner,
        resource: &Resource,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let (name, arn) = (&resource.name, resource.arn.clone().unwrap_or_default());
        let wanted = tags::wanted(owner, resource);
        let create = self.scheduler.create_schedule_group().name(name).set_tags(Some(sdk_tags(&wanted)?));
        match self.call("scheduler CreateScheduleGroup", create.send()).await {
            Err(error) if error.code == "ConflictException" => {
                if self.schedule_group_state(name).await? != Some(ScheduleGroupState::Active) {
                    return Err(busy(
                        "scheduler CreateScheduleGroup",
                        format!("the schedule group {name} is being deleted"),
                    ));
                }
                let there = self.schedule_group_tags(&arn).await?;
                if recorded.is_none() && !tags::ours(owner, &there) {
                    return Err(foreign(
                        "scheduler CreateScheduleGroup",
                        &format!("the schedule group {name}"),
                    ));
                }
                self.tag_schedule_group(&arn, &there, &wanted).await?;
            }
            answer => {
                answer?;
            }
        }
        Ok(Made { arn, ..Made::default() })
    }

    async fn tag_schedule_group(&self, arn: &str, there: &Tags, wanted: &Tags) -> Result<(), CloudError> {
        let (set, remove) = tags::difference(there, wanted);
        if !set.is_empty() {
            let tag = self.scheduler.tag_resource().resource_arn(arn).set_tags(Some(sdk_tags(&set)?));
            self.call("scheduler TagResource", tag.send()).await?;
        }
        if !remove.is_empty() {
            let untag = self.scheduler.untag_resource().resource_arn(arn).set_tag_keys(Some(remove));
            self.call("scheduler UntagResource", untag.send()).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_schedule_group(&self, recorded: &Recorded) -> Result<(), CloudError> {
        if self.schedule_group_state(&recorded.name).await? != Some(ScheduleGroupState::Active) {
            return Ok(());
        }
        let delete = self.scheduler.delete_schedule_group().name(&recorded.name);
        gone(self.call("scheduler DeleteScheduleGroup", delete.send()).await)
    }

    pub(super) async fn describe_schedule_group(
        &self,
        recorded: &Recorded,
    ) -> Result<Option<Observed>, CloudError> {
        let state = self.schedule_group_state(&recorded.name).await?;
        if state != Some(ScheduleGroupState::Active) {
            return Ok(None);
        }
        let tags = present(self.schedule_group_tags(&recorded.arn).await)?.unwrap_or_default();
        Ok(Some(Observed::of([("tags", tags::digest(&tags))])))
    }
}
