//! What is done with services that are deployed, on AWS: reading their artifact, calling their functions, handing out
//! credentials, moving messages.

use async_trait::async_trait;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use eventual_provider_core::cloud::{CloudError, Trouble};
use eventual_provider_core::config::Confidential;
use eventual_provider_core::operations::{Credentials, CredentialsAsk, Invocation, Letter, Operations};
use eventual_schema::Manifest;
use eventual_schema::artifact::manifest_of;
use eventual_schema::digest::short_hash;

use super::{AwsCloud, malformed, present};

/// How much of the end of an artifact is fetched to find its manifest, in bytes; more only when it is not in there.
const TAIL: u64 = 256 * 1024;
/// Seconds that a dead letter is hidden from others while it is redriven.
const HIDDEN_S: i32 = 60;

impl AwsCloud {
    /// The last `length` bytes of an object (all of them without), and how many it has.
    async fn end_of(
        &self,
        bucket: &str,
        object: &str,
        length: Option<u64>,
    ) -> Result<Option<(Vec<u8>, u64)>, CloudError> {
        let get = self.s3.get_object().bucket(bucket).key(object);
        let get = get.set_range(length.map(|length| format!("bytes=-{length}")));
        let Some(answer) = present(self.call("s3 GetObject", get.send()).await)? else { return Ok(None) };
        let total =
            answer.content_range().and_then(|it| it.rsplit('/').next()).and_then(|it| it.parse().ok());
        let body = answer.body.collect().await.map_err(|error| CloudError {
            trouble: Trouble::Unreachable,
            ..malformed("s3 GetObject", error)
        })?;
        let bytes = body.into_bytes().to_vec();
        let size = total.unwrap_or(bytes.len() as u64);
        Ok(Some((bytes, size)))
    }

    async fn queue_of(&self, operation: &str, name: &str) -> Result<String, CloudError> {
        let answer = self.call("sqs GetQueueUrl", self.sqs.get_queue_url().queue_name(name).send()).await?;
        answer.queue_url.ok_or_else(|| malformed(operation, format!("{name} has no URL")))
    }
}

fn credentials(access_key_id: &str, secret: &str, token: &str, ends_s: i64) -> Credentials {
    let ends = aws_smithy_types::DateTime::from_secs(ends_s);
    Credentials {
        access_key_id: access_key_id.to_owned(),
        secret_access_key: Confidential::new(secret),
        session_token: Confidential::new(token),
        expires_at: ends.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap_or_default(),
    }
}

fn letter(message: Message) -> Letter {
    let texts = message.message_attributes.unwrap_or_default();
    let group =
        message.attributes.as_ref().and_then(|it| it.get(&MessageSystemAttributeName::MessageGroupId));
    Letter {
        group: group.cloned().unwrap_or_default(),
        id: message.message_id.unwrap_or_default(),
        receipt: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        attributes: texts.into_iter().filter_map(|(name, it)| Some((name, it.string_value?))).collect(),
    }
}

#[async_trait]
impl Operations for AwsCloud {
    async fn manifest(&self, bucket: &str, object: &str) -> Result<Option<Manifest>, CloudError> {
        let Some((tail, size)) = self.end_of(bucket, object, Some(TAIL)).await? else { return Ok(None) };
        if let Ok(manifest) = manifest_of(&tail, size) {
            return Ok(Some(manifest));
        }
        let Some((whole, size)) = self.end_of(bucket, object, None).await? else { return Ok(None) };
        let manifest = manifest_of(&whole, size);
        manifest
            .map(Some)
            .map_err(|problem| malformed("s3 GetObject", format!("{bucket}/{object}: {problem}")))
    }

    async fn buckets(&self) -> Result<Vec<String>, CloudError> {
        let (mut names, mut next) = (Vec::new(), None);
        loop {
            let list = self.s3.list_buckets().max_buckets(1000).set_continuation_token(next);
            let page = self.call("s3 ListBuckets", list.send()).await?;
            names.extend(page.buckets().iter().filter_map(|it| it.name().map(str::to_owned)));
            next = page.continuation_token().filter(|it| !it.is_empty()).map(str::to_owned);
            if next.is_none() {
                return Ok(names);
            }
        }
    }

    async fn caller(&self) -> Result<String, CloudError> {
        let answer = self.call("sts GetCallerIdentity", self.sts.get_caller_identity().send()).await?;
        Ok(answer.arn.unwrap_or_default())
    }

    async fn invoke(&self, function_arn: &str, payload: &str) -> Result<Invocation, CloudError> {
        let invoke = self.lambda.invoke().function_name(function_arn).payload(Blob::new(payload));
        let answer = self.call("lambda Invoke", invoke.send()).await?;
        let text = answer.payload().map(|it| String::from_utf8_lossy(it.as_ref()).into_owned());
        Ok(Invocation { answer: text.unwrap_or_default(), failed: answer.function_error().is_some() })
    }

    async fn enqueue(&self, function_arn: &str, payload: &str) -> Result<(), CloudError> {
        let invoke = self.lambda.invoke().function_name(function_arn).payload(Blob::new(payload));
        let invoke = invoke.invocation_type(InvocationType::Event);
        self.call("lambda Invoke", invoke.send()).await.map(|_| ())
    }

    async fn credentials(&self, ask: &CredentialsAsk) -> Result<Credentials, CloudError> {
        let duration = i32::try_from(ask.duration_s).unwrap_or(i32::MAX);
        let made = if let Some(role) = &ask.role_arn {
            let assume = self.sts.assume_role().role_arn(role).role_session_name(&ask.session_name);
            let assume = assume.policy(&ask.policy).duration_seconds(duration);
            self.call("sts AssumeRole", assume.send()).await?.credentials
        } else {
            let federate = self.sts.get_federation_token().name(&ask.session_name);
            let federate = federate.policy(&ask.policy).duration_seconds(duration);
            self.call("sts GetFederationToken", federate.send()).await?.credentials
        };
        let made = made.ok_or_else(|| malformed("sts", "the answer has no credentials"))?;
        Ok(credentials(
            made.access_key_id(),
            made.secret_access_key(),
            made.session_token(),
            made.expiration().secs(),
        ))
    }

    async fn depth(&self, queue: &str) -> Result<Option<u64>, CloudError> {
        let url = present(self.queue_of("sqs GetQueueAttributes", queue).await)?;
        let Some(url) = url else { return Ok(None) };
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let get = self.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let answer = present(self.call("sqs GetQueueAttributes", get.send()).await)?;
        let count =
            answer.map(|it| it.attributes().and_then(|it| it.get(&name)).and_then(|it| it.parse().ok()));
        Ok(count.map(Option::unwrap_or_default))
    }

    async fn receive(&self, queue: &str, most: u64) -> Result<Vec<Letter>, CloudError> {
        let url = self.queue_of("sqs ReceiveMessage", queue).await?;
        let most = i32::try_from(most.clamp(1, 10)).unwrap_or(10);
        let receive = self.sqs.receive_message().queue_url(url).max_number_of_messages(most);
        let receive =
            receive.wait_time_seconds(1).visibility_timeout(HIDDEN_S).message_attribute_names("All");
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        let answer = self.call("sqs ReceiveMessage", receive.send()).await?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(letter).collect())
    }

    async fn send(&self, queue: &str, letter: &Letter) -> Result<(), CloudError> {
        let url = self.queue_of("sqs SendMessage", queue).await?;
        let mut send = self.sqs.send_message().queue_url(url).message_body(&letter.body);
        if !letter.group.is_empty() {
            // The same letter within SQS's five minutes is one message; a later redrive of it is another.
            let once = short_hash(&["redrive", &letter.id], 32);
            send = send.message_group_id(&letter.group).message_deduplication_id(once);
        }
        self.call("sqs SendMessage", send.send()).await.map(|_| ())
    }

    async fn discard(&self, queue: &str, letter: &Letter) -> Result<(), CloudError> {
        let url = self.queue_of("sqs DeleteMessage", queue).await?;
        let delete = self.sqs.delete_message().queue_url(url).receipt_handle(&letter.receipt);
        self.call("sqs DeleteMessage", delete.send()).await.map(|_| ())
    }
}
