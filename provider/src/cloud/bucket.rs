//! The service's bucket: created bare for the ownership record, then closed to the public.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Delete,
    NotificationConfiguration, ObjectIdentifier, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
    VersioningConfiguration,
};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner, Trouble};
use eventual_provider_core::resource::{BucketSpec, Resource, settings};
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::bucket;

use super::tags;
use super::{AwsCloud, gone, malformed, present};

impl AwsCloud {
    pub(super) async fn create_bucket(&self, name: &str) -> Result<(), CloudError> {
        let mut create = self.s3.create_bucket().bucket(name);
        // The oldest region is the one that must not be named.
        if self.identity.region != "us-east-1" {
            let place = BucketLocationConstraint::from(self.identity.region.as_str());
            create = create.create_bucket_configuration(
                CreateBucketConfiguration::builder().location_constraint(place).build(),
            );
        }
        match self.call("s3 CreateBucket", create.send()).await {
            Err(error) if error.code == "BucketAlreadyOwnedByYou" => Ok(()),
            Err(error) if error.code == "BucketAlreadyExists" => {
                Err(CloudError { trouble: Trouble::Foreign, ..error })
            }
            answer => answer.map(|_| ()),
        }
    }

    pub(super) async fn ensure_bucket(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &BucketSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let name = &resource.name;
        self.create_bucket(name).await?;
        let closed = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        let put = self.s3.put_public_access_block().bucket(name).public_access_block_configuration(closed);
        self.call("s3 PutPublicAccessBlock", put.send()).await?;
        self.encrypt(name).await?;
        let put = self.s3.put_bucket_policy().bucket(name).policy(&spec.policy);
        self.call("s3 PutBucketPolicy", put.send()).await?;
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let tags = tags::wanted(owner, resource).iter().map(tag).collect::<Result<Vec<_>, _>>();
        let tagging = tags.and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build());
        let tagging = tagging.map_err(|error| malformed("s3 PutBucketTagging", error))?;
        self.call("s3 PutBucketTagging", self.s3.put_bucket_tagging().bucket(name).tagging(tagging).send())
            .await?;
        if recorded.is_some_and(|it| it.fingerprint.is_empty()) {
            self.undo(name).await?;
        }
        Ok(Made { arn: resource.arn.clone().unwrap_or_default(), ..Made::default() })
    }

    /// Takes away what a bucket of ours never has.
    async fn undo(&self, name: &str) -> Result<(), CloudError> {
        let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
        if self.versioned(name).await? {
            let put = self.s3.put_bucket_versioning().bucket(name).versioning_configuration(suspended);
            self.call("s3 PutBucketVersioning", put.send()).await?;
        }
        if !self.lifecycle(name).await?.is_empty() {
            let delete = self.s3.delete_bucket_lifecycle().bucket(name);
            gone(self.call("s3 DeleteBucketLifecycle", delete.send()).await)?;
        }
        if !self.notifications(name).await?.is_empty() {
            let nothing = NotificationConfiguration::builder().build();
            let put = self
                .s3
                .put_bucket_notification_configuration()
                .bucket(name)
                .notification_configuration(nothing);
            self.call("s3 PutBucketNotificationConfiguration", put.send()).await?;
        }
        Ok(())
    }

    async fn versioned(&self, name: &str) -> Result<bool, CloudError> {
        let get = self.s3.get_bucket_versioning().bucket(name);
        let answer = present(self.call("s3 GetBucketVersioning", get.send()).await)?;
        Ok(answer.is_some_and(|it| it.status() == Some(&BucketVersioningStatus::Enabled)))
    }

    /// Names of the lifecycle rules.
    async fn lifecycle(&self, name: &str) -> Result<String, CloudError> {
        let get = self.s3.get_bucket_lifecycle_configuration().bucket(name);
        let answer = present(self.call("s3 GetBucketLifecycleConfiguration", get.send()).await)?;
        let rules = answer.and_then(|it| it.rules).unwrap_or_default();
        Ok(rules.iter().map(|it| it.id().unwrap_or("unnamed")).collect::<Vec<_>>().join(","))
    }

    /// Whom the bucket tells of its objects.
    async fn notifications(&self, name: &str) -> Result<String, CloudError> {
        let get = self.s3.get_bucket_notification_configuration().bucket(name);
        let Some(answer) = present(self.call("s3 GetBucketNotificationConfiguration", get.send()).await)?
        else {
            return Ok(String::new());
        };
        let queues = answer.queue_configurations().iter().map(|it| it.queue_arn());
        let topics = answer.topic_configurations().iter().map(|it| it.topic_arn());
        let functions = answer.lambda_function_configurations().iter().map(|it| it.lambda_function_arn());
        let bus = answer.event_bridge_configuration().map(|_| "EventBridge");
        Ok(queues.chain(topics).chain(functions).chain(bus).collect::<Vec<_>>().join(","))
    }

    async fn public_access(&self, name: &str) -> Result<String, CloudError> {
        let get = self.s3.get_public_access_block().bucket(name);
        let answer = present(self.call("s3 GetPublicAccessBlock", get.send()).await)?;
        let blocked = answer.and_then(|it| it.public_access_block_configuration).is_some_and(|it| {
            [it.block_public_acls, it.block_public_policy, it.ignore_public_acls, it.restrict_public_buckets]
                .iter()
                .all(|it| *it == Some(true))
        });
        Ok(if blocked { "blocked" } else { "" }.to_owned())
    }

    async fn encryption(&self, name: &str) -> Result<String, CloudError> {
        let get = self.s3.get_bucket_encryption().bucket(name);
        let answer = present(self.call("s3 GetBucketEncryption", get.send()).await)?;
        let configuration = answer.and_then(|it| it.server_side_encryption_configuration);
        let rule = configuration.as_ref().and_then(|it| it.rules().first());
        let algorithm = rule.and_then(|it| it.apply_server_side_encryption_by_default());
        Ok(algorithm.map(|it| it.sse_algorithm().as_str()).unwrap_or_default().to_owned())
    }

    async fn encrypt(&self, name: &str) -> Result<(), CloudError> {
        let default =
            ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build();
        let configuration = default.and_then(|default| {
            let rule =
                ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
            ServerSideEncryptionConfiguration::builder().rules(rule).build()
        });
        let configuration = configuration.map_err(|error| malformed("s3 PutBucketEncryption", error))?;
        let put =
            self.s3.put_bucket_encryption().bucket(name).server_side_encryption_configuration(configuration);
        self.call("s3 PutBucketEncryption", put.send()).await.map(|_| ())
    }

    /// Deletes objects until only the ownership record is left, then that, then the bucket: whoever stops in between
    /// leaves a record that says whose the rest is.
    pub(super) async fn delete_bucket(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let name = &recorded.name;
        loop {
            let list = self.call("s3 ListObjectsV2", self.s3.list_objects_v2().bucket(name).send()).await;
            let Some(page) = present(list)? else { return Ok(()) };
            let keys: Vec<&str> = page
                .contents()
                .iter()
                .filter_map(|it| it.key())
                .filter(|it| *it != bucket::OWNERSHIP)
                .collect();
            if keys.is_empty() {
                break;
            }
            let identify = |key: &&str| ObjectIdentifier::builder().key(*key).build();
            let delete = keys
                .iter()
                .map(identify)
                .collect::<Result<Vec<_>, _>>()
                .and_then(|keys| Delete::builder().set_objects(Some(keys)).quiet(true).build())
                .map_err(|error| malformed("s3 DeleteObjects", error))?;
            let answer = self
                .call("s3 DeleteObjects", self.s3.delete_objects().bucket(name).delete(delete).send())
                .await?;
            if let Some(error) = answer.errors().first() {
                let message =
                    format!("{}: {}", error.key().unwrap_or_default(), error.message().unwrap_or_default());
                return Err(CloudError {
                    code: error.code().unwrap_or_default().to_owned(),
                    ..malformed("s3 DeleteObjects", message)
                });
            }
        }
        gone(
            self.call("s3 DeleteObject", self.s3.delete_object().bucket(name).key(bucket::OWNERSHIP).send())
                .await,
        )?;
        let delete = || self.s3.delete_bucket().bucket(name);
        match gone(self.call("s3 DeleteBucket", delete().send()).await) {
            // Somebody switched versioning on: what was deleted is still there.
            Err(error) if error.code == "BucketNotEmpty" => {
                self.delete_versions(name).await?;
                gone(self.call("s3 DeleteBucket", delete().send()).await)
            }
            answer => answer,
        }
    }

    async fn delete_versions(&self, name: &str) -> Result<(), CloudError> {
        loop {
            let list = self.s3.list_object_versions().bucket(name);
            let Some(page) = present(self.call("s3 ListObjectVersions", list.send()).await)? else {
                return Ok(());
            };
            let versions = page.versions().iter().map(|it| (it.key(), it.version_id()));
            let markers = page.delete_markers().iter().map(|it| (it.key(), it.version_id()));
            let all: Vec<_> = versions.chain(markers).collect();
            if all.is_empty() {
                return Ok(());
            }
            for (key, version) in all {
                let delete = self.s3.delete_object().bucket(name).key(key.unwrap_or_default());
                let delete = delete.set_version_id(version.map(str::to_owned));
                gone(self.call("s3 DeleteObject", delete.send()).await)?;
            }
        }
    }

    pub(super) async fn describe_bucket(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let head =
            present(self.call("s3 HeadBucket", self.s3.head_bucket().bucket(&recorded.name).send()).await)?;
        if head.is_none() {
            return Ok(None);
        }
        let name = &recorded.name;
        let get = self.s3.get_bucket_policy().bucket(name);
        let policy = present(self.call("s3 GetBucketPolicy", get.send()).await)?.and_then(|it| it.policy);
        let get = self.s3.get_bucket_tagging().bucket(name);
        let tags = present(self.call("s3 GetBucketTagging", get.send()).await)?;
        let tags = tags.map(|it| it.tag_set).unwrap_or_default();
        let tags = settings::tags_digest(tags.iter().map(|it| (it.key(), it.value())));
        let versioned = self.versioned(name).await?;
        Ok(Some(Observed::of([
            ("policy", settings::policy_digest(policy.as_deref().unwrap_or_default())),
            ("public_access", self.public_access(name).await?),
            ("encryption", self.encryption(name).await?),
            ("versioning", if versioned { "enabled" } else { "" }.to_owned()),
            ("lifecycle", self.lifecycle(name).await?),
            ("notifications", self.notifications(name).await?),
            ("tags", tags),
        ])))
    }

    /// Everything that is neither code nor the ownership record is data.
    pub(super) async fn bucket_data(&self, recorded: &Recorded) -> Result<Option<String>, CloudError> {
        let mut after = String::new();
        loop {
            let list = self.s3.list_objects_v2().bucket(&recorded.name).start_after(&after);
            let Some(page) = present(self.call("s3 ListObjectsV2", list.send()).await)? else {
                return Ok(None);
            };
            let keys: Vec<&str> = page.contents().iter().filter_map(|it| it.key()).collect();
            if let Some(key) =
                keys.iter().find(|key| **key != bucket::OWNERSHIP && !key.starts_with(bucket::CODE))
            {
                return Ok(Some(format!("objects such as {key}")));
            }
            match keys.last() {
                Some(last) if page.is_truncated() == Some(true) => after = (*last).to_owned(),
                _ => return Ok(None),
            }
        }
    }
}
