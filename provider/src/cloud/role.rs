//! Roles with their one inline policy.

use aws_sdk_iam::types::Tag;
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::{Resource, RoleSpec, policy_digest};
use eventual_provider_core::state::Recorded;

use super::tags::{self, Tags};
use super::{AwsCloud, foreign, gone, malformed, present};

/// Name of the inline policy.
const POLICY: &str = "eventual";

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

    pub(super) async fn delete_role(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let name = &recorded.name;
        let inline =
            self.call("iam ListRolePolicies", self.iam.list_role_policies().role_name(name).send()).await;
        let Some(inline) = present(inline)? else { return Ok(()) };
        for policy in inline.policy_names() {
            let delete = self.iam.delete_role_policy().role_name(name).policy_name(policy);
            gone(self.call("iam DeleteRolePolicy", delete.send()).await)?;
        }
        let attached = self.iam.list_attached_role_policies().role_name(name);
        let attached = self.call("iam ListAttachedRolePolicies", attached.send()).await;
        for policy in present(attached)?.iter().flat_map(|it| it.attached_policies()) {
            let detach = self
                .iam
                .detach_role_policy()
                .role_name(name)
                .policy_arn(policy.policy_arn().unwrap_or_default());
            gone(self.call("iam DetachRolePolicy", detach.send()).await)?;
        }
        gone(self.call("iam DeleteRole", self.iam.delete_role().role_name(name).send()).await)
    }

    pub(super) async fn describe_role(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let get = self.iam.get_role_policy().role_name(&recorded.name).policy_name(POLICY);
        if let Some(policy) = present(self.call("iam GetRolePolicy", get.send()).await)? {
            let digest = policy_digest(&decoded(policy.policy_document()));
            return Ok(Some(Observed {
                settings: [("policy".to_owned(), digest)].into(),
                ..Observed::default()
            }));
        }
        let role =
            present(self.call("iam GetRole", self.iam.get_role().role_name(&recorded.name).send()).await)?;
        Ok(role.map(|_| Observed {
            settings: [("policy".to_owned(), String::new())].into(),
            ..Observed::default()
        }))
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
