//! The service's bucket: created bare for the ownership record, then closed to the public.

use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Delete, ObjectIdentifier,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner, Trouble};
use eventual_provider_core::resource::{BucketSpec, Resource};
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
        Ok(Made { arn: resource.arn.clone().unwrap_or_default(), ..Made::default() })
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
        gone(self.call("s3 DeleteBucket", self.s3.delete_bucket().bucket(name).send()).await)
    }

    pub(super) async fn describe_bucket(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let head =
            present(self.call("s3 HeadBucket", self.s3.head_bucket().bucket(&recorded.name).send()).await)?;
        Ok(head.map(|_| Observed::default()))
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
