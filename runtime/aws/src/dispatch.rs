//! The engine's deliveries on AWS: wake-ups by a FIFO queue, tasks by asynchronous invocation, timers by a delayed
//! message or a schedule, events by the bus.
//!
//! Everything here may happen twice, and is made so that it rarely does: wake-ups carry a deduplication id of their
//! content, schedules a name of theirs, and claims in the table stop a second worker. A wake-up without facts ("look
//! at your history again") gets an id of its own each time: two of them are two reasons to look.

mod events;
mod forward;
mod schedule;

use async_trait::async_trait;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::MessageAttributeValue;
use eventual_core::limits::MESSAGE_INLINE_MAX;
use eventual_core::{Emitted, ExecutionId};
use eventual_engine::codec;
use eventual_engine::ports::{Clock, Dispatch, Fault, Forward, Forwarded, Message, TaskRequest, Timer};
use eventual_schema::deploy::{ALIAS, Names, QUEUE_DELAY_MAX_S};
use eventual_schema::digest::sha256_hex;

use crate::clock::SystemClock;
use crate::config::Resources;
use crate::fault;
use crate::spill::{Kept, Spill};
use crate::wire::envelope::Envelope;

/// Longest message group id of SQS.
const GROUP_MAX: usize = 128;

/// Deliveries of one deployment.
#[derive(Clone, Debug)]
pub struct AwsDispatch {
    queues: aws_sdk_sqs::Client,
    functions: aws_sdk_lambda::Client,
    schedules: aws_sdk_scheduler::Client,
    bus: aws_sdk_eventbridge::Client,
    spill: Spill,
    service: String,
    names: Names,
    resources: Resources,
}

/// The clients that a dispatch delivers with.
pub(crate) struct Clients {
    pub(crate) queues: aws_sdk_sqs::Client,
    pub(crate) functions: aws_sdk_lambda::Client,
    pub(crate) schedules: aws_sdk_scheduler::Client,
    pub(crate) bus: aws_sdk_eventbridge::Client,
}

impl AwsDispatch {
    pub(crate) fn new(
        clients: Clients,
        spill: Spill,
        service: &str,
        region: &str,
        resources: Resources,
    ) -> Self {
        Self {
            queues: clients.queues,
            functions: clients.functions,
            schedules: clients.schedules,
            bus: clients.bus,
            spill,
            service: service.to_owned(),
            // Function names do not depend on the account, which a function does not know.
            names: Names::new(service, "", region),
            resources,
        }
    }

    /// Sends `body`, the text of a timer, so that it arrives `delay_ms` from now or, rounded down to SQS's seconds,
    /// up to one second before; the receiver waits for the rest.
    pub(crate) async fn delay(&self, id: &ExecutionId, body: &str, delay_ms: u64) -> Result<(), Fault> {
        let seconds = (delay_ms / 1000).min(u64::from(QUEUE_DELAY_MAX_S));
        self.queues
            .send_message()
            .queue_url(&self.resources.timer_queue_url)
            .message_body(body)
            .delay_seconds(i32::try_from(seconds).unwrap_or_default())
            .send()
            .await
            .map_err(|error| fault::aws(format!("sqs SendMessage timer of {id}"), &error))?;
        Ok(())
    }

    /// Gives a message up that nobody can ever read: it goes, as it came, to the dead-letter queue of everything that is not
    /// FIFO, with the reason beside it.
    ///
    /// # Errors
    /// When that queue does not take it: the message must be handled again.
    pub async fn bury(&self, body: &str, reason: &str) -> Result<(), Fault> {
        let faulty = |error: String| Fault::new("sqs SendMessage of a dead letter", error);
        let reason = MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        self.queues
            .send_message()
            .queue_url(self.dead_letters_url())
            .message_body(body)
            .message_attributes("reason", reason.map_err(|error| faulty(error.to_string()))?)
            .send()
            .await
            .map_err(|error| fault::aws("sqs SendMessage of a dead letter".to_owned(), &error))?;
        Ok(())
    }

    /// The dead-letter queue, which is in the timer queue's account.
    fn dead_letters_url(&self) -> String {
        let timers = &self.resources.timer_queue_url;
        let account = timers.rsplit_once('/').map_or("", |(account, _)| account);
        format!("{account}/{}", self.names.dead_letter_queue())
    }

    async fn envelope(&self, id: &ExecutionId, text: String) -> Result<Envelope, Fault> {
        let kept = self.spill.keep(id, text, MESSAGE_INLINE_MAX).await?;
        Envelope::new(id, kept).map_err(|error| Fault::new(format!("message to {id}"), error))
    }

    /// The text inside an envelope.
    pub(crate) async fn open(&self, kept: Kept) -> Result<String, Fault> {
        self.spill.open(kept).await
    }
}

#[async_trait]
impl Dispatch for AwsDispatch {
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault> {
        let text = codec::encode_message(message);
        let unique = if message.facts.is_empty() { SystemClock.entropy() } else { 0 };
        let once = sha256_hex(format!("{id}\0{unique:x}\0{text}").as_bytes());
        let body = self.envelope(id, text).await?.to_json();
        self.queues
            .send_message()
            .queue_url(&self.resources.workflow_queue_url)
            .message_group_id(group(id))
            .message_deduplication_id(once)
            .message_body(body)
            .send()
            .await
            .map_err(|error| fault::aws(format!("sqs SendMessage to {id}"), &error))?;
        Ok(())
    }

    async fn task(&self, request: &TaskRequest) -> Result<(), Fault> {
        let id = &request.execution;
        let envelope = self.envelope(id, codec::encode_task(request)).await?;
        // As one name, which AWS takes as it takes the alias beside it; the role permits the alias alone.
        let function = format!("{}:{ALIAS}", self.names.function(&format!("task-{}", request.task)));
        self.functions
            .invoke()
            .function_name(&function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(envelope.of_task(&request.id()).to_json()))
            .send()
            .await
            .map_err(|error| {
                let operation = format!("lambda Invoke {function} for call {} of {id}", request.seq);
                fault::aws(operation, &error)
            })?;
        Ok(())
    }

    async fn timer(&self, timer: &Timer) -> Result<(), Fault> {
        let (id, due) = (&timer.execution, timer.due);
        let body = self.envelope(id, codec::encode_timer(timer)).await?.to_json();
        let wait = due.saturating_sub(SystemClock.now());
        if wait <= u64::from(QUEUE_DELAY_MAX_S) * 1000 {
            return self.delay(id, &body, wait).await;
        }
        self.schedule(id, due, body).await
    }

    async fn forward(&self, code: &str, id: &ExecutionId, forward: &Forward) -> Result<Forwarded, Fault> {
        self.ask_code(code, id, forward).await
    }

    async fn emit(&self, key: &str, events: &[Emitted]) -> Result<(), Fault> {
        self.publish(key, events).await
    }
}

/// The message group of an execution: its id where SQS takes it, else a hash of it.
fn group(id: &ExecutionId) -> String {
    if id.as_str().len() <= GROUP_MAX { id.as_str().to_owned() } else { sha256_hex(id.as_str().as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_get_a_group_that_sqs_takes() {
        let short = ExecutionId::new("processOrder", "17").unwrap();
        assert_eq!(group(&short), "processOrder/17");
        let one = ExecutionId::new("processOrder", &"x".repeat(200)).unwrap();
        let two = ExecutionId::new("processOrder", &format!("{}y", "x".repeat(199))).unwrap();
        assert!(group(&one).len() <= GROUP_MAX && group(&one) != group(&two));
    }
}
