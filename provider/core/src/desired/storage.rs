//! The bucket and the artifact in it.

use eventual_schema::deploy::bucket;
use serde_json::json;

use super::Graph;
use crate::resource::{ArtifactSpec, BucketSpec, Spec};

pub(super) const BUCKET: &str = "bucket";
pub(super) const ARTIFACT: &str = "artifact";

/// Key of an artifact in the bucket.
pub(super) fn object(sha256: &str) -> String {
    format!("{}{sha256}.zip", bucket::CODE)
}

pub(super) fn add(graph: &mut Graph<'_>) {
    let place = graph.inputs.place;
    let (name, arn) = (place.names().bucket(), place.bucket_arn());
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }],
    });
    graph.add(
        BUCKET,
        name.clone(),
        Some(arn.clone()),
        Spec::Bucket(BucketSpec { policy: policy.to_string() }),
        &[],
    );
    let object = object(graph.inputs.sha256);
    let spec = ArtifactSpec {
        bucket: name,
        object: object.clone(),
        sha256: graph.inputs.sha256.to_owned(),
        path: graph.inputs.path.to_owned(),
    };
    let arn = format!("{arn}/{object}");
    graph.add(ARTIFACT, object, Some(arn), Spec::Artifact(spec), &[]);
}
