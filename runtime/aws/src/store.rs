//! The engine's store on DynamoDB.
//!
//! A turn is one conditional write: it begins an item of its own if the key is free, or is appended to the item of the turn before it
//! if nobody appended to it since (see [`place`]). The number is the version, and no lock is needed. All reads of one
//! execution are strongly consistent; lists come from the index and lag by what DynamoDB lags.
//!
//! **Lost answers.** A conditional write whose answer was lost is sent again by the SDK and then finds its own item.
//! The refused write returns that item, and one that is ours (same body, same token) counts as written.
//!
//! **Retention.** Open executions have no expiry at all, because nobody knows how long they sleep. Closing one writes
//! `expires` on its turns first (see [`close`]) and on its meta last, an hour later than on the turns, so that turns
//! never outlive their meta; what has expired counts as gone although DynamoDB deletes it days later, so that the
//! name can be used again. Claims are never taken over and expire by themselves, a month after their lease, when
//! nothing can invoke their attempt again; the run in their keys keeps them apart from those of a later execution of the
//! name.

mod answers;
mod attempt;
mod attributes;
mod close;
mod item;
mod list;
mod place;
mod places;
mod status;
mod turns;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use eventual_core::limits::ITEM_INLINE_MAX as INLINE_MAX;
use eventual_core::{ExecutionId, Millis, Outcome, Payload, Turn};
use eventual_engine::codec;
use eventual_engine::ports::{
    AttemptId, AttemptRecord, Beat, Clock, Commit, Completed, Fault, Insert, ListQuery, Meta, Page, Store,
};
use eventual_schema::deploy::table;

use crate::clock::SystemClock;
use crate::fault;
use crate::spill::Spill;
use item::{Item, claim_key, names, number, text};
use places::Places;

/// Spilled bodies that are fetched at the same time.
const FETCHES: usize = 8;
/// How much longer a meta lives than its turns.
const META_LIVES_LONGER_S: u64 = 3600;
/// How much longer a claim lives than its lease; longer than a message of the workflow queue, redriven once, can be on
/// its way, because its redelivery may invoke the attempt again.
const CLAIM_LIVES_LONGER_S: u64 = 30 * 86_400;

/// The engine table.
#[derive(Clone, Debug)]
pub struct DynamoStore {
    client: Client,
    table: String,
    spill: Spill,
    retention_s: u64,
    places: Arc<Places>,
}

/// What a conditional write came to.
enum Written {
    Yes,
    /// The condition did not hold; the item that is there.
    No(Item),
}

impl DynamoStore {
    pub(crate) fn new(client: Client, table: String, spill: Spill, retention_days: u64) -> Self {
        Self { client, table, spill, retention_s: retention_days * 86_400, places: Arc::default() }
    }

    /// A put that only replaces what has expired.
    fn put_if_free(&self, item: Item) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#item) OR #expires < :now")
            .set_expression_attribute_names(names(&[("#item", table::SORT), ("#expires", table::EXPIRES)]))
            .expression_attribute_values(":now", number(now_s()))
            .return_values_on_condition_check_failure(AllOld)
    }

    /// The item of a meta, spilled when it is large.
    async fn meta_item(&self, meta: &Meta) -> Result<Item, Fault> {
        let body = self.spill.keep(&meta.id, codec::encode_meta(meta), INLINE_MAX).await?;
        Ok(item::meta(meta, body))
    }

    /// Reads a meta from its item.
    async fn read_meta(&self, item: Item) -> Result<Meta, Fault> {
        let operation = || format!("dynamodb: meta of {}", item::execution(&item));
        let kept = item::body(&item).ok_or_else(|| Fault::new(operation(), "the item has no body"))?;
        let text = self.spill.open(kept).await?;
        codec::decode_meta(text.as_bytes()).map_err(|error| Fault::new(operation(), error))
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault> {
        let mut item = self.meta_item(meta).await?;
        let ours = item::body(&item);
        item.insert(table::UNCOVERED.to_owned(), text("start"));
        let operation = || format!("dynamodb PutItem meta of {}", meta.id);
        match written(operation, self.put_if_free(item).send().await)? {
            Written::Yes => Ok(Insert::Inserted),
            Written::No(there) if item::body(&there) == ours => Ok(Insert::Inserted),
            Written::No(there) => Ok(Insert::Exists(Box::new(self.read_meta(there).await?))),
        }
    }

    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(table::PARTITION, text(id.as_str()))
            .key(table::SORT, text(table::META))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| fault::aws(format!("dynamodb GetItem meta of {id}"), &error))?;
        match answer.item {
            Some(item) if !item::expired(&item, now_s()) => self.read_meta(item).await.map(Some),
            Some(_) | None => Ok(None),
        }
    }

    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        self.turns_after(id, after).await
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        self.commit_turn(id, turn).await
    }

    async fn set_status(&self, meta: &Meta) -> Result<(), Fault> {
        self.write_status(meta).await
    }

    async fn claim(&self, attempt: &AttemptId, lease_ms: u64) -> Result<bool, Fault> {
        let (id, key) = (&attempt.execution, claim_key(attempt));
        let token = format!("{:016x}", SystemClock.entropy());
        let now = SystemClock.now();
        let lease = now.saturating_add(lease_ms);
        let item = item::claim(id, &key, (now, lease), &token, lease / 1000 + CLAIM_LIVES_LONGER_S);
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#item) OR #expires < :now")
            .set_expression_attribute_names(names(&[("#item", table::SORT), ("#expires", table::EXPIRES)]))
            .expression_attribute_values(":now", number(now / 1000))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        Ok(match written(|| format!("dynamodb PutItem {key} of {id}"), answer)? {
            Written::Yes => true,
            Written::No(there) => item::token(&there) == Some(&token),
        })
    }

    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault> {
        self.put_answer(id, update, outcome).await
    }

    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        self.get_answer(id, update).await
    }

    async fn heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        self.write_heartbeat(attempt, now, details).await
    }

    async fn attempt_of(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        self.read_attempt(attempt).await
    }

    async fn cancel_attempt(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault> {
        self.write_cancelled(attempt).await
    }

    async fn complete_attempt(&self, attempt: &AttemptId, outcome: &Outcome) -> Result<Completed, Fault> {
        self.write_outcome(attempt, outcome).await
    }

    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        // What expires in this second counts as there until it is over.
        self.expire_turns(id, Some(before), now_s().saturating_sub(1)).await
    }

    async fn set_attributes(&self, meta: &Meta, changed: &[String]) -> Result<(), Fault> {
        self.write_attributes(meta, changed).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, Fault> {
        list::list(self, query).await
    }
}

fn now_s() -> u64 {
    SystemClock.now() / 1000
}

/// Tells a failed condition from a failed call.
fn written(
    operation: impl Fn() -> String,
    answer: Result<PutItemOutput, aws_sdk_dynamodb::error::SdkError<PutItemError>>,
) -> Result<Written, Fault> {
    match answer {
        Ok(_) => Ok(Written::Yes),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Written::No(refused.item.clone().unwrap_or_default()))
            }
            _ => Err(fault::aws(operation(), &error)),
        },
    }
}
