//! Moves an execution from one status to the next. What is closed stays as it is.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use eventual_core::Status;
use eventual_engine::codec;
use eventual_engine::ports::{Fault, Meta};
use eventual_schema::deploy::table;

use super::item::{self, number, text};
use super::{DynamoStore, INLINE_MAX, META_LIVES_LONGER_S, now_s};
use crate::fault;
use crate::spill::Kept;

impl DynamoStore {
    /// Writes what is known of an execution, if it is open and nobody wrote it as of a later turn. Whoever writes this was woken, so that from here on the
    /// relay has nothing to cover.
    pub(super) async fn write_status(&self, meta: &Meta) -> Result<(), Fault> {
        let expires = meta.status.is_closed().then(|| now_s() + self.retention_s);
        if let Some(expires) = expires {
            self.expire_turns(&meta.id, None, expires).await?;
            self.expire_attributes(meta, expires + META_LIVES_LONGER_S).await?;
        }
        let kept = self.spill.keep(&meta.id, codec::encode_meta(meta), INLINE_MAX).await?;
        let (written, removed, body) = match kept {
            Kept::Inline(body) => (item::BODY, item::SPILLED, body),
            Kept::Spilled(key) => (item::SPILLED, item::BODY, key),
        };
        let mut update =
            "SET #status = :status, #listed = :listed, #written = :body, #asof = :asof".to_owned();
        let mut request = self.client.update_item();
        if let Some(expires) = expires {
            update.push_str(", #expires = :expires");
            request = request
                .expression_attribute_names("#expires", table::EXPIRES)
                .expression_attribute_values(":expires", number(expires + META_LIVES_LONGER_S));
        }
        update.push_str(" REMOVE #uncovered, #removed");
        let answer = request
            .table_name(&self.table)
            .key(table::PARTITION, text(meta.id.as_str()))
            .key(table::SORT, text(table::META))
            .update_expression(update)
            .condition_expression(
                "#status IN (:running, :parked, :paused) AND (attribute_not_exists(#asof) OR #asof <= :asof)",
            )
            .expression_attribute_names("#asof", item::AS_OF)
            .expression_attribute_values(":asof", number(meta.as_of))
            .expression_attribute_names("#status", item::STATUS)
            .expression_attribute_names("#listed", table::INDEX_PARTITION)
            .expression_attribute_names("#uncovered", table::UNCOVERED)
            .expression_attribute_names("#written", written)
            .expression_attribute_names("#removed", removed)
            .expression_attribute_values(":status", text(meta.status.as_str()))
            .expression_attribute_values(":listed", text(item::listed(meta)))
            .expression_attribute_values(":body", text(body))
            .expression_attribute_values(":running", text(Status::Running.as_str()))
            .expression_attribute_values(":parked", text(Status::Parked.as_str()))
            .expression_attribute_values(":paused", text(Status::Paused.as_str()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            // Closed already, written as of a later turn, or deleted since: there is nothing that could change.
            Err(error) if refused(error.as_service_error()) => Ok(()),
            Err(error) => Err(fault::aws(format!("dynamodb UpdateItem meta of {}", meta.id), &error)),
        }
    }
}

/// Whether an update's condition did not hold.
pub(super) const fn refused(error: Option<&UpdateItemError>) -> bool {
    matches!(error, Some(UpdateItemError::ConditionalCheckFailedException(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_names_every_open_status() {
        let open: Vec<Status> = Status::ALL.into_iter().filter(|it| !it.is_closed()).collect();
        assert_eq!(open, [Status::Parked, Status::Paused, Status::Running]);
    }
}
