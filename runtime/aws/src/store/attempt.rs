//! What is kept of an attempt of a task, in the item of its claim: each call is one conditional write, and none reads first.
//!
//! An outcome that was given by token is spilled when it is large, as a turn is.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValue::{AllNew, UpdatedNew};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use eventual_core::{Millis, Outcome, Payload};
use eventual_engine::codec;
use eventual_engine::ports::{AttemptId, AttemptRecord, Beat, Completed, Fault};
use eventual_schema::deploy::table;

use super::item::{self, BEATEN, BODY, CANCELLED, DETAILS, Item, SPILLED, claim_key, number, text};
use super::{CLAIM_LIVES_LONGER_S, DynamoStore, now_s};
use crate::fault;
use crate::spill::Kept;

/// Largest outcome inside the item, in bytes; DynamoDB takes 400 KB an item, and details of heartbeats are beside it.
const OUTCOME_MAX: usize = 256 * 1024;

impl DynamoStore {
    pub(super) async fn write_heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        let mut update =
            "SET #beaten = :now, #expires = :expires, #cancelled = if_not_exists(#cancelled, :no)".to_owned();
        let mut request = self.update_attempt(attempt);
        if let Some(details) = details {
            update.push_str(", #details = :details");
            request = request
                .expression_attribute_names("#details", DETAILS)
                .expression_attribute_values(":details", text(String::from_utf8_lossy(details.as_bytes())));
        }
        let answer = request
            .update_expression(update)
            .expression_attribute_names("#beaten", BEATEN)
            .expression_attribute_names("#cancelled", CANCELLED)
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .return_values(UpdatedNew)
            .send()
            .await
            .map_err(|error| failed("heartbeat", attempt, &error))?;
        Ok(Beat { cancelled: item::cancelled(&answer.attributes.unwrap_or_default()) })
    }

    pub(super) async fn read_attempt(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        let (id, key) = (&attempt.execution, claim_key(attempt));
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(table::PARTITION, text(id.as_str()))
            .key(table::SORT, text(&key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| fault::aws(format!("dynamodb GetItem {key} of {id}"), &error))?;
        match answer.item {
            Some(item) if !item::expired(&item, now_s()) => Ok(Some(AttemptRecord {
                beaten: item::beaten(&item),
                details: item::details(&item),
                cancelled: item::cancelled(&item),
                outcome: self.outcome(&item).await?,
            })),
            Some(_) | None => Ok(None),
        }
    }

    pub(super) async fn write_cancelled(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault> {
        let answer = self
            .update_attempt(attempt)
            .update_expression("SET #cancelled = :yes, #expires = :expires")
            .expression_attribute_names("#cancelled", CANCELLED)
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .return_values(AllNew)
            .send()
            .await
            .map_err(|error| failed("cancellation", attempt, &error))?;
        self.outcome(&answer.attributes.unwrap_or_default()).await
    }

    pub(super) async fn write_outcome(
        &self,
        attempt: &AttemptId,
        outcome: &Outcome,
    ) -> Result<Completed, Fault> {
        let kept = self.spill.keep(&attempt.execution, codec::encode_outcome(outcome), OUTCOME_MAX).await?;
        let (written, other, value) = match kept {
            Kept::Inline(body) => (BODY, SPILLED, body),
            Kept::Spilled(key) => (SPILLED, BODY, key),
        };
        let answer = self
            .update_attempt(attempt)
            .update_expression("SET #written = :outcome, #expires = :expires")
            .condition_expression(
                "attribute_not_exists(#written) AND attribute_not_exists(#other) \
                 AND (attribute_not_exists(#cancelled) OR #cancelled = :no)",
            )
            .expression_attribute_names("#written", written)
            .expression_attribute_names("#other", other)
            .expression_attribute_names("#cancelled", CANCELLED)
            .expression_attribute_values(":outcome", text(value))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let there = match answer {
            Ok(UpdateItemOutput { .. }) => return Ok(Completed::Kept),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    refused.item.clone().unwrap_or_default()
                }
                _ => return Err(failed("outcome", attempt, &error)),
            },
        };
        // Perhaps our own, when its answer was lost and the SDK sent it again.
        Ok(self.outcome(&there).await?.map_or(Completed::Cancelled, Completed::Before))
    }

    /// A write of the item of an attempt, which lives on from now as a claim does.
    fn update_attempt(&self, attempt: &AttemptId) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(table::PARTITION, text(attempt.execution.as_str()))
            .key(table::SORT, text(claim_key(attempt)))
            .expression_attribute_names("#expires", table::EXPIRES)
            .expression_attribute_values(":expires", number(now_s() + CLAIM_LIVES_LONGER_S))
    }

    async fn outcome(&self, item: &Item) -> Result<Option<Outcome>, Fault> {
        let Some(kept) = item::body(item) else { return Ok(None) };
        let text = self.spill.open(kept).await?;
        let operation = || format!("dynamodb: {} of {}", item::sort(item), item::execution(item));
        codec::decode_outcome(text.as_bytes()).map(Some).map_err(|error| Fault::new(operation(), error))
    }
}

fn failed(
    what: &str,
    attempt: &AttemptId,
    error: &aws_sdk_dynamodb::error::SdkError<UpdateItemError>,
) -> Fault {
    fault::aws(format!("dynamodb UpdateItem {what} of {attempt}"), error)
}
