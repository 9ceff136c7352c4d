//! Tags that say whose a resource is, and what changes them.

use std::collections::{BTreeMap, HashMap};

use eventual_provider_core::cloud::{CloudError, Owner};
use eventual_provider_core::resource::{Kind, Resource, settings};
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::TAG_OWNER;

use super::{AwsCloud, present};

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// All tags of a resource.
pub(super) fn wanted(owner: &Owner, resource: &Resource) -> Tags {
    let mut tags = resource.tags.clone();
    tags.insert(TAG_OWNER.to_owned(), owner.id.clone());
    tags
}

/// The same as the SDKs take them.
pub(super) fn map(tags: &Tags) -> Option<HashMap<String, String>> {
    Some(tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Whether the tags name this owner.
pub(super) fn ours(owner: &Owner, tags: &Tags) -> bool {
    tags.get(TAG_OWNER) == Some(&owner.id)
}

/// What to set and what to remove, to get from `there` to `wanted`. AWS's own tags stay.
pub(super) fn difference(there: &Tags, wanted: &Tags) -> (Tags, Vec<String>) {
    let set = wanted.iter().filter(|(key, value)| there.get(*key) != Some(value));
    let remove = there.keys().filter(|key| !wanted.contains_key(*key) && !key.starts_with("aws:"));
    (set.map(|(key, value)| (key.clone(), value.clone())).collect(), remove.cloned().collect())
}

/// The setting `tags` of what carries these.
pub(super) fn digest(tags: &Tags) -> String {
    settings::tags_digest(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

impl AwsCloud {
    /// Whether the resource carries the owner's tag, or lies in something that does; a missing one is ours to delete.
    pub(super) async fn is_ours(&self, owner: &Owner, recorded: &Recorded) -> Result<bool, CloudError> {
        let name = &recorded.name;
        let tags = match recorded.kind {
            Kind::Role => present(self.role_tags(name).await)?,
            Kind::Function => present(self.function_tags(name).await)?,
            Kind::Queue => self.queue_tags(name).await?.map(|(_, tags)| tags),
            Kind::Table => self.tags_of_table(recorded).await?,
            Kind::Bus => present(self.event_tags(&recorded.arn).await)?,
            Kind::Rule => present(self.event_tags(&recorded.arn).await)?,
            Kind::ScheduleGroup => present(self.schedule_group_tags(&recorded.arn).await)?,
            Kind::LogGroup => present(self.log_group_tags(&recorded.arn).await)?,
            // In a function: whose that is, it is.
            Kind::InvokeConfig | Kind::Mapping => present(self.function_tags(name).await)?,
            Kind::Permission => present(self.function_tags(recorded.attribute("function")).await)?,
            // Found by its tag, or in the bucket or the API that is.
            Kind::Api | Kind::Artifact | Kind::Bucket | Kind::Route => {
                return Ok(true);
            }
        };
        Ok(tags.is_none_or(|tags| ours(owner, &tags)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        let there = tags(&[("a", "1"), ("b", "2"), ("aws:x", "y")]);
        let (set, remove) = difference(&there, &tags(&[("a", "1"), ("c", "3")]));
        assert_eq!((set, remove), (tags(&[("c", "3")]), vec!["b".to_owned()]));
    }
}
