//! Texts that are too large for the place where they belong: they go to the bucket, and a pointer takes their place.
//!
//! Keys are content addresses below the execution, so that writing one twice is harmless. Nothing here deletes: a
//! payload may be referred to by several turns and messages, and is kept with the bucket's `payloads/`.

use aws_sdk_s3::Client;
use eventual_core::ExecutionId;
use eventual_engine::ports::Fault;
use eventual_schema::deploy::bucket;
use eventual_schema::digest::sha256_hex;

use crate::fault;

/// The bucket's payloads.
#[derive(Clone, Debug)]
pub(crate) struct Spill {
    client: Client,
    bucket: String,
}

/// A text, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The text itself.
    Inline(String),
    /// Its key in the bucket.
    Spilled(String),
}

impl Spill {
    pub(crate) fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Keeps `text` inline when it has at most `limit` bytes, else writes it to the bucket.
    pub(crate) async fn keep(&self, id: &ExecutionId, text: String, limit: usize) -> Result<Kept, Fault> {
        if text.len() <= limit {
            return Ok(Kept::Inline(text));
        }
        let key = format!("{}{id}/{}", bucket::PAYLOADS, sha256_hex(text.as_bytes()));
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(&key)
            .content_type("application/json")
            .body(text.into_bytes().into())
            .send()
            .await
            .map_err(|error| fault::aws(format!("s3 PutObject {key}"), &error))?;
        Ok(Kept::Spilled(key))
    }

    /// The text that was kept.
    pub(crate) async fn open(&self, kept: Kept) -> Result<String, Fault> {
        let key = match kept {
            Kept::Inline(text) => return Ok(text),
            Kept::Spilled(key) => key,
        };
        let operation = || format!("s3 GetObject {key}");
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&key)
            .send()
            .await
            .map_err(|error| fault::aws(operation(), &error))?;
        let bytes = object.body.collect().await.map_err(|error| Fault::new(operation(), error))?;
        String::from_utf8(bytes.to_vec()).map_err(|error| Fault::new(operation(), error))
    }
}
