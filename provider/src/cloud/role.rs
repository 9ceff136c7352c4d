//! Roles with their one inline policy.

use aws_sdk_iam::types::Tag;
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::settings::{self, INLINE_POLICY as POLICY, policy_digest};
use eventual_provider_core::resource::{Resource, RoleSpec};
use eventual_provider_core::state::Recorded;

use super::tags::{self, Tags};
use super::{AwsCloud, foreign, gone, malformed, present};

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, CloudError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| malformed("iam TagRole", error))
}

/// A document as IAM returns it.
fn decoded(document: &str) -> String {
    let bytes = document.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| document.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

impl AwsCloud {
    pub(super) async fn role_tags(&self, name: &str) -> Result<Tags, CloudError> {
        let answer = self.call("iam ListRoleTags", self.iam.list_role_tags().role_name(name).send()).await?;
        Ok(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    pub(super) async fn ensure_role(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &RoleSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let name = &resource.name;
        let wanted = tags::wanted(owner, resource);
        let mut exists = recorded.is_some();
        if !exists {
            let create = self
                .iam
                .create_role()
                .role_name(name)
                .assume_role_policy_document(&spec.trust)
                .description(format!("{} of the eventual service {}", resource.key, owner.service))
                .set_tags(Some(sdk_tags(&wanted)?));
            match self.call("iam CreateRole", create.send()).await {
                Err(error) if error.code == "EntityAlreadyExists" => exists = true,
                answer => {
                    answer?;
                }
            }
        }
        if exists && !self.update_role(owner, name, spec, &wanted, recorded.is_none()).await? {
            // It is in the state and not there any more: it is made again.
            return Box::pin(self.ensure_role(owner, resource, spec, None)).await;
        }
        let put =
            self.iam.put_role_policy().role_name(name).policy_name(POLICY).policy_document(&spec.policy);
        self.call("iam PutRolePolicy", put.send()).await?;
        if exists && recorded.is_none_or(|it| it.fingerprint.is_empty()) {
            // Somebody changed it, or somebody made it before: it may permit more than it should.
            self.strip(name, Some(POLICY)).await?;
        }
        Ok(Made { arn: resource.arn.clone().unwrap_or_default(), ..Made::default() })
    }

    /// Brings trust and tags of a role that is there up to date; `false` when it is not there.
    async fn update_role(
        &self,
        owner: &Owner,
        name: &str,
        spec: &RoleSpec,
        wanted: &Tags,
        adopting: bool,
    ) -> Result<bool, CloudError> {
        let Some(there) = present(self.role_tags(name).await)? else { return Ok(false) };
        if adopting && !tags::ours(owner, &there) {
            return Err(foreign("iam CreateRole", &format!("the role {name}")));
        }
        let role = self.call("iam GetRole", self.iam.get_role().role_name(name).send()).await?;
        let trust =
            role.role().and_then(|it| it.assume_role_policy_document()).map(decoded).unwrap_or_default();
        if policy_digest(&trust) != policy_digest(&spec.trust) {
            let update = self.iam.update_assume_role_policy().role_name(name).policy_document(&spec.trust);
            self.call("iam UpdateAssumeRolePolicy", update.send()).await?;
        }
        let (set, remove) = tags::difference(&there, wanted);
        if !set.is_empty() {
            self.call(
                "iam TagRole",
                self.iam.tag_role().role_name(name).set_tags(Some(sdk_tags(&set)?)).send(),
            )
            .await?;
        }
        if !remove.is_empty() {
            self.call(
                "iam UntagRole",
                self.iam.untag_role().role_name(name).set_tag_keys(Some(remove)).send(),
            )
            .await?;
        }
        Ok(true)
    }

    /// Names of the inline policies of a role, and ARNs of those attached to it.
    async fn policies(&self, name: &str) -> Result<Option<(Vec<String>, Vec<String>)>, CloudError> {
        let inline =
            self.call("iam ListRolePolicies", self.iam.list_role_policies().role_name(name).send()).await;
        let Some(inline) = present(inline)? else { return Ok(None) };
        let attached = self.iam.list_attached_role_policies().role_name(name);
        let attached = self.call("iam ListAttachedRolePolicies", attached.send()).await;
        let attached = present(attached)?.and_then(|it| it.attached_policies).unwrap_or_default();
        let attached = attached.into_iter().filter_map(|it| it.policy_arn).collect();
        Ok(Some((inline.policy_names, attached)))
    }

    /// Removes all policies of a role but one; `false` when it is not there.
    async fn strip(&self, name: &str, but: Option<&str>) -> Result<bool, CloudError> {
        let Some((inline, attached)) = self.policies(name).await? else { return Ok(false) };
        for policy in inline.iter().filter(|it| Some(it.as_str()) != but) {
            let delete = self.iam.delete_role_policy().role_name(name).policy_name(policy);
            gone(self.call("iam DeleteRolePolicy", delete.send()).await)?;
        }
        for policy in attached {
            let detach = self.iam.detach_role_policy().role_name(name).policy_arn(policy);
            gone(self.call("iam DetachRolePolicy", detach.send()).await)?;
        }
        Ok(true)
    }

    pub(super) async fn delete_role(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let name = &recorded.name;
        if !self.strip(name, None).await? {
            return Ok(());
        }
        gone(self.call("iam DeleteRole", self.iam.delete_role().role_name(name).send()).await)
    }

    pub(super) async fn describe_role(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let name = &recorded.name;
        let get = self.iam.get_role().role_name(name);
        let role = present(self.call("iam GetRole", get.send()).await)?.and_then(|it| it.role);
        let Some(role) = role else { return Ok(None) };
        let get = self.iam.get_role_policy().role_name(name).policy_name(POLICY);
        let policy = present(self.call("iam GetRolePolicy", get.send()).await)?;
        let policy = policy.map(|it| policy_digest(&decoded(it.policy_document())));
        let Some((mut inline, mut attached)) = self.policies(name).await? else { return Ok(None) };
        inline.sort();
        attached.sort();
        let trust = role.assume_role_policy_document().map(decoded).unwrap_or_default();
        let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
        Ok(Some(Observed::of([
            ("policy", policy.unwrap_or_default()),
            ("trust", policy_digest(&trust)),
            ("inline_policies", inline.join(",")),
            ("attached_policies", attached.join(",")),
            ("tags", settings::tags_digest(tags)),
        ])))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn documents_come_encoded() {
        assert_eq!(super::decoded("%7B%22a%22%3A%22%25%22%7D"), r#"{"a":"%"}"#);
        assert_eq!(super::decoded(r#"{"a":"b"}"#), r#"{"a":"b"}"#);
    }
}
