//! Log groups with their retention.

use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::{LogGroupSpec, Resource};
use eventual_provider_core::state::Recorded;

use super::tags::{self, Tags};
use super::{AwsCloud, foreign, gone, present};

impl AwsCloud {
    pub(super) async fn log_group_tags(&self, arn: &str) -> Result<Tags, CloudError> {
        let list = self.logs.list_tags_for_resource().resource_arn(arn);
        let answer = self.call("logs ListTagsForResource", list.send()).await?;
        Ok(answer.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    pub(super) async fn ensure_log_group(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &LogGroupSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let arn = resource.arn.clone().unwrap_or_default();
        let wanted = tags::wanted(owner, resource);
        let create = self.logs.create_log_group().log_group_name(&resource.name).set_tags(tags::map(&wanted));
        match self.call("logs CreateLogGroup", create.send()).await {
            Err(error) if error.code == "ResourceAlreadyExistsException" => {
                let there = self.log_group_tags(&arn).await?;
                // Lambda did not make it either: the roles of the functions may not create groups.
                if recorded.is_none() && !tags::ours(owner, &there) {
                    return Err(foreign("logs CreateLogGroup", &format!("the log group {}", resource.name)));
                }
                self.tag_log_group(&arn, &there, &wanted).await?;
            }
            answer => {
                answer?;
            }
        }
        let days = i32::try_from(spec.retention_days).unwrap_or(i32::MAX);
        let put = self.logs.put_retention_policy().log_group_name(&resource.name).retention_in_days(days);
        self.call("logs PutRetentionPolicy", put.send()).await?;
        Ok(Made { arn, ..Made::default() })
    }

    async fn tag_log_group(&self, arn: &str, there: &Tags, wanted: &Tags) -> Result<(), CloudError> {
        let (set, remove) = tags::difference(there, wanted);
        if !set.is_empty() {
            let tag = self.logs.tag_resource().resource_arn(arn).set_tags(tags::map(&set));
            self.call("logs TagResource", tag.send()).await?;
        }
        if !remove.is_empty() {
            let untag = self.logs.untag_resource().resource_arn(arn).set_tag_keys(Some(remove));
            self.call("logs UntagResource", untag.send()).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_log_group(&self, recorded: &Recorded) -> Result<(), CloudError> {
        gone(
            self.call(
                "logs DeleteLogGroup",
                self.logs.delete_log_group().log_group_name(&recorded.name).send(),
            )
            .await,
        )
    }

    pub(super) async fn describe_log_group(
        &self,
        recorded: &Recorded,
    ) -> Result<Option<Observed>, CloudError> {
        let describe = self.logs.describe_log_groups().log_group_name_prefix(&recorded.name);
        let answer = self.call("logs DescribeLogGroups", describe.send()).await?;
        let group = answer.log_groups().iter().find(|it| it.log_group_name() == Some(&recorded.name));
        let Some(group) = group else { return Ok(None) };
        let tags = present(self.log_group_tags(&recorded.arn).await)?.unwrap_or_default();
        let days = group.retention_in_days().map(|days| days.to_string()).unwrap_or_default();
        Ok(Some(Observed::of([("retention", days), ("tags", tags::digest(&tags))])))
    }
}
