//! The uploaded artifact: an object that is named by its content, so that the same content is never uploaded twice.

use aws_sdk_s3::primitives::ByteStream;
use eventual_provider_core::cloud::{CloudError, Made, Observed};
use eventual_provider_core::resource::ArtifactSpec;
use eventual_provider_core::state::Recorded;

use super::{AwsCloud, gone, malformed, present};

/// Attribute: the object's entity tag, which changes with its content.
const MARK: &str = "etag";

impl AwsCloud {
    /// Entity tag of the object; `None` when it is not there.
    async fn object(&self, bucket: &str, key: &str) -> Result<Option<String>, CloudError> {
        let head = self.call("s3 HeadObject", self.s3.head_object().bucket(bucket).key(key).send()).await;
        Ok(present(head)?.map(|it| it.e_tag.unwrap_or_default()))
    }

    pub(super) async fn ensure_artifact(
        &self,
        spec: &ArtifactSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        // One that somebody wrote over is written again.
        let known = recorded.map_or("", |it| it.attribute(MARK));
        let there = self.object(&spec.bucket, &spec.object).await?;
        let mark = if let Some(mark) = there.filter(|mark| {
            known.is_empty() || mark == known || recorded.is_some_and(|it| it.name != spec.object)
        }) {
            mark
        } else {
            let body = ByteStream::from_path(&spec.path).await;
            let body = body
                .map_err(|error| malformed("s3 PutObject", format!("cannot read {}: {error}", spec.path)))?;
            let put = self
                .s3
                .put_object()
                .bucket(&spec.bucket)
                .key(&spec.object)
                .content_type("application/zip")
                .body(body);
            self.call("s3 PutObject", put.send()).await?.e_tag.unwrap_or_default()
        };
        // Lambda keeps its own copy of code that it runs: the one before is of no use any more.
        if let Some(before) = recorded.filter(|before| before.name != spec.object) {
            self.delete_artifact(before).await?;
        }
        let arn = format!("arn:{}:s3:::{}/{}", self.identity.partition, spec.bucket, spec.object);
        let attributes = [("bucket".to_owned(), spec.bucket.clone()), (MARK.to_owned(), mark)].into();
        Ok(Made { arn, attributes })
    }

    pub(super) async fn delete_artifact(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let delete = self.s3.delete_object().bucket(recorded.attribute("bucket")).key(&recorded.name);
        gone(self.call("s3 DeleteObject", delete.send()).await)
    }

    pub(super) async fn describe_artifact(
        &self,
        recorded: &Recorded,
    ) -> Result<Option<Observed>, CloudError> {
        let mark = self.object(recorded.attribute("bucket"), &recorded.name).await?;
        Ok(mark.map(|mark| Observed { attributes: [(MARK.to_owned(), mark)].into(), ..Observed::default() }))
    }
}
